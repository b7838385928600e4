/** Shapes in types: what the result of an operation is, computed from literal sizes where they are known. */
import type { Dtype } from '../kernels/index.ts'
import type { Shape } from './shape.ts'
import type { Tensor } from './tensor.ts'

/** What an operation takes: a tensor, or a number, which takes on the other operand's dtype. */
export type Operand = Tensor | number

export type ShapeOf<T> = T extends Tensor<infer S> ? S : readonly []
export type DtypeOf<T> = T extends Tensor<Shape, infer D> ? D : never

/** What a call is refused with, for a person to read: the operation and the shapes. */
export interface ShapeMismatch<M extends string> {
  readonly mismatch: M
}

/** A shape as it is written: `[2, 3]`. */
export type ShowShape<S extends Shape, Done extends string = ''> = S extends readonly [
  infer N extends number,
  ...infer R extends Shape,
]
  ? ShowShape<R, Done extends '' ? `${N}` : `${Done}, ${N}`>
  : `[${Done}]`

/**
 * Nothing more is asked of an operand that broadcasts against the other; one that does not is refused. What is
 * generic or unknown passes, and is checked while tracing.
 */
export type Broadcasts<Name extends string, A, B> = [B] extends [number]
  ? unknown
  : [A] extends [B]
    ? unknown
    : number extends ShapeOf<B>['length']
      ? unknown
      : number extends ShapeOf<A>['length']
        ? unknown
        : [Broadcast<ShapeOf<A>, ShapeOf<B>>] extends [never]
          ? ShapeMismatch<`${Name}: shapes ${ShowShape<ShapeOf<A>>} and ${ShowShape<ShapeOf<B>>} do not broadcast`>
          : unknown

// Sizes are compared here so that nothing is asked of a size that is generic.
type BroadcastTail<A extends Shape, B extends Shape, Done extends Shape> = A extends readonly [
  ...infer AS extends Shape,
  infer M extends number,
]
  ? B extends readonly [...infer BS extends Shape, infer N extends number]
    ? [M] extends [N]
      ? [N] extends [M]
        ? BroadcastTail<AS, BS, readonly [M, ...Done]>
        : BroadcastTail<AS, BS, readonly [[M] extends [1] ? N : M, ...Done]>
      : [N] extends [1]
        ? BroadcastTail<AS, BS, readonly [M, ...Done]>
        : [M] extends [1]
          ? BroadcastTail<AS, BS, readonly [N, ...Done]>
          : number extends M
            ? BroadcastTail<AS, BS, readonly [N, ...Done]>
            : never
    : readonly [...A, ...Done]
  : readonly [...B, ...Done]

/** The shape to which two shapes broadcast; `never` where literal sizes disagree. */
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

/** The shape of a matrix product, batch axes broadcast; a vector is a row on the left and a column on the right. */
export type MatMul<A extends Shape, B extends Shape> = number extends A['length'] | B['length']
  ? Shape
  : A extends readonly [infer K extends number]
    ? B extends readonly [...infer BB extends Shape, infer L extends number, infer N extends number]
      ? Inner<K, L, readonly [...BB, N]>
      : B extends readonly [infer L extends number]
        ? Inner<K, L, readonly []>
        : never
    : A extends readonly [...infer AB extends Shape, infer M extends number, infer K extends number]
      ? B extends readonly [infer L extends number]
        ? Inner<K, L, readonly [...AB, M]>
        : B extends readonly [...infer BB extends Shape, infer L extends number, infer N extends number]
          ? Inner<K, L, readonly [...Broadcast<AB, BB>, M, N]>
          : never
      : never

type Inner<K extends number, L extends number, S extends Shape> = [Agrees<K, L>] extends [false] ? never : S

/** Whether two sizes can be one: literal sizes must be equal. */
type Agrees<A extends number, B extends number> = [A] extends [B]
  ? true
  : [B] extends [A]
    ? true
    : number extends A
      ? true
      : number extends B
        ? true
        : false

