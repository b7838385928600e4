/** Comparisons, gathered in groups. */
import { toArray } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'

/** What came of comparing one group of tensors. */
export interface Check {
  readonly group: string
  /** How many tensors (or cases) were compared. */
  readonly count: number
  /** The largest absolute difference of any of them. */
  readonly deviation: number
  readonly tolerance: number
  readonly passed: boolean
  /** What is wrong, where something is. */
  readonly complaint?: string
  /** Why nothing was compared, where that is no fault of ours. */
  readonly skipped?: string
  /** The tensors of the reference that this accounts for. */
  readonly covers: readonly Tensor[]
}

/** How many times the library's own rounding we may be away from it. */
export const factor = 20

/** Rounding is at least this: a few units in the last place of 1. */
export const leastRounding = 2e-7

export const toleranceOf = (rounding: number): number => factor * Math.max(rounding, leastRounding)

/** The largest absolute difference where `counts`; infinite where shapes differ or one is not a number. */
const deviationOf = async (
  actual: Tensor,
  expected: Tensor,
  counts: (i: number) => boolean = () => true,
): Promise<number> => {
  if (actual.shape.join() !== expected.shape.join()) return Infinity
  const [a, b] = [await toArray(actual), await toArray(expected)]
  let worst = 0
  for (let i = 0; i < b.length; i++) {
    const [x, y] = [a[i] as number, b[i] as number]
    if (x === y || !counts(i)) continue
    const difference = Math.abs(x - y)
    if (!(difference <= worst)) worst = Number.isNaN(difference) ? Infinity : difference
  }
  return worst
}

/** The largest size of any element; where numbers are large, so is their rounding. */
const sizeOfAll = async (tensors: Iterable<Tensor>): Promise<number> => {
  let largest = 0
  for (const x of tensors)
    for (const value of await toArray(x))
      if (Math.abs(value) < Infinity) largest = Math.max(largest, Math.abs(value))
  return largest
}

/** Compares tensors by name: every one that is expected must be there, and be close. */
export const compare = async (
  group: string,
  actual: ReadonlyMap<string, Tensor>,
  expected: ReadonlyMap<string, Tensor>,
  rounding: number,
  counts?: (name: string, i: number) => boolean,
): Promise<Check> => {
  const tolerance = toleranceOf(rounding)
  let deviation = 0
  const complaints: string[] = []
  for (const [name, wanted] of expected) {
    const got = actual.get(name)
    if (got === undefined) {
      complaints.push(`${name} is missing`)
      continue
    }
    const own = await deviationOf(got, wanted, counts === undefined ? undefined : (i) => counts(name, i))
    if (!(own <= tolerance)) complaints.push(`${name} is off by ${own}`)
    deviation = Math.max(deviation, own)
  }
  if (expected.size === 0) complaints.push('there is nothing to compare')
  const passed = complaints.length === 0
  return {
    group,
    count: expected.size,
    deviation,
    tolerance,
    passed,
    covers: [...expected.values()],
    ...(passed ? {} : { complaint: complaints.join('; ') }),
  }
}

/** Compares where no rounding was measured: a few units in the last place of 1, or of the largest number. */
export const compareTo = async (
  group: string,
  actual: ReadonlyMap<string, Tensor>,
  expected: ReadonlyMap<string, Tensor>,
  units = 1,
): Promise<Check> =>
  compare(group, actual, expected, units * leastRounding * Math.max(1, await sizeOfAll(expected.values())))

/** Something that is right or not. */
export const holds = (
  group: string,
  count: number,
  complaints: readonly string[],
  covers: readonly Tensor[] = [],
): Check => ({
  group,
  count,
  deviation: 0,
  tolerance: 0,
  passed: complaints.length === 0,
  covers,
  ...(complaints.length === 0 ? {} : { complaint: complaints.join('; ') }),
})

/** Something that could not be compared here, and why. */
export const skips = (group: string, reason: string, covers: readonly Tensor[] = []): Check => ({
  ...holds(group, 0, [], covers),
  skipped: reason,
})
