/** The same numbers, as something else. */
import { isFloating } from '../../../kernels/index.ts'
import type { Dtype } from '../../../kernels/index.ts'
import { bind1 } from '../../bind.ts'
import * as p from '../../primitives/elementwise.ts'
import type { Shape } from '../../shape.ts'
import type { Tensor } from '../../tensor.ts'
import { castTo } from '../basic.ts'

/**
 * The same numbers in another dtype.
 *
 * @example
 * ```ts
 * import { cast, tensor } from 'pullback'
 * console.log(cast(tensor([1.7, -1.7]), 'int32')) // => int32[2] [1, -1]
 * ```
 */
export const cast = <S extends Shape, D extends Dtype>(x: Tensor<S>, dtype: D): Tensor<S, D> =>
  castTo(x, dtype) as Tensor<S, D>

/**
 * x itself, as a constant: no derivative flows through it.
 *
 * @example
 * ```ts
 * import { grad, mul, stopGradient, sum, tensor } from 'pullback'
 * import type { Tensor } from 'pullback'
 * const f = (x: Tensor) => sum(mul(x, stopGradient(x)))
 * console.log(grad(f)(tensor([3]))) // => float32[1] [3]
 * ```
 */
export const stopGradient = <T extends Tensor>(x: T): T =>
  isFloating(x.dtype) ? (bind1(p.stopGradient, [x], {}) as T) : x
