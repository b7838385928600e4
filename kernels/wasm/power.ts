/** x^y of four float32 numbers at once: 2^(y log₂|x|) by way of float64, then signs and edges. */
import type { Code } from './code/index.ts'
import { f32x4, f64x2, i32, i32x4, shuffle32, v128 } from './code/index.ts'
import { hornerDouble, throughDouble } from './double.ts'
import type { Emitter } from './emitter.ts'

// log m = 2 (t + t³/3 + t⁵/5 + …) with t = (m - 1) / (m + 1); |t| ≤ 0.172, and what is left out is below 2^-40.
const logCoefficients = [1 / 13, 1 / 11, 1 / 9, 1 / 7, 1 / 5, 1 / 3, 1].map((c) => 2 * Math.LOG2E * c)
// e^r to r^9; |r| ≤ ln 2 / 2, and what is left out is below 2^-37.
const expCoefficients = [362880, 40320, 5040, 720, 120, 24, 6, 2, 1, 1].map((factorial) => 1 / factorial)

/** int32 numbers in the lower two lanes as the upper halves of 64-bit lanes, above the fraction of float64. */
const exponents = (e: Emitter, n: Code): Code =>
  shuffle32(e.i32(0), e.keep(i32x4.shl(n, i32.const(20))), [0, 4, 1, 5])

/** log₂ of two float64 numbers that are float32's: normal ones, 0, ∞ or NaN. */
const logarithm = (e: Emitter, x: Code): Code => {
  // x = 2^k m with √½ ≤ m < √2; the number that is taken away is the upper half of √½.
  const upper = shuffle32(x, x, [1, 3, 1, 3])
  const k = e.keep(i32x4.shrS(i32x4.sub(upper, e.i32(0x3fe6a09e)), i32.const(20)))
  const m = e.keep(i32x4.sub(x, exponents(e, k)))
  const t = e.keep(f64x2.div(f64x2.sub(m, e.f64(1)), f64x2.add(m, e.f64(1))))
  const square = e.keep(f64x2.mul(t, t))
  const value = e.maddDouble(hornerDouble(e, square, logCoefficients), t, f64x2.convertI32s(k))
  const regular = v128.and(f64x2.gt(x, e.f64(0)), f64x2.lt(x, e.f64(Infinity)))
  const edge = v128.select(e.f64(-Infinity), x, f64x2.eq(x, e.f64(0)))
  return e.keep(v128.select(value, edge, e.keep(regular)))
}

/** 2^z; beyond 2^±200 all is infinite, or 0, as float32. */
const exponential = (e: Emitter, exponent: Code): Code => {
  const z = e.keep(f64x2.max(f64x2.min(exponent, e.f64(200)), e.f64(-200)))
  const n = e.keep(f64x2.nearest(z))
  const rest = e.keep(f64x2.mul(f64x2.sub(z, n), e.f64(Math.LN2)))
  const scale = exponents(e, i32x4.add(i32x4.truncSatF64s(n), e.i32(1023)))
  return f64x2.mul(hornerDouble(e, rest, expCoefficients), scale)
}

/** x^y, with the edges that `power` of special.ts has. */
export const power = (e: Emitter, x: Code, y: Code): Code => {
  const size = e.keep(f32x4.abs(x))
  const value = throughDouble(e, [size, y], (base, exponent) =>
    exponential(e, e.keep(f64x2.mul(logarithm(e, base as Code), exponent as Code))),
  )
  const half = e.keep(f32x4.mul(y, e.f32(0.5)))
  const whole = e.keep(f32x4.eq(f32x4.floor(y), y))
  const odd = v128.and(whole, f32x4.ne(f32x4.floor(half), half))
  const signed = v128.or(value, v128.and(v128.and(x, e.f32(-0)), odd))
  const negative = v128.and(f32x4.lt(x, e.f32(0)), f32x4.gt(x, e.f32(-Infinity)))
  const defined = v128.select(e.f32(NaN), e.keep(signed), e.keep(v128.andnot(negative, whole)))
  const turns = v128.and(f32x4.eq(x, e.f32(-1)), f32x4.eq(f32x4.abs(y), e.f32(Infinity)))
  const one = v128.or(v128.or(f32x4.eq(x, e.f32(1)), f32x4.eq(y, e.f32(0))), turns)
  return e.keep(v128.select(e.f32(1), e.keep(defined), e.keep(one)))
}
