/** Watching a metric over evaluations: which was the best, and when it is no use to go on. A fold, as all training is. */

export interface MonitorConfig {
  /** Whether the metric should fall (a loss, the default) or rise (an accuracy). */
  readonly mode?: 'min' | 'max'
  /** By how much a metric must be better than the best to count as better; 0 by default. */
  readonly minimumChange?: number
  /** How many evaluations in a row may bring nothing better before the run should stop; never stops by default. */
  readonly patience?: number
}

/** Numbers and flags alone, so that it can be noted in a checkpoint. */
export interface MonitorState {
  /** The best metric and the step that had it; undefined before there was one. */
  readonly best?: { readonly value: number; readonly step: number }
  /** Evaluations since then. */
  readonly waited: number
  /** Whether the last evaluation was the best: its state is the one to keep. */
  readonly improved: boolean
  /** Whether patience has run out. */
  readonly stopped: boolean
}

/**
 * The state before the first evaluation.
 *
 * @example
 * ```ts
 * import { initMonitor } from 'pullback/training'
 * console.log(initMonitor) // => { waited: 0, improved: false, stopped: false }
 * ```
 */
export const initMonitor: MonitorState = { waited: 0, improved: false, stopped: false }

/**
 * The state after an evaluation: early stopping, and knowing which parameters to keep. NaN is never better.
 *
 * @example
 * ```ts
 * import { initMonitor, monitor } from 'pullback/training'
 * const watch = monitor({ patience: 2 })
 * const losses = [3, 2, 2.5, 2.2]
 * const seen = losses.reduce((state, loss, step) => watch(state, step, loss), initMonitor)
 * console.log(seen) // => { waited: 2, improved: false, stopped: true, best: { value: 2, step: 1 } }
 * ```
 */
export const monitor =
  ({ mode = 'min', minimumChange = 0, patience = Infinity }: MonitorConfig = {}) =>
  (state: MonitorState, step: number, value: number): MonitorState => {
    const { best } = state
    const better =
      best === undefined
        ? !Number.isNaN(value)
        : mode === 'min'
          ? value < best.value - minimumChange
          : value > best.value + minimumChange
    if (better) return { waited: 0, improved: true, stopped: false, best: { value, step } }
    const waited = state.waited + 1
    const after = { waited, improved: false, stopped: waited >= patience }
    return best === undefined ? after : { ...after, best }
  }
