/** A rate that falls when a metric stops getting better: `torch.optim.lr_scheduler.ReduceLROnPlateau`, as a fold. */

export interface PlateauConfig {
  readonly initial: number
  /** Whether the metric should fall (`min`, by default) or rise. */
  readonly mode?: 'min' | 'max'
  /** What the rate is multiplied by; 0.1 by default. */
  readonly factor?: number
  /** Evaluations without improvement that are waited for; 10 by default. */
  readonly patience?: number
  /** By how much a metric must be better than the best to count; see `thresholdMode`; 1e-4 by default. */
  readonly threshold?: number
  /** Whether the threshold is a share of the best value (by default) or an amount. */
  readonly thresholdMode?: 'relative' | 'absolute'
  /** A smaller change of the rate is not made; 1e-8 by default. */
  readonly least?: number
  /** Evaluations after a reduction that are not judged; 0 by default. */
  readonly cooldown?: number
  /** The rate never falls below this. */
  readonly floor?: number
}

export interface PlateauState {
  readonly rate: number
  readonly best: number
  readonly bad: number
  readonly cooling: number
}

/**
 * The state before the first evaluation.
 *
 * @example
 * ```ts
 * import { schedule } from 'pullback/training'
 * console.log(schedule.initPlateau({ initial: 0.1 }).rate) // => 0.1
 * ```
 */
export const initPlateau = ({ initial, mode = 'min' }: PlateauConfig): PlateauState => ({
  rate: initial,
  best: mode === 'min' ? Infinity : -Infinity,
  bad: 0,
  cooling: 0,
})

/**
 * The state after an evaluation that gave `metric`.
 *
 * @example
 * ```ts
 * import { schedule } from 'pullback/training'
 * const config = { initial: 0.1, factor: 0.5, patience: 1 }
 * const seen = [3, 2, 2, 2].reduce(schedule.reduceOnPlateau(config), schedule.initPlateau(config))
 * console.log(seen.rate) // => 0.05
 * ```
 */
export const reduceOnPlateau =
  (config: PlateauConfig) =>
  (state: PlateauState, metric: number): PlateauState => {
    const { mode = 'min', factor = 0.1, patience = 10, threshold = 1e-4, cooldown = 0, floor = 0 } = config
    const sign = mode === 'min' ? -1 : 1
    const { thresholdMode = 'relative', least = 1e-8 } = config
    const bar =
      thresholdMode === 'relative' ? state.best * (1 + sign * threshold) : state.best + sign * threshold
    const better = mode === 'min' ? metric < bar : metric > bar
    const waiting = state.cooling > 0
    const bad = better || waiting ? 0 : state.bad + 1
    const best = better ? metric : state.best
    const cooling = Math.max(0, state.cooling - 1)
    const reduced = Math.max(state.rate * factor, floor)
    return bad > patience
      ? { rate: state.rate - reduced > least ? reduced : state.rate, best, bad: 0, cooling: cooldown }
      : { rate: state.rate, best, bad, cooling }
  }
