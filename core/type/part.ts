/** Parts of tensors, and tensors made of parts. */
import type { Shape } from '../shape.ts'
import type { AxisKey, Inserted, Replaced, SizeAt } from './axis.ts'
import type { ShapeOf } from './broadcast.ts'
import type { IsLiteral, Known, Literal, Never, Same, Unequal } from './same.ts'
import type { ShapeMismatch, ShowAll, ShowShape } from './show.ts'
import type { Count, Exactly, Minus, Plus, Quotient, Times } from './size.ts'

/** The sizes of two shapes without those that stand first in both, which cancel where they are one and generic. */
type Cancel<X extends Shape, S extends Shape, Open = readonly [number]> = X extends readonly [
  infer N extends number,
  ...infer XR extends Shape,
]
  ? S extends readonly [infer M extends number, ...infer SR extends Shape]
    ? Same<N, M> extends true
      ? Same<readonly [N], Open> extends true
        ? [X, S]
        : Cancel<XR, SR, Open>
      : [X, S]
    : [X, S]
  : [X, S]

type Minus1 = readonly [-1]

type WithoutMinus<S extends Shape, One, Done extends Shape = []> = S extends readonly [
  infer N extends number,
  ...infer R extends Shape,
]
  ? WithoutMinus<R, One, Same<readonly [N], One> extends true ? Done : [...Done, N]>
  : Done

/** The size that -1 stands for; `never` where none does. */
type Missing<X extends Shape, S extends Shape, One> = number extends X['length'] | S['length']
  ? number
  : Cancel<X, S> extends [infer A extends Shape, infer B extends Shape]
    ? Exactly<Count<A>, Count<WithoutMinus<B, One>>>
    : number

/** A shape of which one size may be -1, and is found where the others are known. */
export type Reshaped<X extends Shape, S extends Shape, One = Minus1> = {
  -readonly [I in keyof S]: Same<readonly [S[I]], One> extends true ? Missing<X, S, One> : S[I]
}

type Divides<A extends number, B extends number, W> =
  IsLiteral<A, W> extends true
    ? IsLiteral<B, W> extends true
      ? [Exactly<A, B>] extends [never]
        ? false
        : true
      : true
    : true

/** Whether a shape, of which one size may be -1, has as many elements as are known. */
type Fills<X extends Shape, S extends Shape, W, One> =
  WithoutMinus<S, One> extends infer K extends Shape
    ? K['length'] extends S['length']
      ? Unequal<Count<X>, Count<S>, W> extends true
        ? false
        : true
      : Divides<Count<X>, Count<K>, W>
    : true

/** Refuses a shape with another number of elements. */
export type Refills<X extends Shape, S extends Shape> = number extends X['length']
  ? unknown
  : number extends S['length']
    ? unknown
    : Fills<X, S, Literal, Minus1> extends false
      ? ShapeMismatch<`reshape: ${ShowShape<X>} and ${ShowShape<S>} do not have as many elements`>
      : unknown

/** The shape behind as many first axes as there are positions. */
export type Behind<S extends Shape, P extends readonly unknown[]> = number extends S['length'] | P['length']
  ? Shape
  : P extends readonly [unknown, ...infer PR]
    ? S extends readonly [unknown, ...infer R extends Shape]
      ? Behind<R, PR>
      : never
    : S extends readonly [...infer All extends Shape]
      ? [...All]
      : never

/** Refuses more positions than there are axes. */
export type Within<S extends Shape, P extends readonly unknown[], N = Never> = number extends S['length']
  ? unknown
  : number extends P['length']
    ? unknown
    : Same<readonly [Behind<S, P>], N> extends true
      ? ShapeMismatch<`at: ${P['length'] & number} positions are too many for ${ShowShape<S>}`>
      : unknown

type Span<From, To, Step> = From extends number
  ? To extends number
    ? Step extends 1 | undefined
      ? Minus<To, From>
      : Step extends number
        ? Quotient<Plus<Minus<To, From>, Minus<Step, 1>>, Step>
        : number
    : number
  : number

