/** Elementwise functions. */
import type { Dtype } from '../../kernels/index.ts'
import { isFloating as isFloatingDtype } from '../../kernels/index.ts'
import { bind1 } from '../bind.ts'
import type { Primitive } from '../primitive.ts'
import * as p from '../primitives/elementwise.ts'
import type { Shape } from '../shape.ts'
import type { Tensor } from '../tensor.ts'
import type { Broadcasts, Compared, DtypeOf, Elementwise, Operand, ShapeOf } from '../type.ts'
import { asTensor, castTo, promote, promoted } from './basic.ts'

type NoParams = Readonly<Record<string, never>>
type Binary<N extends string> = <A extends Operand, B extends Operand>(
  a: A,
  b: B & Broadcasts<N, A, B>,
) => Elementwise<A, B>
type Comparison<N extends string> = <A extends Operand, B extends Operand>(
  a: A,
  b: B & Broadcasts<N, A, B>,
) => Compared<A, B>
type Unary = <S extends Shape, D extends Dtype>(x: Tensor<S, D>) => Tensor<S, D>
type Predicate = <S extends Shape, D extends Dtype>(x: Tensor<S, D>) => Tensor<S, 'bool'>

const binary =
  <N extends string>(primitive: Primitive<NoParams>): Binary<N> =>
  <A extends Operand, B extends Operand>(a: A, b: B) =>
    promoted(primitive, a, b) as Elementwise<A, B>

/** For functions that are defined on floating point alone: integers are converted to float32 first. */
const floating = (...operands: readonly Operand[]): readonly Tensor[] => {
  const tensors = promote(...operands)
  return tensors.map((x) => (isFloatingDtype(x.dtype) ? x : castTo(x, 'float32')))
}

const floatingBinary =
  <N extends string>(primitive: Primitive<NoParams>): Binary<N> =>
  <A extends Operand, B extends Operand>(a: A, b: B) =>
    bind1(primitive, floating(a, b), {}) as Elementwise<A, B>

const comparison =
  <N extends string>(primitive: Primitive<NoParams>): Comparison<N> =>
  <A extends Operand, B extends Operand>(a: A, b: B) =>
    promoted(primitive, a, b) as Compared<A, B>

const unary =
  (primitive: Primitive<NoParams>): Unary =>
  <S extends Shape, D extends Dtype>(x: Tensor<S, D>) =>
    bind1(primitive, [asTensor(x)], {}) as Tensor<S, D>

const predicate =
  (primitive: Primitive<NoParams>): Predicate =>
  <S extends Shape, D extends Dtype>(x: Tensor<S, D>) =>
    bind1(primitive, [x], {}) as Tensor<S, 'bool'>

const floatingUnary =
  (primitive: Primitive<NoParams>): Unary =>
  <S extends Shape, D extends Dtype>(x: Tensor<S, D>) =>
    bind1(primitive, floating(x), {}) as Tensor<S, D>

/** a + b */
export const add: Binary<'add'> = binary(p.add)
/** a - b */
export const sub: Binary<'sub'> = binary(p.sub)
/** a · b */
export const mul: Binary<'mul'> = binary(p.mul)
/** a / b; of integers, the float32 quotient. */
export const div: Binary<'div'> = floatingBinary(p.div)
/** a^b; 1^b = a^0 = 1. */
export const pow: Binary<'pow'> = floatingBinary(p.pow)
/** The remainder with the sign of `a`, as C's fmod. */
export const remainder: Binary<'remainder'> = binary(p.remainder)
/** The larger of two; NaN if either is. */
export const maximum: Binary<'maximum'> = binary(p.maximum)
/** The smaller of two; NaN if either is. */
export const minimum: Binary<'minimum'> = binary(p.minimum)
/** The angle of the point (b, a) in radians, in (-π, π]. */
export const atan2: Binary<'atan2'> = floatingBinary(p.atan2)

export const equal: Comparison<'equal'> = comparison(p.equal)
export const notEqual: Comparison<'notEqual'> = comparison(p.notEqual)
export const less: Comparison<'less'> = comparison(p.less)
export const lessEqual: Comparison<'lessEqual'> = comparison(p.lessEqual)
export const greater: Comparison<'greater'> = comparison(p.greater)
export const greaterEqual: Comparison<'greaterEqual'> = comparison(p.greaterEqual)

/** Bitwise and of integers, logical and of bools. */
export const bitwiseAnd: Binary<'bitwiseAnd'> = binary(p.bitwiseAnd)
/** Bitwise or of integers, logical or of bools. */
export const bitwiseOr: Binary<'bitwiseOr'> = binary(p.bitwiseOr)
/** Bitwise exclusive or of integers, logical of bools. */
export const bitwiseXor: Binary<'bitwiseXor'> = binary(p.bitwiseXor)
/** a · 2^b in the dtype's bits; 0 from 32 on. */
export const shiftLeft: Binary<'shiftLeft'> = binary(p.shiftLeft)
/** Shifts right: arithmetic for int32, logical for uint32. */
export const shiftRight: Binary<'shiftRight'> = binary(p.shiftRight)
/** The complement: of an integer's bits, or of a bool. */
export const bitwiseNot: Unary = unary(p.logicalNot)

