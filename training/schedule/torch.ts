/** The schedules of `torch.optim.lr_scheduler`, in closed form. */
import { argumentError } from '../../core/error.ts'
import type { Arithmetic, Schedule } from './schedule.ts'
import { makeSchedule } from './schedule.ts'

const blend = <T>(n: Arithmetic<T>, from: number, to: number, share: T): T =>
  n.add(n.mul(share, to - from), from)

/** ½ (1 - cos πx), from 0 to 1 */
const cosineRise = <T>(n: Arithmetic<T>, x: T): T => n.mul(n.sub(1, n.cos(n.mul(x, Math.PI))), 0.5)

/**
 * initial · gamma^⌊step / every⌋: `StepLR`.
 *
 * @example
 * ```ts
 * import { arange } from 'pullback'
 * import { schedule } from 'pullback/training'
 * const rate = schedule.stepwise({ initial: 1, every: 2, gamma: 0.5 })
 * console.log(rate(arange(5))) // => float32[5] [1, 1, 0.5, 0.5, 0.25]
 * ```
 */
export const stepwise = (config: {
  readonly initial: number
  readonly every: number
  readonly gamma?: number
}): Schedule => {
  const { initial, every, gamma = 0.1 } = config
  return makeSchedule((n) => (step) => n.mul(n.pow(gamma, n.floor(n.div(step, every))), initial))
}

/**
 * Multiplied by gamma at each milestone: `MultiStepLR`.
 *
 * @example
 * ```ts
 * import { arange } from 'pullback'
 * import { schedule } from 'pullback/training'
 * const rate = schedule.milestones({ initial: 1, milestones: [1, 3], gamma: 0.1 })
 * console.log(rate(arange(5))) // => float32[5] [1, 0.1, 0.1, 0.01, 0.01]
 * ```
 */
export const milestones = (config: {
  readonly initial: number
  readonly milestones: readonly number[]
  readonly gamma?: number
}): Schedule => {
  const { initial, gamma = 0.1 } = config
  return makeSchedule(
    (n) => (step) =>
      config.milestones.reduce(
        (rate, milestone) => n.mul(rate, n.whereLess(step, milestone, 1, gamma)),
        n.add(n.mul(step, 0), initial),
      ),
  )
}

/**
 * initial · gamma^step: `ExponentialLR`.
 *
 * @example
 * ```ts
 * import { arange } from 'pullback'
 * import { schedule } from 'pullback/training'
 * const rate = schedule.exponential({ initial: 1, gamma: 0.5 })
 * console.log(rate(arange(5))) // => float32[5] [1, 0.5, 0.25, 0.125, 0.0625]
 * ```
 */
export const exponential = (config: { readonly initial: number; readonly gamma: number }): Schedule =>
  makeSchedule((n) => (step) => n.mul(n.pow(config.gamma, step), config.initial))

/**
 * A cosine wave between `initial` and `floor` whose half takes `halfPeriod` steps: `CosineAnnealingLR`.
 *
 * @example
 * ```ts
 * import { arange } from 'pullback'
 * import { schedule } from 'pullback/training'
 * const rate = schedule.cosineAnnealing({ initial: 1, halfPeriod: 4 })
 * console.log(rate(arange(5))) // => float32[5] [1, 0.853553, 0.5, 0.146447, 0]
 * ```
 */
export const cosineAnnealing = (config: {
  readonly initial: number
  readonly halfPeriod: number
  readonly floor?: number
}): Schedule => {
  const { initial, halfPeriod, floor = 0 } = config
  return makeSchedule((n) => (step) => blend(n, initial, floor, cosineRise(n, n.div(step, halfPeriod))))
}

/**
 * Cosine decays from `initial` to `floor`, the first over `period` steps, each `stretch` times as long as the one
 * before: `CosineAnnealingWarmRestarts` (Loshchilov and Hutter 2017).
 *
 * @example
 * ```ts
 * import { arange } from 'pullback'
 * import { schedule } from 'pullback/training'
 * const rate = schedule.cosineAnnealingWarmRestarts({ initial: 1, period: 2 })
 * console.log(rate(arange(5))) // => float32[5] [1, 0.5, 1, 0.5, 1]
 * ```
 */
export const cosineAnnealingWarmRestarts = (config: {
  readonly initial: number
  readonly period: number
  readonly stretch?: number
  readonly floor?: number
}): Schedule => {
  const { initial, period, stretch = 1, floor = 0 } = config
  if (!(period > 0 && stretch >= 1))
    throw argumentError(
      'cosineAnnealingWarmRestarts',
      `the period must be above 0 and stretch at least 1, got ${period} and ${stretch}`,
    )
  // float32 counts steps exactly up to here
  const last = 2 ** 24
  const starts: { readonly start: number; readonly length: number }[] = []
  if (stretch > 1)
    for (let start = 0, length = period; start < last; start += length, length *= stretch)
      starts.push({ start, length })
  return makeSchedule((n) => (step) => {
    const turn = n.div(step, period)
    const share = starts.reduce(
      (before, { start, length }) =>
        start === 0 ? before : n.whereLess(step, start, before, n.div(n.sub(step, start), length)),
      stretch > 1 ? turn : n.sub(turn, n.floor(turn)),
    )
    return blend(n, initial, floor, cosineRise(n, share))
  })
}

/**
 * From `startFactor` to `endFactor` times the rate over `steps`: `LinearLR`.
 *
 * @example
 * ```ts
 * import { arange } from 'pullback'
 * import { schedule } from 'pullback/training'
 * const rate = schedule.linearRamp({ initial: 1, steps: 4, startFactor: 0.2 })
 * console.log(rate(arange(5))) // => float32[5] [0.2, 0.4, 0.6, 0.8, 1]
 * ```
 */
