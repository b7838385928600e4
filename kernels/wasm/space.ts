/** Iteration spaces: which memory a launch touches at each position, and in which order to walk it. */
import type { BufferId, Indexed, Operand, Strided, View } from '../program/index.ts'
import type { Dtype } from '../dtype.ts'
import { bytesOf } from '../dtype.ts'

/** Where an access begins: the buffer in a slot of the launch, a thread's scratch memory, or the number 0. */
export type Origin = { readonly slot: number } | 'scratch' | 'position'

/** A walk over memory (or over numbers): strides and offset in bytes (or ones) over all axes of a space. */
export interface Access {
  readonly origin: Origin
  readonly dtype: Dtype
  readonly strides: readonly number[]
  readonly offset: number
  /** Data-dependent parts: the clamped number that access `index` reads, times `stride` bytes. */
  readonly at: readonly { readonly index: number; readonly stride: number; readonly size: number }[]
}

/** Bytes from one element to the next where elements lie side by side. */
export const unitOf = ({ origin, dtype }: Access): number => (origin === 'position' ? 1 : bytesOf(dtype))

/** Collects the accesses of a launch; buffers become slots in order of appearance. */
export interface Accesses {
  readonly list: Access[]
  readonly slots: readonly BufferId[]
  readonly view: (view: View) => number
  readonly operand: (operand: Operand) => number
  readonly indexed: (view: View, at: readonly Indexed[]) => number
  readonly position: (place: Strided) => number
}

export const accesses = (dtypeOf: (buffer: BufferId) => Dtype): Accesses => {
  const list: Access[] = []
  const slots: BufferId[] = []
  const slotOf = (buffer: BufferId): number => {
    const known = slots.indexOf(buffer)
    return known >= 0 ? known : slots.push(buffer) - 1
  }
  const indexed = ({ buffer, strides, offset }: View, at: readonly Indexed[]): number => {
    const dtype = dtypeOf(buffer)
    const bytes = bytesOf(dtype)
    const parts = at.map(({ index, stride, size }) => ({
      index: indexed(index, []),
      stride: stride * bytes,
      size,
    }))
    return (
      list.push({
        origin: { slot: slotOf(buffer) },
        dtype,
        strides: strides.map((stride) => stride * bytes),
        offset: offset * bytes,
        at: parts,
      }) - 1
    )
  }
  const position = ({ strides, offset }: Strided): number =>
    list.push({ origin: 'position', dtype: 'int32', strides, offset, at: [] }) - 1
  return {
    list,
    slots,
    indexed,
    position,
    view: (view) => indexed(view, []),
    operand: (operand) => (operand.kind === 'iota' ? position(operand) : indexed(operand, operand.at ?? [])),
  }
}

/** One axis of a space, with the stride of each access along it. */
export interface Axis {
  readonly size: number
  readonly strides: readonly number[]
}

export const axesOf = (sizes: readonly number[], list: readonly Access[], first = 0): Axis[] =>
  sizes.map((size, axis) => ({ size, strides: list.map(({ strides }) => strides[first + axis] ?? 0) }))

/** Axes of size 1 left out, and axes that every access walks as one joined. */
export const merged = (axes: readonly Axis[]): Axis[] => {
  const result: Axis[] = []
  for (const axis of axes) {
    if (axis.size === 1) continue
    const before = result.at(-1)
    const joins =
      before !== undefined &&
      before.strides.every((stride, i) => stride === (axis.strides[i] as number) * axis.size)
    if (joins) result[result.length - 1] = { size: before.size * axis.size, strides: axis.strides }
    else result.push(axis)
  }
  return result
}

/** The axes with the widest strides first, where `weights` says how much each access counts. */
export const ordered = (axes: readonly Axis[], weights: readonly number[]): Axis[] => {
  const width = ({ strides }: Axis): number =>
    strides.reduce((sum, stride, i) => sum + Math.abs(stride) * (weights[i] as number), 0)
  return axes
    .map((axis, order) => ({ axis, order, width: width(axis) }))
    .sort((a, b) => b.width - a.width || a.order - b.order)
    .map(({ axis }) => axis)
}

/** What a vector along this axis costs: 1 for a plain load, the number of lanes where they lie apart. */
export const vectorCost = (axis: Axis | undefined, list: readonly Access[], lanes: number): number => {
  if (axis === undefined) return Infinity
  const each = list.reduce((sum, access, i) => {
    const stride = axis.strides[i] as number
    const gathered = access.at.some(({ index }) => axis.strides[index] !== 0)
    if (gathered) return sum + 2 * lanes
    if (stride === 0 || access.origin === 'position') return sum + 0.25
    // Each lane is loaded and put into its place.
    return sum + (Math.abs(stride) === unitOf(access) ? 1 : 1.25 * lanes)
  }, 1)
  return (each * Math.ceil(axis.size / lanes) * lanes) / axis.size
}

/** The cheapest axis to make vectors of, by index; the last of equals. */
export const vectorAxis = (
  axes: readonly Axis[],
  list: readonly Access[],
  lanes: number,
): number | undefined => {
  let best: number | undefined
  axes.forEach((axis, index) => {
    if (best === undefined || vectorCost(axis, list, lanes) <= vectorCost(axes[best], list, lanes))
      best = index
  })
  return best
}

/** `axes` without the one at `index`. */
export const without = (axes: readonly Axis[], index: number): Axis[] => axes.filter((_, i) => i !== index)

export const countOf = (axes: readonly Axis[]): number => axes.reduce((n, { size }) => n * size, 1)
