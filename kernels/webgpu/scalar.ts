/**
 * Operations of the scalar language as WGSL statements. Runs of float32 arithmetic are compiled by gpu.js;
 * integers, truth values, conversions and comparisons, which its language has not or not exactly, are printed
 * here.
 */
import type { Dtype } from '../dtype.ts'
import { wgslBlock } from '../gpujs/index.ts'
import type { Body, ScalarOp } from '../scalar.ts'
import { argsOf, reachable } from '../scalar.ts'
import { valueType } from './shader.ts'

/** Float32 operations in gpu.js' language. */
const floating: Readonly<Record<string, (x: string, y: string) => string>> = {
  neg: (x) => `-${x}`,
  abs: (x) => `Math.abs(${x})`,
  sqrt: (x) => `Math.sqrt(${x})`,
  rsqrt: (x) => `1 / Math.sqrt(${x})`,
  floor: (x) => `Math.floor(${x})`,
  ceil: (x) => `Math.ceil(${x})`,
  add: (x, y) => `${x} + ${y}`,
  sub: (x, y) => `${x} - ${y}`,
  mul: (x, y) => `${x} * ${y}`,
  div: (x, y) => `${x} / ${y}`,
}

/** Those that are functions in WGSL of our own, with the number of their arguments. */
const helpers: Readonly<Record<string, number>> = {
  sign: 1,
  exp: 1,
  expm1: 1,
  log: 1,
  log1p: 1,
  sin: 1,
  cos: 1,
  tanh: 1,
  sigmoid: 1,
  erf: 1,
  erfInv: 1,
  round: 1,
  rem: 2,
  pow: 2,
  max: 2,
  min: 2,
  atan2: 2,
}

const expressionOf = (op: ScalarOp): string => {
  const [x = '', y = ''] = argsOf(op).map((arg) => `v${arg}`)
  const print = floating[op.op]
  if (print !== undefined) return print(x, y)
  if (helpers[op.op] === undefined) throw new Error(`webgpu: no rule prints ${op.op}`)
  return `${op.op}(${helpers[op.op] === 1 ? x : `${x}, ${y}`})`
}

/** Whether gpu.js compiles it: float32 arithmetic on float32 values. */
const isCompiled = (op: ScalarOp, body: Body): boolean =>
  op.dtype === 'float32' &&
  (op.op in floating || op.op in helpers) &&
  argsOf(op).every((arg) => body[arg]?.dtype === 'float32')

/** A float32 number that WGSL reads as itself; never a constant expression where WGSL would refuse it. */
export const literal = (value: number, dtype: Dtype): string => {
  if (dtype === 'bool') return value !== 0 ? 'true' : 'false'
  if (dtype === 'int32') return `i32(${value | 0})`
  if (dtype === 'uint32') return `${value >>> 0}u`
  const number = Math.fround(value)
  if (Number.isNaN(number)) return 'nan()'
  if (!Number.isFinite(number)) return number > 0 ? 'infinity()' : '-infinity()'
  return `f32(${Object.is(number, -0) ? '-0.0' : String(number)})`
}

const compare: Readonly<Record<string, string>> = {
  eq: '==',
  ne: '!=',
  lt: '<',
  le: '<=',
  gt: '>',
  ge: '>=',
}
const infix: Readonly<Record<string, string>> = { add: '+', sub: '-', mul: '*', and: '&', or: '|', xor: '^' }

const truths: Readonly<Record<string, (x: string, y: string) => string>> = {
  and: (x, y) => `${x} & ${y}`,
  or: (x, y) => `${x} | ${y}`,
  xor: (x, y) => `${x} != ${y}`,
  max: (x, y) => `${x} | ${y}`,
  min: (x, y) => `${x} & ${y}`,
  eq: (x, y) => `${x} == ${y}`,
  ne: (x, y) => `${x} != ${y}`,
  lt: (x, y) => `!${x} & ${y}`,
  le: (x, y) => `!${x} | ${y}`,
  gt: (x, y) => `${x} & !${y}`,
  ge: (x, y) => `${x} | !${y}`,
}

const unaryInteger = (op: string, x: string, signed: boolean): string | undefined => {
  switch (op) {
    case 'neg':
      return signed ? `-${x}` : `0u - ${x}`
    case 'abs':
      return signed ? `abs(${x})` : x
    case 'sign':
      return signed ? `sign(${x})` : `min(${x}, 1u)`
    case 'not':
      return `~${x}`
    default:
      return undefined
  }
}

