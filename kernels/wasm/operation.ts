/**
 * Operations of the scalar language on vectors. float32, int32 and uint32 fill lanes of 32 bits; bool is a
 * lane of all ones or zeros; float64 fills lanes of 64 bits, beside which other dtypes use the first two of
 * their four lanes. Nothing here can trap.
 */
import type { Dtype } from '../dtype.ts'
import { isFloating } from '../dtype.ts'
import type { Comparison, ScalarOp } from '../scalar.ts'
import { isComparison } from '../scalar.ts'
import type { Code, FloatVector } from './code/index.ts'
import { call, choose, f32x4, f64, f64x2, i32, i32x4, i64x2, shuffle32, v128 } from './code/index.ts'
import type { Emitter, HostName } from './emitter.ts'
import * as math from './math.ts'
import { power } from './power.ts'
import { cosine, sine } from './trigonometry.ts'

const laneNumbers = [0, 1, 2, 3] as const

/** A mask of 64-bit lanes as one of 32-bit lanes, and back. */
const narrowMask = (mask: Code): Code => shuffle32(mask, mask, [0, 2, 0, 2])
const widenMask = (mask: Code): Code => i64x2.extendLowI32s(mask)

/** `f` of each float64 lane, or of each float32 lane through float64. */
const eachFloat = (
  e: Emitter,
  double: boolean,
  args: readonly Code[],
  f: (lanes: readonly Code[]) => Code,
): Code => {
  const kept = args.map((arg) => e.keep(arg))
  let value: Code = kept[0] as Code
  for (const lane of double ? [0, 1] : laneNumbers) {
    const lanes = kept.map((arg) =>
      double ? f64x2.extract(arg, lane) : f64.promoteF32(f32x4.extract(arg, lane)),
    )
    value = double
      ? f64x2.replace(value, lane, f(lanes))
      : f32x4.replace(value, lane, f64.demoteToF32(f(lanes)))
  }
  return value
}

/** A function of JavaScript's. Its NaN has other bits when JavaScript was compiled anew, so it gets those of ours. */
const host = (e: Emitter, double: boolean, name: HostName, ...args: readonly Code[]): Code => {
  const value = e.keep(eachFloat(e, double, args, (lanes) => call(e.host(name), ...lanes)))
  return double
    ? v128.select(value, e.f64(NaN), e.keep(f64x2.eq(value, value)))
    : v128.select(value, e.f32(NaN), e.keep(f32x4.eq(value, value)))
}

const eachInt = (e: Emitter, x: Code, y: Code, f: (a: Code, b: Code) => Code): Code => {
  const [a, b] = [e.keep(x), e.keep(y)]
  return laneNumbers.reduce<Code>(
    (value, lane) =>
      i32x4.replace(
        value,
        lane,
        f(e.keep(i32x4.extract(a, lane), 'i32'), e.keep(i32x4.extract(b, lane), 'i32')),
      ),
    a,
  )
}

const vectorOf = (dtype: Dtype): FloatVector => (dtype === 'float64' ? f64x2 : f32x4)

const number = (e: Emitter, dtype: Dtype, value: number): Code => {
  if (dtype === 'float32') return e.f32(value)
  if (dtype === 'float64') return e.f64(value)
  return dtype === 'bool' ? e.i32(value === 0 ? 0 : -1) : e.i32(value)
}

const signOf = (e: Emitter, x: Code, dtype: Dtype): Code => {
  if (isFloating(dtype)) {
    const v = vectorOf(dtype)
    const negative = dtype === 'float64' ? v128.and(x, e.f64(-0)) : v128.and(x, e.f32(-0))
    const one = v128.or(negative, number(e, dtype, 1))
    const nonzero = v128.or(v.lt(x, number(e, dtype, 0)), v.gt(x, number(e, dtype, 0)))
    return v128.select(one, x, nonzero)
  }
  const positive = v128.and(i32x4.ne(x, e.i32(0)), e.i32(1))
  return dtype === 'uint32' ? positive : v128.or(i32x4.shrS(x, i32.const(31)), positive)
}

const transcendental: Partial<Record<string, (e: Emitter, x: Code) => Code>> = {
  exp: math.exp,
  expm1: math.expm1,
  log: math.log,
  log1p: math.log1p,
  tanh: math.tanh,
  sigmoid: math.sigmoid,
  erf: math.erf,
  erfInv: math.erfInv,
  sin: sine,
  cos: cosine,
}

