/** Running folds. */
import { bind1 } from '../../bind.ts'
import { checkOptions } from '../../error.ts'
import * as p from '../../primitives/reduce.ts'
import { normalAxis } from '../../shape.ts'
import type { Tensor } from '../../tensor.ts'

const running =
  (operation: string, op: p.CumulativeParams['op']) =>
  <T extends Tensor>(x: T, axis = 0, options: { readonly reverse?: boolean } = {}): T => {
    checkOptions(operation, options, ['reverse'])
    return bind1(p.cumulative, [x], {
      op,
      axis: normalAxis(operation, axis, x.shape),
      reverse: options.reverse === true,
    }) as T
  }

type Running = <T extends Tensor>(x: T, axis?: number, options?: { readonly reverse?: boolean }) => T

/**
 * Running sums along an axis.
 *
 * @example
 * ```ts
 * import { cumSum, tensor } from 'pullback'
 * console.log(cumSum(tensor([1, 2, 3, 4]))) // => float32[4] [1, 3, 6, 10]
 * ```
 */
export const cumSum: Running = running('cumSum', 'sum')

/**
 * Running products along an axis.
 *
 * @example
 * ```ts
 * import { cumProd, tensor } from 'pullback'
 * console.log(cumProd(tensor([1, 2, 3, 4]))) // => float32[4] [1, 2, 6, 24]
 * ```
 */
export const cumProd: Running = running('cumProd', 'prod')

/**
 * Running maxima along an axis.
 *
 * @example
 * ```ts
 * import { cumMax, tensor } from 'pullback'
 * console.log(cumMax(tensor([1, 3, 2, 4]))) // => float32[4] [1, 3, 3, 4]
 * ```
 */
export const cumMax: Running = running('cumMax', 'max')

/**
 * Running minima along an axis.
 *
 * @example
 * ```ts
 * import { cumMin, tensor } from 'pullback'
 * console.log(cumMin(tensor([3, 4, 1, 2]))) // => float32[4] [3, 3, 1, 1]
 * ```
 */
export const cumMin: Running = running('cumMin', 'min')
