/**
 * Elementary functions of four float32 numbers at once, each within a few units in the last place over the
 * whole range: range reduction, a minimax polynomial, reconstruction. Every branch is computed and selected,
 * so all lanes take the same time.
 */
import type { Code } from './code/index.ts'
import { f32x4, i32x4, v128 } from './code/index.ts'
import type { Emitter } from './emitter.ts'

/** Horner's scheme, highest coefficient first. */
const horner = (e: Emitter, x: Code, coefficients: readonly number[]): Code =>
  coefficients.slice(1).reduce<Code>((sum, c) => e.madd(sum, x, e.f32(c)), e.f32(coefficients[0] as number))

const signBit = (e: Emitter): Code => e.i32(0x80000000)

/** The magnitude of `x` with the sign of `sign`. */
const copySign = (e: Emitter, x: Code, sign: Code): Code => v128.select(sign, x, signBit(e))

// ln 2 in two parts; the first has few enough bits that multiples of it are exact (Cody and Waite).
const ln2High = 0.693359375
const ln2Low = -2.1219444e-4
const shifter = 12582912

interface Reduced {
  /** x - n ln 2 */
  readonly rest: Code
  /** n as int32 */
  readonly n: Code
}

/** x = n ln 2 + rest with |rest| ≤ ln 2 / 2. Adding 1.5 · 2^23 leaves the rounded n in the low bits. */
const reduceExp = (e: Emitter, x: Code): Reduced => {
  const shifted = e.keep(e.madd(x, e.f32(Math.LOG2E), e.f32(shifter)))
  const count = e.keep(f32x4.sub(shifted, e.f32(shifter)))
  const rest = e.keep(e.nmadd(count, e.f32(ln2Low), e.nmadd(count, e.f32(ln2High), x)))
  return { rest, n: i32x4.sub(shifted, e.i32(0x4b400000)) }
}

const expCoefficients = [
  1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1,
]

/** e^rest - 1 - rest over rest², by Cephes' expf. */
const expTail = (e: Emitter, rest: Code): Code => horner(e, rest, expCoefficients)

const clampKeepingNaN = (e: Emitter, x: Code, low: number, high: number): Code =>
  e.keep(f32x4.pmin(f32x4.pmax(x, e.f32(low)), e.f32(high)))

/** 2^n as float32 bits, -126 ≤ n ≤ 127. */
const powerOfTwo = (e: Emitter, n: Code): Code => i32x4.shl(i32x4.add(n, e.i32(127)), [0x41, 23])

/** e^x for arguments whose result is a normal number: -87 ≤ x ≤ 88. */
const expNormal = (e: Emitter, x: Code): Code => {
  const { rest, n } = reduceExp(e, x)
  const square = e.keep(f32x4.mul(rest, rest))
  const value = e.madd(expTail(e, rest), square, f32x4.add(rest, e.f32(1)))
  return e.keep(f32x4.mul(value, powerOfTwo(e, n)))
}

/** e^x for x ≤ 0, where what would be denormal is 0: half the work of `exp`. */
export const expOfNegative = (e: Emitter, x: Code): Code =>
  e.keep(v128.andnot(expNormal(e, clampKeepingNaN(e, x, -87, 0)), f32x4.lt(x, e.f32(-87))))

/** e^x; the power of two is applied in two halves, so that results may be denormal or infinite. */
export const exp = (e: Emitter, x: Code): Code => {
  const { rest, n } = reduceExp(e, clampKeepingNaN(e, x, -105, 89))
  const square = e.keep(f32x4.mul(rest, rest))
  const value = e.madd(expTail(e, rest), square, f32x4.add(rest, e.f32(1)))
  const whole = e.keep(n)
  const half = e.keep(i32x4.shrS(whole, [0x41, 1]))
  const first = f32x4.mul(value, powerOfTwo(e, half))
  return e.keep(f32x4.mul(first, powerOfTwo(e, i32x4.sub(whole, half))))
}

