/** What elementwise operations make of shapes and dtypes. */
import type { Dtype } from '../../kernels/index.ts'
import type { Shape } from '../shape.ts'
import type { Tensor } from '../tensor.ts'
import type { IsLiteral, Literal, Never, Same, Unequal } from './same.ts'
import type { ShapeMismatch, ShowShape } from './show.ts'

/** What an operation takes: a tensor, or a number, which takes on the other operand's dtype. */
export type Operand = Tensor | number

export type ShapeOf<T> = T extends Tensor<infer S> ? S : []
export type DtypeOf<T> = T extends Tensor<Shape, infer D> ? D : never

/** Whether two sizes are literals that neither agree nor broadcast. */
type Clash<M extends number, N extends number, W> =
  Unequal<M, N, W> extends true ? ([M] extends [1] ? false : [N] extends [1] ? false : true) : false

/** The size to which two broadcast. Of sizes that are not known, what one knows of either. */
type Wider<M extends number, N extends number, W> =
  IsLiteral<M, W> extends true
    ? [M] extends [1]
      ? N
      : M
    : IsLiteral<N, W> extends true
      ? [N] extends [1]
        ? M
        : N
      : M | N

type FromLast<A extends Shape, B extends Shape, W, Done extends Shape = []> = A extends readonly [
  ...infer AS extends Shape,
  infer M extends number,
]
  ? B extends readonly [...infer BS extends Shape, infer N extends number]
    ? Clash<M, N, W> extends true
      ? never
      : FromLast<AS, BS, W, [Wider<M, N, W>, ...Done]>
    : [...A, ...Done]
  : [...B, ...Done]

/** The shape to which two shapes broadcast; `never` where literal sizes disagree. */
export type Broadcast<A extends Shape, B extends Shape> =
  Same<A, B> extends true ? A : number extends A['length'] | B['length'] ? Shape : FromLast<A, B, Literal>

/** The shape of an elementwise operation's result. */
export type ElementShape<A, B> = [B] extends [number]
  ? ShapeOf<A>
  : [A] extends [number]
    ? ShapeOf<B>
    : Broadcast<ShapeOf<A>, ShapeOf<B>>

/**
 * Nothing more is asked of an operand that broadcasts against the other; one that does not is refused. What is
 * generic or unknown passes, and is checked while tracing.
 */
export type Broadcasts<Name extends string, A, B, N = Never> = [B] extends [number]
  ? unknown
  : [A] extends [B]
    ? unknown
    : number extends ShapeOf<B>['length']
      ? unknown
      : number extends ShapeOf<A>['length']
        ? unknown
        : Same<readonly [Broadcast<ShapeOf<A>, ShapeOf<B>>], N> extends true
          ? ShapeMismatch<`${Name}: shapes ${ShowShape<ShapeOf<A>>} and ${ShowShape<ShapeOf<B>>} do not broadcast`>
          : unknown

/** Refuses a shape to which a tensor's cannot be broadcast. */
export type Spreads<A extends Shape, B extends Shape, N = Never> = number extends A['length']
  ? unknown
  : number extends B['length']
    ? unknown
    : Same<readonly [Spread<A, B, Literal>], N> extends true
      ? ShapeMismatch<`broadcastTo: ${ShowShape<A>} does not broadcast to ${ShowShape<B>}`>
      : unknown

type Spread<A extends Shape, B extends Shape, W> = A extends readonly [
  ...infer AS extends Shape,
  infer M extends number,
]
  ? B extends readonly [...infer BS extends Shape, infer N extends number]
    ? Unequal<M, N, W> extends true
      ? [M] extends [1]
        ? Spread<AS, BS, W>
        : never
      : Spread<AS, BS, W>
    : never
  : B

/** The wider of two dtypes. */
interface WiderDtype {
  bool: { bool: 'bool'; int32: 'int32'; uint32: 'uint32'; float32: 'float32'; float64: 'float64' }
  int32: { bool: 'int32'; int32: 'int32'; uint32: 'uint32'; float32: 'float32'; float64: 'float64' }
  uint32: { bool: 'uint32'; int32: 'uint32'; uint32: 'uint32'; float32: 'float32'; float64: 'float64' }
  float32: { bool: 'float32'; int32: 'float32'; uint32: 'float32'; float32: 'float32'; float64: 'float64' }
  float64: { [D in Dtype]: 'float64' }
}

/** The dtype of a result: the wider of two; a number, which has none (`never`), adds nothing. */
export type Promote<A extends Dtype, B extends Dtype> = [B] extends [never]
  ? [A] extends [never]
    ? 'float32'
    : A
  : [A] extends [never]
    ? B
    : Same<A, B> extends true
      ? A
      : WiderDtype[A][B]

/** The dtype of an elementwise operation's result. */
export type ElementDtype<A, B> = Promote<DtypeOf<A>, DtypeOf<B>>

/** The shape of a choice between two operands by a condition. */
export type ChosenShape<C, A, B> = Broadcast<ShapeOf<C>, ElementShape<A, B>>

/** The shape of a tensor between bounds. */
export type ClippedShape<T, A, B> = [B] extends [number]
  ? ElementShape<T, A>
  : Broadcast<ElementShape<T, A>, ShapeOf<B>>
