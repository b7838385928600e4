/** Choices between values, elementwise. */
import { bind1 } from '../../bind.ts'
import * as p from '../../primitives/elementwise.ts'
import type { Shape } from '../../shape.ts'
import type { Tensor } from '../../tensor.ts'
import type { Broadcasts, ChosenShape, ClippedShape, DtypeOf, ElementDtype, Operand } from '../../type.ts'
import { promote } from '../basic.ts'
import { maximum, minimum } from './arithmetic.ts'
import { lessEqual } from './comparison.ts'
import type { Unary } from './rule.ts'

/**
 * `condition ? a : b`, elementwise, broadcast.
 *
 * @example
 * ```ts
 * import { tensor, where } from 'pullback'
 * console.log(where(tensor([true, false]), tensor([1, 2]), 0)) // => float32[2] [1, 0]
 * ```
 */
export const where = <C extends Tensor<Shape, 'bool'>, A extends Operand, B extends Operand>(
  condition: C,
  a: A & Broadcasts<'where', C, A>,
  b: B & Broadcasts<'where', C, B> & Broadcasts<'where', A, B>,
): Tensor<ChosenShape<C, A, B>, ElementDtype<A, B>> => {
  const [x, y] = promote(a, b) as [Tensor, Tensor]
  return bind1(p.select, [condition, x, y], {}) as Tensor<ChosenShape<C, A, B>, ElementDtype<A, B>>
}

/**
 * x no smaller than `low` and no larger than `high`.
 *
 * @example
 * ```ts
 * import { clip, tensor } from 'pullback'
 * console.log(clip(tensor([-2, 0.5, 3]), -1, 1)) // => float32[3] [-1, 0.5, 1]
 * ```
 */
export const clip = <T extends Tensor, A extends Operand, B extends Operand>(
  x: T,
  low: A & Broadcasts<'clip', T, A>,
  high: B & Broadcasts<'clip', T, B>,
): Tensor<ClippedShape<T, A, B>, DtypeOf<T>> =>
  minimum<Tensor, Operand>(maximum<Tensor, Operand>(x, low), high) as never

/**
 * max(x, 0), with the derivative 0 at 0.
 *
 * @example
 * ```ts
 * import { relu, tensor } from 'pullback'
 * console.log(relu(tensor([-1, 0, 2]))) // => float32[3] [0, 0, 2]
 * ```
 */
export const relu: Unary = (x) => where(lessEqual(x, 0), 0, x) as unknown as typeof x
