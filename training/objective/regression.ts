/** Losses of predicted numbers. */
import {
  abs,
  add,
  div,
  exp,
  less,
  log,
  maximum,
  mul,
  square,
  stopGradient,
  sub,
  where,
} from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import type { Loss, Reduction, ReductionOptions } from './reduction.ts'
import { checkSameShape, reduce } from './reduction.ts'

const difference = (operation: string, predictions: Tensor, targets: Tensor): Tensor => {
  checkSameShape(operation, 'predictions and targets', predictions, targets)
  return sub(predictions, targets)
}

/**
 * (x - t)²: `torch.nn.functional.mse_loss`.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { meanSquaredError } from 'pullback/training'
 * console.log(meanSquaredError(tensor([1, 2]), tensor([1, 4]))) // => float32[] 2
 * ```
 */
export const meanSquaredError = <R extends Reduction = 'mean'>(
  predictions: Tensor,
  targets: Tensor,
  options: ReductionOptions<R> = {},
): Loss<R> => reduce(square(difference('meanSquaredError', predictions, targets)), options.reduction)

/**
 * |x - t|: `torch.nn.functional.l1_loss`.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { meanAbsoluteError } from 'pullback/training'
 * console.log(meanAbsoluteError(tensor([1, 2]), tensor([1, 4]))) // => float32[] 1
 * ```
 */
export const meanAbsoluteError = <R extends Reduction = 'mean'>(
  predictions: Tensor,
  targets: Tensor,
  options: ReductionOptions<R> = {},
): Loss<R> => reduce(abs(difference('meanAbsoluteError', predictions, targets)), options.reduction)

/**
 * ½ d² for |d| < delta and delta (|d| - ½ delta) beyond (Huber 1964): `torch.nn.functional.huber_loss`.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { huber } from 'pullback/training'
 * console.log(huber(tensor([0, 0]), tensor([0.5, 3]))) // => float32[] 1.3125
 * ```
 */
export const huber = <R extends Reduction = 'mean'>(
  predictions: Tensor,
  targets: Tensor,
  options: ReductionOptions<R> & { readonly delta?: number } = {},
): Loss<R> => {
  const { delta = 1, reduction } = options
  const d = difference('huber', predictions, targets)
  const size = abs(d)
  return reduce(where(less(size, delta), mul(square(d), 0.5), mul(sub(size, delta / 2), delta)), reduction)
}

/**
 * Huber's loss divided by its threshold `beta`: `torch.nn.functional.smooth_l1_loss`.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { smoothAbsoluteError } from 'pullback/training'
 * console.log(smoothAbsoluteError(tensor([0, 0]), tensor([0.5, 3]))) // => float32[] 1.3125
 * ```
 */
export const smoothAbsoluteError = <R extends Reduction = 'mean'>(
  predictions: Tensor,
  targets: Tensor,
  options: ReductionOptions<R> & { readonly beta?: number } = {},
): Loss<R> => {
  const { beta = 1, reduction } = options
  const d = difference('smoothAbsoluteError', predictions, targets)
  const size = abs(d)
  return reduce(where(less(size, beta), mul(square(d), 0.5 / beta), sub(size, beta / 2)), reduction)
}

/**
 * e^x - t x, the negative log-likelihood of counts t under rates e^x: `torch.nn.functional.poisson_nll_loss`.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { poissonLikelihood } from 'pullback/training'
 * console.log(poissonLikelihood(tensor([0, 1]), tensor([1, 2]))) // => float32[] 0.859141
 * ```
 */
export const poissonLikelihood = <R extends Reduction = 'mean'>(
  logRates: Tensor,
  counts: Tensor,
  options: ReductionOptions<R> = {},
): Loss<R> => {
  checkSameShape('poissonLikelihood', 'rates and counts', logRates, counts)
  return reduce(sub(exp(logRates), mul(counts, logRates)), options.reduction)
}

/**
 * ½ (log v + (x - t)² / v) with variances v held above `epsilon` without changing their derivative:
 * `torch.nn.functional.gaussian_nll_loss`.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { gaussianLikelihood } from 'pullback/training'
 * console.log(gaussianLikelihood(tensor([1, 2]), tensor([1, 4]), tensor([1, 4]))) // => float32[] 0.596574
 * ```
 */
export const gaussianLikelihood = <R extends Reduction = 'mean'>(
  predictions: Tensor,
  targets: Tensor,
  variances: Tensor,
  options: ReductionOptions<R> & { readonly epsilon?: number } = {},
): Loss<R> => {
  const { epsilon = 1e-6, reduction } = options
  const d = difference('gaussianLikelihood', predictions, targets)
  const lifted = stopGradient(sub(maximum(variances, epsilon), variances))
  const v = add(variances, lifted)
  return reduce(mul(add(log(v), div(square(d), v)), 0.5), reduction)
}
