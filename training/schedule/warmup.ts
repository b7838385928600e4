/**
 * Schedules that warm up linearly from 0 to the peak and then decay: Hugging Face Transformers' `get_scheduler`,
 * by its names.
 */
import type { Arithmetic, Schedule } from './schedule.ts'
import { makeSchedule } from './schedule.ts'

export interface WarmupConfig {
  /** The rate at the end of the warm-up. */
  readonly peak: number
  /** Steps from 0 to the peak; 0 by default. */
  readonly warmupSteps?: number
}

export interface DecayConfig extends WarmupConfig {
  /** Steps of the whole run, warm-up included. */
  readonly totalSteps: number
}

type Factor = <T>(arithmetic: Arithmetic<T>) => (step: T) => T

/** step / warmupSteps until the warm-up ends, then `after`; times the peak. */
const warmedUp = ({ peak, warmupSteps = 0 }: WarmupConfig, after: Factor): Schedule =>
  makeSchedule((n) => {
    const factor = after(n)
    return (step) =>
      n.mul(n.whereLess(step, warmupSteps, n.div(step, Math.max(1, warmupSteps)), factor(step)), peak)
  })

/** How far the steps behind the warm-up are through the run: 0 … 1 (and beyond). */
const progressOf = <T>(n: Arithmetic<T>, { warmupSteps = 0, totalSteps }: DecayConfig, step: T): T =>
  n.div(n.sub(step, warmupSteps), Math.max(1, totalSteps - warmupSteps))

/** ½ (1 + cos πx) */
const halfCosine = <T>(n: Arithmetic<T>, x: T): T => n.mul(n.add(n.cos(n.mul(x, Math.PI)), 1), 0.5)

/**
 * The same rate at every step: `constant`, and with warm-up `constant_with_warmup`.
 *
 * @example
 * ```ts
 * import { arange } from 'pullback'
 * import { schedule } from 'pullback/training'
 * const rate = schedule.constant({ peak: 1, warmupSteps: 2 })
 * console.log(rate(arange(5))) // => float32[5] [0, 0.5, 1, 1, 1]
 * ```
 */
export const constant = (config: WarmupConfig | number): Schedule =>
  warmedUp(typeof config === 'number' ? { peak: config } : config, (n) => (step) => n.add(n.mul(step, 0), 1))

/**
 * Linear decay to 0: `linear`.
 *
 * @example
 * ```ts
 * import { schedule } from 'pullback/training'
 * const rate = schedule.linear({ peak: 1e-3, warmupSteps: 10, totalSteps: 100 })
 * console.log(rate(5), rate(10), rate(55)) // 0.0005 0.001 0.0005
 * ```
 */
export const linear = (config: DecayConfig): Schedule =>
  warmedUp(config, (n) => (step) => {
    const { warmupSteps = 0, totalSteps } = config
    return n.maximum(0, n.div(n.sub(totalSteps, step), Math.max(1, totalSteps - warmupSteps)))
  })

export interface CosineConfig extends DecayConfig {
  /** Whole waves: a half (by default) falls from the peak to the floor once. */
  readonly cycles?: number
  /** The share of the peak that is left at the bottom; 0 by default. */
  readonly floor?: number
}

/**
 * Cosine decay (Loshchilov and Hutter 2017): `cosine`; with a floor, `cosine_with_min_lr`.
 *
 * @example
 * ```ts
 * import { arange } from 'pullback'
 * import { schedule } from 'pullback/training'
 * const rate = schedule.cosine({ peak: 1, warmupSteps: 1, totalSteps: 5 })
 * console.log(rate(arange(5))) // => float32[5] [0, 1, 0.853553, 0.5, 0.146447]
 * ```
 */
export const cosine = (config: CosineConfig): Schedule => {
  const { cycles = 0.5, floor = 0 } = config
  return warmedUp(config, (n) => (step) => {
    const wave = halfCosine(n, n.mul(progressOf(n, config, step), 2 * cycles))
    return n.maximum(0, n.add(n.mul(wave, 1 - floor), floor))
  })
}

/**
 * Cosine decay to 0 that jumps back to the peak, `cycles` times in all: `cosine_with_restarts`.
 *
 * @example
 * ```ts
 * import { arange } from 'pullback'
 * import { schedule } from 'pullback/training'
 * const rate = schedule.cosineWithRestarts({ peak: 1, totalSteps: 4, cycles: 2 })
 * console.log(rate(arange(5))) // => float32[5] [1, 0.5, 1, 0.5, 0]
 * ```
 */
export const cosineWithRestarts = (config: DecayConfig & { readonly cycles?: number }): Schedule => {
  const { cycles = 1 } = config
  return warmedUp(config, (n) => (step) => {
    const progress = progressOf(n, config, step)
    const turns = n.mul(progress, cycles)
    return n.whereLess(progress, 1, halfCosine(n, n.sub(turns, n.floor(turns))), 0)
  })
}

export interface PolynomialConfig extends DecayConfig {
  /** The rate at the end; 1e-7 by default. */
  readonly end?: number
  /** 1 (linear) by default. */
  readonly power?: number
}

/**
 * end + (peak - end) (1 - progress)^power: `polynomial`.
 *
 * @example
 * ```ts
 * import { arange } from 'pullback'
 * import { schedule } from 'pullback/training'
 * const rate = schedule.polynomial({ peak: 1, totalSteps: 4, power: 2 })
 * console.log(rate(arange(5))) // => float32[5] [1, 0.5625, 0.25, 0.0625001, 1e-7]
 * ```
 */
export const polynomial = (config: PolynomialConfig): Schedule => {
  const { peak, end = 1e-7, power = 1 } = config
  const floor = end / peak
  return warmedUp(config, (n) => (step) => {
    const left = n.maximum(0, n.sub(1, progressOf(n, config, step)))
    return n.add(n.mul(n.pow(left, power), 1 - floor), floor)
  })
}

