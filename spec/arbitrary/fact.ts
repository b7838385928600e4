/**
 * What is known of a value before anything runs: a bound on its size and on the rounding error that two
 * correct engines may have made on the way (forward error analysis: Higham, "Accuracy and Stability of
 * Numerical Algorithms", chapters 2 and 3). Values that are whole numbers below 2^24 (2^53) are exact in
 * any order of evaluation, so most random programs can be compared without any tolerance.
 */
import type { BinaryOp, Dtype, FoldOp } from '../../kernels/index.ts'
import { isFloating } from '../../kernels/index.ts'

export interface Fact {
  readonly dtype: Dtype
  /** The value is at most this large in magnitude. */
  readonly bound: number
  /** Two engines may differ by this much; 0 means equal. */
  readonly error: number
  /** A whole number. */
  readonly whole: boolean
}

/** Units in the last place that an engine may lose in one elementary function (exp, tanh, sin, …). */
export const functionUlps = 16

/** The unit roundoff of a floating dtype. */
export const roundoff = (dtype: Dtype): number => (dtype === 'float64' ? 2 ** -53 : 2 ** -24)

const exactLimit = (dtype: Dtype): number => (dtype === 'float64' ? 2 ** 53 : 2 ** 24)

const fullRange: Readonly<Record<Dtype, number>> = {
  float32: Infinity,
  float64: Infinity,
  int32: 2 ** 31,
  uint32: 2 ** 32,
  bool: 1,
}

/** A value of an integer dtype: always exact; beyond its range it wraps to anything. */
export const integer = (dtype: Dtype, bound: number): Fact => ({
  dtype,
  bound: dtype !== 'bool' && bound < 2 ** 31 ? bound : fullRange[dtype],
  error: 0,
  whole: true,
})

export const wrapped = (dtype: Dtype): Fact => integer(dtype, fullRange[dtype])

export const truth: Fact = { dtype: 'bool', bound: 1, error: 0, whole: true }

/** A floating result of the given bound and inherited error, with `ulps` rounding errors of its own. */
const floating = (dtype: Dtype, bound: number, error: number, ulps: number): Fact => ({
  dtype,
  bound,
  error: error + ulps * roundoff(dtype) * bound,
  whole: false,
})

/** A floating result that stays exact when it is made of whole numbers that are small enough. */
const wholeOr = (facts: readonly Fact[], bound: number, inexact: () => Fact): Fact => {
  const { dtype } = facts[0] as Fact
  return facts.every(({ whole, error }) => whole && error === 0) && bound <= exactLimit(dtype)
    ? { dtype, bound, error: 0, whole: true }
    : inexact()
}

/** What either of two values is. */
export const union = (a: Fact, b: Fact): Fact => ({
  dtype: a.dtype,
  bound: Math.max(a.bound, b.bound),
  error: Math.max(a.error, b.error),
  whole: a.whole && b.whole,
})

/** The value of a smooth function with derivative at most `slope` and result at most `bound`. */
export const smooth = (a: Fact, slope: number, bound: number): Fact =>
  floating(a.dtype, bound, slope * a.error * 1.01, functionUlps)

export const arithmetic = (op: BinaryOp, a: Fact, b: Fact): Fact => {
  const { dtype } = a
  switch (op) {
    case 'add':
    case 'sub': {
      if (!isFloating(dtype))
        return dtype === 'uint32' && op === 'sub' ? wrapped(dtype) : integer(dtype, a.bound + b.bound)
      const bound = a.bound + b.bound
      return wholeOr([a, b], bound, () => floating(dtype, bound, a.error + b.error, 2))
    }
    case 'mul': {
      const bound = a.bound * b.bound
      if (!isFloating(dtype)) return integer(dtype, bound)
      const error = a.bound * b.error + b.bound * a.error + a.error * b.error
      return wholeOr([a, b], bound, () => floating(dtype, bound, error, 2))
    }
    case 'max':
    case 'min':
      return union(a, b)
    default:
      return wrapped(dtype)
  }
}

/** The fold of `count` values. */
export const folded = (op: FoldOp, value: Fact, count: number): Fact => {
  const { dtype } = value
  if (op === 'argmax' || op === 'argmin') return integer('int32', Math.max(count, 1))
  if (op === 'max' || op === 'min')
    return count > 0
      ? value
      : { dtype, bound: fullRange[dtype], error: 0, whole: value.whole && !isFloating(dtype) }
  const bound = op === 'sum' ? value.bound * count : Math.max(value.bound, 1) ** count
  if (!isFloating(dtype)) return integer(dtype, bound)
  const error = op === 'sum' ? value.error * count : (value.error * count * bound) / Math.max(value.bound, 1)
  return wholeOr([value], bound, () => floating(dtype, bound, error * 1.01, 2 * count + 2))
}

/** A dot product of `count` terms. */
export const dotted = (a: Fact, b: Fact, count: number): Fact => folded('sum', arithmetic('mul', a, b), count)

export const converted = (from: Fact, dtype: Dtype): Fact => {
  if (dtype === 'bool') return truth
  if (!isFloating(dtype))
    return dtype === 'uint32' && from.dtype !== 'bool' ? wrapped(dtype) : integer(dtype, from.bound)
  return from.whole && from.error === 0 && from.bound <= exactLimit(dtype)
    ? { dtype, bound: from.bound, error: 0, whole: true }
    : floating(dtype, from.bound, from.error, 2)
}
