/** How positions of an iteration space become thread indices of gpu.js, and addresses. */
import type { Indexed, Strided } from '../program/index.ts'
import { sizeOf } from '../program/index.ts'

export interface Threads {
  /** Sizes of the kernel's output, x first. */
  readonly output: readonly number[]
  /** For each axis, its index as an expression that stays an integer. */
  readonly axes: readonly string[]
}

/** Up to here `floor((i + 0.5) / n)` is exact in float32, even where division is off by 2.5 ulp. */
const divisible = 2 ** 20
/** The number of workgroups that GPUs allow along y and z. */
const widest = 65535

/**
 * The index within `sizes[at]` of a thread index that counts through all of `sizes`, row-major. `| 0` keeps
 * the quotient an integer: as float32 it would make addresses inexact above 2^24.
 */
const component = (thread: string, sizes: readonly number[], at: number): string => {
  const quotient = (after: number): string => {
    const n = sizeOf(sizes.slice(after))
    return n === 1 ? thread : `(Math.floor((${thread} + 0.5) / ${n}) | 0)`
  }
  const own = quotient(at + 1)
  return at === 0 ? own : `(${own} - ${sizes[at]} * ${quotient(at)})`
}

/** Puts the axes into up to three groups, each small enough; the last has at least 16 elements if it can. */
const grouped = (shape: readonly number[]): readonly (readonly number[])[] => {
  const groups = shape.map((size) => [size])
  const merge = (at: number): void => {
    groups.splice(at, 2, [...(groups[at] as number[]), ...(groups[at + 1] as number[])])
  }
  const extent = (at: number): number => sizeOf(groups[at] ?? [])
  // Short rows cost more than a division does: each is an array of its own in some modes.
  while (groups.length > 1 && extent(groups.length - 1) < 16 && extent(groups.length - 2) * 16 <= divisible)
    merge(groups.length - 2)
  while (groups.length > 3) {
    const pairs = groups.slice(1).map((_, at) => extent(at) * extent(at + 1))
    merge(pairs.indexOf(Math.min(...pairs)))
  }
  return groups
}

/** The threads over a shape without empty axes, or why there cannot be as many. */
export const threadsOf = (shape: readonly number[]): Threads | string => {
  const groups = grouped(shape)
  const names = ['this.thread.x', 'this.thread.y', 'this.thread.z']
  const extents = groups.map(sizeOf).reverse()
  const divided = groups.some((sizes) => sizes.length > 1 && sizeOf(sizes) > divisible)
  if (divided) return 'its shape has more axes than gpu.js can number exactly'
  if (extents.slice(1).some((extent) => extent > widest)) return 'its shape is larger than a GPU can number'
  const axes = groups.flatMap((sizes, group) =>
    sizes.map((_, at) => component(names[groups.length - 1 - group] as string, sizes, at)),
  )
  return { output: extents.length === 0 ? [1] : extents, axes }
}

/** `offset + Σ strides[i] · axes[i]`, inline, so that it stays an integer. */
export const address = ({ strides, offset }: Strided, axes: readonly string[]): string => {
  const terms = strides.flatMap((stride, axis) => {
    if (stride === 0 || axes[axis] === '0') return []
    const factor = Math.abs(stride) === 1 ? '' : `${Math.abs(stride)} * `
    return [`${stride < 0 ? '-' : '+'} ${factor}${axes[axis]}`]
  })
  const start = offset < 0 ? `0 - ${-offset}` : String(offset)
  if (offset === 0 && terms[0]?.startsWith('+')) return [terms[0].slice(2), ...terms.slice(1)].join(' ')
  return [start, ...terms].join(' ')
}

/** A clamped index, added to an address. Comparing as float32 is enough: rounding keeps the order. */
export const gathered = (at: readonly Indexed[], element: (view: Indexed['index']) => string): string =>
  at
    .map(({ index, stride, size }) => {
      const clamped = `(Math.max(0, Math.min(${size - 1}, ${element(index)})) | 0)`
      return ` ${stride < 0 ? '-' : '+'} ${Math.abs(stride)} * ${clamped}`
    })
    .join('')
