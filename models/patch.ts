/** Images as sequences: patches, a token in front that stands for the whole, and positions in two directions. */
import { broadcastTo, concatenate, reshape, resize2d, slice, sliceAxis, transpose } from '../core/index.ts'
import type { Tensor } from '../core/index.ts'
import { shapeError } from '../core/error.ts'

/**
 * The patches of images [batch, channels, height, width], row by row: [batch, patches, channels · size · size]; what is
 * left at the right and the bottom is part of none.
 *
 * @throws PullbackError when the images are smaller than a patch, or have other channels.
 */
export const patchesOf = (operation: string, pixels: Tensor, size: number, channels: number): Tensor => {
  const [batch, depth, height, width] = pixels.shape as readonly [number, number, number, number]
  if (pixels.shape.length !== 4 || depth !== channels)
    throw shapeError(operation, `pixels must be [batch, ${channels}, height, width]`, pixels.shape)
  if (height < size || width < size)
    throw shapeError(operation, `images must have patches of ${size} by ${size}`, pixels.shape)
  const [rows, columns] = [Math.floor(height / size), Math.floor(width / size)]
  const whole = slice(pixels, [0, 0, 0, 0], [batch, channels, rows * size, columns * size])
  const cut = reshape(whole, [batch, channels, rows, size, columns, size])
  const sorted = transpose(cut, [0, 2, 4, 1, 3, 5]) // [batch, rows, columns, channels, size, size]
  return reshape(sorted, [batch, rows * columns, channels * size * size])
}

/**
 * Refuses images [batch, channels, height, width] that are not `size` by `size`.
 *
 * @throws PullbackError with both sizes; `unless` says what would help.
 */
export const requireSize = (operation: string, pixels: Tensor, size: number, unless = ''): void => {
  const [, , height, width] = pixels.shape
  if (height !== size || width !== size)
    throw shapeError(operation, `images must be ${size} by ${size}${unless}`, pixels.shape)
}

/** A token in front of each sequence: [batch, time, width] → [batch, 1 + time, width]. */
export const withWhole = (patches: Tensor, whole: Tensor): Tensor => {
  const [batch, , width] = patches.shape as readonly [number, number, number]
  return concatenate([broadcastTo(whole, [batch, 1, width]), patches], 1)
}

/**
 * Positions [1 + side · side, width], the first of which is no patch's, for rows · columns patches:
 * [1 + rows · columns, width], by bicubic interpolation.
 */
export const resizedPositions = (positions: Tensor, rows: number, columns: number): Tensor => {
  const [count, width] = positions.shape as readonly [number, number]
  const side = Math.round(Math.sqrt(count - 1))
  if (side === rows && side === columns) return positions
  const grid = reshape(sliceAxis(positions, 0, 1), [1, side, side, width])
  const wide = resize2d(grid, [rows, columns], { method: 'bicubic' })
  return concatenate([sliceAxis(positions, 0, 0, 1), reshape(wide, [rows * columns, width])], 0)
}
