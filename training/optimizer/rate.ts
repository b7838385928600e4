/** A learning rate that the program changes as it goes, where no schedule can know it beforehand. */
import { cast, full, isTensor } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import type { Schedule } from '../schedule/index.ts'
import type { Transform } from './transform.ts'

export interface RateState<S> {
  readonly rate: Tensor
  readonly inner: S
}

/**
 * An optimizer whose learning rate is part of its state, to be changed between steps by `setRate` without compiling
 * anything anew: for rates that fall when a metric stands still (`schedule.reduceOnPlateau`).
 *
 * @param make the optimizer of a rate
 * @example
 * ```ts
 * import { adamW, withRate } from 'pullback/training'
 * const optimizer = withRate((learningRate) => adamW({ learningRate }), 1e-3)
 * console.log(Object.keys(optimizer)) // => [ 'init', 'update' ]
 * ```
 */
export const withRate = <S>(
  make: (rate: Schedule) => Transform<S>,
  initial: number,
): Transform<RateState<S>> => {
  const at = (rate: Tensor): Transform<S> => make((() => rate) as unknown as Schedule)
  return {
    init: (params) => ({ rate: full([], initial), inner: at(full([], initial)).init(params) }),
    update: (gradients, { rate, inner }, params) => {
      const [updates, next] = at(rate).update(gradients, inner, params)
      return [updates, { rate, inner: next }]
    },
  }
}

/**
 * The state with another rate from the next step on.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { setRate, sgd, withRate } from 'pullback/training'
 * const optimizer = withRate((learningRate) => sgd({ learningRate }), 0.1)
 * const params = { weight: tensor([1]) }
 * const state = setRate(optimizer.init(params), 0.01)
 * console.log(optimizer.update({ weight: tensor([1]) }, state, params)[0].weight) // => float32[1] [-0.01]
 * ```
 */
export const setRate = <S>(state: RateState<S>, rate: number | Tensor): RateState<S> => ({
  ...state,
  rate: isTensor(rate) ? cast(rate, 'float32') : full([], rate),
})
