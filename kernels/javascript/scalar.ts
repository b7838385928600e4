/** Scalar expressions as JavaScript: float64 arithmetic, rounded or wrapped after every operation. */
import type { Dtype } from '../dtype.ts'
import { isFloating } from '../dtype.ts'
import type { Body, Comparison, ScalarOp } from '../scalar.ts'
import { isComparison } from '../scalar.ts'

export const literal = (value: number): string => (Object.is(value, -0) ? '-0' : String(value))

const unary: Readonly<Record<string, (x: string) => string>> = {
  abs: (x) => `Math.abs(${x})`,
  sign: (x) => `Math.sign(${x})`,
  exp: (x) => `Math.exp(${x})`,
  expm1: (x) => `Math.expm1(${x})`,
  log: (x) => `Math.log(${x})`,
  log1p: (x) => `Math.log1p(${x})`,
  sqrt: (x) => `Math.sqrt(${x})`,
  rsqrt: (x) => `1 / Math.sqrt(${x})`,
  sin: (x) => `Math.sin(${x})`,
  cos: (x) => `Math.cos(${x})`,
  tanh: (x) => `Math.tanh(${x})`,
  sigmoid: (x) => `special.sigmoid(${x})`,
  erf: (x) => `special.erf(${x})`,
  erfInv: (x) => `special.erfInv(${x})`,
  floor: (x) => `Math.floor(${x})`,
  ceil: (x) => `Math.ceil(${x})`,
  round: (x) => `special.roundEven(${x})`,
  isFinite: (x) => `+Number.isFinite(${x})`,
  isNaN: (x) => `+Number.isNaN(${x})`,
  neg: (x) => `-${x}`,
}

/** How comparisons are written in JavaScript. */
export const signs: Readonly<Record<Comparison, string>> = {
  eq: '===',
  ne: '!==',
  lt: '<',
  le: '<=',
  gt: '>',
  ge: '>=',
}
const infix: Readonly<Record<string, string>> = {
  add: '+',
  sub: '-',
  div: '/',
  rem: '%',
  and: '&',
  or: '|',
  xor: '^',
}

export const binary = (op: string, x: string, y: string, dtype: Dtype): string => {
  if (isComparison(op)) return `+(${x} ${signs[op]} ${y})`
  if (op === 'mul') return isFloating(dtype) ? `${x} * ${y}` : `Math.imul(${x}, ${y})`
  // Shifting by 32 or more gives 0, as in XLA; JavaScript would take the amount modulo 32.
  // A negative amount counts as its unsigned bits, which are 32 or more.
  if (op === 'shiftLeft') return `${y} >>> 0 > 31 ? 0 : ${x} << ${y}`
  if (op === 'shiftRight')
    return dtype === 'uint32' ? `${y} > 31 ? 0 : ${x} >>> ${y}` : `${x} >> Math.min(${y} >>> 0, 31)`
  if (op === 'pow') return `special.power(${x}, ${y})`
  if (op === 'atan2') return `Math.atan2(${x}, ${y})`
  if (op === 'max' || op === 'min') return `Math.${op}(${x}, ${y})`
  return `${x} ${infix[op]} ${y}`
}

/** The expression, rounded or wrapped to its dtype. */
export const rounded = (expression: string, dtype: Dtype): string => {
  switch (dtype) {
    case 'float32':
      return `Math.fround(${expression})`
    case 'int32':
      return `(${expression}) | 0`
    case 'uint32':
      return `(${expression}) >>> 0`
    default:
      return expression
  }
}

const cast = (x: string, from: Dtype, to: Dtype): string => {
  if (to === 'bool') return `+(${x} !== 0)`
  if (isFloating(from) && to === 'int32') return `special.toInt32(${x})`
  if (isFloating(from) && to === 'uint32') return `special.toUint32(${x})`
  return rounded(x, to)
}

export const printOp = (op: ScalarOp, body: Body, read: (index: number) => string): string => {
  const v = (index: number): string => `v${index}`
  switch (op.op) {
    case 'read':
      return read(op.index)
    case 'fold':
      return `f${op.index}`
    case 'constant':
      return rounded(literal(op.value), op.dtype)
    case 'select':
      return `${v(op.args[0])} ? ${v(op.args[1])} : ${v(op.args[2])}`
    case 'cast':
      return cast(v(op.args[0]), (body[op.args[0]] as ScalarOp).dtype, op.dtype)
    case 'bitcast': {
      const from = (body[op.args[0]] as ScalarOp).dtype
      if (from === 'float32' && op.dtype !== 'float32')
        return rounded(`special.bitsOf(${v(op.args[0])})`, op.dtype)
      return op.dtype === 'float32' && from !== 'float32'
        ? `special.ofBits(${v(op.args[0])})`
        : rounded(v(op.args[0]), op.dtype)
    }
    case 'threefry':
      return `special.threefry(${op.args.map(v).join(', ')}, ${JSON.stringify(op.word)})`
    case 'not':
      return op.dtype === 'bool' ? `1 - ${v(op.args[0])}` : rounded(`~${v(op.args[0])}`, op.dtype)
    default: {
      if (op.args.length === 1) {
        const print = unary[op.op]
        if (print === undefined) throw new Error(`javascript: no rule prints ${op.op}`)
        return rounded(print(v(op.args[0])), op.dtype)
      }
      const of = (body[op.args[0]] as ScalarOp).dtype
      const printed = binary(op.op, v(op.args[0]), v(op.args[1]), of)
      return op.dtype === 'bool' ? printed : rounded(printed, op.dtype)
    }
  }
}

/** What `at` becomes when `value` comes to it. */
export const combine = (
  op: 'add' | 'set' | 'max' | 'min' | 'sum' | 'prod',
  at: string,
  value: string,
  dtype: Dtype,
): string => {
  if (op === 'set') return value
  if (op === 'max' || op === 'min') return `Math.${op}(${at}, ${value})`
  if (op === 'prod') return rounded(binary('mul', at, value, dtype), dtype)
  return rounded(`${at} + ${value}`, dtype)
}