/** Refuses a right operand whose literal sizes do not fit the left one's. */
export type Multiplies<A extends Shape, B extends Shape> = number extends B['length']
  ? unknown
  : number extends A['length']
    ? unknown
    : [MatMul<A, B>] extends [never]
      ? ShapeMismatch<`matmul: inner sizes must agree and batch axes broadcast, got ${ShowShape<A>} and ${ShowShape<B>}`>
      : unknown

/** An axis of a shape counted from the front, as a text; `never` where it is not known or not there. */
type AxisKey<S extends Shape, A> = A extends number
  ? number extends A
    ? never
    : `${A}` extends `-${infer M extends number}`
      ? FromEnd<S, M>
      : `${A}`
  : never

/** The index, as a text, of the element that stands M from the end. */
type Longer<T extends readonly unknown[]> = readonly [...T, 0]

type FromEnd<
  S extends Shape,
  M extends number,
  Tail extends readonly unknown[] = readonly [],
> = S extends readonly [...infer R extends Shape, number]
  ? Longer<Tail>['length'] extends M
    ? `${R['length']}`
    : FromEnd<R, M, Longer<Tail>>
  : never

type KeysOf<S extends Shape, A> = A extends readonly (infer E)[] ? AxisKey<S, E> : AxisKey<S, A>

type Reduce<
  S extends Shape,
  K,
  Keep,
  Done extends readonly unknown[],
  Out extends Shape,
> = S extends readonly [infer N extends number, ...infer R extends Shape]
  ? `${Done['length']}` extends K
    ? Reduce<R, K, Keep, readonly [...Done, 0], Keep extends true ? readonly [...Out, 1] : Out>
    : Reduce<R, K, Keep, readonly [...Done, 0], readonly [...Out, N]>
  : Out

/** The shape of a reduction with options `O`: literal axes are taken out (or become 1), all of them if none is given. */
export type ReducedShape<S extends Shape, O> = [O] extends [undefined]
  ? readonly []
  : number extends S['length']
    ? O extends { readonly axis: unknown }
      ? Shape
      : O extends { readonly keepDims: true }
        ? Shape
        : readonly []
    : O extends { readonly axis: infer A }
      ? undefined extends A
        ? Shape
        : [KeysOf<S, A>] extends [never]
          ? Shape
          : boolean extends KeepOf<O>
            ? Shape
            : Reduce<S, KeysOf<S, A>, KeepOf<O>, readonly [], readonly []>
      : KeepOf<O> extends true
        ? { readonly [I in keyof S]: 1 }
        : readonly []

type KeepOf<O> = O extends { readonly keepDims: infer K } ? (K extends undefined ? false : K) : false

/** The axes in reverse order. */
export type Reversed<S extends Shape, Done extends Shape = readonly []> = number extends S['length']
  ? Shape
  : S extends readonly [infer N extends number, ...infer R extends Shape]
    ? Reversed<R, readonly [N, ...Done]>
    : Done

/** The axes in the order of a literal permutation. */
export type Permuted<S extends Shape, P> = number extends S['length']
  ? Shape
  : P extends readonly number[]
    ? number extends P['length']
      ? Shape
      : { readonly [I in keyof P]: AxisKey<S, P[I]> extends keyof S ? S[AxisKey<S, P[I]>] & number : number }
    : Reversed<S>

/** A shape of which one size may be -1, and is not known then. */
export type Reshaped<S extends Shape> = { readonly [I in keyof S]: S[I] extends -1 ? number : S[I] }

type Same<
  A extends Shape,
  B extends Shape,
  K,
  Out extends readonly unknown[] = readonly [],