const unary = (e: Emitter, op: string, x: Code, dtype: Dtype): Code => {
  const double = dtype === 'float64'
  const own = transcendental[op]
  if (own !== undefined) return double ? host(e, true, op as HostName, x) : own(e, e.keep(x))
  const v = vectorOf(dtype)
  switch (op) {
    case 'neg':
      return isFloating(dtype) ? v.neg(x) : i32x4.neg(x)
    case 'abs':
      return isFloating(dtype) ? v.abs(x) : dtype === 'uint32' ? x : i32x4.abs(x)
    case 'sign':
      return signOf(e, e.keep(x), dtype)
    case 'sqrt':
      return v.sqrt(x)
    case 'rsqrt':
      return v.div(number(e, dtype, 1), v.sqrt(x))
    case 'floor':
      return v.floor(x)
    case 'ceil':
      return v.ceil(x)
    case 'round':
      return v.nearest(x)
    case 'not':
      return v128.not(x)
    case 'isNaN': {
      const kept = e.keep(x)
      return double ? narrowMask(e.keep(v.ne(kept, kept))) : v.ne(kept, kept)
    }
    case 'isFinite': {
      const mask = v.lt(v.abs(x), number(e, dtype, Infinity))
      return double ? narrowMask(e.keep(mask)) : mask
    }
    default:
      throw new Error(`wasm: no rule emits ${op}`)
  }
}

const compare = (e: Emitter, op: Comparison, x: Code, y: Code, dtype: Dtype): Code => {
  switch (dtype) {
    case 'float32':
      return f32x4[op](x, y)
    case 'float64':
      return narrowMask(e.keep(f64x2[op](x, y)))
    case 'bool': {
      if (op === 'eq') return v128.not(v128.xor(x, y))
      if (op === 'ne') return v128.xor(x, y)
      // As signed numbers true is -1, so the order turns.
      return { lt: i32x4.gtS, le: i32x4.geS, gt: i32x4.ltS, ge: i32x4.leS }[op](x, y)
    }
    default: {
      if (op === 'eq' || op === 'ne') return i32x4[op](x, y)
      return i32x4[`${op}${dtype === 'uint32' ? 'U' : 'S'}`](x, y)
    }
  }
}

/** Integer quotients are exact in float64; division by zero gives 0. */
const divide = (e: Emitter, x: Code, y: Code, dtype: Dtype): Code => {
  const wide = dtype === 'uint32' ? f64x2.convertI32u : f64x2.convertI32s
  const back = dtype === 'uint32' ? i32x4.truncSatF64u : i32x4.truncSatF64s
  const upper = (v: Code): Code => shuffle32(v, v, [2, 3, 2, 3])
  const low = e.keep(back(f64x2.div(wide(x), wide(y))))
  const high = e.keep(back(f64x2.div(wide(upper(x)), wide(upper(y)))))
  const quotient = e.keep(shuffle32(low, high, [0, 1, 4, 5]))
  const safe = v128.andnot(quotient, i32x4.eq(y, e.i32(0)))
  // The quotient of the lowest number by -1 wraps; saturation must not be seen.
  return dtype === 'uint32' ? safe : v128.select(i32x4.neg(x), safe, e.keep(i32x4.eq(y, e.i32(-1))))
}

const remainder = (e: Emitter, x: Code, y: Code, dtype: Dtype): Code => {
  const rest = i32x4.sub(x, i32x4.mul(e.keep(divide(e, x, y, dtype)), y))
  return v128.andnot(rest, i32x4.eq(y, e.i32(0)))
}

/** Shifts by 32 and more leave nothing but the sign; a negative amount is one. */
const shift = (e: Emitter, op: 'shiftLeft' | 'shiftRight', x: Code, y: Code, dtype: Dtype): Code =>
  eachInt(e, x, y, (a, b) => {
    const over = i32.gtU(b, i32.const(31))
    if (op === 'shiftRight' && dtype === 'int32') return i32.shrS(a, choose(over, i32.const(31), b))
    return choose(over, i32.const(0), op === 'shiftLeft' ? i32.shl(a, b) : i32.shrU(a, b))
  })

/** A shift by an amount that is known: one instruction for all lanes. */
export const shiftBy = (
  op: 'shiftLeft' | 'shiftRight',
  x: Code,
  amount: number,
  dtype: Dtype,
): Code | undefined => {
  if (!(amount >= 0 && amount < 32)) return undefined
  if (op === 'shiftLeft') return i32x4.shl(x, i32.const(amount))
  return i32x4[dtype === 'int32' ? 'shrS' : 'shrU'](x, i32.const(amount))
}

