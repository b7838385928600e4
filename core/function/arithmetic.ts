/** Elementwise functions. */
import type { Dtype } from '../../kernels/index.ts'
import { isFloating as isFloatingDtype } from '../../kernels/index.ts'
import { bind1 } from '../bind.ts'
import type { Primitive } from '../primitive.ts'
import * as p from '../primitives/elementwise.ts'
import type { Shape } from '../shape.ts'
import type { Tensor } from '../tensor.ts'
import type {
  Broadcasts,
  ChosenShape,
  ClippedShape,
  DtypeOf,
  ElementDtype,
  ElementShape,
  Operand,
} from '../type.ts'
import { asTensor, castTo, promote, promoted } from './basic.ts'

type NoParams = Readonly<Record<string, never>>
type Binary<N extends string> = <A extends Operand, B extends Operand>(
  a: A,
  b: B & Broadcasts<N, A, B>,
) => Tensor<ElementShape<A, B>, ElementDtype<A, B>>
type Comparison<N extends string> = <A extends Operand, B extends Operand>(
  a: A,
  b: B & Broadcasts<N, A, B>,
) => Tensor<ElementShape<A, B>, 'bool'>
type Unary = <S extends Shape, D extends Dtype>(x: Tensor<S, D>) => Tensor<S, D>
type Predicate = <S extends Shape, D extends Dtype>(x: Tensor<S, D>) => Tensor<S, 'bool'>

const binary =
  <N extends string>(primitive: Primitive<NoParams>): Binary<N> =>
  <A extends Operand, B extends Operand>(a: A, b: B) =>
    promoted(primitive, a, b) as Tensor<ElementShape<A, B>, ElementDtype<A, B>>

/** For functions that are defined on floating point alone: integers are converted to float32 first. */
const floating = (...operands: readonly Operand[]): readonly Tensor[] => {
  const tensors = promote(...operands)
  return tensors.map((x) => (isFloatingDtype(x.dtype) ? x : castTo(x, 'float32')))
}

const floatingBinary =
  <N extends string>(primitive: Primitive<NoParams>): Binary<N> =>
  <A extends Operand, B extends Operand>(a: A, b: B) =>
    bind1(primitive, floating(a, b), {}) as Tensor<ElementShape<A, B>, ElementDtype<A, B>>

const comparison =
  <N extends string>(primitive: Primitive<NoParams>): Comparison<N> =>
  <A extends Operand, B extends Operand>(a: A, b: B) =>
    promoted(primitive, a, b) as Tensor<ElementShape<A, B>, 'bool'>

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

/**
 * a + b
 *
 * @example
 * ```ts
 * import { add, tensor } from 'pullback'
 * console.log(add(tensor([1, 2]), 3)) // => float32[2] [4, 5]
 * ```
 */
export const add: Binary<'add'> = binary(p.add)
/**
 * a - b
 *
 * @example
 * ```ts
 * import { sub, tensor } from 'pullback'
 * console.log(sub(tensor([[1, 2], [3, 4]]), tensor([1, 1]))) // => float32[2, 2] [[0, 1], [2, 3]]
 * ```
 */
export const sub: Binary<'sub'> = binary(p.sub)
/**
 * a · b
 *
 * @example
 * ```ts
 * import { mul, tensor } from 'pullback'
 * console.log(mul(tensor([1, 2, 3]), tensor([[1], [10]]))) // => float32[2, 3] [[1, 2, 3], [10, 20, 30]]
 * ```
 */
export const mul: Binary<'mul'> = binary(p.mul)
/**
 * a / b; of integers, the float32 quotient.
 *
 * @example
 * ```ts
 * import { div, tensor } from 'pullback'
 * console.log(div(tensor([1, 2, -1]), tensor([2, 0, 0]))) // => float32[3] [0.5, Infinity, -Infinity]
 * ```
 */
export const div: Binary<'div'> = floatingBinary(p.div)
/**
 * a^b; 1^b = a^0 = 1.
 *
 * @example
 * ```ts
 * import { pow, tensor } from 'pullback'
 * console.log(pow(tensor([2, 3]), 2)) // => float32[2] [4, 9]
 * ```
 */
export const pow: Binary<'pow'> = floatingBinary(p.pow)
/**
 * The remainder with the sign of `a`, as C's fmod.
 *
 * @example
 * ```ts
 * import { remainder, tensor } from 'pullback'
 * console.log(remainder(tensor([5, -5]), 3)) // => float32[2] [2, -2]
 * ```
 */
