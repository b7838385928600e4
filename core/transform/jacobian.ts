import type { Dtype } from '../../kernels/index.ts'
import { sizeOf } from '../../kernels/index.ts'
import * as functions from '../function/index.ts'
import type { Shape } from '../shape.ts'
import type { Tensor } from '../tensor.ts'
import type { Both, IsScalar } from '../type.ts'
import { differentiate } from './grad.ts'
import { jvp } from './jvp.ts'
import { vjp } from './vjp.ts'
import { vmap } from './vmap.ts'

type Jacobian = <S extends Shape, R extends Shape, D extends Dtype>(
  f: (x: Tensor<S, D>) => Tensor<R, D>,
) => (x: Tensor<S, D>) => Tensor<Both<R, S>, D>

/** The unit vectors of a tensor's space, one behind the other along a new axis 0. */
const basis = (x: Tensor): Tensor => {
  const n = sizeOf(x.shape)
  return functions.reshape(functions.eye(n, x.dtype), [n, ...x.shape])
}

/**
 * The Jacobian of a function of one tensor by forward mode: result shape [...output, ...input]. Costs one
 * pass per input element, batched; best where there are fewer inputs than outputs.
 *
 * @example
 * ```ts
 * import { cos, jacobianForward, sin, stack, tensor } from 'pullback'
 * import type { Tensor } from 'pullback'
 * const turn = (x: Tensor): Tensor => stack([cos(x), sin(x)], -1)
 * console.log(jacobianForward(turn)(tensor(0))) // => float32[2] [0, 1]
 * ```
 */
export const jacobianForward: Jacobian = ((f: (x: Tensor) => Tensor): ((x: Tensor) => Tensor) =>
  (x) => {
    // [input, ...output]
    const columns = vmap((direction: Tensor) => jvp(f, [x], [direction])[1])(basis(x))
    const last = columns.shape.length - 1
    const output = columns.shape.slice(1)
    return functions.reshape(functions.moveAxis(columns, 0, last), [...output, ...x.shape])
  }) as Jacobian

/**
 * The Jacobian of a function of one tensor by reverse mode: result shape [...output, ...input]. Costs one
 * pass per output element, batched; best where there are fewer outputs than inputs.
 *
 * @example
 * ```ts
 * import { jacobianReverse, square, sum, tensor } from 'pullback'
 * console.log(jacobianReverse((x) => sum(square(x), { axis: -1 }))(tensor([[1, 2], [3, 4]])))
 * // => float32[2, 2, 2] [[[2, 4], [0, 0]], [[0, 0], [6, 8]]]
 * ```
 */
export const jacobianReverse: Jacobian = ((f: (x: Tensor) => Tensor): ((x: Tensor) => Tensor) =>
  (x) => {
    const { value, pullback } = vjp(f, x)
    const rows = vmap((cotangent: Tensor) => pullback(cotangent)[0])(basis(value))
    return functions.reshape(rows, [...value.shape, ...x.shape])
  }) as Jacobian

/**
 * The Jacobian by reverse mode; see `jacobianReverse`.
 *
 * @example
 * ```ts
 * import { jacobian, square, tensor } from 'pullback'
 * console.log(jacobian((x) => square(x))(tensor([1, 2, 3])))
 * // => float32[3, 3] [[2, 0, 0], [0, 4, 0], [0, 0, 6]]
 * ```
 */
export const jacobian: Jacobian = jacobianReverse

/**
 * The matrix of second derivatives of a scalar function of one tensor, forward over reverse: [...input, ...input].
 *
 * @example
 * ```ts
 * import { hessian, mul, square, sum, tensor } from 'pullback'
 * console.log(hessian((x) => sum(mul(square(x), x)))(tensor([1, 2]))) // => float32[2, 2] [[6, 0], [0, 12]]
 * ```
 */
export const hessian = <S extends Shape, D extends Dtype, L extends Shape>(
  f: (x: Tensor<S, D>) => Tensor<L> & IsScalar<'hessian', L>,
): ((x: Tensor<S, D>) => Tensor<Both<S, S>, D>) =>
  jacobianForward<S, S, D>((x) => differentiate('hessian', f, {}, [x]).gradient as Tensor<S, D>)
