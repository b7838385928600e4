/** Gradients divided by the root of sums or means of their squares: RMSprop, Adagrad, Adadelta. */
import { add, div, full, maximum, mul, sqrt, square, sub, tree, zerosLike } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import type { Schedule } from '../schedule/index.ts'
import { asSchedule, makeSchedule } from '../schedule/index.ts'
import { movingMean, movingSquare } from './adam.ts'
import { trace } from './momentum.ts'
import { addDecayedWeights, scaleByLearningRate } from './scale.ts'
import type { Mask, Transform } from './transform.ts'
import { chain, identity } from './transform.ts'

export interface RmsConfig {
  /** What is kept of the mean square at each step; 0.99 by default. */
  readonly alpha?: number
  /** Added to the root; 1e-8 by default. */
  readonly epsilon?: number
  /** Divides by the deviation from the mean gradient (Graves 2013) rather than from 0. */
  readonly centered?: boolean
}

export interface RmsState {
  readonly meanSquare: unknown
  /** Where `centered` asks for it. */
  readonly mean?: unknown
}

/**
 * g / (√v + epsilon), v being the running mean of g² (Tieleman and Hinton 2012).
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { scaleByRms } from 'pullback/training'
 * const optimizer = scaleByRms()
 * const params = { weight: tensor([[1, -2], [3, 4]]) }
 * const gradients = { weight: tensor([[1, 1], [-1, 0.5]]) }
 * const [updates] = optimizer.update(gradients, optimizer.init(params), params)
 * console.log(updates.weight) // => float32[2, 2] [[10, 10], [-10, 10]]
 * ```
 */
export const scaleByRms = ({
  alpha = 0.99,
  epsilon = 1e-8,
  centered = false,
}: RmsConfig = {}): Transform<RmsState> => ({
  init: (params) => {
    const meanSquare = tree.map(zerosLike, params)
    return centered ? { meanSquare, mean: tree.map(zerosLike, params) } : { meanSquare }
  },
  update: (gradients, state) => {
    const meanSquare = movingSquare(state.meanSquare, gradients, alpha)
    const mean = centered ? movingMean(state.mean, gradients, alpha) : undefined
    const deviation =
      mean === undefined
        ? meanSquare
        : // rounding may bring the difference below 0
          tree.map((v, m) => maximum(sub(v, square(m as Tensor)), 0), meanSquare, mean)
    const updates = tree.map((g, v) => div(g, add(sqrt(v as Tensor), epsilon)), gradients, deviation)
    return [updates, mean === undefined ? { meanSquare } : { meanSquare, mean }]
  },
})

interface Decaying {
  /** The L2 penalty's factor; 0 by default. */
  readonly weightDecay?: number
  /** Which parameters decay; all by default. */
  readonly mask?: Mask
}

export interface RmsPropConfig extends RmsConfig, Decaying {
  readonly learningRate: number | Schedule
  /** Of the scaled gradients; 0 by default. */
  readonly momentum?: number
}

/**
 * RMSprop: `torch.optim.RMSprop`.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { rmsProp } from 'pullback/training'
 * const optimizer = rmsProp({ learningRate: 0.1 })
 * const params = { weight: tensor([[1, -2], [3, 4]]) }
 * const gradients = { weight: tensor([[1, 1], [-1, 0.5]]) }
 * const [updates] = optimizer.update(gradients, optimizer.init(params), params)
 * console.log(updates.weight) // => float32[2, 2] [[-1, -1], [1, -1]]
 * ```
 */
export const rmsProp = (config: RmsPropConfig): Transform =>
  chain(
    addDecayedWeights(config.weightDecay ?? 0, config.mask),
    scaleByRms(config),
    (config.momentum ?? 0) === 0 ? identity : trace({ momentum: config.momentum as number }),
    scaleByLearningRate(config.learningRate),
  )

export interface AdagradScaleConfig {
  /** What the sums of squares begin with; 0 by default. */
  readonly initialAccumulator?: number
  /** Added to the root; 1e-10 by default. */
  readonly epsilon?: number
}

export interface AdagradState {
  readonly sumOfSquares: unknown
}

/**
 * g / (√s + epsilon), s being the sum of all g² so far (Duchi, Hazan and Singer 2011).
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { scaleByAdagrad } from 'pullback/training'
 * const optimizer = scaleByAdagrad()
 * const params = { weight: tensor([[1, -2], [3, 4]]) }
 * const gradients = { weight: tensor([[1, 1], [-1, 0.5]]) }
 * const [updates] = optimizer.update(gradients, optimizer.init(params), params)
 * console.log(updates.weight) // => float32[2, 2] [[1, 1], [-1, 1]]
 * ```
 */
