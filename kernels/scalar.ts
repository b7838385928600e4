/**
 * The scalar-expression language: what happens to one element.
 *
 * A body is a list of operations in static single assignment form: operation i may name only the results of
 * operations before it, so sharing is explicit and printing needs no parentheses. Every engine is a printer
 * of this language; a new elementwise primitive is a row in `scalarOps` and touches no engine that knows
 * the operations it is made of.
 */
import type { Dtype } from './dtype.ts'
import { isFloating } from './dtype.ts'

/**
 * Operations of one argument, from a dtype to the same dtype unless `predicate`.
 *
 * @example
 * ```ts
 * import { unaryOps } from 'pullback/kernels'
 * console.log(unaryOps.includes('tanh')) // => true
 * ```
 */
export const unaryOps = [
  'neg',
  'abs',
  'sign',
  'exp',
  'expm1',
  'log',
  'log1p',
  'sqrt',
  'rsqrt',
  'sin',
  'cos',
  'tanh',
  'sigmoid',
  'erf',
  'erfInv',
  'floor',
  'ceil',
  'round',
  'not',
  'isFinite',
  'isNaN',
] as const

/**
 * Operations of two arguments of one dtype. Comparisons give bool. Integers wrap; their `div` and `rem`
 * truncate toward zero, and by zero give 0. Shifts by 32 or more (a negative amount is one) leave no bit of
 * the number, only copies of its sign.
 *
 * @example
 * ```ts
 * import { binaryOps } from 'pullback/kernels'
 * console.log(binaryOps.slice(0, 4)) // => ['add', 'sub', 'mul', 'div']
 * ```
 */
export const binaryOps = [
  'add',
  'sub',
  'mul',
  'div',
  'rem',
  'pow',
  'max',
  'min',
  'atan2',
  'eq',
  'ne',
  'lt',
  'le',
  'gt',
  'ge',
  'and',
  'or',
  'xor',
  'shiftLeft',
  'shiftRight',
] as const

export type UnaryOp = (typeof unaryOps)[number]
export type BinaryOp = (typeof binaryOps)[number]

/** One operation; the numbers in `args` are indices of earlier operations of the same body. */
export type ScalarOp =
  /** The element that operand `index` of the launch has at this position. */
  | { readonly op: 'read'; readonly index: number; readonly dtype: Dtype }
  /** The result of fold `index` of a reduce launch, or (index 0) the accumulator of a matmul. */
  | { readonly op: 'fold'; readonly index: number; readonly dtype: Dtype }
  | { readonly op: 'constant'; readonly value: number; readonly dtype: Dtype }
  | { readonly op: UnaryOp; readonly args: readonly [number]; readonly dtype: Dtype }
  | { readonly op: BinaryOp; readonly args: readonly [number, number]; readonly dtype: Dtype }
  /** `args[0] ? args[1] : args[2]`; both branches may be evaluated. */
  | { readonly op: 'select'; readonly args: readonly [number, number, number]; readonly dtype: Dtype }
  /**
   * Conversion: from floating to int32/uint32 truncates and saturates, and NaN gives 0; between integers it
   * wraps; to bool it is `≠ 0`; to float32 it rounds to nearest even.
   */
  | { readonly op: 'cast'; readonly args: readonly [number]; readonly dtype: Dtype }
  /**
   * The same 32 bits as another dtype of 32 bits (float32, int32, uint32). What is told of a NaN is that it stays one:
   * engines may give it other bits; and those that take subnormal numbers for 0 do so here.
   */
  | { readonly op: 'bitcast'; readonly args: readonly [number]; readonly dtype: Dtype }
  /**
   * A word of Threefry-2x32 with 20 rounds: args are key0, key1, counter0, counter1 (all uint32).
   * `word` picks the first or second output word or their exclusive or.
   * Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (SC 2011).
   */
  | {
      readonly op: 'threefry'
      readonly word: 0 | 1 | 'xor'
      readonly args: readonly [number, number, number, number]
      readonly dtype: 'uint32'
    }

export type Body = readonly ScalarOp[]

export type Comparison = 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge'
const comparisons: ReadonlySet<string> = new Set<Comparison>(['eq', 'ne', 'lt', 'le', 'gt', 'ge'])
/** Whether an operation compares two values, and so gives a bool. */
export const isComparison = (op: string): op is Comparison => comparisons.has(op)

