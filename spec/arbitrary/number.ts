/** Generated elements: which numbers a tensor is filled with. */
import * as fc from 'fast-check'
import type { Dtype } from '../../core/index.ts'

/**
 * - `ordinary`: between -3 and 3, as activations are;
 * - `positive`: from 0.1 to 3;
 * - `unit`: from -0.95 to 0.95;
 * - `distinct`: ordinary, and any two elements at least 1/8 apart, so that no order changes nearby;
 * - `tied`: few different ones, so that most are equal;
 * - `constant`: one number everywhere, often 0;
 * - `extreme`: huge, tiny, infinite, NaN, negative zero.
 */
export type Values = 'ordinary' | 'positive' | 'unit' | 'distinct' | 'tied' | 'constant' | 'extreme'

const thousandths = (min: number, max: number): fc.Arbitrary<number> =>
  fc.integer({ min: min * 1000, max: max * 1000 }).map((n) => n / 1000)

const extremeFloats = [
  0, 1, -1, -0, 1e-7, -1e-7, 0.1, 88.7, -88.7, 710, -710, 16777217, 1e20, -1e20, 3e38, -3e38, 1e-38, 1e-45,
]
const extremeIntegers = [0, 1, -1, 2, 31, 32, 255, 65535, 16777217, 2147483647, -2147483648, -2147483647]

const floatOf = (values: Values, special: boolean): fc.Arbitrary<number> => {
  switch (values) {
    case 'ordinary':
    case 'constant':
    case 'distinct':
      return thousandths(-3, 3)
    case 'positive':
      return thousandths(0.1, 3)
    case 'unit':
      return thousandths(-0.95, 0.95)
    case 'tied':
      return fc.constantFrom(0, 1, -1, 0.5)
    case 'extreme':
      return fc.constantFrom(...extremeFloats, ...(special ? [Infinity, -Infinity, NaN] : []))
  }
}

const integerOf = (values: Values): fc.Arbitrary<number> => {
  switch (values) {
    case 'tied':
      return fc.constantFrom(0, 1, -1)
    case 'positive':
      return fc.integer({ min: 1, max: 9 })
    case 'extreme':
      return fc.constantFrom(...extremeIntegers)
    default:
      return fc.integer({ min: -9, max: 9 })
  }
}

const one = (dtype: Dtype, values: Values): fc.Arbitrary<number> => {
  if (dtype === 'bool') return fc.constantFrom(0, 1)
  if (dtype === 'int32') return integerOf(values)
  return dtype === 'uint32' ? integerOf(values).map((n) => n >>> 0) : floatOf(values, true)
}

/** A grid with gaps of an eighth, in a random order. */
const distinct = (count: number): fc.Arbitrary<number[]> =>
  fc
    .uniqueArray(fc.integer({ min: -2 * count - 8, max: 2 * count + 8 }), {
      minLength: count,
      maxLength: count,
    })
    .map((all) => all.map((n) => n / 8 + 1 / 32))

export interface NumberOptions {
  readonly values?: Values | fc.Arbitrary<number>
  /** Where the function has kinks or jumps: every element stays at least `margin` away from each. */
  readonly avoid?: readonly number[]
  /** Where the function has kinks or jumps: many elements lie on one, or within a millionth of it. */
  readonly seek?: readonly number[]
  /** 1/16 by default. */
  readonly margin?: number
}

const away = (x: number, kinks: readonly number[], margin: number): number => {
  const near = kinks.find((kink) => Math.abs(x - kink) < margin)
  if (near === undefined) return x
  return x < near ? x - margin : x + margin
}

/** `count` elements of a dtype, as numbers. */
export const elements = (
  count: number,
  dtype: Dtype,
  options: NumberOptions = {},
): fc.Arbitrary<number[]> => {
  const { values = 'ordinary', avoid = [], seek = [], margin = 1 / 16 } = options
  const floating = dtype === 'float32' || dtype === 'float64'
  if (values === 'distinct' && floating) return distinct(count)
  const plain = typeof values !== 'string' && dtype !== 'bool' ? values : one(dtype, values as Values)
  const near = (kinks: readonly number[]): fc.Arbitrary<number> =>
    fc
      .tuple(fc.constantFrom(...kinks), fc.constantFrom(0, 0, 1e-6, -1e-6))
      .map(([kink, off]) => kink + (floating ? off : 0))
  const each =
    seek.length === 0
      ? plain
      : fc.oneof({ weight: 2, arbitrary: near(seek) }, { weight: 1, arbitrary: plain })
  const kept = avoid.length === 0 ? each : each.map((x) => away(x, avoid, margin))
  return values === 'constant'
    ? fc.oneof(fc.constant(0), kept).map((x) => new Array<number>(count).fill(x))
    : fc.array(kept, { minLength: count, maxLength: count, size: 'max' })
}
