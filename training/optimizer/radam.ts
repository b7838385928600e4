/** Adam that waits with dividing by the root of the mean square until that is known well enough. */
import {
  add,
  cast,
  div,
  expm1,
  greater,
  less,
  mul,
  sqrt,
  square,
  sub,
  tree,
  where,
  zerosLike,
} from '../../core/index.ts'
import type { Dtype, Tensor } from '../../core/index.ts'
import type { AdamState } from './adam.ts'
import { biasCorrection, movingMean, movingSquare, perDtype } from './adam.ts'
import { decaying } from './decay.ts'
import type { DecayConfig } from './decay.ts'
import { nextCount, zeroCount } from './scale.ts'
import type { Transform } from './transform.ts'

export interface RAdamScaleConfig {
  /** What is kept of the mean and of the mean square at each step; 0.9 and 0.999 by default. */
  readonly betas?: readonly [first: number, second: number]
  /** Added to the root; 1e-8 by default. */
  readonly epsilon?: number
}

/**
 * How many gradients the mean square stands for after t steps: ρ∞ - 2 t β^t / (1 - β^t) with ρ∞ = 2 / (1 - β) - 1.
 *
 * In float32 the two terms, both about 2000 for β = 0.999, would leave three digits of the first values. With β = e^-h
 * they are coth(h/2) and t (coth(th/2) - 1); without the 2/h in both, what is left for small th is
 * t + L(h/2) - t L(th/2), L(y) = coth y - 1/y = y/3 - y³/45 + 2y⁵/945 - y⁷/4725 + …
 */
const sampleCount = (beta: number, count: Tensor, dtype: Dtype): Tensor => {
  const h = -Math.log(beta)
  const t = cast(count, dtype)
  const y = mul(t, h / 2)
  const y2 = square(y)
  const langevin = mul(y, add(1 / 3, mul(y2, add(-1 / 45, mul(y2, add(2 / 945, mul(y2, -1 / 4725)))))))
  const atOnce = 1 / Math.tanh(h / 2) - 2 / h
  const early = add(sub(t, mul(t, langevin)), atOnce)
  const late = sub(2 / (1 - beta) - 1, div(mul(t, 2), expm1(mul(t, h))))
  return where(less(y, 0.5), early, late)
}

/**
 * r m̂ / (√v̂ + epsilon) where the mean square stands for more than 5 gradients, r being the root of how much less
 * it varies than it will; m̂ alone before that (Liu et al. 2020, algorithm 2).
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { scaleByRAdam } from 'pullback/training'
 * const optimizer = scaleByRAdam()
 * const params = { weight: tensor([[1, -2], [3, 4]]) }
 * const gradients = { weight: tensor([[1, 1], [-1, 0.5]]) }
 * const [updates] = optimizer.update(gradients, optimizer.init(params), params)
 * console.log(updates.weight) // => float32[2, 2] [[1, 1], [-1, 0.5]]
 * ```
 */
export const scaleByRAdam = (config: RAdamScaleConfig = {}): Transform<AdamState> => {
  const { betas: [first, second] = [0.9, 0.999], epsilon = 1e-8 } = config
  const most = 2 / (1 - second) - 1
  return {
    init: (params) => ({
      count: zeroCount(),
      firstMoment: tree.map(zerosLike, params),
      secondMoment: tree.map(zerosLike, params),
    }),
    update: (gradients, state) => {
      const count = nextCount(state.count)
      const firstMoment = movingMean(state.firstMoment, gradients, first)
      const secondMoment = movingSquare(state.secondMoment, gradients, second)
      const scales = perDtype((dtype) => {
        const rho = sampleCount(second, count, dtype)
        const known = greater(rho, 5)
        const safe = where(known, rho, 6)
        const variance = div(mul(mul(sub(safe, 4), sub(safe, 2)), most / ((most - 4) * (most - 2))), safe)
        return {
          mean: div(1, biasCorrection(first, count, dtype)),
          known,
          rectified: sqrt(mul(variance, biasCorrection(second, count, dtype))),
        }
      })
      const updates = tree.map(
        (m, v) => {
          const { mean, known, rectified } = scales(m.dtype)
          return mul(mul(m, mean), where(known, div(rectified, add(sqrt(v as Tensor), epsilon)), 1))
        },
        firstMoment,
        secondMoment,
      )
      return [updates, { count, firstMoment, secondMoment }]
    },
  }
}

export interface RAdamConfig extends RAdamScaleConfig, DecayConfig {}

/**
 * RAdam: `torch.optim.RAdam`.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { rAdam } from 'pullback/training'
 * const optimizer = rAdam({ learningRate: 0.1 })
 * const params = { weight: tensor([[1, -2], [3, 4]]) }
 * const gradients = { weight: tensor([[1, 1], [-1, 0.5]]) }
 * const [updates] = optimizer.update(gradients, optimizer.init(params), params)
 * console.log(updates.weight) // => float32[2, 2] [[-0.1, -0.1], [0.1, -0.05]]
 * ```
 */
export const rAdam = (config: RAdamConfig): Transform => decaying(scaleByRAdam(config), config)