export const remainder: Binary<'remainder'> = binary(p.remainder)
/**
 * The larger of two; NaN if either is.
 *
 * @example
 * ```ts
 * import { maximum, tensor } from 'pullback'
 * console.log(maximum(tensor([1, -2, NaN]), 0)) // => float32[3] [1, 0, NaN]
 * ```
 */
export const maximum: Binary<'maximum'> = binary(p.maximum)
/**
 * The smaller of two; NaN if either is.
 *
 * @example
 * ```ts
 * import { minimum, tensor } from 'pullback'
 * console.log(minimum(tensor([1, -2, NaN]), 0)) // => float32[3] [0, -2, NaN]
 * ```
 */
export const minimum: Binary<'minimum'> = binary(p.minimum)
/**
 * The angle of the point (b, a) in radians, in (-π, π].
 *
 * @example
 * ```ts
 * import { atan2, tensor } from 'pullback'
 * console.log(atan2(tensor([1, 0, -1]), tensor([0, -1, 0]))) // => float32[3] [1.5708, 3.14159, -1.5708]
 * ```
 */
export const atan2: Binary<'atan2'> = floatingBinary(p.atan2)

/**
 * Whether a = b; NaN equals nothing.
 *
 * @example
 * ```ts
 * import { equal, tensor } from 'pullback'
 * console.log(equal(tensor([1, 2, NaN]), tensor([1, 3, NaN]))) // => bool[3] [true, false, false]
 * ```
 */
export const equal: Comparison<'equal'> = comparison(p.equal)
/**
 * Whether a ≠ b; true where either is NaN.
 *
 * @example
 * ```ts
 * import { notEqual, tensor } from 'pullback'
 * console.log(notEqual(tensor([1, 2]), 2)) // => bool[2] [true, false]
 * ```
 */
export const notEqual: Comparison<'notEqual'> = comparison(p.notEqual)
/**
 * Whether a < b; false where either is NaN.
 *
 * @example
 * ```ts
 * import { less, tensor } from 'pullback'
 * console.log(less(tensor([1, 2, 3]), 2)) // => bool[3] [true, false, false]
 * ```
 */
export const less: Comparison<'less'> = comparison(p.less)
/**
 * Whether a ≤ b; false where either is NaN.
 *
 * @example
 * ```ts
 * import { lessEqual, tensor } from 'pullback'
 * console.log(lessEqual(tensor([1, 2, 3]), 2)) // => bool[3] [true, true, false]
 * ```
 */
export const lessEqual: Comparison<'lessEqual'> = comparison(p.lessEqual)
/**
 * Whether a > b; false where either is NaN.
 *
 * @example
 * ```ts
 * import { greater, tensor } from 'pullback'
 * console.log(greater(tensor([1, 2, 3]), 2)) // => bool[3] [false, false, true]
 * ```
 */
export const greater: Comparison<'greater'> = comparison(p.greater)
/**
 * Whether a ≥ b; false where either is NaN.
 *
 * @example
 * ```ts
 * import { greaterEqual, tensor } from 'pullback'
 * console.log(greaterEqual(tensor([1, 2, 3]), 2)) // => bool[3] [false, true, true]
 * ```
 */
export const greaterEqual: Comparison<'greaterEqual'> = comparison(p.greaterEqual)

/**
 * Bitwise and of integers, logical and of bools.
 *
 * @example
 * ```ts
 * import { bitwiseAnd, tensor } from 'pullback'
 * console.log(bitwiseAnd(tensor([12, 10], { dtype: 'int32' }), 6)) // => int32[2] [4, 2]
 * ```
 */
export const bitwiseAnd: Binary<'bitwiseAnd'> = binary(p.bitwiseAnd)
/**
 * Bitwise or of integers, logical or of bools.
 *
 * @example
 * ```ts
 * import { bitwiseOr, tensor } from 'pullback'
 * console.log(bitwiseOr(tensor([12, 10], { dtype: 'int32' }), 6)) // => int32[2] [14, 14]
 * ```
 */
export const bitwiseOr: Binary<'bitwiseOr'> = binary(p.bitwiseOr)
/**
 * Bitwise exclusive or of integers, logical of bools.
 *
 * @example
 * ```ts
 * import { bitwiseXor, tensor } from 'pullback'
 * console.log(bitwiseXor(tensor([12, 10], { dtype: 'int32' }), 6)) // => int32[2] [10, 12]
 * ```
 */
export const bitwiseXor: Binary<'bitwiseXor'> = binary(p.bitwiseXor)
/**
 * a · 2^b in the dtype's bits; 0 from 32 on.
 *
 * @example
 * ```ts
 * import { shiftLeft, tensor } from 'pullback'
 * console.log(shiftLeft(tensor([1, 3], { dtype: 'int32' }), 2)) // => int32[2] [4, 12]
 * ```
 */
