/** Timing: medians of many turns, since a single turn on a busy machine says little. */

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[sorted.length >> 1] as number
}

/**
 * Milliseconds that the first of many turns took for tracing and compiling: all that it took beyond the quickest. Beyond
 * the usual one it would be less than nothing where the machine was busy later on.
 */
export const compileTimeOf = (first: number, later: readonly number[]): number =>
  first - Math.min(first, ...later)

export interface Turns {
  /** At least so many turns before the clock runs, and half as long as it then runs: until memory and threads are there. */
  readonly warm: number
  /** At least so many turns … */
  readonly turns: number
  /** … and so many milliseconds. */
  readonly milliseconds: number
}

export const usualTurns: Turns = { warm: 5, turns: 8, milliseconds: 500 }

/** Milliseconds of one call of `f`, the median of many. */
export const timeOf = async (
  f: () => unknown,
  { warm, turns, milliseconds }: Turns = usualTurns,
): Promise<number> => {
  const begin = performance.now()
  for (let i = 0; i < warm || performance.now() - begin < milliseconds / 2; i++) await f()
  const times: number[] = []
  const start = performance.now()
  while (times.length < turns || performance.now() - start < milliseconds) {
    const before = performance.now()
    await f()
    times.push(performance.now() - before)
  }
  return median(times)
}

/** Microseconds of one call of an `f` that is too short for the clock: the median over rounds of many calls. */
export const shortTimeOf = (f: () => unknown, calls: number): number => {
  for (let i = 0; i < Math.min(calls, 500); i++) f()
  const rounds = Array.from({ length: 9 }, () => {
    const before = performance.now()
    for (let i = 0; i < calls; i++) f()
    return ((performance.now() - before) * 1e3) / calls
  })
  return median(rounds)
}