const binary = (e: Emitter, op: string, a: Code, b: Code, dtype: Dtype): Code => {
  const [x, y] = [e.keep(a), e.keep(b)]
  if (isComparison(op)) return compare(e, op, x, y, dtype)
  if (op === 'and' || op === 'or' || op === 'xor') return v128[op](x, y)
  if (dtype === 'bool') return op === 'max' ? v128.or(x, y) : v128.and(x, y)
  if (isFloating(dtype)) {
    const double = dtype === 'float64'
    const v = vectorOf(dtype)
    switch (op) {
      case 'add':
      case 'sub':
      case 'mul':
      case 'div':
      case 'max':
      case 'min':
        return v[op](x, y)
      case 'pow':
        return double ? host(e, true, 'pow', x, y) : power(e, x, y)
      default:
        return host(e, double, op as HostName, x, y)
    }
  }
  switch (op) {
    case 'add':
    case 'sub':
    case 'mul':
      return i32x4[op](x, y)
    case 'max':
    case 'min':
      return i32x4[`${op}${dtype === 'uint32' ? 'U' : 'S'}`](x, y)
    case 'div':
      return divide(e, x, y, dtype)
    case 'rem':
      return remainder(e, x, y, dtype)
    default:
      return shift(e, op as 'shiftLeft' | 'shiftRight', x, y, dtype)
  }
}

const cast = (e: Emitter, x: Code, from: Dtype, to: Dtype): Code => {
  if (from === to) return x
  if (to === 'bool') {
    if (from === 'float32') return f32x4.ne(x, e.f32(0))
    if (from === 'float64') return narrowMask(e.keep(f64x2.ne(x, e.f64(0))))
    return i32x4.ne(x, e.i32(0))
  }
  const source = from === 'bool' ? v128.and(x, e.i32(1)) : x
  switch (to) {
    case 'float32':
      if (from === 'float64') return f32x4.demoteF64(source)
      return from === 'uint32' ? f32x4.convertI32u(source) : f32x4.convertI32s(source)
    case 'float64':
      if (from === 'float32') return f64x2.promoteF32(source)
      return from === 'uint32' ? f64x2.convertI32u(source) : f64x2.convertI32s(source)
    case 'int32':
      if (from === 'float32') return i32x4.truncSatF32s(source)
      return from === 'float64' ? i32x4.truncSatF64s(source) : source
    case 'uint32':
      if (from === 'float32') return i32x4.truncSatF32u(source)
      return from === 'float64' ? i32x4.truncSatF64u(source) : source
  }
}

const rotations = [13, 15, 26, 6, 17, 29, 16, 24] as const

/** Threefry-2x32-20 (Salmon et al., SC 2011) of four counters at once. */
const threefry = (e: Emitter, word: 0 | 1 | 'xor', args: readonly Code[]): Code => {
  const [key0, key1, counter0, counter1] = args.map((arg) => e.keep(arg)) as [Code, Code, Code, Code]
  const key2 = e.keep(v128.xor(v128.xor(key0, key1), e.i32(0x1bd11bda)))
  const schedule = [key0, key1, key2]
  let x = e.keep(i32x4.add(counter0, key0))
  let y = e.keep(i32x4.add(counter1, key1))
  for (let turn = 0; turn < 5; turn++) {
    for (let round = 0; round < 4; round++) {
      const r = rotations[(turn % 2) * 4 + round] as number
      x = e.keep(i32x4.add(x, y))
      y = e.keep(v128.xor(v128.or(i32x4.shl(y, i32.const(r)), i32x4.shrU(y, i32.const(32 - r))), x))
    }
    x = e.keep(i32x4.add(x, schedule[(turn + 1) % 3] as Code))
    y = e.keep(i32x4.add(i32x4.add(y, schedule[(turn + 2) % 3] as Code), e.i32(turn + 1)))
  }
  return word === 'xor' ? v128.xor(x, y) : word === 0 ? x : y
}

/** The value of `op`, given the values of its arguments and their dtypes. Reads and folds are not its matter. */
export const operate = (
  e: Emitter,
  op: Exclude<ScalarOp, { readonly op: 'read' | 'fold' }>,
  args: readonly Code[],
  dtypes: readonly Dtype[],
): Code => {
  const [x, y, z] = args as [Code, Code, Code]
  switch (op.op) {
    case 'constant':
      return number(e, op.dtype, op.value)
    case 'select':
      return v128.select(y, z, op.dtype === 'float64' ? widenMask(x) : x)
    case 'cast':
      return cast(e, x, dtypes[0] as Dtype, op.dtype)
    case 'bitcast':
      return x
    case 'threefry':
      return threefry(e, op.word, args)
    default:
      return op.args.length === 1
        ? unary(e, op.op, x, dtypes[0] as Dtype)
        : binary(e, op.op, x, y, dtypes[0] as Dtype)
  }
}

export { narrowMask, number, widenMask }
