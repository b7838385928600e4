/** Adam and its relatives: gradients divided by the root of their mean square. */
import {
  add,
  cast,
  div,
  expm1,
  maximum,
  mul,
  neg,
  rsqrt,
  sqrt,
  square,
  sub,
  tree,
  zerosLike,
} from '../../core/index.ts'
import type { Dtype, Tensor } from '../../core/index.ts'
import type { Schedule } from '../schedule/index.ts'
import type { Counted } from './scale.ts'
import { addDecayedWeights, nextCount, scaleByLearningRate, zeroCount } from './scale.ts'
import type { Mask, Transform } from './transform.ts'
import { chain } from './transform.ts'

export interface AdamConfig {
  /** What is kept of the mean and of the mean square at each step; 0.9 and 0.999 by default. */
  readonly betas?: readonly [first: number, second: number]
  /** Added to the root; 1e-8 by default. */
  readonly epsilon?: number
  /** Divides by the largest mean square so far (Reddi et al. 2018). */
  readonly amsgrad?: boolean
}

export interface AdamState extends Counted {
  readonly firstMoment: unknown
  readonly secondMoment: unknown
  /** The largest second moment so far, where `amsgrad` asks for it. */
  readonly largest?: unknown
}

/**
 * 1 - beta^count, in the given dtype. Through expm1, because in float32 the rounding of 0.999 alone would change the
 * first steps in the fifth digit.
 */
export const biasCorrection = (beta: number, count: Tensor, dtype: Dtype): Tensor =>
  neg(expm1(mul(cast(count, dtype), Math.log(beta))))

/** A function of a dtype, computed once for each. */
export const perDtype = <A>(f: (dtype: Dtype) => A): ((dtype: Dtype) => A) => {
  const known = new Map<Dtype, A>()
  return (dtype) => {
    const before = known.get(dtype)
    if (before !== undefined) return before
    const made = f(dtype)
    known.set(dtype, made)
    return made
  }
}

/** m ← beta m + (1 - beta) x, written as PyTorch's lerp. */
export const movingMean = <P>(mean: unknown, values: P, beta: number): P =>
  tree.map((x, m) => add(m as Tensor, mul(sub(x, m as Tensor), 1 - beta)), values, mean)

/** v ← beta v + (1 - beta) x² */
export const movingSquare = <P>(mean: unknown, values: P, beta: number): P =>
  tree.map((x, v) => add(mul(v as Tensor, beta), mul(square(x), 1 - beta)), values, mean)

/**
 * m̂ / (√v̂ + epsilon), the moments corrected for their start at 0 (Kingma and Ba 2015, algorithm 1).
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { scaleByAdam } from 'pullback/training'
 * const optimizer = scaleByAdam()
 * const params = { weight: tensor([[1, -2], [3, 4]]) }
 * const gradients = { weight: tensor([[1, 1], [-1, 0.5]]) }
 * const [updates] = optimizer.update(gradients, optimizer.init(params), params)
 * console.log(updates.weight) // => float32[2, 2] [[1, 1], [-1, 1]]
 * ```
 */
export const scaleByAdam = (config: AdamConfig = {}): Transform<AdamState> => {
  const { betas: [first, second] = [0.9, 0.999], epsilon = 1e-8, amsgrad = false } = config
  return {
    init: (params) => {
      const zero = (): unknown => tree.map(zerosLike, params)
      const moments = { count: zeroCount(), firstMoment: zero(), secondMoment: zero() }
      return amsgrad ? { ...moments, largest: zero() } : moments
    },
    update: (gradients, state) => {
      const count = nextCount(state.count)
      const firstMoment = movingMean(state.firstMoment, gradients, first)
      const secondMoment = movingSquare(state.secondMoment, gradients, second)
      const largest = amsgrad
        ? tree.map((v, most) => maximum(v, most as Tensor), secondMoment, state.largest)
        : undefined
      const scales = perDtype((dtype) => ({
        mean: div(1, biasCorrection(first, count, dtype)),
        root: rsqrt(biasCorrection(second, count, dtype)),
      }))
      const updates = tree.map(
        (m, v) => {
          const { mean, root } = scales(m.dtype)
          return div(mul(m, mean), add(mul(sqrt(v as Tensor), root), epsilon))
        },
        firstMoment,
        largest ?? secondMoment,
      )
      const next = { count, firstMoment, secondMoment }
      return [updates, largest === undefined ? next : { ...next, largest }]
    },
  }
}

export interface AdamWConfig extends AdamConfig {
  readonly learningRate: number | Schedule
  /** 0.01 by default for `adamW`, 0 for `adam`. */
  readonly weightDecay?: number
  /** Which parameters decay; all by default, `exceptBiasAndNorm` as in most Transformers. */
  readonly mask?: Mask
}

/**
 * Adam with decoupled weight decay (Loshchilov and Hutter 2019): `torch.optim.AdamW`.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { adamW } from 'pullback/training'
 * const optimizer = adamW({ learningRate: 0.1 })
 * const params = { weight: tensor([[1, -2], [3, 4]]) }
 * const gradients = { weight: tensor([[1, 1], [-1, 0.5]]) }
 * const [updates] = optimizer.update(gradients, optimizer.init(params), params)
 * console.log(updates.weight) // => float32[2, 2] [[-0.101, -0.098], [0.097, -0.104]]
 * ```
 */
export const adamW = (config: AdamWConfig): Transform =>
  chain(
    scaleByAdam(config),
    addDecayedWeights(config.weightDecay ?? 0.01, config.mask),
    scaleByLearningRate(config.learningRate),
  )

/**
 * Adam, its weight decay an L2 penalty on the gradients: `torch.optim.Adam`.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { adam } from 'pullback/training'
 * const optimizer = adam({ learningRate: 0.1 })
 * const params = { weight: tensor([[1, -2], [3, 4]]) }
 * const gradients = { weight: tensor([[1, 1], [-1, 0.5]]) }
 * const [updates] = optimizer.update(gradients, optimizer.init(params), params)
 * console.log(updates.weight) // => float32[2, 2] [[-0.1, -0.1], [0.1, -0.1]]
 * ```
 */
export const adam = (config: AdamWConfig): Transform =>
  chain(
    addDecayedWeights(config.weightDecay ?? 0, config.mask),
    scaleByAdam(config),
    scaleByLearningRate(config.learningRate),
  )
