/** Adam with the largest gradient, decayed, in place of the root of the mean square. */
import { abs, add, div, maximum, mul, tree, zerosLike } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import type { Schedule } from '../schedule/index.ts'
import { biasCorrection, movingMean, perDtype } from './adam.ts'
import type { Counted } from './scale.ts'
import { addDecayedWeights, nextCount, scaleByLearningRate, zeroCount } from './scale.ts'
import type { Mask, Transform } from './transform.ts'
import { chain } from './transform.ts'

export interface AdamaxScaleConfig {
  /** What is kept of the mean and of the largest at each step; 0.9 and 0.999 by default. */
  readonly betas?: readonly [first: number, second: number]
  /** Added to the size of each gradient; 1e-8 by default. */
  readonly epsilon?: number
}

export interface AdamaxState extends Counted {
  readonly firstMoment: unknown
  readonly largest: unknown
}

/**
 * m̂ / u, with u ← max(beta₂ u, |g| + epsilon) (Kingma and Ba 2015, algorithm 2).
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { scaleByAdamax } from 'pullback/training'
 * const optimizer = scaleByAdamax()
 * const params = { weight: tensor([[1, -2], [3, 4]]) }
 * const gradients = { weight: tensor([[1, 1], [-1, 0.5]]) }
 * const [updates] = optimizer.update(gradients, optimizer.init(params), params)
 * console.log(updates.weight) // => float32[2, 2] [[1, 1], [-1, 1]]
 * ```
 */
export const scaleByAdamax = (config: AdamaxScaleConfig = {}): Transform<AdamaxState> => {
  const { betas: [first, second] = [0.9, 0.999], epsilon = 1e-8 } = config
  return {
    init: (params) => ({
      count: zeroCount(),
      firstMoment: tree.map(zerosLike, params),
      largest: tree.map(zerosLike, params),
    }),
    update: (gradients, state) => {
      const count = nextCount(state.count)
      const firstMoment = movingMean(state.firstMoment, gradients, first)
      const largest = tree.map(
        (g, u) => maximum(mul(u as Tensor, second), add(abs(g), epsilon)),
        gradients,
        state.largest,
      )
      const correction = perDtype((dtype) => biasCorrection(first, count, dtype))
      const updates = tree.map((m, u) => div(m, mul(u as Tensor, correction(m.dtype))), firstMoment, largest)
      return [updates, { count, firstMoment, largest }]
    },
  }
}

export interface AdamaxConfig extends AdamaxScaleConfig {
  readonly learningRate: number | Schedule
  /** The L2 penalty's factor; 0 by default. */
  readonly weightDecay?: number
  /** Which parameters decay; all by default. */
  readonly mask?: Mask
}

/**
 * Adamax: `torch.optim.Adamax`.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { adamax } from 'pullback/training'
 * const optimizer = adamax({ learningRate: 0.1 })
 * const params = { weight: tensor([[1, -2], [3, 4]]) }
 * const gradients = { weight: tensor([[1, 1], [-1, 0.5]]) }
 * const [updates] = optimizer.update(gradients, optimizer.init(params), params)
 * console.log(updates.weight) // => float32[2, 2] [[-0.1, -0.1], [0.1, -0.1]]
 * ```
 */
export const adamax = (config: AdamaxConfig): Transform =>
  chain(
    addDecayedWeights(config.weightDecay ?? 0, config.mask),
    scaleByAdamax(config),
    scaleByLearningRate(config.learningRate),
  )