/** e^x - 1 without cancellation: 2^n (e^rest - 1) + (2^n - 1), halved on the way so that n = 128 is no limit. */
export const expm1 = (e: Emitter, x: Code): Code => {
  const { rest, n } = reduceExp(e, clampKeepingNaN(e, x, -20, 89))
  const square = e.keep(f32x4.mul(rest, rest))
  const small = e.keep(e.madd(expTail(e, rest), square, rest))
  const half = e.keep(powerOfTwo(e, i32x4.sub(n, e.i32(1))))
  const scaled = e.madd(small, half, f32x4.sub(half, e.f32(0.5)))
  const value = f32x4.add(scaled, scaled)
  // -0 stays -0, and what is too small to matter stays as it is.
  return e.keep(v128.select(x, e.keep(value), f32x4.lt(f32x4.abs(x), e.f32(1e-8))))
}

/**
 * log x by even and odd parts of a polynomial for log(1 + m) on [-1/3, 1/3]; coefficients by N. Juffa
 * (maximum error 0.86 ulp).
 */
export const log = (e: Emitter, x: Code): Code => {
  const tiny = e.keep(f32x4.lt(x, e.f32(1.1754943508222875e-38)))
  const scaled = e.keep(v128.select(f32x4.mul(x, e.f32(8388608)), x, tiny))
  const exponent = e.keep(v128.and(i32x4.sub(scaled, e.i32(0x3f2aaaab)), e.i32(0xff800000)))
  const m = e.keep(f32x4.sub(i32x4.sub(scaled, exponent), e.f32(1)))
  const count = e.keep(
    e.madd(f32x4.convertI32s(exponent), e.f32(1.1920928955078125e-7), v128.and(tiny, e.f32(-23))),
  )
  const s = e.keep(f32x4.mul(m, m))
  const odd = e.madd(
    e.madd(e.madd(e.f32(0.140869141), s, e.f32(0.139814854)), s, e.f32(0.200120345)),
    m,
    e.madd(
      e.madd(e.madd(e.f32(-0.130310059), s, e.f32(-0.121483512)), s, e.f32(-0.166846126)),
      s,
      e.f32(-0.2499962),
    ),
  )
  const polynomial = e.madd(e.madd(odd, m, e.f32(0.333331972)), m, e.f32(-0.5))
  const fraction = e.madd(polynomial, s, m)
  const value = e.madd(count, e.f32(ln2High), e.madd(count, e.f32(ln2Low), fraction))
  return logEdges(e, x, e.keep(value))
}

/** log 0 = -∞, log ∞ = ∞, and NaN for NaN and negative numbers. */
const logEdges = (e: Emitter, x: Code, value: Code): Code => {
  const regular = v128.and(f32x4.gt(x, e.f32(0)), f32x4.lt(x, e.f32(Infinity)))
  const zero = f32x4.eq(x, e.f32(0))
  const negative = f32x4.lt(x, e.f32(0))
  const edge = v128.select(e.f32(NaN), v128.select(e.f32(-Infinity), x, zero), negative)
  return e.keep(v128.select(value, edge, e.keep(regular)))
}

/**
 * log(1 + x) = log u + (x - (u - 1)) / u with u = 1 + x rounded: the second term is what rounding lost
 * (Higham, "Accuracy and Stability of Numerical Algorithms", 2002, section 1.14).
 */
export const log1p = (e: Emitter, x: Code): Code => {
  const u = e.keep(f32x4.add(x, e.f32(1)))
  // The rounding error of u, exactly (Knuth's two-sum).
  const virtual = e.keep(f32x4.sub(u, e.f32(1)))
  const lost = f32x4.add(f32x4.sub(x, virtual), f32x4.sub(e.f32(1), f32x4.sub(u, virtual)))
  const corrected = e.keep(f32x4.add(log(e, u), f32x4.div(lost, u)))
  const direct = f32x4.lt(f32x4.abs(x), e.f32(1e-8))
  const edge = e.keep(v128.or(f32x4.eq(u, e.f32(0)), f32x4.eq(u, e.f32(Infinity))))
  return e.keep(v128.select(x, v128.select(log(e, u), corrected, edge), direct))
}

