/**
 * Adafactor (Shazeer and Stern 2018): the mean squares of a matrix's gradients kept as one number for each row and
 * each column, so that there is next to nothing to remember. In two editions that differ in details, as they are in use.
 */
import {
  add,
  cast,
  div,
  expandDims,
  log,
  exp,
  maximum,
  mean,
  minimum,
  mul,
  neg,
  rsqrt,
  sqrt,
  square,
  sub,
  tree,
  zeros,
  zerosLike,
} from '../../core/index.ts'
import type { Dtype, Tensor } from '../../core/index.ts'
import type { Schedule } from '../schedule/index.ts'
import { asSchedule } from '../schedule/index.ts'
import { movingMean } from './adam.ts'
import type { Counted } from './scale.ts'
import { nextCount, zeroCount } from './scale.ts'
import type { Mask, Stateless, Transform } from './transform.ts'
import { chain, stateless } from './transform.ts'

export interface FactoredConfig {
  /** At step t the mean squares keep 1 - t^decayRate; -0.8 by default. */
  readonly decayRate?: number
  /** Added to each square; 1e-30 by default. */
  readonly epsilon?: number
  /** The least root of a mean square that gradients are divided by; 0 by default. */
  readonly floor?: number
}

export interface FactoredState extends Counted {
  /** For each parameter its mean squares by row and by column, or, where it is a vector, one by one. */
  readonly meanSquares: readonly MeanSquare[]
}

type MeanSquare = { readonly rows: Tensor; readonly columns: Tensor } | { readonly each: Tensor }

const without = (shape: readonly number[], axis: number): readonly number[] =>
  shape.filter((_, i) => i !== shape.length + axis)

const initial = (p: Tensor): MeanSquare =>
  p.shape.length > 1
    ? { rows: zeros(without(p.shape, -1), p.dtype), columns: zeros(without(p.shape, -2), p.dtype) }
    : { each: zerosLike(p) }

/** m ← m + share (x - m) */
const moved = (m: Tensor, x: Tensor, share: Tensor): Tensor => add(m, mul(sub(x, m), share))

/** count^power in a dtype. */
const powerOf = (count: Tensor, power: number, dtype: Dtype): Tensor =>
  exp(mul(log(cast(count, dtype)), power))

/**
 * g / √v, v the mean squares of g, of which a matrix keeps the rows' and the columns' means alone.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { scaleByFactoredRms } from 'pullback/training'
 * const optimizer = scaleByFactoredRms()
 * const params = { weight: tensor([[1, -2], [3, 4]]) }
 * const gradients = { weight: tensor([[1, 1], [-1, 0.5]]) }
 * const [updates] = optimizer.update(gradients, optimizer.init(params), params)
 * console.log(updates.weight) // => float32[2, 2] [[0.901388, 1.14018], [-1.14018, 0.72111]]
 * ```
 */
export const scaleByFactoredRms = ({
  decayRate = -0.8,
  epsilon = 1e-30,
  floor = 0,
}: FactoredConfig = {}): Transform<FactoredState> => ({
  init: (params) => ({ count: zeroCount(), meanSquares: tree.leaves(params).map(initial) }),
  update: (gradients, state) => {
    const count = nextCount(state.count)
    const meanSquares: MeanSquare[] = []
    const updates = tree.map((g) => {
      const before = state.meanSquares[meanSquares.length] as MeanSquare
      const share = powerOf(count, decayRate, g.dtype)
      const squares = add(square(g), epsilon)
      if ('each' in before) {
        const each = moved(before.each, squares, share)
        meanSquares.push({ each })
        return mul(g, rsqrt(maximum(each, floor ** 2)))
      }
      const rows = moved(before.rows, mean(squares, { axis: -1 }), share)
      const columns = moved(before.columns, mean(squares, { axis: -2 }), share)
      meanSquares.push({ rows, columns })
      const all = maximum(mean(rows, { axis: -1, keepDims: true }), floor)
      if (floor === 0)
        // the product of the means may be below what the dtype can hold, so their roots are taken first
        return mul(mul(g, expandDims(rsqrt(div(rows, all)), -1)), expandDims(rsqrt(columns), -2))
      const estimate = div(mul(expandDims(rows, -1), expandDims(columns, -2)), expandDims(all, -1))
      return mul(g, rsqrt(maximum(estimate, floor ** 2)))
    }, gradients)
    return [updates, { count, meanSquares }]
  },
})

