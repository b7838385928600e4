/** Averages of parameters over the course of training: often better, and steadier, than the last ones. */
import { add, div, mul, sub, tree, zerosLike } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import { biasCorrection, perDtype } from './adam.ts'
import type { Counted } from './scale.ts'
import { nextCount, zeroCount } from './scale.ts'
import { applyUpdates } from './transform.ts'
import type { Transform } from './transform.ts'

export interface AverageState<S> extends Counted {
  readonly inner: S
  /** Begun at 0: `averagedParams` corrects for it. */
  readonly average: unknown
}

/**
 * An optimizer that remembers, beside what it does, the exponential moving average of the parameters that come out:
 * a ← decay · a + (1 - decay) · p (Polyak and Juditsky 1992; as in Adam's paper, section 7.2). It is part of the state,
 * so it is in every checkpoint; `averagedParams` reads it.
 *
 * @param decay what is kept at each step, such as 0.999
 * @example
 * ```ts
 * import { zeros } from 'pullback'
 * import { adamW, withAverage } from 'pullback/training'
 * const optimizer = withAverage(adamW({ learningRate: 1e-3 }), 0.999)
 * console.log(Object.keys(optimizer.init({ weight: zeros([2]) }))) // => ['count', 'inner', 'average']
 * ```
 */
export const withAverage = <S>(optimizer: Transform<S>, decay: number): Transform<AverageState<S>> => ({
  init: (params) => ({
    count: zeroCount(),
    inner: optimizer.init(params),
    average: tree.map(zerosLike, params),
  }),
  update: (gradients, { count, inner, average }, params) => {
    const [updates, next] = optimizer.update(gradients, inner, params)
    const after = applyUpdates(params, updates)
    const moved = tree.map((p, a) => add(a as Tensor, mul(sub(p, a as Tensor), 1 - decay)), after, average)
    return [updates, { count: nextCount(count), inner: next, average: moved }]
  },
})

/**
 * The averaged parameters of a state that has seen at least one step, for evaluation or to keep. Give the decay that
 * the optimizer was made with.
 *
 * @param params the parameters now: their structure, and where there are frozen ones, their values
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { averagedParams, sgd, withAverage } from 'pullback/training'
 * const optimizer = withAverage(sgd({ learningRate: 1 }), 0.5)
 * const params = { weight: tensor([0]) }
 * const [, state] = optimizer.update({ weight: tensor([-4]) }, optimizer.init(params), params)
 * console.log(averagedParams(params, state, 0.5).weight) // => float32[1] [4]
 * ```
 */
export const averagedParams = <P>(params: P, { count, average }: AverageState<unknown>, decay: number): P => {
  const correction = perDtype((dtype) => biasCorrection(decay, count, dtype))
  return tree.combine(
    tree.map((a) => div(a, correction(a.dtype)), average),
    params,
  ) as P
}
