/** Images as sequences: patches, and positions in two directions. */
import {
  abs,
  add,
  cast,
  clip,
  concatenate,
  equal,
  floor,
  iota,
  less,
  lessEqual,
  matmul,
  mul,
  reshape,
  sliceAxis,
  sub,
  transpose,
  where,
} from '../core/index.ts'
import type { Tensor } from '../core/index.ts'
import { shapeError } from '../core/error.ts'

/**
 * The patches of images [batch, channels, height, width], row by row: [batch, patches, channels · size · size].
 *
 * @throws PullbackError when the images cannot be cut into whole patches, or have other channels.
 */
export const patchesOf = (operation: string, pixels: Tensor, size: number, channels: number): Tensor => {
  const [batch, depth, height, width] = pixels.shape as readonly [number, number, number, number]
  if (pixels.shape.length !== 4 || depth !== channels)
    throw shapeError(operation, `pixels must be [batch, ${channels}, height, width]`, pixels.shape)
  if (height % size !== 0 || width % size !== 0 || height === 0 || width === 0)
    throw shapeError(operation, `images must be whole patches of ${size} by ${size}`, pixels.shape)
  const [rows, columns] = [height / size, width / size]
  const cut = reshape(pixels, [batch, channels, rows, size, columns, size])
  const sorted = transpose(cut, [0, 2, 4, 1, 3, 5]) // [batch, rows, columns, channels, size, size]
  return reshape(sorted, [batch, rows * columns, channels * size * size])
}

/** Keys' cubic convolution with a = -3/4, as PyTorch has it: how much a neighbour counts by its distance. */
const cubic = (distance: Tensor): Tensor => {
  const a = -0.75
  const x = abs(distance)
  const near = add(mul(sub(mul(x, a + 2), a + 3), mul(x, x)), 1) // (a + 2) x³ - (a + 3) x² + 1
  const far = mul(sub(mul(add(mul(sub(x, 5), x), 8), x), 4), a) // a x³ - 5 a x² + 8 a x - 4 a
  return where(lessEqual(x, 1), near, where(less(x, 2), far, 0))
}

/** How much each of `from` points in a row counts at each of `to` points across the same length: [to, from]. */
const bicubicWeights = (from: number, to: number): Tensor => {
  const place = sub(mul(add(cast(iota([to, 1], 0), 'float32'), 0.5), from / to), 0.5) // [to, 1]
  const left = floor(place)
  const columns = cast(iota([1, from], 1), 'float32')
  // Beyond the border, its point is repeated.
  return [-1, 0, 1, 2]
    .map((step) => {
      const neighbour = add(left, step)
      const isThere = equal(clip(neighbour, 0, from - 1), columns) // [to, from]
      return where(isThere, cubic(sub(place, neighbour)), 0)
    })
    .reduce((a, b) => add(a, b))
}

/**
 * Positions [1 + side · side, width], the first of which is no patch's, for rows · columns patches:
 * [1 + rows · columns, width], by bicubic interpolation.
 */
export const resizedPositions = (positions: Tensor, rows: number, columns: number): Tensor => {
  const [count, width] = positions.shape as readonly [number, number]
  const side = Math.round(Math.sqrt(count - 1))
  if (side === rows && side === columns) return positions
  const grid = reshape(sliceAxis(positions, 0, 1), [side, side * width])
  const tall = reshape(matmul(bicubicWeights(side, rows), grid), [rows, side, width])
  const wide = matmul(bicubicWeights(side, columns), tall) // [rows, columns, width]
  return concatenate([sliceAxis(positions, 0, 0, 1), reshape(wide, [rows * columns, width])], 0)
}
