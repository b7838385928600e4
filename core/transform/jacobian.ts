import type { Dtype } from '../../kernels/index.ts'
import { isFloating, sizeOf } from '../../kernels/index.ts'
import { argumentError, describe, dtypeError } from '../error.ts'
import * as functions from '../function/index.ts'
import type { Shape } from '../shape.ts'
import { isTensor } from '../tensor.ts'
import type { Tensor } from '../tensor.ts'
import type { Both, IsScalar } from '../type.ts'
import { differentiate } from './grad.ts'
import { jvp } from './jvp.ts'
import { vjp } from './vjp.ts'
import { vmap } from './vmap.ts'

type Jacobian = <S extends Shape, R extends Shape, D extends Dtype>(
  f: (x: Tensor<S, D>) => Tensor<R, D>,
) => (x: Tensor<S, D>) => Tensor<Both<R, S>, D>

/** Refuses what is no floating-point tensor: trees have no Jacobian in one tensor. */
const checkTensor = (operation: string, what: 'take' | 'return', x: unknown): Tensor => {
  if (!isTensor(x))
    throw argumentError(
      operation,
      `the function must ${what} one tensor, got ${describe(x)}; take the parts of a tree one by one, with a function of each`,
    )
  if (!isFloating(x.dtype))
    throw dtypeError(operation, `what the function ${what}s must be floating point`, x.dtype)
  return x
}

/** The unit vectors of a tensor's space, one behind the other along a new axis 0. */
const basis = (x: Tensor): Tensor => {
  const n = sizeOf(x.shape)
  return functions.reshape(functions.eye(n, x.dtype), [n, ...x.shape])
}

const forward =
  (operation: string, f: (x: Tensor) => Tensor): ((x: Tensor) => Tensor) =>
  (x) => {
    const along = (direction: Tensor): Tensor => checkTensor(operation, 'return', jvp(f, [x], [direction])[1])
    const columns = vmap(along)(basis(checkTensor(operation, 'take', x))) // [input, ...output]
    const output = columns.shape.slice(1)
    return functions.reshape(functions.moveAxis(columns, 0, output.length), [...output, ...x.shape])
  }

/**
 * The Jacobian of a function of one tensor by forward mode: [...output, ...input]. Costs one pass per input element,
 * batched; best where there are fewer inputs than outputs.
 *
 * @throws PullbackError where the function does not take and return one floating-point tensor.
 * @example
 * ```ts
 * import { cos, jacobianForward, sin, stack, tensor } from 'pullback'
 * import type { Tensor } from 'pullback'
 * const turn = (x: Tensor): Tensor => stack([cos(x), sin(x)], -1)
 * console.log(jacobianForward(turn)(tensor(0))) // => float32[2] [0, 1]
 * ```
 */
export const jacobianForward: Jacobian = ((f: (x: Tensor) => Tensor) =>
  forward('jacobianForward', f)) as Jacobian

/**
 * The Jacobian of a function of one tensor by reverse mode: [...output, ...input]. Costs one pass per output element,
 * batched; best where there are fewer outputs than inputs.
 *
 * @throws PullbackError where the function does not take and return one floating-point tensor.
 * @example
 * ```ts
 * import { jacobianReverse, square, sum, tensor } from 'pullback'
 * console.log(jacobianReverse((x) => sum(square(x), { axis: -1 }))(tensor([[1, 2], [3, 4]])))
 * // => float32[2, 2, 2] [[[2, 4], [0, 0]], [[0, 0], [6, 8]]]
 * ```
 */
export const jacobianReverse: Jacobian = ((f: (x: Tensor) => Tensor): ((x: Tensor) => Tensor) =>
  (x) => {
    const { value, pullback } = vjp(f, checkTensor('jacobianReverse', 'take', x))
    const units = basis(checkTensor('jacobianReverse', 'return', value))
    const rows = vmap((cotangent: Tensor) => pullback(cotangent)[0])(units) // [output, ...input]
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
 * A function that is known to return axes does not compile.
 *
 * @throws PullbackError where the function does not take one floating-point tensor, or does not return a scalar.
 * @example
 * ```ts
 * import { hessian, mul, square, sum, tensor } from 'pullback'
 * console.log(hessian((x) => sum(mul(square(x), x)))(tensor([1, 2]))) // => float32[2, 2] [[6, 0], [0, 12]]
 * ```
 */
export const hessian = <S extends Shape, D extends Dtype, L extends Shape>(
  f: (x: Tensor<S, D>) => Tensor<L> & IsScalar<'hessian', L>,
): ((x: Tensor<S, D>) => Tensor<Both<S, S>, D>) =>
  forward('hessian', (x) => differentiate('hessian', f, {}, [x]).gradient as Tensor) as never
