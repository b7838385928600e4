/** Elementary functions, elementwise; of integers, their float32 values. */
import * as p from '../../primitives/elementwise.ts'
import { floatingBinary, floatingUnary } from './rule.ts'
import type { Binary, Unary } from './rule.ts'

/**
 * The angle of the point (b, a) in radians, in (-π, π].
 *
 * @example
 * ```ts
 * import { atan2, tensor } from 'pullback'
 * console.log(atan2(tensor([1, 0, -1]), tensor([0, -1, 0]))) // => float32[3] [1.5708, 3.14159, -1.5708]
 * ```
 */
export const atan2: Binary<'atan2'> = floatingBinary(p.atan2)

/**
 * e^x
 *
 * @example
 * ```ts
 * import { exp, tensor } from 'pullback'
 * console.log(exp(tensor([0, 1, -Infinity]))) // => float32[3] [1, 2.71828, 0]
 * ```
 */
export const exp: Unary = floatingUnary(p.exp)

/**
 * e^x - 1, accurate near 0.
 *
 * @example
 * ```ts
 * import { expm1, tensor } from 'pullback'
 * console.log(expm1(tensor([0, 1e-10]))) // => float32[2] [0, 1e-10]
 * ```
 */
export const expm1: Unary = floatingUnary(p.expm1)

/**
 * The natural logarithm; -∞ at 0 and NaN below.
 *
 * @example
 * ```ts
 * import { log, tensor } from 'pullback'
 * console.log(log(tensor([1, 0, -1]))) // => float32[3] [0, -Infinity, NaN]
 * ```
 */
export const log: Unary = floatingUnary(p.log)

/**
 * log(1 + x), accurate near 0.
 *
 * @example
 * ```ts
 * import { log1p, tensor } from 'pullback'
 * console.log(log1p(tensor([0, 1e-10]))) // => float32[2] [0, 1e-10]
 * ```
 */
export const log1p: Unary = floatingUnary(p.log1p)

/**
 * √x; NaN below 0.
 *
 * @example
 * ```ts
 * import { sqrt, tensor } from 'pullback'
 * console.log(sqrt(tensor([4, 2, -1]))) // => float32[3] [2, 1.41421, NaN]
 * ```
 */
export const sqrt: Unary = floatingUnary(p.sqrt)

/**
 * 1/√x
 *
 * @example
 * ```ts
 * import { rsqrt, tensor } from 'pullback'
 * console.log(rsqrt(tensor([4, 0]))) // => float32[2] [0.5, Infinity]
 * ```
 */
export const rsqrt: Unary = floatingUnary(p.rsqrt)

/**
 * The sine of an angle in radians.
 *
 * @example
 * ```ts
 * import { sin, tensor } from 'pullback'
 * console.log(sin(tensor([0, Math.PI / 2]))) // => float32[2] [0, 1]
 * ```
 */
export const sin: Unary = floatingUnary(p.sin)

/**
 * The cosine of an angle in radians.
 *
 * @example
 * ```ts
 * import { cos, tensor } from 'pullback'
 * console.log(cos(tensor([0, Math.PI]))) // => float32[2] [1, -1]
 * ```
 */
export const cos: Unary = floatingUnary(p.cos)

/**
 * The hyperbolic tangent.
 *
 * @example
 * ```ts
 * import { tanh, tensor } from 'pullback'
 * console.log(tanh(tensor([0, 1, 100]))) // => float32[3] [0, 0.761594, 1]
 * ```
 */
export const tanh: Unary = floatingUnary(p.tanh)

/**
 * 1 / (1 + e^-x)
 *
 * @example
 * ```ts
 * import { sigmoid, tensor } from 'pullback'
 * console.log(sigmoid(tensor([0, 1, -10]))) // => float32[3] [0.5, 0.731059, 0.0000453979]
 * ```
 */
export const sigmoid: Unary = floatingUnary(p.sigmoid)

/**
 * The error function.
 *
 * @example
 * ```ts
 * import { erf, tensor } from 'pullback'
 * console.log(erf(tensor([0, 0.5]))) // => float32[2] [0, 0.5205]
 * ```
 */
export const erf: Unary = floatingUnary(p.erf)

/**
 * The inverse of `erf` on (-1, 1).
 *
 * @example
 * ```ts
 * import { erfInv, tensor } from 'pullback'
 * console.log(erfInv(tensor([0, 0.5]))) // => float32[2] [0, 0.476936]
 * ```
 */
export const erfInv: Unary = floatingUnary(p.erfInv)
