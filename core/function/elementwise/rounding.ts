/** Rounding, elementwise. */
import * as p from '../../primitives/elementwise.ts'
import { where } from './choice.ts'
import { greaterEqual } from './comparison.ts'
import { floatingUnary } from './rule.ts'
import type { Unary } from './rule.ts'

/**
 * No derivative.
 *
 * @example
 * ```ts
 * import { floor, tensor } from 'pullback'
 * console.log(floor(tensor([1.5, -1.5]))) // => float32[2] [1, -2]
 * ```
 */
export const floor: Unary = floatingUnary(p.floor)

/**
 * No derivative.
 *
 * @example
 * ```ts
 * import { ceil, tensor } from 'pullback'
 * console.log(ceil(tensor([1.5, -1.5]))) // => float32[2] [2, -1]
 * ```
 */
export const ceil: Unary = floatingUnary(p.ceil)

/**
 * To the nearest integer, half to even; no derivative.
 *
 * @example
 * ```ts
 * import { round, tensor } from 'pullback'
 * console.log(round(tensor([0.5, 1.5, 2.4]))) // => float32[3] [0, 2, 2]
 * ```
 */
export const round: Unary = floatingUnary(p.round)

/**
 * Toward zero; no derivative.
 *
 * @example
 * ```ts
 * import { tensor, truncate } from 'pullback'
 * console.log(truncate(tensor([1.5, -1.5]))) // => float32[2] [1, -1]
 * ```
 */
export const truncate: Unary = (x) => where(greaterEqual(x, 0), floor(x), ceil(x)) as unknown as typeof x
