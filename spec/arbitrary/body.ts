/** Random bodies of the scalar language, with what is known of each of their values. */
import type { BinaryOp, Body, Dtype, FoldOp, ScalarOp, UnaryOp } from '../../kernels/index.ts'
import { accepts, binaryDtype, isFloating } from '../../kernels/index.ts'
import type { Fact } from './fact.ts'
import { arithmetic, converted, folded, integer, smooth, truth, union, wrapped } from './fact.ts'
import type { Tape } from './tape.ts'

export interface Value extends Fact {
  /** The same at every position of a row: it may be written once per row. */
  readonly rowwise: boolean
}

/** A body under construction. */
export interface Draft {
  readonly ops: ScalarOp[]
  readonly values: Value[]
}

/** Larger values, or less certain ones, are not computed with any further. */
const usable = ({ dtype, bound, error }: Fact): boolean =>
  !isFloating(dtype) || (bound < 1e6 && error <= 1e-3 * Math.max(bound, 1))

const push = (draft: Draft, op: ScalarOp, fact: Fact, rowwise: boolean): number => {
  draft.ops.push(op)
  draft.values.push({ ...fact, rowwise })
  return draft.ops.length - 1
}

export const pushRead = (draft: Draft, index: number, fact: Fact, rowwise: boolean): number =>
  push(draft, { op: 'read', index, dtype: fact.dtype }, fact, rowwise)

export const pushFold = (draft: Draft, index: number, fact: Fact): number =>
  push(draft, { op: 'fold', index, dtype: fact.dtype }, fact, true)

export const pushConstant = (draft: Draft, dtype: Dtype, value: number): number =>
  push(
    draft,
    { op: 'constant', value, dtype },
    { dtype, bound: Math.abs(value), error: 0, whole: Number.isInteger(value) },
    true,
  )

const unary = (draft: Draft, op: UnaryOp, x: number, fact: Fact): number =>
  push(draft, { op, args: [x], dtype: fact.dtype }, fact, valueOf(draft, x).rowwise)

const binary = (draft: Draft, op: BinaryOp, x: number, y: number): number => {
  const [a, b] = [valueOf(draft, x), valueOf(draft, y)]
  const dtype = binaryDtype(op, a.dtype)
  const fact = dtype === 'bool' ? truth : arithmetic(op, a, b)
  return push(draft, { op, args: [x, y], dtype }, fact, a.rowwise && b.rowwise)
}

const cast = (draft: Draft, x: number, dtype: Dtype): number => {
  const a = valueOf(draft, x)
  return push(draft, { op: 'cast', args: [x], dtype }, converted(a, dtype), a.rowwise)
}

export const valueOf = (draft: Draft, index: number): Value => draft.values[index] as Value

/** The index of some value that satisfies `test`. */
export const choose = (draft: Draft, tape: Tape, test: (value: Value) => boolean): number | undefined => {
  const found = draft.values.flatMap((value, index) => (test(value) ? [index] : []))
  // The newest first, so that the simplest choice continues the computation.
  return found.length === 0 ? undefined : tape.of(found.reverse())
}

const oneAndMore = (draft: Draft, x: number): number => {
  const { dtype } = valueOf(draft, x)
  const magnitude = unary(draft, 'abs', x, valueOf(draft, x))
  return binary(draft, 'add', magnitude, pushConstant(draft, dtype, 1))
}

const smoothOps: readonly UnaryOp[] = ['tanh', 'sigmoid', 'sin', 'cos', 'erf']
const growing: readonly UnaryOp[] = ['exp', 'expm1']
const guarded: readonly UnaryOp[] = ['log', 'log1p', 'sqrt', 'rsqrt']
const steps: readonly UnaryOp[] = ['floor', 'ceil', 'round', 'sign']
const compare: readonly BinaryOp[] = ['eq', 'ne', 'lt', 'le', 'gt', 'ge']

