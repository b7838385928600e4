/** How numbers of a parameter lie in a file: as ours, or as PyTorch's layers have them. */

export interface Layout {
  /** PyTorch's linear layers keep [out, in], ours [in, out]. */
  readonly transposed: boolean
  /** The file's shape begins with so many axes of size 1. */
  readonly lead: number
  /** The sizes into which the file splits what goes in: a convolution's [channels, height, width]. */
  readonly kernel?: readonly number[] | undefined
}

/** The shape in the file of a parameter of ours. */
export const fileShape = (
  { transposed, lead, kernel }: Layout,
  shape: readonly number[],
): readonly number[] => {
  const turned = transposed ? [...shape].reverse() : shape
  const split = kernel === undefined ? turned : [turned[0] as number, ...kernel]
  return [...new Array<number>(lead).fill(1), ...split]
}

const tile = 32

/** [rows, columns] → [columns, rows]; in tiles, so that neither side runs through memory in large steps. */
export const transposed = (x: Float32Array, rows: number, columns: number): Float32Array => {
  const out = new Float32Array(x.length)
  for (let top = 0; top < rows; top += tile)
    for (let left = 0; left < columns; left += tile) {
      const [bottom, right] = [Math.min(top + tile, rows), Math.min(left + tile, columns)]
      for (let i = top; i < bottom; i++)
        for (let j = left; j < right; j++) out[j * rows + i] = x[i * columns + j] as number
    }
  return out
}

/** Numbers of the file as ours; `shape` is ours. */
export const fromFile = (layout: Layout, x: Float32Array, shape: readonly number[]): Float32Array =>
  layout.transposed ? transposed(x, shape[1] as number, shape[0] as number) : x

/** Our numbers as the file's; `shape` is ours. */
export const toFile = (layout: Layout, x: Float32Array, shape: readonly number[]): Float32Array =>
  layout.transposed ? transposed(x, shape[0] as number, shape[1] as number) : x

/** Matrices (or vectors) of as many rows, side by side along the last axis. */
export const joined = (parts: readonly Float32Array[], rows: number): Float32Array => {
  if (parts.length === 1) return parts[0] as Float32Array
  const width = parts.reduce((n, part) => n + part.length / rows, 0)
  const out = new Float32Array(width * rows)
  let start = 0
  for (const part of parts) {
    const own = part.length / rows
    for (let row = 0; row < rows; row++)
      out.set(part.subarray(row * own, (row + 1) * own), row * width + start)
    start += own
  }
  return out
}

/** The inverse of `joined`: parts of the given widths. */
export const parted = (x: Float32Array, rows: number, widths: readonly number[]): readonly Float32Array[] => {
  if (widths.length === 1) return [x]
  const width = widths.reduce((n, own) => n + own, 0)
  let start = 0
  return widths.map((own) => {
    const part = new Float32Array(own * rows)
    for (let row = 0; row < rows; row++)
      part.set(x.subarray(row * width + start, row * width + start + own), row * own)
    start += own
    return part
  })
}
