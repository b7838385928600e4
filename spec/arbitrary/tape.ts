/**
 * Choices read from a list of random numbers. A builder that draws all its choices from a tape turns
 * fast-check's shrinking of plain number lists into shrinking of whole structures (as Hypothesis does it):
 * choice 0 is always the simplest, and an exhausted tape gives 0 for ever.
 */
import * as fc from 'fast-check'

export interface Tape {
  /** A number in [0, n). */
  readonly pick: (n: number) => number
  /** True once in `n`; never on an exhausted tape. */
  readonly chance: (n: number) => boolean
  /** One of the items; the first is the simplest. */
  readonly of: <T>(items: readonly T[]) => T
}

const tape = (numbers: readonly number[]): Tape => {
  let at = 0
  const pick = (n: number): number => (numbers[at++] ?? 0) % n
  return {
    pick,
    chance: (n) => pick(n) === n - 1,
    of: (items) => items[pick(items.length)] as (typeof items)[number],
  }
}

/** Builds values by a function of a tape of at most `length` choices. */
export const fromTape = <T>(length: number, build: (tape: Tape) => T): fc.Arbitrary<T> =>
  fc
    .noBias(fc.array(fc.nat(0x7fffffff), { maxLength: length, size: 'max' }))
    .map((numbers) => build(tape(numbers)))

/** A deterministic stream of numbers in [0, 1): mulberry32. */
export const uniform = (seed: number): (() => number) => {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
