/** What stands between launches: loops and choices, and walks over both. */
import type { Launch } from './launch.ts'
import type { BufferId } from './view.ts'

/**
 * Launches that run again and again, in order, on the same buffers: what one round leaves in them is what the
 * next one finds.
 */
export interface LoopControl {
  readonly kind: 'loop'
  readonly count: number
  readonly launches: readonly Step[]
}

/** Runs `condition`, then, as long as the first element of the bool buffer `flag` is true, `launches` and `condition`. */
export interface WhileControl {
  readonly kind: 'while'
  readonly condition: readonly Step[]
  readonly flag: BufferId
  readonly launches: readonly Step[]
}

/**
 * Launches that need to run only if the first element of the int32 buffer `index` is `value`. Where they are left
 * out, what they write must not matter: an engine that cannot look at a value while it runs may run them always.
 */
export interface WhenControl {
  readonly kind: 'when'
  readonly index: BufferId
  readonly value: number
  readonly launches: readonly Step[]
}

export type Control = LoopControl | WhileControl | WhenControl

/** What a program does next: one launch, or a decision about several. */
export type Step = Launch | Control

/**
 * Whether a step is a loop or a choice rather than a launch.
 *
 * @example
 * ```ts
 * import { isControl } from 'pullback/kernels'
 * import type { Launch } from 'pullback/kernels'
 * const rows = { buffer: 0, strides: [4, 1], offset: 0 }
 * const launch: Launch = {
 *   kind: 'sort',
 *   outer: [2],
 *   length: 4,
 *   descending: false,
 *   input: rows,
 *   target: { ...rows, buffer: 1 },
 * }
 * console.log(isControl(launch)) // => false
 * ```
 */
export const isControl = (step: Step): step is Control =>
  step.kind === 'loop' || step.kind === 'while' || step.kind === 'when'

/**
 * The steps inside a control, in the order in which they run first.
 *
 * @example
 * ```ts
 * import { insideOf } from 'pullback/kernels'
 * import type { Launch, Step } from 'pullback/kernels'
 * const rows = { buffer: 0, strides: [4, 1], offset: 0 }
 * const launch: Launch = {
 *   kind: 'sort',
 *   outer: [2],
 *   length: 4,
 *   descending: false,
 *   input: rows,
 *   target: { ...rows, buffer: 1 },
 * }
 * const twice: Step = { kind: 'loop', count: 2, launches: [launch] }
 * console.log(insideOf(twice).length) // => 1
 * ```
 */
export const insideOf = (control: Control): readonly Step[] =>
  control.kind === 'while' ? [...control.condition, ...control.launches] : control.launches

/**
 * Every launch of a program once, in the order in which they run first, those inside of controls too.
 *
 * @example
 * ```ts
 * import { flatLaunches } from 'pullback/kernels'
 * import type { Launch, Step } from 'pullback/kernels'
 * const rows = { buffer: 0, strides: [4, 1], offset: 0 }
 * const launch: Launch = {
 *   kind: 'sort',
 *   outer: [2],
 *   length: 4,
 *   descending: false,
 *   input: rows,
 *   target: { ...rows, buffer: 1 },
 * }
 * const twice: Step = { kind: 'loop', count: 2, launches: [launch] }
 * console.log(flatLaunches([twice]).length) // => 1
 * ```
 */
export const flatLaunches = (steps: readonly Step[]): readonly Launch[] =>
  steps.flatMap((step) => (isControl(step) ? flatLaunches(insideOf(step)) : [step]))

/**
 * The launches of a program one by one as they run, for engines that only run lists: loops are repeated (the same
 * launch objects again) and choices always made. `undefined` where it contains a `while`, whose end depends on data.
 *
 * @example
 * ```ts
 * import { unrolled } from 'pullback/kernels'
 * import type { Launch, Step } from 'pullback/kernels'
 * const rows = { buffer: 0, strides: [4, 1], offset: 0 }
 * const launch: Launch = {
 *   kind: 'sort',
 *   outer: [2],
 *   length: 4,
 *   descending: false,
 *   input: rows,
 *   target: { ...rows, buffer: 1 },
 * }
 * const twice: Step = { kind: 'loop', count: 2, launches: [launch] }
 * console.log(unrolled([twice])?.length) // => 2
 * ```
 */
export const unrolled = (steps: readonly Step[]): readonly Launch[] | undefined => {
  const all: Launch[] = []
  for (const step of steps) {
    if (!isControl(step)) {
      all.push(step)
      continue
    }
    const inside = step.kind === 'while' ? undefined : unrolled(step.launches)
    if (inside === undefined) return undefined
    for (let n = step.kind === 'loop' ? step.count : 1; n > 0; n--) for (const each of inside) all.push(each)
  }
  return all
}
