import { div, random, where } from '../core/index.ts'
import type { Tensor } from '../core/index.ts'
import { argumentError } from '../core/error.ts'
import type { NoParams, Run } from './layer.ts'
import { noParams } from './layer.ts'
import type { KeepingLayer } from './size.ts'

/**
 * In training, each element is 0 with probability `rate` and else divided by 1 - rate, so that the expectation
 * stays (Srivastava et al. 2014); the key decides which. In evaluation, the input.
 *
 * @example
 * ```ts
 * import { ones, random } from 'pullback'
 * import { dropout, evaluation, training } from 'pullback/nn'
 * const layer = dropout(0.5)
 * console.log(layer.apply({}, training(random.key(0)))(ones([6]))) // => float32[6] [0, 0, 2, 2, 0, 2]
 * console.log(layer.apply({}, evaluation)(ones([6]))) // => float32[6] [1, 1, 1, 1, 1, 1]
 * ```
 */
export const dropout = (rate: number): KeepingLayer<NoParams> => {
  const checked = checkedRate(rate)
  return { init: () => noParams, apply: (_, run) => (x: Tensor) => drop(checked, run, x) as never }
}

/** The rate, if it is one. */
export const checkedRate = (rate: number): number => {
  if (!(rate >= 0 && rate < 1)) throw argumentError('dropout', `the rate must be in [0, 1), got ${rate}`)
  return rate
}

/** The input with elements dropped, in training. */
export const drop = (rate: number, run: Run, x: Tensor): Tensor =>
  run.mode === 'eval' || rate === 0
    ? x
    : where(random.bernoulli(run.key, 1 - rate, x.shape), div(x, 1 - rate), 0)