/**
 * 1/√(step / timescale), which is 1 when the warm-up ends: `inverse_sqrt`.
 *
 * @example
 * ```ts
 * import { arange } from 'pullback'
 * import { schedule } from 'pullback/training'
 * const rate = schedule.inverseSqrt({ peak: 1, warmupSteps: 1 })
 * console.log(rate(arange(5))) // => float32[5] [0, 1, 0.707107, 0.57735, 0.5]
 * ```
 */
export const inverseSqrt = (config: WarmupConfig & { readonly timescale?: number }): Schedule => {
  const { warmupSteps = 0 } = config
  // `||`: without a warm-up the timescale would be 0
  const timescale = config.timescale ?? (warmupSteps || 10_000)
  return warmedUp(config, (n) => (step) => {
    const age = n.add(n.maximum(step, warmupSteps), timescale - warmupSteps)
    return n.div(1, n.sqrt(n.div(age, timescale)))
  })
}

/**
 * The rate of "Attention Is All You Need" (section 5.3): width^-½ · min(t^-½, t · warmupSteps^-3/2) with t = step +
 * 1, times `factor`.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { schedule } from 'pullback/training'
 * const rate = schedule.noam({ width: 512, warmupSteps: 4000 })
 * console.log(rate(tensor([0, 3999, 15999]))) // => float32[3] [1.74693e-7, 0.000698771, 0.000349386]
 * ```
 */
export const noam = (config: {
  readonly width: number
  readonly warmupSteps: number
  readonly factor?: number
}): Schedule => {
  const { width, warmupSteps, factor = 1 } = config
  return makeSchedule((n) => (step) => {
    const t = n.add(step, 1)
    return n.mul(n.minimum(n.pow(t, -0.5), n.mul(t, warmupSteps ** -1.5)), factor * width ** -0.5)
  })
}

/** How a share of the way becomes a share of the rate. */
export type Curve = 'cosine' | 'linear' | 'oneMinusSqrt'

export interface StableDecayConfig extends DecayConfig {
  /** Steps of the final decay. */
  readonly decaySteps: number
  /** The share of the peak at the start and the end; 0 by default. */
  readonly floor?: number
  /** `cosine` by default. */
  readonly decay?: Curve
  /** `linear` by default. */
  readonly warmup?: Curve
  /** Whole waves of a cosine decay: a half, by default. */
  readonly cycles?: number
}

/**
 * Warm-up, a stretch at the peak, and a decay at the end (Hu et al. 2024): `warmup_stable_decay`.
 *
 * @example
 * ```ts
 * import { arange } from 'pullback'
 * import { schedule } from 'pullback/training'
 * const rate = schedule.warmupStableDecay({ peak: 1, warmupSteps: 1, totalSteps: 5, decaySteps: 2 })
 * console.log(rate(arange(5))) // => float32[5] [0, 1, 1, 1, 0.5]
 * ```
 */
export const warmupStableDecay = (config: StableDecayConfig): Schedule => {
  const { peak, warmupSteps = 0, totalSteps, decaySteps, floor = 0 } = config
  const { decay = 'cosine', warmup = 'linear', cycles = 0.5 } = config
  return makeSchedule((n) => (step) => {
    const late = n.div(n.sub(step, totalSteps - decaySteps), Math.max(1, decaySteps))
    const through = n.minimum(1, n.maximum(0, late))
    const falling =
      decay === 'cosine'
        ? halfCosine(n, n.mul(through, 2 * cycles))
        : n.sub(1, decay === 'linear' ? through : n.sqrt(through))
    const early = n.minimum(1, n.div(step, Math.max(1, warmupSteps)))
    const rising =
      warmup === 'linear'
        ? early
        : n.sub(1, warmup === 'cosine' ? halfCosine(n, early) : n.sqrt(n.sub(1, early)))
    // Behind the end the rate is the floor, wherever a wave may have ended.
    const ended = n.whereLess(step, totalSteps, falling, 0)
    const shape = n.whereLess(step, warmupSteps, rising, ended)
    return n.mul(n.add(n.mul(shape, 1 - floor), floor), peak)
  })
}

export interface FlooredCosineConfig extends CosineConfig {
  /** The share of the peak at the first step; one step's part of the peak unless given. */
  readonly start?: number
}

/**
 * As `cosine` with a floor, but its first step is not 0 and its last one reaches the bottom:
 * `cosine_warmup_with_min_lr`.
 *
 * @example
 * ```ts
 * import { schedule } from 'pullback/training'
 * const rate = schedule.flooredCosine({ peak: 1, warmupSteps: 2, totalSteps: 4, floor: 0.5 })
 * console.log(rate(0), rate(1), rate(3)) // => 0.5 1 0.5
 * ```
 */
export const flooredCosine = (config: FlooredCosineConfig): Schedule => {
  const { peak, warmupSteps = 0, totalSteps, cycles = 0.5, floor = 0, start } = config
  return makeSchedule((n) => (step) => {
    const early =
      start === undefined
        ? n.div(n.add(step, 1), Math.max(1, warmupSteps))
        : blendTo1(n, start, n.div(step, Math.max(1, warmupSteps - 1)))
    const progress = n.div(n.add(step, 1 - warmupSteps), Math.max(1, totalSteps - warmupSteps))
    const wave = halfCosine(n, n.mul(progress, 2 * cycles))
    const late = n.maximum(0, n.add(n.mul(wave, 1 - floor), floor))
    return n.mul(n.whereLess(step, warmupSteps, early, late), peak)
  })
}

const blendTo1 = <T>(n: Arithmetic<T>, from: number, share: T): T => n.add(n.mul(share, 1 - from), from)
