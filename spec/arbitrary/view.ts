/** Random strided layouts over an iteration space. */
import type { Strided } from '../../kernels/index.ts'
import { sizeOf } from '../../kernels/index.ts'
import type { Tape } from './tape.ts'

export interface Layout {
  readonly strides: readonly number[]
  /** The lowest and highest address, relative to an offset of 0. */
  readonly low: number
  readonly high: number
  /** No two positions share an address. */
  readonly injective: boolean
  /** Every address from `low` to `high` belongs to a position. */
  readonly dense: boolean
}

/** The number of elements that a layout spans. */
export const spanOf = ({ low, high }: Layout): number => high - low + 1

const shuffled = (tape: Tape, axes: readonly number[]): number[] => {
  const left = [...axes]
  return axes.map(() => left.splice(tape.pick(left.length), 1)[0] as number)
}

const measure = (shape: readonly number[], strides: readonly number[]): { low: number; high: number } => {
  if (sizeOf(shape) === 0) return { low: 0, high: -1 }
  const ends = strides.map((stride, axis) => stride * ((shape[axis] as number) - 1))
  return {
    low: ends.reduce((sum, end) => sum + Math.min(0, end), 0),
    high: ends.reduce((sum, end) => sum + Math.max(0, end), 0),
  }
}

/**
 * Transposed, reversed and padded layouts; unless `injective`, also broadcast ones and overlapping windows.
 */
export const layout = (tape: Tape, shape: readonly number[], injective: boolean): Layout => {
  const strides = shape.map(() => 0)
  let next = 1
  let repeats = false
  let padded = false
  const axes = shape.map((_, axis) => shape.length - 1 - axis)
  const order = tape.chance(3) ? shuffled(tape, axes) : axes
  for (const axis of order) {
    const size = shape[axis] as number
    const trick = injective ? 0 : tape.pick(12)
    if (trick === 9 || trick === 10) {
      repeats ||= size > 1
      continue
    }
    const window = trick === 11
    repeats ||= window && size > 1
    strides[axis] = (window ? 1 : next) * (tape.chance(5) ? -1 : 1)
    if (window) continue
    next *= Math.max(size, 1)
    if (tape.chance(8)) {
      next += 1 + tape.pick(2)
      padded = true
    }
  }
  return { strides, ...measure(shape, strides), injective: !repeats, dense: !repeats && !padded }
}

/** The row-major layout. */
export const plain = (shape: readonly number[]): Layout => {
  const strides = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)))
  return { strides, ...measure(shape, strides), injective: true, dense: true }
}

/** A layout over `shape` that ignores the axes that follow. */
export const extended = ({ strides, ...rest }: Layout, trailing: number): Layout => ({
  ...rest,
  strides: [...strides, ...new Array<number>(trailing).fill(0)],
  injective: false,
  dense: false,
})

/** The layout put somewhere into a buffer of `size` elements. */
export const placed = (tape: Tape, { strides, low, high }: Layout, size: number): Strided => ({
  strides,
  offset: -low + tape.pick(Math.max(1, size - (high - low))),
})
