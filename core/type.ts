/** Shapes in types: what the result of an operation is, computed from literal sizes where they are known. */
import type { Dtype } from '../kernels/index.ts'
import type { Shape } from './shape.ts'
import type { Tensor } from './tensor.ts'

/** What an operation takes: a tensor, or a number, which takes on the other operand's dtype. */
export type Operand = Tensor | number

export type ShapeOf<T> = T extends Tensor<infer S> ? S : readonly []
export type DtypeOf<T> = T extends Tensor<Shape, infer D> ? D : never

/** The size to which two sizes broadcast; `never` where literal sizes disagree. */
export type BroadcastSize<A extends number, B extends number> = [A] extends [1]
  ? B
  : [B] extends [1]
    ? A
    : number extends A
      ? B
      : number extends B
        ? A
        : [A] extends [B]
          ? A
          : never

type BroadcastTail<A extends Shape, B extends Shape, Done extends Shape> = A extends readonly [
  ...infer AS extends Shape,
  infer AL extends number,
]
  ? B extends readonly [...infer BS extends Shape, infer BL extends number]
    ? BroadcastTail<AS, BS, readonly [BroadcastSize<AL, BL>, ...Done]>
    : readonly [...A, ...Done]
  : readonly [...B, ...Done]

/** The shape to which two shapes broadcast. */
export type Broadcast<A extends Shape, B extends Shape> = number extends A['length'] | B['length']
  ? Shape
  : BroadcastTail<A, B, readonly []>

type Rank = { bool: 0; int32: 1; uint32: 2; float32: 3; float64: 4 }
type Higher<A extends Dtype, B extends Dtype> = {
  [R in Dtype]: R extends A | B
    ? Exclude<A | B, R> extends infer O
      ? O extends Dtype
        ? Less<Rank[O], Rank[R]> extends true
          ? R
          : never
        : never
      : never
    : never
}[Dtype]
type Less<A extends number, B extends number> = A extends B
  ? false
  : B extends 0
    ? false
    : A extends 0
      ? true
      : A extends 1
        ? true
        : A extends 2
          ? B extends 1
            ? false
            : true
          : A extends 3
            ? B extends 4
              ? true
              : false
            : false

/** The dtype of a result: the wider of two; a number adds nothing. */
export type Promote<A, B> = [A] extends [never]
  ? [B] extends [never]
    ? 'float32'
    : B
  : [B] extends [never]
    ? A
    : [A] extends [B]
      ? [B] extends [A]
        ? A
        : Dtype
      : A extends Dtype
        ? B extends Dtype
          ? [Higher<A, B>] extends [never]
            ? Dtype
            : Higher<A, B>
          : never
        : never

/** The result of an elementwise operation of two operands. */
export type Elementwise<A, B> = Tensor<Broadcast<ShapeOf<A>, ShapeOf<B>>, Promote<DtypeOf<A>, DtypeOf<B>>>

/** The bool result of a comparison. */
export type Compared<A, B> = Tensor<Broadcast<ShapeOf<A>, ShapeOf<B>>, 'bool'>

/** The shape of a matrix product, batch axes broadcast; `never` sizes where literal inner sizes disagree. */
export type MatMul<A extends Shape, B extends Shape> = A extends readonly [
  ...infer AB extends Shape,
  infer M extends number,
  infer K extends number,
]
  ? B extends readonly [...infer BB extends Shape, infer L extends number, infer N extends number]
    ? [BroadcastSize<K, L>] extends [never]
      ? never
      : readonly [...Broadcast<AB, BB>, M, N]
    : Shape
  : Shape

/** A tree of tensors as it is at one position of axis 0. */
export type SliceOf<T> =
  T extends Tensor<infer S, infer D>
    ? Tensor<S extends readonly [number, ...infer R extends Shape] ? R : Shape, D>
    : T extends object
      ? { readonly [K in keyof T]: SliceOf<T[K]> }
      : T

/** A tree of tensors stacked along a new axis 0. */
export type StackOf<T> =
  T extends Tensor<infer S, infer D>
    ? Tensor<readonly [number, ...S], D>
    : T extends object
      ? { readonly [K in keyof T]: StackOf<T[K]> }
      : T
