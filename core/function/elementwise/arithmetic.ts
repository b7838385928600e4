/** Arithmetic, elementwise. */
import * as p from '../../primitives/elementwise.ts'
import { binary, floatingBinary, unary } from './rule.ts'
import type { Binary, Unary } from './rule.ts'

/**
 * a + b
 *
 * @example
 * ```ts
 * import { add, tensor } from 'pullback'
 * console.log(add(tensor([1, 2]), 3)) // => float32[2] [4, 5]
 * ```
 */
export const add: Binary<'add'> = binary(p.add)

/**
 * a - b
 *
 * @example
 * ```ts
 * import { sub, tensor } from 'pullback'
 * console.log(sub(tensor([[1, 2], [3, 4]]), tensor([1, 1]))) // => float32[2, 2] [[0, 1], [2, 3]]
 * ```
 */
export const sub: Binary<'sub'> = binary(p.sub)

/**
 * a · b
 *
 * @example
 * ```ts
 * import { mul, tensor } from 'pullback'
 * console.log(mul(tensor([1, 2, 3]), tensor([[1], [10]]))) // => float32[2, 3] [[1, 2, 3], [10, 20, 30]]
 * ```
 */
export const mul: Binary<'mul'> = binary(p.mul)

/**
 * a / b; of integers, the float32 quotient.
 *
 * @example
 * ```ts
 * import { div, tensor } from 'pullback'
 * console.log(div(tensor([1, 2, -1]), tensor([2, 0, 0]))) // => float32[3] [0.5, Infinity, -Infinity]
 * ```
 */
export const div: Binary<'div'> = floatingBinary(p.div)

/**
 * a^b; 1^b = a^0 = 1.
 *
 * @example
 * ```ts
 * import { pow, tensor } from 'pullback'
 * console.log(pow(tensor([2, 3]), 2)) // => float32[2] [4, 9]
 * ```
 */
export const pow: Binary<'pow'> = floatingBinary(p.pow)

/**
 * The remainder with the sign of `a`, as C's fmod.
 *
 * @example
 * ```ts
 * import { remainder, tensor } from 'pullback'
 * console.log(remainder(tensor([5, -5]), 3)) // => float32[2] [2, -2]
 * ```
 */
export const remainder: Binary<'remainder'> = binary(p.remainder)

/**
 * The larger of two; NaN if either is.
 *
 * @example
 * ```ts
 * import { maximum, tensor } from 'pullback'
 * console.log(maximum(tensor([1, -2, NaN]), 0)) // => float32[3] [1, 0, NaN]
 * ```
 */
export const maximum: Binary<'maximum'> = binary(p.maximum)

/**
 * The smaller of two; NaN if either is.
 *
 * @example
 * ```ts
 * import { minimum, tensor } from 'pullback'
 * console.log(minimum(tensor([1, -2, NaN]), 0)) // => float32[3] [0, -2, NaN]
 * ```
 */
export const minimum: Binary<'minimum'> = binary(p.minimum)

/**
 * -x
 *
 * @example
 * ```ts
 * import { neg, tensor } from 'pullback'
 * console.log(neg(tensor([1, -2]))) // => float32[2] [-1, 2]
 * ```
 */
export const neg: Unary = unary(p.neg)

/**
 * |x|, with the derivative 0 at 0.
 *
 * @example
 * ```ts
 * import { abs, tensor } from 'pullback'
 * console.log(abs(tensor([1, -2]))) // => float32[2] [1, 2]
 * ```
 */
export const abs: Unary = unary(p.abs)

/**
 * -1, 0 or 1; no derivative.
 *
 * @example
 * ```ts
 * import { sign, tensor } from 'pullback'
 * console.log(sign(tensor([3, 0, -2]))) // => float32[3] [1, 0, -1]
 * ```
 */
export const sign: Unary = unary(p.sign)

/**
 * x²
 *
 * @example
 * ```ts
 * import { square, tensor } from 'pullback'
 * console.log(square(tensor([3, -2]))) // => float32[2] [9, 4]
 * ```
 */
export const square: Unary = (x) => mul(x, x) as unknown as typeof x
