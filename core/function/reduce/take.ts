/** Elements at positions that are data. */
import type { Dtype } from '../../../kernels/index.ts'
import { bind1 } from '../../bind.ts'
import { shapeError } from '../../error.ts'
import { gather as gatherPrimitive } from '../../primitives/gather.ts'
import { normalAxis } from '../../shape.ts'
import type { Shape } from '../../shape.ts'
import type { Tensor } from '../../tensor.ts'
import type { Grown, HasAxis, Taken, TakenAlong, TakesAlong } from '../../type.ts'
import { castTo } from '../basic.ts'
import { equal } from '../elementwise/index.ts'
import { broadcastTo, expandDims, iota, moveAxis } from '../structure/index.ts'

/**
 * The slices of `x` along an axis at int32 indices of any shape; indices beyond the axis are clamped.
 *
 * @example
 * ```ts
 * import { take, tensor } from 'pullback'
 * const table = tensor([[1, 2], [3, 4], [5, 6]])
 * console.log(take(table, tensor([2, 0], { dtype: 'int32' }))) // => float32[2, 2] [[5, 6], [1, 2]]
 * ```
 */
export const take = <S extends Shape, D extends Dtype, I extends Shape, const A extends number = 0>(
  x: Tensor<S, D>,
  indices: Tensor<I>,
  axis?: A & HasAxis<'take', S, A>,
): Tensor<Taken<S, I, A>, D> =>
  bind1(gatherPrimitive, [x, castTo(indices, 'int32')], {
    axis: normalAxis('take', axis ?? 0, x.shape),
    batchAxes: 0,
  }) as Tensor<Taken<S, I, A>, D>

/**
 * The elements of each row (along `axis`) at that row's own indices; other axes must agree.
 *
 * @example
 * ```ts
 * import { takeAlongAxis, tensor } from 'pullback'
 * const x = tensor([[1, 2, 3], [4, 5, 6]])
 * console.log(takeAlongAxis(x, tensor([[2], [0]], { dtype: 'int32' }), -1)) // => float32[2, 1] [[3], [4]]
 * ```
 */
export const takeAlongAxis = <S extends Shape, D extends Dtype, I extends Shape, const A extends number>(
  x: Tensor<S, D>,
  indices: Tensor<I> & TakesAlong<S, I, A>,
  axis: A & HasAxis<'takeAlongAxis', S, A>,
): Tensor<TakenAlong<S, I, A>, D> => takenAlong(x, indices, axis) as Tensor<TakenAlong<S, I, A>, D>

export const takenAlong = (x: Tensor, indices: Tensor, axis: number): Tensor => {
  const along = normalAxis('takeAlongAxis', axis, x.shape)
  if (indices.shape.length !== x.shape.length)
    throw shapeError('takeAlongAxis', 'ranks must agree', x.shape, indices.shape)
  const last = x.shape.length - 1
  const [rows, index] = [moveAxis(x, along, last), moveAxis(castTo(indices, 'int32'), along, last)]
  const gathered = bind1(gatherPrimitive, [rows, index], { axis: last, batchAxes: last })
  return moveAxis(gathered, last, along)
}

/**
 * 1 at each index of a new last axis of `size`, else 0; an index beyond it gives zeros.
 *
 * @example
 * ```ts
 * import { oneHot, tensor } from 'pullback'
 * console.log(oneHot(tensor([1, 0, 5], { dtype: 'int32' }), 3))
 * // => float32[3, 3] [[0, 1, 0], [1, 0, 0], [0, 0, 0]]
 * ```
 */
export const oneHot = <S extends Shape, const N extends number, D extends Dtype = 'float32'>(
  indices: Tensor<S>,
  size: N,
  dtype?: D,
): Tensor<Grown<S, N>, D> => {
  const shape: Shape = [...indices.shape, size]
  const wanted = broadcastTo(expandDims(castTo(indices, 'int32'), -1), shape)
  return castTo(equal(wanted, iota(shape, -1)), dtype ?? 'float32') as Tensor<Grown<S, N>, D>
}
