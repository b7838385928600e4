/** Weights that decay, with the gradients or apart from them. */
import type { Schedule } from '../schedule/index.ts'
import { addDecayedWeights, scaleByLearningRate } from './scale.ts'
import type { Mask, Transform } from './transform.ts'
import { chain } from './transform.ts'

export interface DecayConfig {
  readonly learningRate: number | Schedule
  /** 0 by default. */
  readonly weightDecay?: number
  /** Whether weights decay apart from the gradients, as in AdamW; no by default. */
  readonly decoupledWeightDecay?: boolean
  /** Which parameters decay; all by default. */
  readonly mask?: Mask
}

/** Gradients scaled, with the decay before it or, decoupled, behind it; then the learning rate. */
export const decaying = (
  scale: Transform,
  { learningRate, weightDecay = 0, decoupledWeightDecay = false, mask }: DecayConfig,
): Transform => {
  const decay = addDecayedWeights(weightDecay, mask)
  const rate = scaleByLearningRate(learningRate)
  return decoupledWeightDecay ? chain(scale, decay, rate) : chain(decay, scale, rate)
}