export const linearRamp = (config: {
  readonly initial: number
  readonly steps: number
  readonly startFactor?: number
  readonly endFactor?: number
}): Schedule => {
  const { initial, steps, startFactor = 1 / 3, endFactor = 1 } = config
  return makeSchedule(
    (n) => (step) => n.mul(blend(n, startFactor, endFactor, n.minimum(1, n.div(step, steps))), initial),
  )
}

/**
 * initial · (1 - step / steps)^power: `PolynomialLR`.
 *
 * @example
 * ```ts
 * import { arange } from 'pullback'
 * import { schedule } from 'pullback/training'
 * const rate = schedule.polynomialDecay({ initial: 1, steps: 4 })
 * console.log(rate(arange(5))) // => float32[5] [1, 0.75, 0.5, 0.25, 0]
 * ```
 */
export const polynomialDecay = (config: {
  readonly initial: number
  readonly steps: number
  readonly power?: number
}): Schedule => {
  const { initial, steps, power = 1 } = config
  return makeSchedule(
    (n) => (step) => n.mul(n.pow(n.maximum(0, n.sub(1, n.div(step, steps))), power), initial),
  )
}

/**
 * `factor` times the rate for `steps`, then the rate itself: `ConstantLR`.
 *
 * @example
 * ```ts
 * import { arange } from 'pullback'
 * import { schedule } from 'pullback/training'
 * const rate = schedule.constantThenFull({ initial: 1, steps: 2, factor: 0.5 })
 * console.log(rate(arange(5))) // => float32[5] [0.5, 0.5, 1, 1, 1]
 * ```
 */
export const constantThenFull = (config: {
  readonly initial: number
  readonly steps: number
  readonly factor?: number
}): Schedule => {
  const { initial, steps, factor = 1 / 3 } = config
  return makeSchedule((n) => (step) => n.whereLess(step, steps, initial * factor, initial))
}

export interface OneCycleConfig {
  readonly peak: number
  readonly totalSteps: number
  /** 0.3 by default. */
  readonly risingShare?: number
  /** 25 by default. */
  readonly startDivisor?: number
  /** 10 000 by default. */
  readonly endDivisor?: number
  /** Along half cosines (by default) or straight lines. */
  readonly anneal?: 'cosine' | 'linear'
  /** Whether it falls to the start as long as it rose, and only then to the end. */
  readonly threePhases?: boolean
}

/**
 * Up from peak / startDivisor to the peak over `risingShare` of the steps, then down to the start / endDivisor, both
 * along half cosines: `OneCycleLR` (Smith and Topin 2018). Behind the last step the rate stays where it is.
 *
 * @example
 * ```ts
 * import { arange } from 'pullback'
 * import { schedule } from 'pullback/training'
 * const rate = schedule.oneCycle({ peak: 1, totalSteps: 5 })
 * console.log(rate(arange(5))) // => float32[5] [0.04, 0.950485, 0.611262, 0.188258, 0.00000399351]
 * ```
 */
export const oneCycle = (config: OneCycleConfig): Schedule => {
  const { peak, totalSteps, risingShare = 0.3, startDivisor = 25, endDivisor = 1e4 } = config
  const start = peak / startDivisor
  const top = risingShare * totalSteps - 1
  const points = [
    { step: 0, rate: start },
    { step: top, rate: peak },
    ...(config.threePhases === true ? [{ step: 2 * risingShare * totalSteps - 2, rate: start }] : []),
    { step: totalSteps - 1, rate: start / endDivisor },
  ] as const
  return makeSchedule((n) => (step) => {
    const between = (i: number): typeof step => {
      const [from, to] = [points[i - 1], points[i]] as [(typeof points)[0], (typeof points)[0]]
      const share = n.minimum(1, n.div(n.sub(step, from.step), to.step - from.step))
      return blend(n, from.rate, to.rate, config.anneal === 'linear' ? share : cosineRise(n, share))
    }
    return points
      .slice(1, -1)
      .reduceRight(
        (after, { step: end }, i) => n.whereLess(step, end, between(i + 1), after),
        between(points.length - 1),
      )
  })
}

export interface CyclicConfig {
  readonly low: number
  readonly high: number
  readonly rising: number
  /** As long as it rises, by default. */
  readonly falling?: number
  /** Waves of one height (by default), each half as high as the one before, or falling by `gamma` a step. */
  readonly mode?: 'even' | 'halving' | 'exponential'
  /** 1 by default. */
  readonly gamma?: number
}

/**
 * A triangle wave between `low` and `high` that rises for `rising` and falls for `falling` steps: `CyclicLR`.
 *
 * @example
 * ```ts
 * import { arange } from 'pullback'
 * import { schedule } from 'pullback/training'
 * const rate = schedule.cyclic({ low: 0, high: 1, rising: 2 })
 * console.log(rate(arange(5))) // => float32[5] [0, 0.5, 1, 0.5, 0]
 * ```
 */
export const cyclic = (config: CyclicConfig): Schedule => {
  const { low, high, rising, falling = rising, mode = 'even', gamma = 1 } = config
  const period = rising + falling
  return makeSchedule((n) => (step) => {
    const turn = n.floor(n.div(step, period))
    const into = n.sub(step, n.mul(turn, period))
    const share = n.whereLess(
      into,
      rising,
      n.div(into, rising),
      n.sub(1, n.div(n.sub(into, rising), falling)),
    )
    if (mode === 'even') return blend(n, low, high, share)
    return blend(n, low, high, n.mul(share, mode === 'halving' ? n.pow(0.5, turn) : n.pow(gamma, step)))
  })
}
