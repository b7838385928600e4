/** Derivatives of functions of one number by differences, with an estimate of their error. */

export interface Estimate {
  readonly value: number
  readonly error: number
}

/** A function of one number, and the size of the terms that it sums: rounding is relative to these. */
export type Path = (t: number) => Promise<{ readonly sum: number; readonly size: number }>

const epsilon = 2 ** -52

/**
 * Central differences at h, h/2, h/4 … extrapolated to h = 0 in a Neville tableau; the estimate whose
 * neighbours in the tableau agree best is taken, and their disagreement is its error (Ridders, "Accurate
 * computation of F'(x) and F'(x) F''(x)", Advances in Engineering Software 4, 1982).
 */
const ridders = async (path: Path, start: number): Promise<Estimate> => {
  let best: Estimate = { value: NaN, error: Infinity }
  let before: readonly number[] = []
  for (let i = 0; i < 6; i++) {
    const h = start / 2 ** i
    const [ahead, behind] = [await path(h), await path(-h)]
    const noise = (epsilon * (ahead.size + behind.size)) / h
    const row = [(ahead.sum - behind.sum) / (2 * h)]
    for (let j = 1, factor = 4; j <= i; j++, factor *= 4) {
      const [left, above] = [row[j - 1] as number, before[j - 1] as number]
      const value = (left * factor - above) / (factor - 1)
      row.push(value)
      const error = noise + Math.max(Math.abs(value - left), Math.abs(value - above))
      if (error < best.error) best = { value, error }
    }
    if (i > 0 && !(Math.abs((row[i] as number) - (before[i - 1] as number)) < 2 * best.error)) break
    if (best.error <= 1e-10 * (Math.abs(best.value) + ahead.size)) break
    before = row
  }
  return best
}

/** Steps to start from: long ones for smooth functions, short ones for those that change fast nearby. */
const starts = [2 ** -4, 2 ** -8, 2 ** -13, 2 ** -19]

/** The derivative at 0. The error is infinite where no step gives an estimate. */
export const derivativeAtZero = async (path: Path): Promise<Estimate> => {
  let best: Estimate = { value: NaN, error: Infinity }
  for (const start of starts) {
    const estimate = await ridders(path, start)
    if (estimate.error < best.error) best = estimate
    if (best.error <= 1e-9 * (Math.abs(best.value) + 1)) break
  }
  return best
}

/** The slope at 0 seen from one side (`sign` 1 or -1), for piecewise smooth functions; forward differences. */
export const slopeFrom = async (path: Path, sign: 1 | -1): Promise<Estimate> => {
  const here = (await path(0)).sum
  const slope = async (h: number): Promise<number> => ((await path(sign * h)).sum - here) / (sign * h)
  const [h, first, second] = [2 ** -21, await slope(2 ** -20), await slope(2 ** -21)]
  // One step of Richardson's extrapolation.
  return { value: 2 * second - first, error: Math.abs(second - first) + (8 * epsilon * Math.abs(here)) / h }
}