const predicates: ReadonlySet<string> = new Set(['isFinite', 'isNaN'])

/**
 * The result dtype of a unary operation on `dtype`.
 *
 * @example
 * ```ts
 * import { unaryDtype } from 'pullback/kernels'
 * console.log(unaryDtype('exp', 'float32'), unaryDtype('isNaN', 'float32')) // => float32 bool
 * ```
 */
export const unaryDtype = (op: UnaryOp, dtype: Dtype): Dtype => (predicates.has(op) ? 'bool' : dtype)

/**
 * The result dtype of a binary operation on two arguments of `dtype`.
 *
 * @example
 * ```ts
 * import { binaryDtype } from 'pullback/kernels'
 * console.log(binaryDtype('add', 'int32'), binaryDtype('lt', 'int32')) // => int32 bool
 * ```
 */
export const binaryDtype = (op: BinaryOp, dtype: Dtype): Dtype => (isComparison(op) ? 'bool' : dtype)

const floatingOnly: ReadonlySet<string> = new Set([
  'exp',
  'expm1',
  'log',
  'log1p',
  'sqrt',
  'rsqrt',
  'sin',
  'cos',
  'tanh',
  'sigmoid',
  'erf',
  'erfInv',
  'floor',
  'ceil',
  'round',
  'isFinite',
  'isNaN',
  'pow',
  'atan2',
])
const bitwise: ReadonlySet<string> = new Set(['and', 'or', 'xor'])
const integerOnly: ReadonlySet<string> = new Set(['shiftLeft', 'shiftRight'])

/**
 * Whether `op` is defined on arguments of `dtype`.
 *
 * @example
 * ```ts
 * import { accepts } from 'pullback/kernels'
 * console.log(accepts('exp', 'float32'), accepts('exp', 'int32')) // => true false
 * ```
 */
export const accepts = (op: UnaryOp | BinaryOp, dtype: Dtype): boolean => {
  if (floatingOnly.has(op)) return isFloating(dtype)
  if (bitwise.has(op) || op === 'not') return !isFloating(dtype)
  if (integerOnly.has(op)) return dtype === 'int32' || dtype === 'uint32'
  if (dtype === 'bool') return isComparison(op) || op === 'max' || op === 'min'
  return true
}

/**
 * Whether the dtype's numbers have 32 bits, which `bitcast` takes for those of another.
 *
 * @example
 * ```ts
 * import { isWord } from 'pullback/kernels'
 * console.log(isWord('float32'), isWord('bool')) // => true false
 * ```
 */
export const isWord = (dtype: Dtype): boolean =>
  dtype === 'float32' || dtype === 'int32' || dtype === 'uint32'

/**
 * The indices of earlier operations that `op` reads.
 *
 * @example
 * ```ts
 * import { argsOf } from 'pullback/kernels'
 * console.log(argsOf({ op: 'add', args: [0, 1], dtype: 'float32' })) // => [0, 1]
 * ```
 */
export const argsOf = (op: ScalarOp): readonly number[] => ('args' in op ? op.args : [])

/**
 * The indices of the operations that `roots` need, themselves included, in no order; what each needs directly is
 * `needs`, which may look less far than its arguments, or further.
 */
export const reachable = (
  body: Body,
  roots: readonly number[],
  needs: (op: ScalarOp, index: number) => readonly number[] = argsOf,
): Set<number> => {
  const seen = new Set<number>()
  const visit = (index: number): void => {
    if (seen.has(index)) return
    seen.add(index)
    needs(body[index] as ScalarOp, index).forEach(visit)
  }
  roots.forEach(visit)
  return seen
}

/**
 * `op` with its argument indices replaced by `rename`.
 *
 * @example
 * ```ts
 * import { renameArgs } from 'pullback/kernels'
 * console.log(renameArgs({ op: 'add', args: [0, 1], dtype: 'float32' }, (index) => index + 5))
 * // => { op: 'add', args: [5, 6], dtype: 'float32' }
 * ```
 */
export const renameArgs = (op: ScalarOp, rename: (index: number) => number): ScalarOp =>
  'args' in op ? ({ ...op, args: op.args.map(rename) } as unknown as ScalarOp) : op
