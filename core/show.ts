/** How the numbers of a tensor look where people print it, by `console.log(x)` in Node. */
import type { Dtype, HostArray } from '../kernels/index.ts'
import { sizeOf } from '../kernels/index.ts'
import type { Shape } from './shape.ts'

/** So many numbers are shown in full; of more, the first and last of each axis. */
const inFull = 100
const atEnds = 3
const lineLength = 80

/** Six significant digits: what arithmetic in float32 is good for, and the same on every machine. */
const number = (value: number, dtype: Dtype): string => {
  if (dtype === 'bool') return String(value !== 0)
  if (dtype !== 'float32' && dtype !== 'float64') return String(value)
  const rounded = Number(value.toPrecision(6))
  return Math.abs(rounded) < 1e6 ? String(rounded) : rounded.toExponential()
}

/**
 * Numbers nested as the axes are: `[[1, 2], [3, 4]]`. Of an axis of a large tensor only the ends are shown; rows that
 * do not fit on a line stand beneath each other.
 */
export const showNumbers = (data: HostArray, shape: Shape, dtype: Dtype): string => {
  const shortened = sizeOf(shape) > inFull
  const show = (axis: number, at: number): string => {
    const size = shape[axis]
    if (size === undefined) return number(data[at] as number, dtype)
    const step = sizeOf(shape.slice(axis + 1))
    const part = (i: number): string => show(axis + 1, at + i * step)
    const cut = shortened && size > 2 * atEnds
    const parts = cut
      ? [...range(0, atEnds).map(part), '…', ...range(size - atEnds, size).map(part)]
      : range(0, size).map(part)
    const line = `[${parts.join(', ')}]`
    const isRow = axis === shape.length - 1
    if (isRow || (line.length <= lineLength && !line.includes('\n'))) return line
    return `[${parts.join(',\n').replaceAll('\n', '\n ')}]`
  }
  return show(0, 0)
}

const range = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from }, (_, i) => from + i)