/** The shape of the part from literal starts to literal limits. */
export type Sliced<S extends Shape, From extends Shape, To extends Shape, Step> = number extends S['length']
  ? number extends From['length']
    ? Shape
    : { -readonly [I in keyof From]: SpanAt<From, To, Step, I> }
  : { -readonly [I in keyof S]: SpanAt<From, To, Step, I> }

type SpanAt<From extends Shape, To extends Shape, Step, I> = Span<
  I extends keyof From ? From[I] : number,
  I extends keyof To ? To[I] : number,
  [Step] extends [undefined] ? undefined : I extends keyof Step ? Step[I] : number
>

/** A position counted from the front. */
type Position<N extends number, I> = I extends number
  ? number extends I
    ? number
    : `${I}` extends `-${infer M extends number}`
      ? Minus<N, M>
      : I
  : N

/** The shape of the part `From … To - 1` along a literal axis. */
export type SlicedAxis<S extends Shape, A, From, To> = Replaced<
  S,
  A,
  [Minus<Position<SizeAt<S, A>, To>, Position<SizeAt<S, A>, From>>]
>

type First<T> = T extends readonly [infer N extends number, ...unknown[]] ? N : 0
type Second<T> = T extends readonly [unknown, infer N extends number, ...unknown[]] ? N : 0

/** The shape with literal widths before and behind. */
export type Padded<S extends Shape, P extends readonly Shape[]> = number extends S['length'] | P['length']
  ? Shape
  : {
      -readonly [I in keyof S]: I extends keyof P
        ? number extends (P[I] & Shape)['length']
          ? number
          : P[I] extends readonly [unknown, unknown, infer N extends number]
            ? Plus<Plus<S[I], Times<Minus<S[I], 1>, N>>, Plus<First<P[I]>, Second<P[I]>>>
            : Plus<S[I], Plus<First<P[I]>, Second<P[I]>>>
        : S[I]
    }

/** Two shapes joined along the axis at a key; `never` where others of their literal sizes disagree. */
type Join<A extends Shape, B extends Shape, K, W, Out extends Shape = []> = A extends readonly [
  infer N extends number,
  ...infer AR extends Shape,
]
  ? B extends readonly [infer M extends number, ...infer BR extends Shape]
    ? `${Out['length']}` extends K
      ? Join<AR, BR, K, W, [...Out, Plus<N, M>]>
      : Unequal<N, M, W> extends true
        ? never
        : Join<AR, BR, K, W, [...Out, Known<N, M, W>]>
    : never
  : B extends readonly []
    ? Out
    : never

/** The shape of tensors one behind the other along a literal axis. */
export type Concatenated<T extends readonly unknown[], A> = T extends readonly [infer H, ...infer R]
  ? R extends readonly []
    ? ShapeOf<H>
    : number extends ShapeOf<H>['length']
      ? Shape
      : [AxisKey<ShapeOf<H>, A>] extends [never]
        ? Shape
        : Joined<ShapeOf<H>, R, AxisKey<ShapeOf<H>, A>, Literal>
  : ManyJoined<ShapeOf<T[number]>, A>

/** Any number of tensors of one type: the axis along which they stand is not known. */
type ManyJoined<S extends Shape, A> = Replaced<S, A, [number]>

type Joined<S extends Shape, T extends readonly unknown[], K, W> = T extends readonly [infer H, ...infer R]
  ? number extends ShapeOf<H>['length']
    ? Shape
    : Join<S, ShapeOf<H>, K, W> extends infer Q extends Shape
      ? [Q] extends [never]
        ? never
        : Joined<Q, R, K, W>
      : never
  : S

/** Refuses tensors whose literal sizes disagree apart from the axis. */
export type Concatenates<T extends readonly unknown[], A, N = Never> = number extends T['length']
  ? unknown
  : Same<readonly [Concatenated<T, A>], N> extends true
    ? ShapeMismatch<`concatenate: sizes apart from the axis must agree, got ${ShowAll<T>}`>
    : unknown

