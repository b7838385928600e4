/** Axes: which one is meant, and what is left when axes are taken out, added or moved. */
import type { Shape } from '../shape.ts'
import type { Never, Same } from './same.ts'
import type { ShapeMismatch, ShowShape } from './show.ts'

/** An axis of a shape counted from the front, as a text; `never` where it is not known or not there. */
export type AxisKey<S extends Shape, A> = A extends number
  ? number extends A
    ? never
    : `${A}` extends `-${infer M extends number}`
      ? FromEnd<S, M>
      : `${A}`
  : never

type Longer<T extends readonly unknown[]> = readonly [...T, 0]

/** The index, as a text, of the element that stands M from the end. */
type FromEnd<
  S extends Shape,
  M extends number,
  Tail extends readonly unknown[] = readonly [],
> = S extends readonly [...infer R extends Shape, unknown]
  ? Longer<Tail>['length'] extends M
    ? `${R['length']}`
    : FromEnd<R, M, Longer<Tail>>
  : never

/** The size at a key of `AxisKey`. */
export type Sized<S extends Shape, K> = K extends keyof S ? S[K] & number : number

/** Refuses a literal axis that a shape has not. */
export type HasAxis<Name extends string, S extends Shape, A, N = Never> = number extends S['length']
  ? unknown
  : number extends A
    ? unknown
    : Same<readonly [Extract<AxisKey<S, A>, keyof S>], N> extends true
      ? ShapeMismatch<`${Name}: there is no axis ${A & number} in ${ShowShape<S>}`>
      : unknown

/** Refuses options that name an axis which a shape has not. */
export type HasAxes<Name extends string, S extends Shape, O> = O extends { readonly axis: infer A }
  ? HasEach<Name, S, A>
  : unknown

type HasEach<Name extends string, S extends Shape, A> = A extends readonly [infer H, ...infer R]
  ? HasAxis<Name, S, H> & HasEach<Name, S, R>
  : A extends number
    ? HasAxis<Name, S, A>
    : unknown

type KeysOf<S extends Shape, A> = A extends readonly (infer E)[] ? AxisKey<S, E> : AxisKey<S, A>

/** Without the axes at keys, or with 1 in their places. */
type Reduce<
  S extends Shape,
  K,
  Keep,
  Done extends readonly unknown[] = [],
  Out extends Shape = [],
> = S extends readonly [infer N extends number, ...infer R extends Shape]
  ? `${Done['length']}` extends K
    ? Reduce<R, K, Keep, [...Done, 0], Keep extends true ? [...Out, 1] : Out>
    : Reduce<R, K, Keep, [...Done, 0], [...Out, N]>
  : Out

/** The shape of a reduction with options `O`: literal axes are taken out (or become 1), all of them if none is given. */
export type ReducedShape<S extends Shape, O> = [O] extends [undefined]
  ? []
  : number extends S['length']
    ? O extends { readonly axis: unknown }
      ? Shape
      : O extends { readonly keepDims: true }
        ? Shape
        : []
    : O extends { readonly axis: infer A }
      ? undefined extends A
        ? Shape
        : [KeysOf<S, A>] extends [never]
          ? Shape
          : boolean extends KeepOf<O>
            ? Shape
            : Reduce<S, KeysOf<S, A>, KeepOf<O>>
      : boolean extends KeepOf<O>
        ? Shape
        : KeepOf<O> extends true
          ? { -readonly [I in keyof S]: 1 }
          : []

type KeepOf<O> = O extends { readonly keepDims: infer K } ? (K extends undefined ? false : K) : false

/** The shape without one axis. */
export type WithoutAxis<S extends Shape, A> = number extends S['length']
  ? Shape
  : [AxisKey<S, A>] extends [never]
    ? Shape
    : Reduce<S, AxisKey<S, A>, false>

/** The axes in reverse order. */
type Reversed<S extends Shape, Done extends Shape = []> = S extends readonly [
  infer N extends number,
  ...infer R extends Shape,
]
  ? Reversed<R, [N, ...Done]>
  : Done

/** The axes in the order of a literal permutation; reversed where there is none. */
export type Permuted<S extends Shape, P> = number extends S['length']
  ? Shape
  : P extends readonly number[]
    ? number extends P['length']
      ? Shape
      : { -readonly [I in keyof P]: Sized<S, AxisKey<S, P[I]>> }
    : Reversed<S>

/** Whether two axes are known, and there. */
type HasBoth<S extends Shape, A, B> = number extends S['length']
  ? false
  : [AxisKey<S, A>] extends [never]
    ? false
    : [AxisKey<S, B>] extends [never]
      ? false
      : true

/** Two literal axes exchanged. */
export type Swapped<S extends Shape, A, B> =
  HasBoth<S, A, B> extends true
    ? {
        -readonly [I in keyof S]: I extends AxisKey<S, A>
          ? Sized<S, AxisKey<S, B>>
          : I extends AxisKey<S, B>
            ? Sized<S, AxisKey<S, A>>
            : S[I]
      }
    : Shape

/** With a size put in at a key. */
type Insert<S extends Shape, K, N extends number, Done extends Shape = []> = `${Done['length']}` extends K
  ? [...Done, N, ...S]
  : S extends readonly [infer M extends number, ...infer R extends Shape]
    ? Insert<R, K, N, [...Done, M]>
    : Shape

/** A new axis of size `N` at a literal place of the result. */
export type Inserted<S extends Shape, A, N extends number> = number extends S['length']
  ? Shape
  : [AxisKey<[0, ...S], A>] extends [never]
    ? Shape
    : Insert<S, AxisKey<[0, ...S], A>, N>

/** One literal axis moved to another place. */
export type Moved<S extends Shape, A, B> =
  HasBoth<S, A, B> extends true
    ? Insert<Reduce<S, AxisKey<S, A>, false>, AxisKey<S, B>, Sized<S, AxisKey<S, A>>>
    : Shape

type AllKnown<S extends Shape> = S extends readonly [infer N, ...infer R extends Shape]
  ? number extends N
    ? false
    : AllKnown<R>
  : true

type WithoutOnes<S extends Shape, Done extends Shape = []> = S extends readonly [
  infer N extends number,
  ...infer R extends Shape,
]
  ? WithoutOnes<R, N extends 1 ? Done : [...Done, N]>
  : Done

/** Without literal axes of size 1, or without all of size 1 where all sizes are known. */
export type Squeezed<S extends Shape, A> = number extends S['length']
  ? Shape
  : [A] extends [undefined]
    ? AllKnown<S> extends true
      ? WithoutOnes<S>
      : Shape
    : [KeysOf<S, A>] extends [never]
      ? Shape
      : Reduce<S, KeysOf<S, A>, false>

type Replace<
  S extends Shape,
  K,
  N extends Shape,
  Done extends readonly unknown[] = [],
  Out extends Shape = [],
> = S extends readonly [infer M extends number, ...infer R extends Shape]
  ? `${Done['length']}` extends K
    ? [...Out, ...N, ...R]
    : Replace<R, K, N, [...Done, 0], [...Out, M]>
  : Shape

/** With sizes in place of a literal axis. */
export type Replaced<S extends Shape, A, N extends Shape> = number extends S['length'] | N['length']
  ? Shape
  : [AxisKey<S, A>] extends [never]
    ? Shape
    : Replace<S, AxisKey<S, A>, N>

/** The size of a literal axis. */
export type SizeAt<S extends Shape, A> = number extends S['length'] ? number : Sized<S, AxisKey<S, A>>
