/** The same elements in another order of axes, or along an axis. */
import type { Dtype } from '../../../kernels/index.ts'
import { bind1 } from '../../bind.ts'
import * as p from '../../primitives/structure.ts'
import { normalAxes, normalAxis } from '../../shape.ts'
import type { Shape } from '../../shape.ts'
import type { Tensor } from '../../tensor.ts'
import type { HasAxis, Moved, Permuted, Swapped } from '../../type.ts'

/**
 * The axes in another order; reversed where none is given.
 *
 * @example
 * ```ts
 * import { tensor, transpose, zeros } from 'pullback'
 * console.log(transpose(tensor([[1, 2, 3], [4, 5, 6]]))) // => float32[3, 2] [[1, 4], [2, 5], [3, 6]]
 * console.log(transpose(zeros([2, 3, 4]), [1, 0, 2]).shape) // => [3, 2, 4]
 * ```
 */
export const transpose = <
  S extends Shape,
  D extends Dtype,
  const P extends readonly number[] | undefined = undefined,
>(
  x: Tensor<S, D>,
  permutation?: P,
): Tensor<Permuted<S, P>, D> => {
  const order =
    permutation?.map((axis) => normalAxis('transpose', axis, x.shape)) ??
    x.shape.map((_, i) => x.shape.length - 1 - i)
  return (order.every((axis, i) => axis === i) && order.length === x.shape.length
    ? x
    : bind1(p.transpose, [x], { permutation: order })) as unknown as Tensor<Permuted<S, P>, D>
}

/**
 * Two axes exchanged.
 *
 * @example
 * ```ts
 * import { swapAxes, zeros } from 'pullback'
 * console.log(swapAxes(zeros([2, 3, 4]), 0, -1).shape) // => [4, 3, 2]
 * ```
 */
export const swapAxes = <S extends Shape, D extends Dtype, const A extends number, const B extends number>(
  x: Tensor<S, D>,
  a: A & HasAxis<'swapAxes', S, A>,
  b: B & HasAxis<'swapAxes', S, B>,
): Tensor<Swapped<S, A, B>, D> => {
  const [i, j] = [normalAxis('swapAxes', a, x.shape), normalAxis('swapAxes', b, x.shape)]
  return transpose(
    x,
    x.shape.map((_, axis) => (axis === i ? j : axis === j ? i : axis)),
  ) as unknown as Tensor<Swapped<S, A, B>, D>
}

/**
 * One axis moved to another place, the others kept in order.
 *
 * @example
 * ```ts
 * import { moveAxis, zeros } from 'pullback'
 * console.log(moveAxis(zeros([2, 3, 4]), 0, -1).shape) // => [3, 4, 2]
 * ```
 */
export const moveAxis = <S extends Shape, D extends Dtype, const A extends number, const B extends number>(
  x: Tensor<S, D>,
  from: A & HasAxis<'moveAxis', S, A>,
  to: B & HasAxis<'moveAxis', S, B>,
): Tensor<Moved<S, A, B>, D> => {
  const [source, target] = [normalAxis('moveAxis', from, x.shape), normalAxis('moveAxis', to, x.shape)]
  const order = x.shape.flatMap((_, axis) => (axis === source ? [] : [axis]))
  order.splice(target, 0, source)
  return transpose<Shape, D, readonly number[]>(x, order) as unknown as Tensor<Moved<S, A, B>, D>
}

/**
 * The elements in reverse order along axes.
 *
 * @example
 * ```ts
 * import { reverse, tensor } from 'pullback'
 * console.log(reverse(tensor([[1, 2], [3, 4]]), 1)) // => float32[2, 2] [[2, 1], [4, 3]]
 * ```
 */
export const reverse = <T extends Tensor>(x: T, axis?: number | readonly number[]): T =>
  bind1(p.reverse, [x], { axes: normalAxes('reverse', axis, x.shape) }) as T
