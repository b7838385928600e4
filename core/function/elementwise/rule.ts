/** How elementwise functions are made of primitives: operands are promoted, and the result has their broadcast shape. */
import { isFloating } from '../../../kernels/index.ts'
import type { Dtype } from '../../../kernels/index.ts'
import { bind1 } from '../../bind.ts'
import type { Primitive } from '../../primitive.ts'
import type { Shape } from '../../shape.ts'
import type { Tensor } from '../../tensor.ts'
import type { Broadcasts, ElementDtype, ElementShape, Operand } from '../../type.ts'
import { asTensor, castTo, promote, promoted } from '../basic.ts'

type NoParams = Readonly<Record<string, never>>

export type Binary<N extends string> = <A extends Operand, B extends Operand>(
  a: A,
  b: B & Broadcasts<N, A, B>,
) => Tensor<ElementShape<A, B>, ElementDtype<A, B>>

export type Comparison<N extends string> = <A extends Operand, B extends Operand>(
  a: A,
  b: B & Broadcasts<N, A, B>,
) => Tensor<ElementShape<A, B>, 'bool'>

export type Unary = <S extends Shape, D extends Dtype>(x: Tensor<S, D>) => Tensor<S, D>

export type Predicate = <S extends Shape, D extends Dtype>(x: Tensor<S, D>) => Tensor<S, 'bool'>

export const binary =
  <N extends string>(primitive: Primitive<NoParams>): Binary<N> =>
  <A extends Operand, B extends Operand>(a: A, b: B) =>
    promoted(primitive, a, b) as Tensor<ElementShape<A, B>, ElementDtype<A, B>>

/** For functions that are defined on floating point alone: integers are converted to float32 first. */
const floating = (...operands: readonly Operand[]): readonly Tensor[] => {
  const tensors = promote(...operands)
  return tensors.map((x) => (isFloating(x.dtype) ? x : castTo(x, 'float32')))
}

export const floatingBinary =
  <N extends string>(primitive: Primitive<NoParams>): Binary<N> =>
  <A extends Operand, B extends Operand>(a: A, b: B) =>
    bind1(primitive, floating(a, b), {}) as Tensor<ElementShape<A, B>, ElementDtype<A, B>>

export const comparison =
  <N extends string>(primitive: Primitive<NoParams>): Comparison<N> =>
  <A extends Operand, B extends Operand>(a: A, b: B) =>
    promoted(primitive, a, b) as Tensor<ElementShape<A, B>, 'bool'>

export const unary =
  (primitive: Primitive<NoParams>): Unary =>
  <S extends Shape, D extends Dtype>(x: Tensor<S, D>) =>
    bind1(primitive, [asTensor(x)], {}) as Tensor<S, D>

export const predicate =
  (primitive: Primitive<NoParams>): Predicate =>
  <S extends Shape, D extends Dtype>(x: Tensor<S, D>) =>
    bind1(primitive, [x], {}) as Tensor<S, 'bool'>

export const floatingUnary =
  (primitive: Primitive<NoParams>): Unary =>
  <S extends Shape, D extends Dtype>(x: Tensor<S, D>) =>
    bind1(primitive, floating(x), {}) as Tensor<S, D>
