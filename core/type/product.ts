/** What products of matrices make of shapes. */
import type { Shape } from '../shape.ts'
import type { Broadcast } from './broadcast.ts'
import type { Literal, Never, Same, Unequal } from './same.ts'
import type { Least } from './size.ts'
import type { ShapeMismatch, ShowShape } from './show.ts'

/** The shape of a matrix product, batch axes broadcast; a vector is a row on the left and a column on the right. */
export type MatMul<A extends Shape, B extends Shape> = number extends A['length'] | B['length']
  ? Shape
  : A extends readonly [unknown]
    ? B extends readonly [...infer BB extends Shape, unknown, infer N extends number]
      ? [...BB, N]
      : []
    : A extends readonly [...infer AB extends Shape, infer M extends number, unknown]
      ? B extends readonly [unknown]
        ? [...AB, M]
        : B extends readonly [...infer BB extends Shape, unknown, infer N extends number]
          ? [...Broadcast<AB, BB>, M, N]
          : never
      : never

/** Anything where the inner sizes can agree and the batches broadcast, else `never`. */
type Meeting<A extends Shape, B extends Shape, W> = A extends readonly [...unknown[], infer K extends number]
  ? B extends readonly [infer L extends number]
    ? Unequal<K, L, W> extends true
      ? never
      : Shape
    : B extends readonly [...unknown[], infer L extends number, unknown]
      ? Unequal<K, L, W> extends true
        ? never
        : MatMul<A, B>
      : never
  : never

/** Refuses a right operand whose literal sizes do not fit the left one's. */
export type Multiplies<A extends Shape, B extends Shape, N = Never> = number extends B['length']
  ? unknown
  : number extends A['length']
    ? unknown
    : Same<readonly [Meeting<A, B, Literal>], N> extends true
      ? ShapeMismatch<`matmul: inner sizes must agree and batch axes broadcast, got ${ShowShape<A>} and ${ShowShape<B>}`>
      : unknown

/** The shape of attention: the queries', with the values' width. */
export type Attends<Q extends Shape, V extends Shape> = number extends Q['length'] | V['length']
  ? Shape
  : Q extends readonly [...infer R extends Shape, unknown]
    ? V extends readonly [...unknown[], infer N extends number]
      ? [...R, N]
      : Shape
    : Shape

/** Whether two shapes' last sizes are literals and differ. */
type LastUnequal<A extends Shape, B extends Shape, W = Literal> = A extends readonly [
  ...unknown[],
  infer M extends number,
]
  ? B extends readonly [...unknown[], infer N extends number]
    ? Unequal<M, N, W>
    : false
  : false

type BeforeLast<S extends Shape> = S extends readonly [...infer R extends Shape, unknown] ? R : Shape

/** Refuses keys whose width is not the queries'. */
export type Keys<Q extends Shape, K extends Shape> =
  LastUnequal<Q, K> extends true
    ? ShapeMismatch<`attention: queries and keys must have one width, got ${ShowShape<Q>} and ${ShowShape<K>}`>
    : unknown

/** Refuses values that are not as many as the keys. */
export type Values<K extends Shape, V extends Shape> =
  LastUnequal<BeforeLast<K>, BeforeLast<V>> extends true
    ? ShapeMismatch<`attention: there must be a value for each key, got ${ShowShape<K>} and ${ShowShape<V>}`>
    : unknown

/** The shape of a system's solution: leading axes broadcast. */
export type Solved<A extends Shape, B extends Shape> = number extends A['length'] | B['length']
  ? Shape
  : A extends readonly [...infer AB extends Shape, unknown, unknown]
    ? B extends readonly [...infer BB extends Shape, infer N extends number, infer K extends number]
      ? [...Broadcast<AB, BB>, N, K]
      : Shape
    : Shape

/** Refuses a right side that has not as many rows as the matrix. */
export type Solves<A extends Shape, B extends Shape> =
  LastUnequal<A, BeforeLast<B>> extends true
    ? ShapeMismatch<`triangularSolve: the right side must have as many rows as the matrix, got ${ShowShape<A>} and ${ShowShape<B>}`>
    : unknown

/** Refuses matrices that are known not to be square. */
export type Square<Name extends string, S extends Shape> =
  LastUnequal<S, BeforeLast<S>> extends true
    ? ShapeMismatch<`${Name}: the matrix must be square, got ${ShowShape<S>}`>
    : unknown

/** The shape of matrices' diagonals. */
export type Diagonal<S extends Shape> = S extends readonly [
  ...infer R extends Shape,
  infer M extends number,
  infer N extends number,
]
  ? [...R, Least<M, N>]
  : Shape

/** The shape of Q in A = Q R. */
export type Orthonormal<S extends Shape> = S extends readonly [
  ...infer R extends Shape,
  infer M extends number,
  infer N extends number,
]
  ? [...R, M, Least<M, N>]
  : Shape

/** The shape of R in A = Q R. */
export type Upper<S extends Shape> = S extends readonly [
  ...infer R extends Shape,
  infer M extends number,
  infer N extends number,
]
  ? [...R, Least<M, N>, N]
  : Shape