const rms = (x: Tensor): Tensor => sqrt(mean(square(x)))

/**
 * Each tensor's updates divided by what their root mean square is above `threshold`.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { clipByRms } from 'pullback/training'
 * const optimizer = clipByRms(0.5)
 * const params = { weight: tensor([[1, -2], [3, 4]]) }
 * const gradients = { weight: tensor([[1, 1], [-1, 0.5]]) }
 * const [updates] = optimizer.update(gradients, optimizer.init(params), params)
 * console.log(updates.weight) // => float32[2, 2] [[0.5547, 0.5547], [-0.5547, 0.27735]]
 * ```
 */
export const clipByRms = (threshold: number): Transform<Stateless> =>
  stateless((updates) => tree.map((u) => div(u, maximum(1, div(rms(u), threshold))), updates))

const decayFlags = (params: unknown, mask: Mask = () => true): readonly boolean[] =>
  tree.entries(params).map(([path, leaf]) => mask(path, leaf))

export interface AdafactorConfig {
  /** The rate is this, but at most 1 / √t; 0.01 by default. */
  readonly learningRate?: number | Schedule
  /** At step t the mean squares keep 1 - t^beta2Decay; -0.8 by default. */
  readonly beta2Decay?: number
  /**
   * The least root of a mean square (by default the dtype's rounding, 2^-23 in float32), and the least root mean
   * square that a parameter is taken to have (1e-3).
   */
  readonly epsilons?: readonly [gradient: number | undefined, parameter: number]
  /** The largest root mean square of a tensor's updates before the rate; 1 by default. */
  readonly threshold?: number
  /** Decoupled; 0 by default. */
  readonly weightDecay?: number
  /** Which parameters decay; all by default. */
  readonly mask?: Mask
}

/**
 * Adafactor: `torch.optim.Adafactor`. Steps are in proportion to each parameter's own size.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { adafactor } from 'pullback/training'
 * const optimizer = adafactor()
 * const params = { weight: tensor([[1, -2], [3, 4]]) }
 * const gradients = { weight: tensor([[1, 1], [-1, 0.5]]) }
 * const [updates] = optimizer.update(gradients, optimizer.init(params), params)
 * console.log(updates.weight) // => float32[2, 2] [[-0.0246855, -0.031225], [0.031225, -0.0197484]]
 * ```
 */
export const adafactor = (config: AdafactorConfig = {}): Transform => {
  const { learningRate = 0.01, beta2Decay = -0.8, weightDecay = 0, threshold = 1 } = config
  const [gradientFloor = 2 ** -23, parameterFloor] = config.epsilons ?? [undefined, 1e-3]
  const schedule = asSchedule(learningRate)
  const scaled = chain(
    scaleByFactoredRms({ decayRate: beta2Decay, epsilon: 0, floor: gradientFloor }),
    clipByRms(threshold),
  )
  type State = Counted & { readonly scaled: ReturnType<typeof scaled.init> }
  const transform: Transform<State> = {
    init: (params) => ({ count: zeroCount(), scaled: scaled.init(params) }),
    update: (gradients, state, params) => {
      const [updates, next] = scaled.update(gradients, state.scaled, params)
      const count = nextCount(state.count)
      const rate = schedule(state.count)
      const relative = minimum(rate, powerOf(count, -0.5, 'float32'))
      const decays = decayFlags(params, config.mask)
      let i = 0
      const steps = tree.map(
        (u, p) => {
          const size = mul(maximum(rms(p as Tensor), parameterFloor), cast(relative, u.dtype))
          const step = mul(u, size)
          const decay = decays[i++] === true && weightDecay !== 0
          return neg(decay ? add(step, mul(p as Tensor, mul(rate, weightDecay))) : step)
        },
        updates,
        params,
      )
      return [steps, { count, scaled: next }]
    },
  }
  return transform as Transform
}