const growFloat = (draft: Draft, tape: Tape, x: number, dtypes: readonly Dtype[]): number => {
  const a = valueOf(draft, x)
  const same = (test: (v: Value) => boolean = usable): number =>
    choose(draft, tape, (v) => v.dtype === a.dtype && test(v)) ?? x
  const exact = a.error === 0
  const kind = tape.pick(exact ? 14 : 10)
  if (kind < 5) return binary(draft, (['add', 'mul', 'sub', 'max', 'min'] as const)[kind] ?? 'add', x, same())
  switch (kind) {
    case 5:
      return unary(draft, 'neg', x, a)
    case 6: {
      const op = tape.of(smoothOps)
      return unary(draft, op, x, smooth(a, 1.2, op === 'sin' || op === 'cos' ? 4 : 1))
    }
    case 7: {
      if (a.bound > 6) return unary(draft, 'tanh', x, smooth(a, 1, 1))
      const bound = Math.exp(a.bound)
      return unary(draft, tape.of(growing), x, smooth(a, bound, bound))
    }
    case 8: {
      const y = oneAndMore(draft, x)
      const b = valueOf(draft, y)
      return unary(draft, tape.of(guarded), y, smooth(b, 1, Math.max(1, Math.sqrt(b.bound))))
    }
    case 9: {
      const divisor = oneAndMore(draft, same())
      const b = valueOf(draft, divisor)
      const fact = smooth({ ...a, error: a.error + a.bound * b.error }, 1, a.bound)
      const rowwise = a.rowwise && b.rowwise
      return push(draft, { op: 'div', args: [x, divisor], dtype: a.dtype }, fact, rowwise)
    }
    case 10:
      return binary(
        draft,
        tape.of(compare),
        x,
        same(({ error }) => error === 0),
      )
    case 11:
      return unary(draft, tape.of(steps), x, { ...a, whole: true, bound: a.bound + 1 })
    case 12:
      return cast(draft, x, tape.of(dtypes))
    default:
      return unary(draft, tape.of(['isFinite', 'isNaN'] as const), x, truth)
  }
}

const integerOps: readonly BinaryOp[] = [
  'add',
  'mul',
  'sub',
  'max',
  'min',
  'div',
  'rem',
  'and',
  'or',
  'xor',
  'shiftLeft',
  'shiftRight',
  ...compare,
]
const integerUnary: readonly UnaryOp[] = ['neg', 'not', 'abs', 'sign']

const growInteger = (draft: Draft, tape: Tape, x: number, dtypes: readonly Dtype[]): number => {
  const a = valueOf(draft, x)
  const { dtype } = a
  const same = (): number => choose(draft, tape, (v) => v.dtype === dtype) ?? x
  switch (tape.pick(8)) {
    case 0:
      return cast(draft, x, tape.of(dtypes))
    case 1: {
      const op = tape.of(integerUnary.filter((name) => accepts(name, dtype)))
      const fact = op === 'sign' ? integer(dtype, 1) : dtype === 'int32' && op === 'abs' ? a : wrapped(dtype)
      return unary(draft, op, x, fact)
    }
    case 2:
      if (dtype === 'uint32') {
        const args = [x, same(), same(), same()] as const
        const rowwise = args.every((index) => valueOf(draft, index).rowwise)
        const word = tape.of([0, 1, 'xor'] as const)
        return push(draft, { op: 'threefry', word, args, dtype }, wrapped(dtype), rowwise)
      }
      return cast(draft, x, tape.of(dtypes))
    default:
      return binary(draft, tape.of(integerOps.filter((name) => accepts(name, dtype))), x, same())
  }
}

/** Adds one operation (or a few that belong together) to the draft. */
export const grow = (draft: Draft, tape: Tape, dtypes: readonly Dtype[]): void => {
  if (tape.chance(8)) {
    const dtype = tape.of(dtypes)
    const value = isFloating(dtype) ? tape.of([0, 1, -2, 3]) : tape.of([0, 1])
    pushConstant(draft, dtype, value)
    return
  }
  if (tape.chance(5)) {
    const condition = choose(draft, tape, ({ dtype }) => dtype === 'bool')
    const x = choose(draft, tape, () => true)
    if (condition !== undefined && x !== undefined) {
      const y = choose(draft, tape, ({ dtype }) => dtype === valueOf(draft, x).dtype) ?? x
      const [c, a, b] = [condition, x, y].map((index) => valueOf(draft, index)) as [Value, Value, Value]
      const op: ScalarOp = { op: 'select', args: [condition, x, y], dtype: a.dtype }
      push(draft, op, union(a, b), c.rowwise && a.rowwise && b.rowwise)
      return
    }
  }
  const x = choose(draft, tape, usable)
  if (x === undefined) return
  if (isFloating(valueOf(draft, x).dtype)) growFloat(draft, tape, x, dtypes)
  else growInteger(draft, tape, x, dtypes)
}

const foldOps: readonly FoldOp[] = ['sum', 'max', 'min', 'prod', 'argmax', 'argmin']

/** A fold over `count` elements that keeps its result usable. */
export const chooseFold = (
  draft: Draft,
  tape: Tape,
  count: number,
): { readonly op: FoldOp; readonly value: number; readonly fact: Fact } | undefined => {
  const value = choose(draft, tape, usable)
  if (value === undefined) return undefined
  const fact = valueOf(draft, value)
  const allowed = foldOps.filter((op) => {
    if (op === 'argmax' || op === 'argmin') return fact.error === 0
    if (op === 'max' || op === 'min') return true
    return accepts('add', fact.dtype) && usable(folded(op, fact, count))
  })
  const op = tape.of(allowed)
  return { op, value, fact: folded(op, fact, count) }
}

export const draft = (): Draft => ({ ops: [], values: [] })

export const bodyOf = ({ ops }: Draft): Body => [...ops]
