/** Runs of a compiled program with the times of its launches. */
import type { LaunchFact } from './launch.ts'

/** One launch that has run. */
export interface Span {
  /** Its index in the program's launches. */
  readonly launch: number
  /** Milliseconds from the start of the run. */
  readonly start: number
  readonly milliseconds: number
}

/** Runs of one program with the times of its launches. */
export interface Profile {
  /** The engine, and what really ran. */
  readonly engine: string
  readonly detail: string
  readonly launches: readonly LaunchFact[]
  readonly runs: readonly (readonly Span[])[]
}

/**
 * Several profiles of the same program as one with all their runs.
 *
 * @example
 * ```ts
 * import { exp, jit, sum, tensor } from 'pullback'
 * import type { Tensor } from 'pullback'
 * import { joinProfiles } from 'pullback/kernels'
 * const f = jit((x: Tensor) => sum(exp(x)))
 * const [, profile] = await f.profile(tensor([1, 2, 3]))
 * console.log(joinProfiles(profile, profile).runs.length) // => 2
 * ```
 */
export const joinProfiles = (first: Profile, ...others: readonly Profile[]): Profile => ({
  ...first,
  runs: [...first.runs, ...others.flatMap(({ runs }) => runs)],
})