/** The number or tensor as truth: other than 0. */
const truth = (x: Operand): Tensor => castTo(asTensor(x, 'int32'), 'bool')

/** Whether both are true; a number is true if it is not 0. */
export const logicalAnd: Comparison<'logicalAnd'> = <A extends Operand, B extends Operand>(a: A, b: B) =>
  bind1(p.bitwiseAnd, [truth(a), truth(b)], {}) as Compared<A, B>
/** Whether one or both are true; a number is true if it is not 0. */
export const logicalOr: Comparison<'logicalOr'> = <A extends Operand, B extends Operand>(a: A, b: B) =>
  bind1(p.bitwiseOr, [truth(a), truth(b)], {}) as Compared<A, B>
/** Whether one is true and not the other; a number is true if it is not 0. */
export const logicalXor: Comparison<'logicalXor'> = <A extends Operand, B extends Operand>(a: A, b: B) =>
  bind1(p.bitwiseXor, [truth(a), truth(b)], {}) as Compared<A, B>
/** Whether it is not true; a number is true if it is not 0. */
export const logicalNot: Predicate = <S extends Shape, D extends Dtype>(x: Tensor<S, D>) =>
  bind1(p.logicalNot, [truth(x)], {}) as Tensor<S, 'bool'>

export const neg: Unary = unary(p.neg)
export const abs: Unary = unary(p.abs)
/** -1, 0 or 1; no derivative. */
export const sign: Unary = unary(p.sign)
export const exp: Unary = floatingUnary(p.exp)
/** e^x - 1, accurate near 0. */
export const expm1: Unary = floatingUnary(p.expm1)
export const log: Unary = floatingUnary(p.log)
/** log(1 + x), accurate near 0. */
export const log1p: Unary = floatingUnary(p.log1p)
export const sqrt: Unary = floatingUnary(p.sqrt)
/** 1/√x */
export const rsqrt: Unary = floatingUnary(p.rsqrt)
export const sin: Unary = floatingUnary(p.sin)
export const cos: Unary = floatingUnary(p.cos)
export const tanh: Unary = floatingUnary(p.tanh)
/** 1 / (1 + e^-x) */
export const sigmoid: Unary = floatingUnary(p.sigmoid)
/** The error function. */
export const erf: Unary = floatingUnary(p.erf)
/** The inverse of `erf` on (-1, 1). */
export const erfInv: Unary = floatingUnary(p.erfInv)
/** No derivative. */
export const floor: Unary = floatingUnary(p.floor)
/** No derivative. */
export const ceil: Unary = floatingUnary(p.ceil)
/** To the nearest integer, half to even; no derivative. */
export const round: Unary = floatingUnary(p.round)
export const isFinite: Predicate = predicate(p.isFinite)
export const isNaN: Predicate = predicate(p.isNaN)

/** x² */
export const square: Unary = (x) => mul(x, x) as unknown as typeof x

/** Toward zero; no derivative. */
export const truncate: Unary = (x) => where(greaterEqual(x, 0), floor(x), ceil(x)) as unknown as typeof x

/** `condition ? a : b`, elementwise, broadcast. */
export const where = <A extends Operand, B extends Operand>(
  condition: Tensor<Shape, 'bool'>,
  a: A,
  b: B,
): Tensor<Shape, Elementwise<A, B>['dtype']> => {
  const [x, y] = promote(a, b) as [Tensor, Tensor]
  return bind1(p.select, [condition, x, y], {}) as Tensor<Shape, Elementwise<A, B>['dtype']>
}

/** x no smaller than `low` and no larger than `high`. */
export const clip = <T extends Tensor>(x: T, low: Operand, high: Operand): Tensor<ShapeOf<T>, DtypeOf<T>> =>
  minimum(maximum(x, low), high) as unknown as Tensor<ShapeOf<T>, DtypeOf<T>>

/** The same numbers in another dtype. */
export const cast = <S extends Shape, D extends Dtype>(x: Tensor<S>, dtype: D): Tensor<S, D> =>
  castTo(x, dtype) as Tensor<S, D>

/** x itself, as a constant: no derivative flows through it. */
export const stopGradient = <T extends Tensor>(x: T): T =>
  isFloatingDtype(x.dtype) ? (bind1(p.stopGradient, [x], {}) as T) : x

/** One word of Threefry-2x32 for each counter; see `random.ts`. */
export const threefry = (
  key0: Tensor,
  key1: Tensor,
  counter0: Tensor,
  counter1: Tensor,
  word: 0 | 1 | 'xor',
): Tensor => bind1(p.threefry, [key0, key1, counter0, counter1], { word })

/** max(x, 0), with the derivative 0 at 0. */
export const relu: Unary = (x) => where(lessEqual(x, 0), 0, x) as unknown as typeof x
