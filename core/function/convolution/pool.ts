/** Pooling: one number for each window and channel. */
import { checkOptions } from '../../error.ts'
import type { Shape } from '../../shape.ts'
import type { Tensor } from '../../tensor.ts'
import type { NoOptions, Pooled } from '../../type.ts'
import type { Dtype } from '../../../kernels/index.ts'
import { div } from '../elementwise/index.ts'
import { max, sum } from '../reduce/index.ts'
import { ones, stack } from '../structure/index.ts'
import type { Plan, WindowOptions } from './window.ts'
import { planOf, spatial, views } from './window.ts'

const largest = (x: Tensor, plan: Plan): Tensor => max(stack(views(x, plan, -Infinity), 0), { axis: 0 })

/** The mean of each window; padding is not counted. */
const meanOf = (x: Tensor, plan: Plan): Tensor => {
  const there = ones([1, ...x.shape.slice(1, -1), 1], x.dtype)
  const [total, count] = [x, there].map((each) => sum(stack(views(each, plan, 0), 0), { axis: 0 }))
  return div(total as Tensor, count as Tensor)
}

type Pool = <
  S extends Shape,
  D extends Dtype,
  const P extends number | readonly number[],
  const O extends WindowOptions = NoOptions,
>(
  x: Tensor<S, D>,
  window: P,
  options?: O,
) => Tensor<Pooled<S, P, O>, D>

const pool = (operation: string, axes: number, fold: typeof largest): Pool =>
  ((x: Tensor, window: number | readonly number[], options: WindowOptions = {}) => {
    checkOptions(operation, options, ['stride', 'padding', 'dilation'])
    return fold(x, planOf(operation, spatial(operation, x, axes), window, options, window))
  }) as Pool

/**
 * The largest element in each window of [batch, length, channels]; windows lie side by side by default.
 *
 * @example
 * ```ts
 * import { maxPool1d, reshape, tensor } from 'pullback'
 * console.log(maxPool1d(reshape(tensor([1, 3, 2, 4]), [1, 4, 1]), 2)) // => float32[1, 2, 1] [[[3], [4]]]
 * ```
 */
export const maxPool1d: Pool = pool('maxPool1d', 1, largest)
/**
 * The largest element in each window of [batch, height, width, channels].
 *
 * @example
 * ```ts
 * import { maxPool2d, zeros } from 'pullback'
 * console.log(maxPool2d(zeros([1, 4, 6, 3]), 2).shape) // => [1, 2, 3, 3]
 * ```
 */
export const maxPool2d: Pool = pool('maxPool2d', 2, largest)
/**
 * The mean of each window of [batch, length, channels], of what is not padding.
 *
 * @example
 * ```ts
 * import { averagePool1d, reshape, tensor } from 'pullback'
 * console.log(averagePool1d(reshape(tensor([1, 3, 2, 4]), [1, 4, 1]), 2))
 * // => float32[1, 2, 1] [[[2], [3]]]
 * ```
 */
export const averagePool1d: Pool = pool('averagePool1d', 1, meanOf)
/**
 * The mean of each window of [batch, height, width, channels], of what is not padding.
 *
 * @example
 * ```ts
 * import { averagePool2d, zeros } from 'pullback'
 * console.log(averagePool2d(zeros([1, 4, 6, 3]), 2).shape) // => [1, 2, 3, 3]
 * ```
 */
export const averagePool2d: Pool = pool('averagePool2d', 2, meanOf)
