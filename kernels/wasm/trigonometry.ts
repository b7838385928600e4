/** sin and cos of four float32 numbers at once, by way of float64: within half a unit in the last place, nearly. */
import type { Code } from './code/index.ts'
import { call, f32x4, f64, f64x2, get, i32, i32x4, i64x2, set, v128, when } from './code/index.ts'
import { hornerDouble, throughDouble } from './double.ts'
import type { Emitter, HostName } from './emitter.ts'

// π/2 in two parts, as in fdlibm's e_rem_pio2.c: the first has 33 bits, so that multiples up to 2^20 are exact.
const halfPiHigh = 1.57079632673412561417
const halfPiLow = 6.07710050650619224932e-11
/** From here on quarters of a turn are too many to be counted exactly. */
const countable = 2 ** 20

// Taylor's, to r^11 and r^10: on |r| ≤ π/4 what is left out is below 2^-33 of the result.
const sineCoefficients = [-1 / 39916800, 1 / 362880, -1 / 5040, 1 / 120, -1 / 6]
const cosineCoefficients = [-1 / 3628800, 1 / 40320, -1 / 720, 1 / 24, -1 / 2, 1]

/** The sine of two float64 numbers and some quarters of a turn: x = n π/2 + rest with |rest| ≤ π/4. */
const turned = (e: Emitter, x: Code, quarters: 0 | 1): Code => {
  const count = e.keep(f64x2.nearest(f64x2.mul(x, e.f64(2 / Math.PI))))
  const high = e.keep(f64x2.sub(x, f64x2.mul(count, e.f64(halfPiHigh))))
  const rest = e.keep(f64x2.sub(high, f64x2.mul(count, e.f64(halfPiLow))))
  const n = e.keep(i32x4.add(i32x4.truncSatF64s(count), e.i32(quarters)))
  const square = e.keep(f64x2.mul(rest, rest))
  const cubic = f64x2.mul(hornerDouble(e, square, sineCoefficients), square)
  const ofSine = e.keep(e.maddDouble(cubic, rest, rest))
  const ofCosine = e.keep(hornerDouble(e, square, cosineCoefficients))
  const odd = i64x2.extendLowI32s(i32x4.neg(v128.and(n, e.i32(1))))
  const sign = v128.and(i64x2.extendLowI32s(i32x4.shl(n, i32.const(30))), e.f64(-0))
  return v128.xor(v128.select(ofCosine, ofSine, odd), sign)
}

/** Numbers so large that their place in the turn takes more than float64 are done one by one, and their neighbours not. */
const wave = (e: Emitter, name: HostName, x: Code, quarters: 0 | 1): Code => {
  const value = e.local('v128')
  e.push(
    set(
      value,
      throughDouble(e, [x], (half) => turned(e, half as Code, quarters)),
    ),
  )
  const size = e.keep(f32x4.abs(x))
  const large = e.keep(v128.and(f32x4.ge(size, e.f32(countable)), f32x4.lt(size, e.f32(Infinity))))
  const each = [0, 1, 2, 3].reduce<Code>(
    (vector, lane) =>
      f32x4.replace(
        vector,
        lane,
        f64.demoteToF32(call(e.host(name), f64.promoteF32(f32x4.extract(x, lane)))),
      ),
    x,
  )
  e.push(when(v128.anyTrue(large), set(value, v128.select(each, get(value), large))))
  return get(value)
}

/** The smallest are their own sine, and -0 stays what it is. */
export const sine = (e: Emitter, x: Code): Code => {
  const value = wave(e, 'sin', x, 0)
  return e.keep(v128.select(x, value, f32x4.lt(f32x4.abs(x), e.f32(2 ** -13))))
}

export const cosine = (e: Emitter, x: Code): Code => wave(e, 'cos', x, 1)
