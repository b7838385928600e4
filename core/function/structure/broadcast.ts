/** Tensors repeated to a shape, and summed back. */
import type { Dtype } from '../../../kernels/index.ts'
import { bind1 } from '../../bind.ts'
import { reduceSum } from '../../primitives/reduce.ts'
import * as p from '../../primitives/structure.ts'
import { sameShape } from '../../shape.ts'
import type { Shape } from '../../shape.ts'
import type { Tensor } from '../../tensor.ts'
import type { Spreads } from '../../type.ts'
import { reshape } from './shape.ts'

/**
 * The tensor repeated to a shape that it broadcasts to.
 *
 * @example
 * ```ts
 * import { broadcastTo, tensor } from 'pullback'
 * console.log(broadcastTo(tensor([1, 2]), [2, 2])) // => float32[2, 2] [[1, 2], [1, 2]]
 * ```
 */
export const broadcastTo = <X extends Shape, D extends Dtype, const S extends Shape>(
  x: Tensor<X, D>,
  shape: S & Spreads<X, S>,
): Tensor<S, D> => (sameShape(x.shape, shape) ? x : bind1(p.broadcastTo, [x], { shape })) as Tensor<S, D>

/**
 * The tensor with its shape forgotten in the type, where the types know less than the program; run time checks it.
 *
 * @example
 * ```ts
 * import { dynamic, zeros } from 'pullback'
 * import type { Tensor } from 'pullback'
 * const anyRows: Tensor = dynamic(zeros([2, 3]))
 * console.log(anyRows.shape) // => [2, 3]
 * ```
 */
export const dynamic = <D extends Dtype>(x: Tensor<Shape, D>): Tensor<Shape, D> => x

/**
 * The sum of `x` over the axes along which `shape` was broadcast to its shape: broadcasting's adjoint.
 *
 * @example
 * ```ts
 * import { ones, unbroadcast } from 'pullback'
 * console.log(unbroadcast(ones([4, 3]), [1, 3])) // => float32[1, 3] [[4, 4, 4]]
 * ```
 */
export const unbroadcast = (x: Tensor, shape: Shape): Tensor => {
  if (sameShape(x.shape, shape)) return x
  const lead = x.shape.length - shape.length
  const axes = x.shape.flatMap((n, i) => (i < lead || (shape[i - lead] === 1 && n !== 1) ? [i] : []))
  const summed = axes.length === 0 ? x : bind1(reduceSum, [x], { axes })
  return reshape(summed, shape)
}
