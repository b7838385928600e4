/** Comparisons, elementwise. */
import * as p from '../../primitives/elementwise.ts'
import { comparison, predicate } from './rule.ts'
import type { Comparison, Predicate } from './rule.ts'

/**
 * Whether a = b; NaN equals nothing.
 *
 * @example
 * ```ts
 * import { equal, tensor } from 'pullback'
 * console.log(equal(tensor([1, 2, NaN]), tensor([1, 3, NaN]))) // => bool[3] [true, false, false]
 * ```
 */
export const equal: Comparison<'equal'> = comparison(p.equal)

/**
 * Whether a ≠ b; true where either is NaN.
 *
 * @example
 * ```ts
 * import { notEqual, tensor } from 'pullback'
 * console.log(notEqual(tensor([1, 2]), 2)) // => bool[2] [true, false]
 * ```
 */
export const notEqual: Comparison<'notEqual'> = comparison(p.notEqual)

/**
 * Whether a < b; false where either is NaN.
 *
 * @example
 * ```ts
 * import { less, tensor } from 'pullback'
 * console.log(less(tensor([1, 2, 3]), 2)) // => bool[3] [true, false, false]
 * ```
 */
export const less: Comparison<'less'> = comparison(p.less)

/**
 * Whether a ≤ b; false where either is NaN.
 *
 * @example
 * ```ts
 * import { lessEqual, tensor } from 'pullback'
 * console.log(lessEqual(tensor([1, 2, 3]), 2)) // => bool[3] [true, true, false]
 * ```
 */
export const lessEqual: Comparison<'lessEqual'> = comparison(p.lessEqual)

/**
 * Whether a > b; false where either is NaN.
 *
 * @example
 * ```ts
 * import { greater, tensor } from 'pullback'
 * console.log(greater(tensor([1, 2, 3]), 2)) // => bool[3] [false, false, true]
 * ```
 */
export const greater: Comparison<'greater'> = comparison(p.greater)

/**
 * Whether a ≥ b; false where either is NaN.
 *
 * @example
 * ```ts
 * import { greaterEqual, tensor } from 'pullback'
 * console.log(greaterEqual(tensor([1, 2, 3]), 2)) // => bool[3] [false, true, true]
 * ```
 */
export const greaterEqual: Comparison<'greaterEqual'> = comparison(p.greaterEqual)

/**
 * Whether a number is neither infinite nor NaN.
 *
 * @example
 * ```ts
 * import { isFinite, tensor } from 'pullback'
 * console.log(isFinite(tensor([1, Infinity, NaN]))) // => bool[3] [true, false, false]
 * ```
 */
export const isFinite: Predicate = predicate(p.isFinite)

/**
 * Whether it is NaN.
 *
 * @example
 * ```ts
 * import { isNaN, tensor } from 'pullback'
 * console.log(isNaN(tensor([1, Infinity, NaN]))) // => bool[3] [false, false, true]
 * ```
 */
export const isNaN: Predicate = predicate(p.isNaN)
