/** The check of a body: operations come before their use, and dtypes agree. */
import type { Dtype } from '../dtype.ts'
import { isFloating } from '../dtype.ts'
import type { BinaryOp, Body, ScalarOp, UnaryOp } from '../scalar.ts'
import { accepts, argsOf, binaryDtype, isWord, reachable, unaryDtype } from '../scalar.ts'
import type { Complain } from './complain.ts'
import { isCount } from './complain.ts'

/** What the operations of a body may refer to. */
export interface Scope {
  readonly operands: readonly (Dtype | undefined)[]
  readonly folds: readonly (Dtype | undefined)[]
}

const checkConstant = (value: number, dtype: Dtype): boolean => {
  if (isFloating(dtype)) return true
  if (dtype === 'bool') return value === 0 || value === 1
  return dtype === 'int32' ? value === (value | 0) : value === value >>> 0
}

const checkOp = (op: ScalarOp, index: number, body: Body, scope: Scope): string | undefined => {
  const args = argsOf(op)
  const late = args.find((arg) => !isCount(arg) || arg >= index)
  if (late !== undefined) return `names operation ${late}, which does not come before it`
  const of = args.map((arg) => (body[arg] as ScalarOp).dtype)
  const is = (expected: Dtype | undefined, what: string): string | undefined =>
    op.dtype === expected ? undefined : `must have the dtype of ${what}, ${expected}, got ${op.dtype}`
  switch (op.op) {
    case 'read':
      return op.index in scope.operands
        ? is(scope.operands[op.index], `operand ${op.index}`)
        : `reads operand ${op.index}, but there are ${scope.operands.length}`
    case 'fold':
      return op.index in scope.folds
        ? is(scope.folds[op.index], `fold ${op.index}`)
        : `names fold ${op.index}, but there are ${scope.folds.length}`
    case 'constant':
      return checkConstant(op.value, op.dtype) ? undefined : `holds ${op.value}, which ${op.dtype} has not`
    case 'cast':
      return undefined
    case 'bitcast':
      return [...of, op.dtype].every(isWord)
        ? undefined
        : `is of dtypes of 32 bits, got ${of.join(', ')} and ${op.dtype}`
    case 'select':
      if (of[0] !== 'bool') return `must choose by a bool, got ${of[0]}`
      return of[1] === of[2] ? is(of[1], 'its branches') : `chooses between ${of[1]} and ${of[2]}`
    case 'threefry':
      return of.every((dtype) => dtype === 'uint32') ? undefined : `takes uint32 words, got ${of.join(', ')}`
    default: {
      const [x, y = x] = of as [Dtype, Dtype?]
      if (x !== y) return `takes two values of one dtype, got ${x} and ${y}`
      if (!accepts(op.op, x)) return `is not defined on ${x}`
      return args.length === 1
        ? is(unaryDtype(op.op as UnaryOp, x), 'its result')
        : is(binaryDtype(op.op as BinaryOp, x), 'its result')
    }
  }
}

export const checkBody = (body: Body, scope: Scope, complain: Complain): void =>
  body.forEach((op, index) => {
    const problem = checkOp(op, index, body, scope)
    if (problem !== undefined) complain(`operation ${index} (${op.op}) ${problem}`)
  })

/** The operations that a value depends on, itself included, as far as they are there. */
export const behind = (body: Body, value: number): readonly ScalarOp[] => {
  const there = (indices: readonly number[]): number[] => indices.filter((index) => index in body)
  const found = reachable(body, there([value]), (op) => there(argsOf(op)))
  return [...found].map((index) => body[index] as ScalarOp)
}