> = A extends readonly [infer N extends number, ...infer AR extends Shape]
  ? B extends readonly [infer M extends number, ...infer BR extends Shape]
    ? `${Out['length']}` extends K
      ? Same<AR, BR, K, readonly [...Out, number]>
      : Agrees<N, M> extends true
        ? Same<AR, BR, K, readonly [...Out, number extends N ? M : N]>
        : never
    : never
  : B extends readonly []
    ? Out
    : never

/** The shape of tensors one behind the other along a literal axis: its size is not known, the others must agree. */
export type Concatenated<T extends readonly unknown[], A> = T extends readonly [infer H, ...infer R]
  ? number extends ShapeOf<H>['length']
    ? Shape
    : R extends readonly []
      ? ShapeOf<H>
      : ConcatenatedTail<ShapeOf<H>, R, A>
  : Shape

type ConcatenatedTail<S extends Shape, T extends readonly unknown[], A> = T extends readonly [
  infer H,
  ...infer R,
]
  ? number extends ShapeOf<H>['length']
    ? Shape
    : [AxisKey<S, A>] extends [never]
      ? Shape
      : Same<S, ShapeOf<H>, AxisKey<S, A>> extends infer Q
        ? [Q] extends [never]
          ? never
          : Q extends Shape
            ? ConcatenatedTail<Q, R, A>
            : never
        : never
  : S

/** Refuses tensors whose literal sizes disagree apart from the axis. */
export type Concatenates<T extends readonly unknown[], A> = [Concatenated<T, A>] extends [never]
  ? ShapeMismatch<`concatenate: sizes apart from the axis must agree, got ${ShowAll<T>}`>
  : unknown

type ShowAll<T extends readonly unknown[], Done extends string = ''> = T extends readonly [
  infer H,
  ...infer R,
]
  ? ShowAll<R, Done extends '' ? ShowShape<ShapeOf<H>> : `${Done} and ${ShowShape<ShapeOf<H>>}`>
  : Done

/** A tree of tensors as it is at one position of axis 0. */
export type SliceOf<T> =
  T extends Tensor<infer S, infer D>
    ? Tensor<S extends readonly [number, ...infer R extends Shape] ? readonly [...R] : Shape, D>
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

/** Two literal axes exchanged. */
export type Swapped<S extends Shape, A, B> = number extends S['length']
  ? Shape
  : [AxisKey<S, A>] extends [never]
    ? Shape
    : [AxisKey<S, B>] extends [never]
      ? Shape
      : {
          readonly [I in keyof S]: I extends AxisKey<S, A>
            ? Sized<S, AxisKey<S, B>>
            : I extends AxisKey<S, B>
              ? Sized<S, AxisKey<S, A>>
              : S[I]
        }

type Sized<S extends Shape, K> = K extends keyof S ? S[K] & number : number

type Insert<
  S extends Shape,
  A extends number,
  Done extends readonly number[] = readonly [],
> = Done['length'] extends A
  ? readonly [...Done, 1, ...S]
  : S extends readonly [infer N extends number, ...infer R extends Shape]
    ? Insert<R, A, readonly [...Done, N]>
    : Shape

/** A new axis of size 1 at a literal place. */
export type Expanded<S extends Shape, A extends number> = number extends S['length'] | A
  ? Shape
  : A extends -1
    ? readonly [...S, 1]
    : `${A}` extends `-${string}`
      ? Shape
      : Insert<S, A>

/** The shape behind as many first axes as there are positions. */
export type Behind<S extends Shape, P extends readonly unknown[]> = number extends S['length'] | P['length']
  ? Shape
  : P extends readonly [unknown, ...infer PR]
    ? S extends readonly [number, ...infer R extends Shape]
      ? Behind<readonly [...R], PR>
      : never
    : S

/** Tensors of one shape beside each other along a new axis 0. */
export type Stacked<T extends readonly unknown[], A> = A extends 0
  ? T extends readonly [infer H, ...(readonly unknown[])]
    ? number extends ShapeOf<H>['length']
      ? Shape
      : readonly [T['length'], ...ShapeOf<H>]
    : Shape
  : Shape
