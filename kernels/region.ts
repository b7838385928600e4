/** Which elements a view touches. */
import type { Indexed, Strided } from './program/index.ts'
import { sizeOf } from './program/index.ts'

/** The lowest and highest element that a view may touch; `undefined` when it touches none. */
export interface Extent {
  readonly low: number
  readonly high: number
}

const reach = (extent: Extent, end: number): Extent => ({
  low: extent.low + Math.min(0, end),
  high: extent.high + Math.max(0, end),
})

/** The extent of a view over `shape`, gathered by `at`. */
export const extentOf = (
  { strides, offset }: Strided,
  shape: readonly number[],
  at: readonly Indexed[] = [],
): Extent | undefined => {
  if (sizeOf(shape) === 0) return undefined
  const start: Extent = { low: offset, high: offset }
  const direct = strides.reduce(
    (extent, stride, axis) => reach(extent, stride * ((shape[axis] as number) - 1)),
    start,
  )
  return at.reduce((extent, { stride, size }) => reach(extent, stride * (size - 1)), direct)
}

/** Calls `visit` with the address of each position until it returns true; says whether it did. */
const someAddress = (
  { strides, offset }: Strided,
  shape: readonly number[],
  visit: (address: number) => boolean,
): boolean => {
  const walk = (axis: number, address: number): boolean => {
    if (axis === shape.length) return visit(address)
    for (let i = 0; i < (shape[axis] as number); i++)
      if (walk(axis + 1, address + i * (strides[axis] as number))) return true
    return false
  }
  return walk(0, offset)
}

/** Whether no two positions share an element. */
export const isInjective = (view: Strided, shape: readonly number[]): boolean => {
  const extent = extentOf(view, shape)
  if (extent === undefined) return true
  const axes = shape
    .map((size, axis) => ({ size, step: Math.abs(view.strides[axis] as number) }))
    .filter(({ size }) => size > 1)
    .sort((a, b) => a.step - b.step)
  let span = 0
  const nested = axes.every(({ size, step }) => {
    const clear = step > span
    span += step * (size - 1)
    return clear
  })
  if (nested) return true
  if (sizeOf(shape) > extent.high - extent.low + 1) return false
  const seen = new Uint8Array(extent.high - extent.low + 1)
  return !someAddress(view, shape, (address) => {
    const at = address - extent.low
    const again = seen[at] === 1
    seen[at] = 1
    return again
  })
}

/** Two views that address each position alike. */
export const isSameView = (a: Strided, b: Strided, shape: readonly number[]): boolean =>
  a.offset === b.offset && shape.every((size, axis) => size <= 1 || a.strides[axis] === b.strides[axis])

/** Whether two views, each over its own shape, share an element. */
export const overlaps = (
  a: Strided,
  shapeA: readonly number[],
  b: Strided,
  shapeB: readonly number[],
): boolean => {
  const [first, second] = [extentOf(a, shapeA), extentOf(b, shapeB)]
  if (first === undefined || second === undefined) return false
  if (first.high < second.low || second.high < first.low) return false
  const seen = new Uint8Array(first.high - first.low + 1)
  someAddress(a, shapeA, (address) => {
    seen[address - first.low] = 1
    return false
  })
  return someAddress(b, shapeB, (address) => seen[address - first.low] === 1)
}