export interface AdafactorT5Config {
  /** The rate; `undefined`, the default, makes it relative: 1 / √t, but at most 0.01. */
  readonly learningRate?: number | Schedule
  /** Added to squares of gradients (1e-30), and the least root mean square that a parameter is taken to have (1e-3). */
  readonly epsilons?: readonly [gradient: number, parameter: number]
  /** The largest root mean square of a tensor's updates before the rate; 1 by default. */
  readonly threshold?: number
  /** At step t the mean squares keep 1 - t^decayRate; -0.8 by default. */
  readonly decayRate?: number
  /** What is kept of the mean update at each step; without it there is no momentum. */
  readonly beta1?: number
  /** Decoupled, at the same rate as the parameter's steps; 0 by default. */
  readonly weightDecay?: number
  /** Which parameters decay; all by default. */
  readonly mask?: Mask
  /** Whether steps are in proportion to each parameter's root mean square; yes by default. */
  readonly scaleParameter?: boolean
  /** Whether a relative rate begins with 1e-6 · t; no by default. */
  readonly warmupInit?: boolean
}

/**
 * Adafactor as T5 was trained with: `transformers.Adafactor`.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { adafactorT5 } from 'pullback/training'
 * const optimizer = adafactorT5()
 * const params = { weight: tensor([[1, -2], [3, 4]]) }
 * const gradients = { weight: tensor([[1, 1], [-1, 0.5]]) }
 * const [updates] = optimizer.update(gradients, optimizer.init(params), params)
 * console.log(updates.weight) // => float32[2, 2] [[-0.0246855, -0.031225], [0.031225, -0.0197484]]
 * ```
 */
export const adafactorT5 = (config: AdafactorT5Config = {}): Transform => {
  const { learningRate, decayRate = -0.8, threshold = 1, beta1, weightDecay = 0 } = config
  const { scaleParameter = true, warmupInit = false } = config
  const [epsilon, parameterFloor] = config.epsilons ?? [1e-30, 1e-3]
  const schedule = learningRate === undefined ? undefined : asSchedule(learningRate)
  const scaled = chain(scaleByFactoredRms({ decayRate, epsilon }), clipByRms(threshold))
  interface State extends Counted {
    readonly scaled: ReturnType<typeof scaled.init>
    readonly firstMoment?: unknown
  }
  const rateAt = (before: Tensor, count: Tensor): Tensor => {
    if (schedule !== undefined) return schedule(before)
    const most = warmupInit ? mul(cast(count, 'float32'), 1e-6) : 1e-2
    return minimum(most, powerOf(count, -0.5, 'float32'))
  }
  const transform: Transform<State> = {
    init: (params) => {
      const start = { count: zeroCount(), scaled: scaled.init(params) }
      return beta1 === undefined ? start : { ...start, firstMoment: tree.map(zerosLike, params) }
    },
    update: (gradients, state, params) => {
      const [updates, next] = scaled.update(gradients, state.scaled, params)
      const count = nextCount(state.count)
      const relative = rateAt(state.count, count)
      const rates = tree.map(
        (p) =>
          cast(
            scaleParameter ? mul(maximum(rms(p), parameterFloor), cast(relative, p.dtype)) : relative,
            p.dtype,
          ),
        params,
      )
      const rated = tree.map((u, rate) => mul(u, rate as Tensor), updates, rates)
      const firstMoment = beta1 === undefined ? undefined : movingMean(state.firstMoment, rated, beta1)
      const decays = decayFlags(params, config.mask)
      let i = 0
      const steps = tree.map(
        (u, p, rate) => {
          const decay = decays[i++] === true && weightDecay !== 0
          return neg(decay ? add(u, mul(p as Tensor, mul(rate as Tensor, weightDecay))) : u)
        },
        firstMoment ?? rated,
        params,
        rates,
      )
      const after = { count, scaled: next }
      return [steps, firstMoment === undefined ? after : { ...after, firstMoment }]
    },
  }
  return transform as Transform
}
