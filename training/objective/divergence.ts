import { equal, exp, log, mul, sub, where } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import type { Loss, Reduction } from './reduction.ts'
import { checkSameShape, reduce, reduceBatch } from './reduction.ts'

export interface DivergenceOptions<R extends Reduction | 'batchMean'> {
  /** `mean` divides by all elements, `batchMean`, the mathematical mean, by the size of axis 0. */
  readonly reduction?: R
  /** Whether the targets are log-probabilities too. */
  readonly logTargets?: boolean
}

/**
 * The Kullback-Leibler divergence Σ p (log p - log q) of predictions q from targets p, with 0 log 0 = 0:
 * `torch.nn.functional.kl_div`.
 *
 * @param logProbabilities log q, any shape
 * @param targets p, the same shape
 * @example
 * ```ts
 * import { log, tensor } from 'pullback'
 * import { kullbackLeibler } from 'pullback/training'
 * console.log(kullbackLeibler(log(tensor([[0.5, 0.5]])), tensor([[0.25, 0.75]]))) // => float32[] 0.130812
 * ```
 */
export const kullbackLeibler = <R extends Reduction | 'batchMean' = 'batchMean'>(
  logProbabilities: Tensor,
  targets: Tensor,
  options: DivergenceOptions<R> = {},
): R extends 'none' ? Loss<'none'> : Loss<'mean'> => {
  checkSameShape('kullbackLeibler', 'log-probabilities and targets', logProbabilities, targets)
  const { logTargets = false } = options
  const reduction: Reduction | 'batchMean' = options.reduction ?? 'batchMean'
  const impossible = equal(targets, 0)
  const p = logTargets ? exp(targets) : targets
  const logP = logTargets ? targets : log(where(impossible, 1, targets))
  const losses = mul(p, sub(logP, logProbabilities))
  const result = reduction === 'batchMean' ? reduceBatch(losses) : reduce(losses, reduction)
  return result as R extends 'none' ? Loss<'none'> : Loss<'mean'>
}
