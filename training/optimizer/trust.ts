/** Layer-wise rates for large batches: each tensor moves in proportion to its own size. */
import { div, equal, logicalOr, mul, sqrt, square, sum, tree, where } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import type { Schedule } from '../schedule/index.ts'
import type { AdamConfig } from './adam.ts'
import { scaleByAdam } from './adam.ts'
import { trace } from './momentum.ts'
import { addDecayedWeights, scaleByLearningRate } from './scale.ts'
import type { Mask, Stateless, Transform } from './transform.ts'
import { chain, stateless } from './transform.ts'

export interface TrustConfig {
  /** What the ratio is multiplied by; 1 by default. */
  readonly coefficient?: number
  /** Which parameters are scaled so; all by default. Biases and norms usually are not. */
  readonly mask?: Mask
}

const norm = (x: Tensor): Tensor => sqrt(sum(square(x)))

/**
 * Each tensor's update times ‖parameter‖ / ‖update‖; as it is where either is 0.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { scaleByTrustRatio } from 'pullback/training'
 * const optimizer = scaleByTrustRatio()
 * const params = { weight: tensor([[1, -2], [3, 4]]) }
 * const gradients = { weight: tensor([[1, 1], [-1, 0.5]]) }
 * const [updates] = optimizer.update(gradients, optimizer.init(params), params)
 * console.log(updates.weight) // => float32[2, 2] [[3.03822, 3.03822], [-3.03822, 1.51911]]
 * ```
 */
export const scaleByTrustRatio = ({ coefficient = 1, mask }: TrustConfig = {}): Transform<Stateless> =>
  stateless((updates, params) => {
    const chosen = tree.entries(params).map(([path, leaf]) => mask?.(path, leaf) ?? true)
    let i = 0
    return tree.map(
      (u, p) => {
        if (chosen[i++] !== true) return u
        const [size, step] = [norm(p as Tensor), norm(u)]
        const none = logicalOr(equal(size, 0), equal(step, 0))
        return mul(u, where(none, 1, mul(div(size, where(none, 1, step)), coefficient)))
      },
      updates,
      params,
    )
  })

export interface LambConfig extends Omit<AdamConfig, 'amsgrad'> {
  readonly learningRate: number | Schedule
  /** Decoupled; 0 by default. */
  readonly weightDecay?: number
  /** Which parameters decay and have a rate of their own; all by default, `exceptBiasAndNorm` in the paper. */
  readonly mask?: Mask
}

/**
 * LAMB: Adam's update, decay included, at layer-wise rates (You et al. 2020, algorithm 2).
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { lamb } from 'pullback/training'
 * const optimizer = lamb({ learningRate: 0.1 })
 * const params = { weight: tensor([[1, -2], [3, 4]]) }
 * const gradients = { weight: tensor([[1, 1], [-1, 0.5]]) }
 * const [updates] = optimizer.update(gradients, optimizer.init(params), params)
 * console.log(updates.weight) // => float32[2, 2] [[-0.273861, -0.273861], [0.273861, -0.273861]]
 * ```
 */
export const lamb = (config: LambConfig): Transform =>
  chain(
    scaleByAdam({ epsilon: 1e-6, ...config }),
    addDecayedWeights(config.weightDecay ?? 0, config.mask),
    scaleByTrustRatio(config.mask === undefined ? {} : { mask: config.mask }),
    scaleByLearningRate(config.learningRate),
  )

export interface LarsConfig extends TrustConfig {
  readonly learningRate: number | Schedule
  /** 0.9 by default. */
  readonly momentum?: number
  /** The L2 penalty's factor; 0 by default. */
  readonly weightDecay?: number
}

/**
 * LARS: gradient descent with momentum at layer-wise rates (You, Gitman and Ginsburg 2017); the coefficient is 0.001.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { lars } from 'pullback/training'
 * const optimizer = lars({ learningRate: 0.1 })
 * const params = { weight: tensor([[1, -2], [3, 4]]) }
 * const gradients = { weight: tensor([[1, 1], [-1, 0.5]]) }
 * const [updates] = optimizer.update(gradients, optimizer.init(params), params)
 * console.log(updates.weight)
 * // => float32[2, 2] [[-0.000303822, -0.000303822], [0.000303822, -0.000151911]]
 * ```
 */
export const lars = (config: LarsConfig): Transform =>
  chain(
    addDecayedWeights(config.weightDecay ?? 0, config.mask),
    scaleByTrustRatio({ coefficient: 0.001, ...config }),
    scaleByLearningRate(config.learningRate),
    trace({ momentum: config.momentum ?? 0.9 }),
  )