export const shiftLeft: Binary<'shiftLeft'> = binary(p.shiftLeft)
/**
 * Shifts right: arithmetic for int32, logical for uint32.
 *
 * @example
 * ```ts
 * import { shiftRight, tensor } from 'pullback'
 * console.log(shiftRight(tensor([-8, 8], { dtype: 'int32' }), 1)) // => int32[2] [-4, 4]
 * ```
 */
export const shiftRight: Binary<'shiftRight'> = binary(p.shiftRight)
/**
 * The complement: of an integer's bits, or of a bool.
 *
 * @example
 * ```ts
 * import { bitwiseNot, tensor } from 'pullback'
 * console.log(bitwiseNot(tensor([0, 5], { dtype: 'int32' }))) // => int32[2] [-1, -6]
 * ```
 */
export const bitwiseNot: Unary = unary(p.logicalNot)

/** The number or tensor as truth: other than 0. */
const truth = (x: Operand): Tensor => castTo(asTensor(x, 'int32'), 'bool')

/**
 * Whether both are true; a number is true if it is not 0.
 *
 * @example
 * ```ts
 * import { logicalAnd, tensor } from 'pullback'
 * console.log(logicalAnd(tensor([true, true]), tensor([true, false]))) // => bool[2] [true, false]
 * ```
 */
export const logicalAnd: Comparison<'logicalAnd'> = <A extends Operand, B extends Operand>(a: A, b: B) =>
  bind1(p.bitwiseAnd, [truth(a), truth(b)], {}) as Tensor<ElementShape<A, B>, 'bool'>
/**
 * Whether one or both are true; a number is true if it is not 0.
 *
 * @example
 * ```ts
 * import { logicalOr, tensor } from 'pullback'
 * console.log(logicalOr(tensor([true, false]), tensor([false, false]))) // => bool[2] [true, false]
 * ```
 */
export const logicalOr: Comparison<'logicalOr'> = <A extends Operand, B extends Operand>(a: A, b: B) =>
  bind1(p.bitwiseOr, [truth(a), truth(b)], {}) as Tensor<ElementShape<A, B>, 'bool'>
/**
 * Whether one is true and not the other; a number is true if it is not 0.
 *
 * @example
 * ```ts
 * import { logicalXor, tensor } from 'pullback'
 * console.log(logicalXor(tensor([true, true]), tensor([true, false]))) // => bool[2] [false, true]
 * ```
 */
export const logicalXor: Comparison<'logicalXor'> = <A extends Operand, B extends Operand>(a: A, b: B) =>
  bind1(p.bitwiseXor, [truth(a), truth(b)], {}) as Tensor<ElementShape<A, B>, 'bool'>
/**
 * Whether it is not true; a number is true if it is not 0.
 *
 * @example
 * ```ts
 * import { logicalNot, tensor } from 'pullback'
 * console.log(logicalNot(tensor([0, 2]))) // => bool[2] [true, false]
 * ```
 */
export const logicalNot: Predicate = <S extends Shape, D extends Dtype>(x: Tensor<S, D>) =>
  bind1(p.logicalNot, [truth(x)], {}) as Tensor<S, 'bool'>

/**
 * -x
 *
 * @example
 * ```ts
 * import { neg, tensor } from 'pullback'
 * console.log(neg(tensor([1, -2]))) // => float32[2] [-1, 2]
 * ```
 */
export const neg: Unary = unary(p.neg)
/**
 * |x|, with the derivative 0 at 0.
 *
 * @example
 * ```ts
 * import { abs, tensor } from 'pullback'
 * console.log(abs(tensor([1, -2]))) // => float32[2] [1, 2]
 * ```
 */
export const abs: Unary = unary(p.abs)
/**
 * -1, 0 or 1; no derivative.
 *
 * @example
 * ```ts
 * import { sign, tensor } from 'pullback'
 * console.log(sign(tensor([3, 0, -2]))) // => float32[3] [1, 0, -1]
 * ```
 */
export const sign: Unary = unary(p.sign)
/**
 * e^x
 *
 * @example
 * ```ts
 * import { exp, tensor } from 'pullback'
 * console.log(exp(tensor([0, 1, -Infinity]))) // => float32[3] [1, 2.71828, 0]
 * ```
 */
export const exp: Unary = floatingUnary(p.exp)
/**
 * e^x - 1, accurate near 0.
 *
 * @example
 * ```ts
 * import { expm1, tensor } from 'pullback'
 * console.log(expm1(tensor([0, 1e-10]))) // => float32[2] [0, 1e-10]
 * ```
 */