export const scaleByAdagrad = ({
  initialAccumulator = 0,
  epsilon = 1e-10,
}: AdagradScaleConfig = {}): Transform<AdagradState> => ({
  init: (params) => ({
    sumOfSquares: tree.map((p) => full(p.shape, initialAccumulator, p.dtype), params),
  }),
  update: (gradients, state) => {
    const sumOfSquares = tree.map((g, s) => add(s as Tensor, square(g)), gradients, state.sumOfSquares)
    const updates = tree.map((g, s) => div(g, add(sqrt(s as Tensor), epsilon)), gradients, sumOfSquares)
    return [updates, { sumOfSquares }]
  },
})

export interface AdagradConfig extends AdagradScaleConfig, Decaying {
  readonly learningRate: number | Schedule
  /** The rate at step t is divided by 1 + learningRateDecay · t; 0 by default. */
  readonly learningRateDecay?: number
}

/**
 * Adagrad: `torch.optim.Adagrad`.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { adagrad } from 'pullback/training'
 * const optimizer = adagrad({ learningRate: 0.1 })
 * const params = { weight: tensor([[1, -2], [3, 4]]) }
 * const gradients = { weight: tensor([[1, 1], [-1, 0.5]]) }
 * const [updates] = optimizer.update(gradients, optimizer.init(params), params)
 * console.log(updates.weight) // => float32[2, 2] [[-0.1, -0.1], [0.1, -0.1]]
 * ```
 */
export const adagrad = (config: AdagradConfig): Transform => {
  const { learningRate, learningRateDecay = 0, weightDecay = 0, mask } = config
  const divisor = makeSchedule(
    ({ add, mul }) =>
      (step) =>
        add(1, mul(step, learningRateDecay)),
  )
  const rate = asSchedule(learningRate)
  const decayed = ((step: number | Tensor) =>
    typeof step === 'number' ? rate(step) / divisor(step) : div(rate(step), divisor(step))) as Schedule
  return chain(
    addDecayedWeights(weightDecay, mask),
    scaleByAdagrad(config),
    scaleByLearningRate(learningRateDecay === 0 ? learningRate : decayed),
  )
}

export interface AdadeltaScaleConfig {
  /** What is kept of both mean squares at each step; 0.9 by default. */
  readonly rho?: number
  /** Added to both mean squares; 1e-6 by default. */
  readonly epsilon?: number
}

export interface AdadeltaState {
  readonly meanSquare: unknown
  /** Of the updates. */
  readonly meanSquareUpdate: unknown
}

/**
 * g · √(u + epsilon) / √(v + epsilon), with running means v of g² and u of what comes out squared (Zeiler 2012).
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { scaleByAdadelta } from 'pullback/training'
 * const optimizer = scaleByAdadelta()
 * const params = { weight: tensor([[1, -2], [3, 4]]) }
 * const gradients = { weight: tensor([[1, 1], [-1, 0.5]]) }
 * const [updates] = optimizer.update(gradients, optimizer.init(params), params)
 * console.log(updates.weight) // => float32[2, 2] [[0.00316226, 0.00316226], [-0.00316226, 0.00316221]]
 * ```
 */
export const scaleByAdadelta = ({
  rho = 0.9,
  epsilon = 1e-6,
}: AdadeltaScaleConfig = {}): Transform<AdadeltaState> => ({
  init: (params) => ({
    meanSquare: tree.map(zerosLike, params),
    meanSquareUpdate: tree.map(zerosLike, params),
  }),
  update: (gradients, state) => {
    const meanSquare = movingSquare(state.meanSquare, gradients, rho)
    const updates = tree.map(
      (g, v, u) => mul(div(sqrt(add(u as Tensor, epsilon)), sqrt(add(v as Tensor, epsilon))), g),
      gradients,
      meanSquare,
      state.meanSquareUpdate,
    )
    return [updates, { meanSquare, meanSquareUpdate: movingSquare(state.meanSquareUpdate, updates, rho) }]
  },
})

export interface AdadeltaConfig extends AdadeltaScaleConfig, Decaying {
  /** 1 by default: the method finds its own scale. */
  readonly learningRate?: number | Schedule
}

/**
 * Adadelta: `torch.optim.Adadelta`.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { adadelta } from 'pullback/training'
 * const optimizer = adadelta()
 * const params = { weight: tensor([[1, -2], [3, 4]]) }
 * const gradients = { weight: tensor([[1, 1], [-1, 0.5]]) }
 * const [updates] = optimizer.update(gradients, optimizer.init(params), params)
 * console.log(updates.weight) // => float32[2, 2] [[-0.00316226, -0.00316226], [0.00316226, -0.00316221]]
 * ```
 */
export const adadelta = (config: AdadeltaConfig = {}): Transform =>
  chain(
    addDecayedWeights(config.weightDecay ?? 0, config.mask),
    scaleByAdadelta(config),
    scaleByLearningRate(config.learningRate ?? 1),
  )
