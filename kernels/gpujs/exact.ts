/** What float32, the one number type of gpu.js, can carry of a launch. */
import type { Dtype } from '../dtype.ts'
import { isFloating } from '../dtype.ts'
import type { Fold, Operand } from '../program/index.ts'
import { sizeOf } from '../program/index.ts'
import type { ScalarOp } from '../scalar.ts'
import { argsOf, isComparison } from '../scalar.ts'
import type { Mode } from './mode.ts'
import { remainderIsExact, runsOnHost } from './mode.ts'
import type { Rows } from './row.ts'

/** Whole numbers up to here are exact in float32, and no larger one is rounded down to one of them. */
const limit = 2 ** 24 - 1

/**
 * An integer as float32 carries it. Within ±2^24 it is exact. Beyond, `carried` says that float32 holds it
 * all the same (a truncated float); otherwise it is a rounded 32-bit number, which may still be compared with
 * exact ones, clamped, converted to float32 and used as an index, because rounding keeps the order.
 */
interface Range {
  readonly low: number
  readonly high: number
  readonly carried: boolean
}

const range = (low: number, high: number, carried = false): Range => ({ low, high, carried })

const isExact = ({ low, high }: Range): boolean => low >= -limit && high <= limit

const full: Readonly<Record<Dtype, Range>> = {
  float32: range(0, 0),
  float64: range(0, 0),
  bool: range(0, 1),
  int32: range(-(2 ** 31), 2 ** 31 - 1),
  uint32: range(0, 2 ** 32 - 1),
}

const iotaRange = (operand: Operand & { readonly kind: 'iota' }, shape: readonly number[]): Range => {
  const ends = operand.strides.map((stride, axis) => stride * Math.max(0, (shape[axis] as number) - 1))
  return range(
    ends.reduce((sum, end) => sum + Math.min(0, end), operand.offset),
    ends.reduce((sum, end) => sum + Math.max(0, end), operand.offset),
  )
}

/** A range, or the reason why there is none. */
type Judged = Range | string

const hull = (a: Range, b: Range): Range =>
  range(Math.min(a.low, b.low), Math.max(a.high, b.high), holds(a) && holds(b))

const holds = (a: Range): boolean => a.carried || isExact(a)

const integerOp = (op: ScalarOp, x: Range, y: Range): Judged => {
  const exact = isExact(x) && isExact(y)
  const result = (low: number, high: number): Judged => {
    if (low < full[op.dtype].low) return `${op.op} of ${op.dtype} may wrap, which float32 cannot`
    return exact && low >= -limit && high <= limit
      ? range(low, high)
      : `${op.op} of ${op.dtype} may exceed 2^24, beyond which float32 is not exact`
  }
  switch (op.op) {
    case 'max':
      return range(Math.max(x.low, y.low), Math.max(x.high, y.high), holds(x) && holds(y))
    case 'min':
      return range(Math.min(x.low, y.low), Math.min(x.high, y.high), holds(x) && holds(y))
    case 'add':
      return result(x.low + y.low, x.high + y.high)
    case 'sub':
      return result(x.low - y.high, x.high - y.low)
    case 'mul': {
      const corners = [x.low * y.low, x.low * y.high, x.high * y.low, x.high * y.high]
      return result(Math.min(...corners), Math.max(...corners))
    }
    case 'neg':
      return result(-x.high, -x.low)
    case 'abs':
      return result(0, Math.max(Math.abs(x.low), Math.abs(x.high)))
    case 'sign':
      return range(-1, 1)
    default:
      return `${op.op} of ${op.dtype} needs integers, which gpu.js has not`
  }
}

const castRange = (from: Dtype, to: Dtype, x: Range): Judged => {
  if (isFloating(to) || to === 'bool') return full[to]
  if (isFloating(from)) return { ...full[to], carried: true }
  const target = full[to]
  return x.low >= target.low && x.high <= target.high
    ? x
    : `a cast from ${from} to ${to} may wrap, which float32 cannot`
}