export const expm1: Unary = floatingUnary(p.expm1)
/**
 * The natural logarithm; -∞ at 0 and NaN below.
 *
 * @example
 * ```ts
 * import { log, tensor } from 'pullback'
 * console.log(log(tensor([1, 0, -1]))) // => float32[3] [0, -Infinity, NaN]
 * ```
 */
export const log: Unary = floatingUnary(p.log)
/**
 * log(1 + x), accurate near 0.
 *
 * @example
 * ```ts
 * import { log1p, tensor } from 'pullback'
 * console.log(log1p(tensor([0, 1e-10]))) // => float32[2] [0, 1e-10]
 * ```
 */
export const log1p: Unary = floatingUnary(p.log1p)
/**
 * √x; NaN below 0.
 *
 * @example
 * ```ts
 * import { sqrt, tensor } from 'pullback'
 * console.log(sqrt(tensor([4, 2, -1]))) // => float32[3] [2, 1.41421, NaN]
 * ```
 */
export const sqrt: Unary = floatingUnary(p.sqrt)
/**
 * 1/√x
 *
 * @example
 * ```ts
 * import { rsqrt, tensor } from 'pullback'
 * console.log(rsqrt(tensor([4, 0]))) // => float32[2] [0.5, Infinity]
 * ```
 */
export const rsqrt: Unary = floatingUnary(p.rsqrt)
/**
 * The sine of an angle in radians.
 *
 * @example
 * ```ts
 * import { sin, tensor } from 'pullback'
 * console.log(sin(tensor([0, Math.PI / 2]))) // => float32[2] [0, 1]
 * ```
 */
export const sin: Unary = floatingUnary(p.sin)
/**
 * The cosine of an angle in radians.
 *
 * @example
 * ```ts
 * import { cos, tensor } from 'pullback'
 * console.log(cos(tensor([0, Math.PI]))) // => float32[2] [1, -1]
 * ```
 */
export const cos: Unary = floatingUnary(p.cos)
/**
 * The hyperbolic tangent.
 *
 * @example
 * ```ts
 * import { tanh, tensor } from 'pullback'
 * console.log(tanh(tensor([0, 1, 100]))) // => float32[3] [0, 0.761594, 1]
 * ```
 */
export const tanh: Unary = floatingUnary(p.tanh)
/**
 * 1 / (1 + e^-x)
 *
 * @example
 * ```ts
 * import { sigmoid, tensor } from 'pullback'
 * console.log(sigmoid(tensor([0, 1, -10]))) // => float32[3] [0.5, 0.731059, 0.0000453979]
 * ```
 */
export const sigmoid: Unary = floatingUnary(p.sigmoid)
/**
 * The error function.
 *
 * @example
 * ```ts
 * import { erf, tensor } from 'pullback'
 * console.log(erf(tensor([0, 0.5]))) // => float32[2] [0, 0.5205]
 * ```
 */
export const erf: Unary = floatingUnary(p.erf)
/**
 * The inverse of `erf` on (-1, 1).
 *
 * @example
 * ```ts
 * import { erfInv, tensor } from 'pullback'
 * console.log(erfInv(tensor([0, 0.5]))) // => float32[2] [0, 0.476936]
 * ```
 */
export const erfInv: Unary = floatingUnary(p.erfInv)
/**
 * No derivative.
 *
 * @example
 * ```ts
 * import { floor, tensor } from 'pullback'
 * console.log(floor(tensor([1.5, -1.5]))) // => float32[2] [1, -2]
 * ```
 */
export const floor: Unary = floatingUnary(p.floor)
/**
 * No derivative.
 *
 * @example
 * ```ts
 * import { ceil, tensor } from 'pullback'
 * console.log(ceil(tensor([1.5, -1.5]))) // => float32[2] [2, -1]
 * ```
 */
export const ceil: Unary = floatingUnary(p.ceil)
/**
 * To the nearest integer, half to even; no derivative.
 *
 * @example
 * ```ts
 * import { round, tensor } from 'pullback'
 * console.log(round(tensor([0.5, 1.5, 2.4]))) // => float32[3] [0, 2, 2]
 * ```
 */
export const round: Unary = floatingUnary(p.round)
/**
 * Whether a number is neither infinite nor NaN.
 *
 * @example
 * ```ts
 * import { isFinite, tensor } from 'pullback'
 * console.log(isFinite(tensor([1, Infinity, NaN]))) // => bool[3] [true, false, false]
 * ```
 */