/** What is known of shapes that are one; `never` where literal sizes disagree. */
type Alike<S extends Shape, T extends readonly unknown[]> = Joined<S, T, never, Literal>

/** The shape of tensors of one shape beside each other along a new literal axis. */
export type Stacked<T extends readonly unknown[], A> = T extends readonly [infer H, ...infer R]
  ? number extends ShapeOf<H>['length']
    ? Shape
    : Inserted<Alike<ShapeOf<H>, R>, A, T['length']>
  : Inserted<ShapeOf<T[number]>, A, number>

/** Refuses tensors of different shapes. */
export type Stacks<T extends readonly unknown[], N = Never> = T extends readonly [infer H, ...infer R]
  ? number extends ShapeOf<H>['length']
    ? unknown
    : Same<readonly [Alike<ShapeOf<H>, R>], N> extends true
      ? ShapeMismatch<`stack: shapes must be one, got ${ShowAll<T>}`>
      : unknown
  : unknown

type Fill<N extends number, X, Done extends readonly X[] = []> = Done['length'] extends N
  ? Done
  : Done['length'] extends 64
    ? readonly X[]
    : Fill<N, X, [...Done, X]>

/** The shapes of a tensor's parts along a literal axis: a list of them, as many as are known. */
export type SplitShapes<S extends Shape, P, A> = P extends readonly number[]
  ? { readonly [I in keyof P]: Replaced<S, A, [P[I] & number]> }
  : P extends number
    ? number extends P
      ? readonly Replaced<S, A, [number]>[]
      : Fill<P, Replaced<S, A, [Exactly<SizeAt<S, A>, P>]>>
    : readonly Shape[]

/** Refuses a number of parts that does not divide the axis. */
export type Splits<S extends Shape, P, A, W = Literal> = P extends number
  ? Divides<SizeAt<S, A>, P, W> extends false
    ? ShapeMismatch<`splitAxis: ${P} parts do not divide axis ${A & number} of ${ShowShape<S>}`>
    : unknown
  : unknown

/** The shape of slices taken along a literal axis. */
export type Taken<S extends Shape, I extends Shape, A> = Replaced<S, A, I>

/** The shape of elements taken along a literal axis, in each row at its own indices. */
export type TakenAlong<S extends Shape, I extends Shape, A> = Replaced<S, A, [SizeAt<I, A>]>

type OthersMeet<S extends Shape, I extends Shape, A> = [AxisKey<S, A>] extends [never]
  ? Shape
  : Join<S, I, AxisKey<S, A>, Literal>

/** Refuses indices that are not rows like those of the tensor. */
export type TakesAlong<S extends Shape, I extends Shape, A, N = Never> = number extends S['length']
  ? unknown
  : number extends I['length']
    ? unknown
    : Same<readonly [OthersMeet<S, I, A>], N> extends true
      ? ShapeMismatch<`takeAlongAxis: sizes apart from the axis must agree, got ${ShowShape<S>} and ${ShowShape<I>}`>
      : unknown

/** The shape with a new last axis. */
export type Grown<S extends Shape, N extends number> = number extends S['length'] ? Shape : [...S, N]

/** The shape with another last size. */
export type WithLast<S extends Shape, N extends number> = number extends S['length']
  ? Shape
  : S extends readonly [...infer R extends Shape, unknown]
    ? [...R, N]
    : Shape

/** The shape with another first size. */
export type WithFirst<S extends Shape, N extends number> = number extends S['length']
  ? Shape
  : S extends readonly [unknown, ...infer R extends Shape]
    ? [N, ...R]
    : Shape

/** One shape behind another. */
export type Both<A extends Shape, B extends Shape> = number extends A['length'] | B['length']
  ? Shape
  : [...A, ...B]
