/** Updates of one size everywhere: the sign of a momentum. */
import { add, mul, sign, sub, tree, zerosLike } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import type { Schedule } from '../schedule/index.ts'
import { movingMean } from './adam.ts'
import { addDecayedWeights, scaleByLearningRate } from './scale.ts'
import type { Mask, Transform } from './transform.ts'
import { chain } from './transform.ts'

export interface LionScaleConfig {
  /** What is kept of the momentum in the update, and in what is remembered; 0.9 and 0.99 by default. */
  readonly betas?: readonly [update: number, memory: number]
}

export interface LionState {
  readonly momentum: unknown
}

/**
 * sign(β₁ m + (1 - β₁) g), then m ← β₂ m + (1 - β₂) g (Chen et al. 2023, "Symbolic Discovery of Optimization Algorithms").
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { scaleByLion } from 'pullback/training'
 * const optimizer = scaleByLion()
 * const params = { weight: tensor([[1, -2], [3, 4]]) }
 * const gradients = { weight: tensor([[1, 1], [-1, 0.5]]) }
 * const [updates] = optimizer.update(gradients, optimizer.init(params), params)
 * console.log(updates.weight) // => float32[2, 2] [[1, 1], [-1, 1]]
 * ```
 */
export const scaleByLion = ({
  betas: [update, memory] = [0.9, 0.99],
}: LionScaleConfig = {}): Transform<LionState> => ({
  init: (params) => ({ momentum: tree.map(zerosLike, params) }),
  update: (gradients, { momentum }) => [
    tree.map((g, m) => sign(add(m as Tensor, mul(sub(g, m as Tensor), 1 - update))), gradients, momentum),
    { momentum: movingMean(momentum, gradients, memory) },
  ],
})

export interface LionConfig extends LionScaleConfig {
  /** A third to a tenth of AdamW's, the paper says. */
  readonly learningRate: number | Schedule
  /** Decoupled, three to ten times AdamW's; 0 by default. */
  readonly weightDecay?: number
  /** Which parameters decay; all by default. */
  readonly mask?: Mask
}

/**
 * Lion: half of AdamW's memory.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { lion } from 'pullback/training'
 * const optimizer = lion({ learningRate: 0.1 })
 * const params = { weight: tensor([[1, -2], [3, 4]]) }
 * const gradients = { weight: tensor([[1, 1], [-1, 0.5]]) }
 * const [updates] = optimizer.update(gradients, optimizer.init(params), params)
 * console.log(updates.weight) // => float32[2, 2] [[-0.1, -0.1], [0.1, -0.1]]
 * ```
 */
export const lion = (config: LionConfig): Transform =>
  chain(
    scaleByLion(config),
    addDecayedWeights(config.weightDecay ?? 0, config.mask),
    scaleByLearningRate(config.learningRate),
  )