export const isFinite: Predicate = predicate(p.isFinite)
/**
 * Whether it is NaN.
 *
 * @example
 * ```ts
 * import { isNaN, tensor } from 'pullback'
 * console.log(isNaN(tensor([1, Infinity, NaN]))) // => bool[3] [false, false, true]
 * ```
 */
export const isNaN: Predicate = predicate(p.isNaN)

/**
 * x²
 *
 * @example
 * ```ts
 * import { square, tensor } from 'pullback'
 * console.log(square(tensor([3, -2]))) // => float32[2] [9, 4]
 * ```
 */
export const square: Unary = (x) => mul(x, x) as unknown as typeof x

/**
 * Toward zero; no derivative.
 *
 * @example
 * ```ts
 * import { tensor, truncate } from 'pullback'
 * console.log(truncate(tensor([1.5, -1.5]))) // => float32[2] [1, -1]
 * ```
 */
export const truncate: Unary = (x) => where(greaterEqual(x, 0), floor(x), ceil(x)) as unknown as typeof x

/**
 * `condition ? a : b`, elementwise, broadcast.
 *
 * @example
 * ```ts
 * import { tensor, where } from 'pullback'
 * console.log(where(tensor([true, false]), tensor([1, 2]), 0)) // => float32[2] [1, 0]
 * ```
 */
export const where = <C extends Tensor<Shape, 'bool'>, A extends Operand, B extends Operand>(
  condition: C,
  a: A & Broadcasts<'where', C, A>,
  b: B & Broadcasts<'where', C, B> & Broadcasts<'where', A, B>,
): Tensor<ChosenShape<C, A, B>, ElementDtype<A, B>> => {
  const [x, y] = promote(a, b) as [Tensor, Tensor]
  return bind1(p.select, [condition, x, y], {}) as Tensor<ChosenShape<C, A, B>, ElementDtype<A, B>>
}

/**
 * x no smaller than `low` and no larger than `high`.
 *
 * @example
 * ```ts
 * import { clip, tensor } from 'pullback'
 * console.log(clip(tensor([-2, 0.5, 3]), -1, 1)) // => float32[3] [-1, 0.5, 1]
 * ```
 */
export const clip = <T extends Tensor, A extends Operand, B extends Operand>(
  x: T,
  low: A & Broadcasts<'clip', T, A>,
  high: B & Broadcasts<'clip', T, B>,
): Tensor<ClippedShape<T, A, B>, DtypeOf<T>> =>
  minimum<Tensor, Operand>(maximum<Tensor, Operand>(x, low), high) as never

/**
 * The same numbers in another dtype.
 *
 * @example
 * ```ts
 * import { cast, tensor } from 'pullback'
 * console.log(cast(tensor([1.7, -1.7]), 'int32')) // => int32[2] [1, -1]
 * ```
 */
export const cast = <S extends Shape, D extends Dtype>(x: Tensor<S>, dtype: D): Tensor<S, D> =>
  castTo(x, dtype) as Tensor<S, D>

/**
 * x itself, as a constant: no derivative flows through it.
 *
 * @example
 * ```ts
 * import { grad, mul, stopGradient, sum, tensor } from 'pullback'
 * import type { Tensor } from 'pullback'
 * const f = (x: Tensor) => sum(mul(x, stopGradient(x)))
 * console.log(grad(f)(tensor([3]))) // => float32[1] [3]
 * ```
 */
export const stopGradient = <T extends Tensor>(x: T): T =>
  isFloatingDtype(x.dtype) ? (bind1(p.stopGradient, [x], {}) as T) : x

/**
 * One word of Threefry-2x32 for each counter; see `random.ts`.
 *
 * @example
 * ```ts
 * import { tensor, threefry } from 'pullback'
 * import type { Shape, Tensor } from 'pullback'
 * const u = (x: number): Tensor<Shape, 'uint32'> => tensor([x], { dtype: 'uint32' })
 * console.log(threefry(u(0), u(0), u(0), u(0), 0)) // => uint32[1] [1797259609]
 * ```
 */
export const threefry = (
  key0: Tensor,
  key1: Tensor,
  counter0: Tensor,
  counter1: Tensor,
  word: 0 | 1 | 'xor',
): Tensor => bind1(p.threefry, [key0, key1, counter0, counter1], { word })

/**
 * max(x, 0), with the derivative 0 at 0.
 *
 * @example
 * ```ts
 * import { relu, tensor } from 'pullback'
 * console.log(relu(tensor([-1, 0, 2]))) // => float32[3] [0, 0, 2]
 * ```
 */
export const relu: Unary = (x) => where(lessEqual(x, 0), 0, x) as unknown as typeof x
