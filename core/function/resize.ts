/** Grids of numbers made larger or smaller: every new row and column is a weighted sum of old ones. */
import { argumentError, checkOptions, dtypeError, shapeError } from '../error.ts'
import type { Shape } from '../shape.ts'
import type { Tensor } from '../tensor.ts'
import type { Resized } from '../type.ts'
import type { Dtype } from '../../kernels/index.ts'
import { isFloating } from '../../kernels/index.ts'
import {
  abs,
  add,
  cast,
  ceil,
  clip,
  div,
  equal,
  floor,
  greaterEqual,
  less,
  lessEqual,
  logicalAnd,
  mul,
  sub,
  where,
} from './elementwise/index.ts'
import { matmul } from './matrix.ts'
import { iota, reshape } from './structure/index.ts'

/** How a new place is got from the old ones near it. */
export type ResizeMethod = 'nearest' | 'bilinear' | 'bicubic'

export interface ResizeOptions {
  /** 'bilinear' by default. */
  readonly method?: ResizeMethod
  /** Whether the corners' middles stay where they are; else (by default) their outer edges do. */
  readonly alignCorners?: boolean
}

/** 1 where two points meet, 0 from a distance of 1 on. */
const linear = (distance: Tensor): Tensor => clip(sub(1, abs(distance)), 0, 1)

/** Keys' cubic convolution with a = -3/4, as PyTorch has it: how much a neighbour counts by its distance. */
const cubic = (distance: Tensor): Tensor => {
  const a = -0.75
  const x = abs(distance)
  const near = add(mul(sub(mul(x, a + 2), a + 3), mul(x, x)), 1) // (a + 2) x³ - (a + 3) x² + 1
  const far = mul(sub(mul(add(mul(sub(x, 5), x), 8), x), 4), a) // a x³ - 5 a x² + 8 a x - 4 a
  return where(lessEqual(x, 1), near, where(less(x, 2), far, 0))
}

const row = (n: number): Tensor => cast(iota([1, n], 1), 'float32') // [1, n]
const column = (n: number): Tensor => cast(iota([n, 1], 0), 'float32') // [n, 1]

/** Where each of `to` places lies among `from` places of the same length: [to, 1]. */
const placesOf = (from: number, to: number, alignCorners: boolean): Tensor =>
  alignCorners
    ? mul(column(to), to === 1 ? 0 : (from - 1) / (to - 1))
    : sub(mul(add(column(to), 0.5), from / to), 0.5)

/** How much each of `from` places in a row counts at each of `to` places: [to, from]. */
const weightsOf = (
  from: number,
  to: number,
  { method = 'bilinear', alignCorners = false }: ResizeOptions,
): Tensor => {
  const columns = row(from)
  if (method === 'nearest') {
    const nearest = floor(mul(column(to), from / to))
    return cast(equal(nearest, columns), 'float32')
  }
  const exact = placesOf(from, to, alignCorners)
  // Between two places by a straight line nothing lies beyond the border.
  const place = method === 'bilinear' ? clip(exact, 0, from - 1) : exact
  const left = floor(place)
  const [kernel, steps] = method === 'bilinear' ? [linear, [0, 1]] : [cubic, [-1, 0, 1, 2]]
  // Beyond the border, its place is repeated.
  return steps
    .map((step) => {
      const neighbour = add(left, step)
      const isThere = equal(clip(neighbour, 0, from - 1), columns) // [to, from]
      return where(isThere, kernel(sub(place, neighbour)), 0)
    })
    .reduce((a, b) => add(a, b))
}

/** Rows and columns of [batch, height, width, channels] mixed by two matrices. */
const mix = (
  operation: string,
  x: Tensor,
  to: readonly [number, number],
  weights: (from: number, to: number) => Tensor,
): Tensor => {
  if (x.shape.length !== 4)
    throw shapeError(operation, 'the input must be [batch, height, width, channels]', x.shape)
  if (!isFloating(x.dtype)) throw dtypeError(operation, 'the input must be floating point', x.dtype)
  const [batch, height, width, channels] = x.shape as readonly [number, number, number, number]
  const [rows, columns] = to
  if ([rows, columns].some((n) => !Number.isInteger(n) || n < 1) || height < 1 || width < 1)
    throw argumentError(
      operation,
      `sizes must be whole numbers from 1 on, got ${height}, ${width} to ${rows}, ${columns}`,
    )
  const flat = reshape(x, [batch, height, width * channels])
  const tall = reshape(matmul(cast(weights(height, rows), x.dtype), flat), [batch, rows, width, channels])
  return matmul(cast(weights(width, columns), x.dtype), tall) // [batch, rows, columns, channels]
}

/**
 * [batch, height, width, channels] with other numbers of rows and columns: `torch.nn.functional.interpolate`, with
 * the channels last. Nothing is smoothed before it is made smaller (`antialias=False` there).
 *
 * @throws PullbackError where the input is no such grid, or a size is 0.
 * @example
 * ```ts
 * import { reshape, resize2d, tensor } from 'pullback'
 * const grid = reshape(tensor([0, 4]), [1, 1, 2, 1])
 * console.log(reshape(resize2d(grid, [1, 4]), [4])) // => float32[4] [0, 1, 3, 4]
 * ```
 */
export const resize2d = <S extends Shape, D extends Dtype, const To extends readonly [number, number]>(
  x: Tensor<S, D>,
  to: To,
  options: ResizeOptions = {},
): Tensor<Resized<S, To>, D> => {
  checkOptions('resize2d', options, ['method', 'alignCorners'])
  return mix('resize2d', x, to, (from, size) => weightsOf(from, size, options)) as Tensor<Resized<S, To>, D>
}

/** Each of `to` parts is the mean of the places it touches: from ⌊i · from / to⌋ up to ⌈(i + 1) · from / to⌉. */
const partsOf = (from: number, to: number): Tensor => {
  const [start, end] = [floor(div(mul(column(to), from), to)), ceil(div(mul(add(column(to), 1), from), to))]
  const inside = logicalAnd(greaterEqual(row(from), start), less(row(from), end)) // [to, from]
  return where(inside, div(1, sub(end, start)), 0)
}

/**
 * The means of as many even parts as are asked for, whatever the size of [batch, height, width, channels]:
 * `torch.nn.AdaptiveAvgPool2d`, with the channels last.
 *
 * @throws PullbackError where the input is no such grid, or a size is 0.
 * @example
 * ```ts
 * import { adaptiveAveragePool2d, reshape, tensor } from 'pullback'
 * const grid = reshape(tensor([1, 2, 6, 8]), [1, 1, 4, 1])
 * console.log(reshape(adaptiveAveragePool2d(grid, [1, 2]), [2])) // => float32[2] [1.5, 7]
 * ```
 */
export const adaptiveAveragePool2d = <
  S extends Shape,
  D extends Dtype,
  const To extends readonly [number, number],
>(
  x: Tensor<S, D>,
  to: To,
): Tensor<Resized<S, To>, D> => mix('adaptiveAveragePool2d', x, to, partsOf) as Tensor<Resized<S, To>, D>