const binaryInteger = (op: string, x: string, y: string, type: 'I32' | 'U32'): string | undefined => {
  if (infix[op] !== undefined) return `${x} ${infix[op]} ${y}`
  if (op === 'max' || op === 'min') return `${op}(${x}, ${y})`
  if (op === 'div' || op === 'rem' || op === 'shiftLeft' || op === 'shiftRight')
    return `${op}${type}(${x}, ${y})`
  return undefined
}

const cast = (x: string, from: Dtype, to: Dtype): string => {
  if (from === to) return x
  if (to === 'bool') return from === 'float32' ? `!(${x} == 0.0)` : `${x} != ${valueType(from)}(0)`
  if (from === 'float32' && to === 'int32') return `toI32(${x})`
  if (from === 'float32' && to === 'uint32') return `toU32(${x})`
  return `${valueType(to)}(${x})`
}

const printed = (op: ScalarOp, body: Body): string => {
  const [x = '', y = '', z = ''] = argsOf(op).map((arg) => `v${arg}`)
  const from = body[argsOf(op)[0] ?? -1]?.dtype ?? op.dtype
  if (op.op === 'select') return `select(${z}, ${y}, ${x})`
  if (op.op === 'cast') return cast(x, from, op.dtype)
  if (op.op === 'bitcast') return `bitcast<${valueType(op.dtype)}>(${x})`
  if (op.op === 'threefry') {
    const block = `threefry(${op.args.map((arg) => `v${arg}`).join(', ')})`
    return op.word === 'xor' ? `folded(${block})` : `${block}.${op.word === 0 ? 'x' : 'y'}`
  }
  if (op.op === 'isNaN') return `isNan(${x})`
  if (op.op === 'isFinite') return `isFinite(${x})`
  if (from === 'bool') {
    if (op.op === 'not') return `!${x}`
    const truth = truths[op.op]
    if (truth !== undefined) return truth(x, y)
  }
  // NaN differs from everything, which `!=` does not find on every driver.
  if (op.op === 'ne' && from === 'float32') return `!(${x} == ${y})`
  const sign = compare[op.op]
  if (sign !== undefined) return `${x} ${sign} ${y}`
  const code =
    argsOf(op).length === 1
      ? unaryInteger(op.op, x, from === 'int32')
      : binaryInteger(op.op, x, y, from === 'int32' ? 'I32' : 'U32')
  if (code === undefined) throw new Error(`webgpu: no rule prints ${op.op} of ${from}`)
  return code
}

/** Where values come from that are not computed. */
export interface Scope {
  readonly body: Body
  readonly read: (operand: number) => string
  readonly fold: (index: number) => string
}

/** The operations that `values` need, with what those need, in order, without those in `defined`. */
export const needed = (
  body: Body,
  values: readonly number[],
  defined: ReadonlySet<number> = new Set(),
): readonly number[] => {
  const unknown = (indices: readonly number[]): number[] => indices.filter((index) => !defined.has(index))
  return [...reachable(body, unknown(values), (op) => unknown(argsOf(op)))].sort((x, y) => x - y)
}

/** Statements that define `v<i>` for each of the operations `indices`, which are in order. */
export const statements = ({ body, read, fold }: Scope, indices: readonly number[]): readonly string[] => {
  const code: string[] = []
  let waiting: number[] = []
  const flush = (): void => {
    if (waiting.length === 0) return
    const own = new Set(waiting)
    const outside = new Set(waiting.flatMap((index) => argsOf(body[index] as ScalarOp)))
    const parameters = [...outside].filter((index) => !own.has(index)).sort((x, y) => x - y)
    code.push(
      wgslBlock(
        {
          parameters: parameters.map((index) => `v${index}`),
          values: waiting.map((index) => ({
            name: `v${index}`,
            expression: expressionOf(body[index] as ScalarOp),
          })),
        },
        helpers,
      ),
    )
    waiting = []
  }
  for (const index of indices) {
    const op = body[index] as ScalarOp
    if (isCompiled(op, body)) {
      waiting.push(index)
      continue
    }
    if (argsOf(op).some((arg) => waiting.includes(arg))) flush()
    const expression =
      op.op === 'read'
        ? read(op.index)
        : op.op === 'fold'
          ? fold(op.index)
          : op.op === 'constant'
            ? literal(op.value, op.dtype)
            : printed(op, body)
    code.push(`let v${index} = ${expression};`)
  }
  flush()
  return code
}