const foldRange = ({ op }: Fold, value: Range, dtype: Dtype, count: number): Judged => {
  if (op === 'argmax' || op === 'argmin')
    return isFloating(dtype) || isExact(value)
      ? range(0, Math.max(0, count - 1))
      : `${op} of ${dtype} compares numbers that float32 rounds`
  if (op === 'max' || op === 'min') return value
  const bound = Math.max(-value.low, value.high)
  if (op === 'sum' && isExact(value) && bound * count <= limit)
    return range(Math.min(0, value.low) * count, Math.max(0, value.high) * count)
  return `${op} of ${dtype} may exceed 2^24, beyond which float32 is not exact`
}

/** What each operation that is needed may give, by its index; computed once. */
const judge = (rows: Rows, mode: Mode): ((index: number) => Judged) => {
  const { body, folds, operands, outer, inner } = rows
  const known = new Map<number, Judged>()
  const of = (index: number): Judged => {
    const before = known.get(index)
    if (before !== undefined) return before
    const judged = compute(body[index] as ScalarOp)
    known.set(index, judged)
    return judged
  }
  const compute = (op: ScalarOp): Judged => {
    const args = argsOf(op).map(of)
    const refused = args.find((arg) => typeof arg === 'string')
    if (refused !== undefined) return refused
    const [x = full.float32, y = x, z = x] = args as readonly Range[]
    const [first] = argsOf(op)
    const from = first === undefined ? op.dtype : (body[first] as ScalarOp).dtype
    const plain = isFloating(op.dtype) || op.dtype === 'bool'
    switch (op.op) {
      case 'read': {
        const operand = operands[op.index] as Operand
        return operand.kind === 'iota' ? iotaRange(operand, [...outer, ...inner]) : full[op.dtype]
      }
      case 'fold': {
        const fold = folds[op.index] as Fold
        const value = of(fold.value)
        const { dtype } = body[fold.value] as ScalarOp
        if (typeof value === 'string' || plain) return value
        return foldRange(fold, value, dtype, sizeOf(inner))
      }
      case 'constant':
        if (Number.isNaN(op.value) && !runsOnHost(mode)) return `mode ${mode} cannot write a NaN`
        return plain ? full[op.dtype] : range(op.value, op.value)
      case 'threefry':
        return 'random bits need 32-bit integers, which gpu.js has not'
      case 'bitcast':
        return from === op.dtype ? x : 'the bits of a number are a 32-bit integer, which gpu.js has not'
      case 'cast':
        return castRange(from, op.dtype, x)
      case 'select':
        return plain ? full[op.dtype] : hull(y, z)
      default:
        if (op.op === 'rem' && isFloating(from) && !remainderIsExact(mode))
          return `the remainder of ${from} is not exact in mode ${mode}`
        if (isComparison(op.op))
          return plain && (isFloating(from) || from === 'bool' || isExact(x) || isExact(y))
            ? full.bool
            : `${op.op} of ${from} compares two numbers that float32 rounds`
        return plain ? full[op.dtype] : integerOp(op, x, y)
    }
  }
  return of
}

/** Why gpu.js in this mode cannot run these rows as they are meant; `undefined` when it can. */
export const inexactness = (rows: Rows, mode: Mode): string | undefined => {
  const { body, folds, operands, outputs } = rows
  const large = operands.some(
    (operand) => operand.kind === 'buffer' && (operand.at ?? []).some(({ size }) => size > limit),
  )
  if (large) return 'an index beyond 2^24 is not exact in float32'
  const of = judge(rows, mode)
  for (const { value } of [...folds, ...outputs]) {
    const judged = of(value)
    if (typeof judged === 'string') return judged
  }
  const lost = outputs.find(({ value }) => {
    const judged = of(value)
    const { dtype } = body[value] as ScalarOp
    return !isFloating(dtype) && (typeof judged === 'string' || !holds(judged))
  })
  return lost === undefined
    ? undefined
    : `it writes ${(body[lost.value] as ScalarOp).dtype} numbers that may exceed 2^24, beyond which float32 is not exact`
}
