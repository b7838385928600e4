/** Adam that looks ahead, as Nesterov's momentum does. */
import { add, cast, div, exp, mul, ones, sqrt, sub, tree, zerosLike } from '../../core/index.ts'
import type { Dtype, Tensor } from '../../core/index.ts'
import { biasCorrection, movingMean, movingSquare, perDtype } from './adam.ts'
import type { Counted } from './scale.ts'
import { decaying } from './decay.ts'
import type { DecayConfig } from './decay.ts'
import { nextCount, zeroCount } from './scale.ts'
import type { Transform } from './transform.ts'

export interface NAdamScaleConfig {
  /** What is kept of the mean (in the long run) and of the mean square at each step; 0.9 and 0.999 by default. */
  readonly betas?: readonly [first: number, second: number]
  /** Added to the root; 1e-8 by default. */
  readonly epsilon?: number
  /** How fast the momentum rises from half of the first beta to all of it; 4e-3 by default. */
  readonly momentumDecay?: number
}

export interface NAdamState extends Counted {
  /** The product of all momenta so far. */
  readonly product: Tensor
  readonly firstMoment: unknown
  readonly secondMoment: unknown
}

/**
 * (μ' m / (1 - Πμ μ') + (1 - μ) g / (1 - Πμ)) / (√v̂ + epsilon), with momenta μ of this step and μ' of the next
 * (Dozat 2016, algorithm 8).
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { scaleByNAdam } from 'pullback/training'
 * const optimizer = scaleByNAdam()
 * const params = { weight: tensor([[1, -2], [3, 4]]) }
 * const gradients = { weight: tensor([[1, 1], [-1, 0.5]]) }
 * const [updates] = optimizer.update(gradients, optimizer.init(params), params)
 * console.log(updates.weight) // => float32[2, 2] [[1.05645, 1.05645], [-1.05645, 1.05645]]
 * ```
 */
export const scaleByNAdam = (config: NAdamScaleConfig = {}): Transform<NAdamState> => {
  const { betas: [first, second] = [0.9, 0.999], epsilon = 1e-8, momentumDecay = 4e-3 } = config
  const momentum = (count: Tensor): Tensor =>
    mul(
      sub(1, mul(0.5, exp(mul(cast(count, 'float32'), momentumDecay * Math.log(0.96))))),
      first,
    ) as unknown as Tensor
  return {
    init: (params) => ({
      count: zeroCount(),
      product: ones([]),
      firstMoment: tree.map(zerosLike, params),
      secondMoment: tree.map(zerosLike, params),
    }),
    update: (gradients, state) => {
      const count = nextCount(state.count)
      const firstMoment = movingMean(state.firstMoment, gradients, first)
      const secondMoment = movingSquare(state.secondMoment, gradients, second)
      const [now, next] = [momentum(count), momentum(nextCount(count))]
      const product = mul(state.product, now)
      const scales = perDtype((dtype: Dtype) => ({
        gradient: cast(div(sub(1, now), sub(1, product)), dtype),
        mean: cast(div(next, sub(1, mul(product, next))), dtype),
        correction: biasCorrection(second, count, dtype),
      }))
      const updates = tree.map(
        (g, m, v) => {
          const { gradient, mean, correction } = scales(g.dtype)
          return div(
            add(mul(g, gradient), mul(m as Tensor, mean)),
            add(sqrt(div(v as Tensor, correction)), epsilon),
          )
        },
        gradients,
        firstMoment,
        secondMoment,
      )
      return [updates, { count, product, firstMoment, secondMoment }]
    },
  }
}

export interface NAdamConfig extends NAdamScaleConfig, DecayConfig {}

/**
 * NAdam: `torch.optim.NAdam`.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { nAdam } from 'pullback/training'
 * const optimizer = nAdam({ learningRate: 0.1 })
 * const params = { weight: tensor([[1, -2], [3, 4]]) }
 * const gradients = { weight: tensor([[1, 1], [-1, 0.5]]) }
 * const [updates] = optimizer.update(gradients, optimizer.init(params), params)
 * console.log(updates.weight) // => float32[2, 2] [[-0.105645, -0.105645], [0.105645, -0.105645]]
 * ```
 */
export const nAdam = (config: NAdamConfig): Transform => decaying(scaleByNAdam(config), config)
