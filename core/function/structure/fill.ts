/** Tensors that are made of nothing but their shape. */
import type { Dtype } from '../../../kernels/index.ts'
import { bind1 } from '../../bind.ts'
import * as p from '../../primitives/structure.ts'
import { normalAxis } from '../../shape.ts'
import type { Shape } from '../../shape.ts'
import { Literal } from '../../tensor.ts'
import type { Tensor } from '../../tensor.ts'
import { broadcastTo } from './broadcast.ts'
import { pad } from './join.ts'
import { reshape } from './shape.ts'
import { slice } from './slice.ts'

/**
 * A tensor of one number.
 *
 * @example
 * ```ts
 * import { full } from 'pullback'
 * console.log(full([2, 2], 0.5)) // => float32[2, 2] [[0.5, 0.5], [0.5, 0.5]]
 * ```
 */
export const full = <const S extends Shape, D extends Dtype = 'float32'>(
  shape: S,
  value: number,
  dtype?: D,
): Tensor<S, D> => broadcastTo(new Literal(value, dtype ?? 'float32'), shape) as unknown as Tensor<S, D>

/**
 * A tensor of zeros.
 *
 * @example
 * ```ts
 * import { zeros } from 'pullback'
 * console.log(zeros([2, 2], 'int32')) // => int32[2, 2] [[0, 0], [0, 0]]
 * ```
 */
export const zeros = <const S extends Shape, D extends Dtype = 'float32'>(
  shape: S,
  dtype?: D,
): Tensor<S, D> => full(shape, 0, dtype)

/**
 * A tensor of ones.
 *
 * @example
 * ```ts
 * import { ones } from 'pullback'
 * console.log(ones([2])) // => float32[2] [1, 1]
 * ```
 */
export const ones = <const S extends Shape, D extends Dtype = 'float32'>(shape: S, dtype?: D): Tensor<S, D> =>
  full(shape, 1, dtype)

/**
 * Zeros of the shape and dtype of another tensor.
 *
 * @example
 * ```ts
 * import { arange, zerosLike } from 'pullback'
 * console.log(zerosLike(arange(3))) // => int32[3] [0, 0, 0]
 * ```
 */
export const zerosLike = <S extends Shape, D extends Dtype>(x: Tensor<S, D>): Tensor<S, D> =>
  zeros(x.shape, x.dtype)

/**
 * Ones of the shape and dtype of another tensor.
 *
 * @example
 * ```ts
 * import { arange, onesLike } from 'pullback'
 * console.log(onesLike(arange(3))) // => int32[3] [1, 1, 1]
 * ```
 */
export const onesLike = <S extends Shape, D extends Dtype>(x: Tensor<S, D>): Tensor<S, D> =>
  ones(x.shape, x.dtype)

/**
 * The int32 position along `axis` at each element.
 *
 * @example
 * ```ts
 * import { iota } from 'pullback'
 * console.log(iota([2, 3], 1)) // => int32[2, 3] [[0, 1, 2], [0, 1, 2]]
 * ```
 */
export const iota = <const S extends Shape>(shape: S, axis: number): Tensor<S, 'int32'> =>
  bind1(p.iota, [], { shape, axis: normalAxis('iota', axis, shape) }) as Tensor<S, 'int32'>

/**
 * 0, 1, …, n - 1
 *
 * @example
 * ```ts
 * import { arange } from 'pullback'
 * console.log(arange(4)) // => int32[4] [0, 1, 2, 3]
 * ```
 */
export const arange = <N extends number>(n: N): Tensor<readonly [N], 'int32'> =>
  iota([n], 0) as unknown as Tensor<readonly [N], 'int32'>

/**
 * 1 on the diagonal of a square matrix, else 0.
 *
 * @example
 * ```ts
 * import { eye } from 'pullback'
 * console.log(eye(2)) // => float32[2, 2] [[1, 0], [0, 1]]
 * ```
 */
export const eye = <N extends number, D extends Dtype = 'float32'>(
  n: N,
  dtype?: D,
): Tensor<readonly [N, N], D> => {
  // Rows of n + 1 elements, the first of them 1, read as rows of n: the 1 moves on by one place a row.
  const wide = pad(ones([n, 1], dtype ?? 'float32'), [
    [0, 0],
    [0, n],
  ])
  const flat = slice(reshape(wide, [n * (n + 1)]), [0], [n * n])
  return reshape(flat, [n, n]) as unknown as Tensor<readonly [N, N], D>
}