/** 1 - 2 / (e^2|x| + 1), and for small x an odd polynomial by N. Juffa. */
export const tanh = (e: Emitter, x: Code): Code => {
  const magnitude = e.keep(f32x4.abs(x))
  const doubled = e.keep(f32x4.pmin(f32x4.add(magnitude, magnitude), e.f32(20)))
  const grown = f32x4.add(expNormal(e, doubled), e.f32(1))
  const large = e.keep(f32x4.sub(e.f32(1), f32x4.div(e.f32(2), grown)))
  const s = e.keep(f32x4.mul(x, x))
  const p = horner(e, s, [1.57394409e-2, -5.2302558e-2, 1.3315247e-1, -3.33327681e-1])
  const small = e.keep(e.madd(f32x4.mul(p, s), x, x))
  return e.keep(copySign(e, v128.select(small, large, f32x4.lt(magnitude, e.f32(0.55))), x))
}

/** 1 / (1 + e^-x), from e^-|x| on both sides so that small results keep their precision. */
export const sigmoid = (e: Emitter, x: Code): Code => {
  const small = exp(e, v128.or(x, signBit(e)))
  const one = e.f32(1)
  const top = v128.select(small, one, f32x4.lt(x, e.f32(0)))
  return e.keep(f32x4.div(top, f32x4.add(one, small)))
}

/** erf by two polynomials, one of them in the exponent; coefficients by N. Juffa (below 1 ulp). */
export const erf = (e: Emitter, x: Code): Code => {
  const t = e.keep(f32x4.abs(x))
  const s = e.keep(f32x4.mul(x, x))
  const capped = e.keep(f32x4.pmin(t, e.f32(4)))
  const squared = e.keep(f32x4.mul(capped, capped))
  const high = e.madd(e.f32(-1.7285347e-5), capped, e.f32(3.83197126e-4))
  const low = e.madd(e.f32(-3.88396438e-3), capped, e.f32(2.42546219e-2))
  let r = e.madd(high, squared, low)
  for (const c of [-1.06777877e-1, -6.34846687e-1, -1.28717512e-1]) r = e.madd(r, capped, e.f32(c))
  r = e.madd(r, capped, f32x4.neg(capped))
  const large = e.keep(f32x4.sub(e.f32(1), expNormal(e, e.keep(r))))
  const p = horner(
    e,
    s,
    [-5.96761703e-4, 4.99119423e-3, -2.67681349e-2, 1.12819925e-1, -3.76125336e-1, 1.28379166e-1],
  )
  const small = e.keep(e.madd(p, x, x))
  const value = v128.select(copySign(e, large, x), small, f32x4.gt(t, e.f32(0.927734375)))
  return e.keep(value)
}

/** The inverse error function by M. Giles ("Approximating the erfinv function", GPU Computing Gems, 2012). */
export const erfInv = (e: Emitter, x: Code): Code => {
  const one = e.f32(1)
  const w = e.keep(f32x4.neg(log(e, e.keep(f32x4.mul(f32x4.sub(one, x), f32x4.add(one, x))))))
  const central = horner(
    e,
    e.keep(f32x4.sub(w, e.f32(2.5))),
    [
      2.81022636e-8, 3.43273939e-7, -3.5233877e-6, -4.39150654e-6, 0.00021858087, -0.00125372503,
      -0.00417768164, 0.246640727, 1.50140941,
    ],
  )
  const tail = horner(
    e,
    e.keep(f32x4.sub(f32x4.sqrt(w), e.f32(3))),
    [
      -0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613,
      0.00943887047, 1.00167406, 2.83297682,
    ],
  )
  const value = e.keep(f32x4.mul(v128.select(central, tail, f32x4.lt(w, e.f32(5))), x))
  const edge = f32x4.eq(f32x4.abs(x), one)
  return e.keep(v128.select(f32x4.mul(x, e.f32(Infinity)), value, edge))
}
