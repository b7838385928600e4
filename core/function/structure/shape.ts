/** The same elements under another shape. */
import { sizeOf } from '../../../kernels/index.ts'
import type { Dtype } from '../../../kernels/index.ts'
import { bind1 } from '../../bind.ts'
import { shapeError } from '../../error.ts'
import * as p from '../../primitives/structure.ts'
import { normalAxes, normalAxis, sameShape } from '../../shape.ts'
import type { Shape } from '../../shape.ts'
import type { Tensor } from '../../tensor.ts'
import type { Inserted, Refills, Reshaped, Squeezed } from '../../type.ts'

/**
 * The same elements in row-major order under another shape; one size may be -1 and is found.
 *
 * @example
 * ```ts
 * import { arange, reshape } from 'pullback'
 * console.log(reshape(arange(6), [2, -1])) // => int32[2, 3] [[0, 1, 2], [3, 4, 5]]
 * ```
 */
export const reshape = <X extends Shape, D extends Dtype, const S extends Shape>(
  x: Tensor<X, D>,
  shape: S & Refills<X, S>,
): Tensor<Reshaped<X, S>, D> => reshaped(x, shape) as Tensor<Reshaped<X, S>, D>

export const reshaped = (x: Tensor, shape: Shape): Tensor => {
  const open = shape.filter((size) => size === -1).length
  if (open > 1) throw shapeError('reshape', 'at most one size can be -1', x.shape, shape)
  const known = shape.reduce((n, size) => (size === -1 ? n : n * size), 1)
  const size = sizeOf(x.shape)
  if (open === 1 && (known === 0 || size % known !== 0))
    throw shapeError('reshape', 'no size for -1 keeps the number of elements', x.shape, shape)
  const wanted = open === 0 ? shape : shape.map((n) => (n === -1 ? size / known : n))
  return sameShape(x.shape, wanted) ? x : bind1(p.reshape, [x], { shape: wanted })
}

/**
 * A new axis of size 1 at `axis` of the result.
 *
 * @example
 * ```ts
 * import { expandDims, zeros } from 'pullback'
 * console.log(expandDims(zeros([2, 3]), -1).shape) // => [2, 3, 1]
 * ```
 */
export const expandDims = <S extends Shape, D extends Dtype, const A extends number>(
  x: Tensor<S, D>,
  axis: A,
): Tensor<Inserted<S, A, 1>, D> => {
  const at = normalAxis('expandDims', axis, x.shape, 1)
  const shape: Shape = [...x.shape.slice(0, at), 1, ...x.shape.slice(at)]
  return reshaped(x, shape) as Tensor<Inserted<S, A, 1>, D>
}

/**
 * Without the given axes of size 1, or all of them.
 *
 * @example
 * ```ts
 * import { squeeze, zeros } from 'pullback'
 * console.log(squeeze(zeros([2, 1, 3, 1])).shape, squeeze(zeros([2, 1, 3, 1]), 1).shape)
 * // => [2, 3] [2, 3, 1]
 * ```
 */
export const squeeze = <
  S extends Shape,
  D extends Dtype,
  const A extends number | readonly number[] | undefined = undefined,
>(
  x: Tensor<S, D>,
  axis?: A,
): Tensor<Squeezed<S, A>, D> => {
  const axes =
    axis === undefined
      ? x.shape.flatMap((n, i) => (n === 1 ? [i] : []))
      : normalAxes('squeeze', axis, x.shape)
  if (axes.some((i) => x.shape[i] !== 1))
    throw shapeError('squeeze', 'squeezed axes must have size 1', x.shape)
  return reshaped(
    x,
    x.shape.filter((_, i) => !axes.includes(i)),
  ) as Tensor<Squeezed<S, A>, D>
}
