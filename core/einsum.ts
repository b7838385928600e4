/** The type of an Einstein summation: its result's shape, or a sentence on what is wrong with the subscripts. */
import type { Shape } from './shape.ts'
import type { Known, Literal, Unequal } from './type/same.ts'

type Letters<
  S extends string,
  Done extends readonly string[] = readonly [],
> = S extends `${infer L}${infer R}` ? Letters<R, readonly [...Done, L]> : Done

type Trim<S extends string> = S extends `${infer A} ${infer B}` ? Trim<`${A}${B}`> : S

type Terms<S extends string, Done extends readonly string[] = readonly []> = S extends `${infer A},${infer R}`
  ? Terms<R, readonly [...Done, A]>
  : readonly [...Done, S]

/** Whether the sizes are known one by one. */
type IsFixed<S extends Shape> = number extends S['length'] ? false : true

/** The sizes of letters with one more, each in a list of its own, from which it is taken as it is. */
type With<K, A extends string, N extends number> = {
  readonly [L in keyof K | A]: L extends A ? readonly [N] : K[L & keyof K]
}

/** The sizes with those of a term's letters; a literal wins over `number`. */
type Bind<L extends readonly string[], S extends Shape, K, W> = L extends readonly [
  infer A extends string,
  ...infer LR extends readonly string[],
]
  ? S extends readonly [infer N extends number, ...infer SR extends Shape]
    ? A extends keyof K
      ? K[A] extends readonly [infer M extends number]
        ? Unequal<N, M, W> extends true
          ? EinsumError<`einsum: the letter ${A} stands for ${M} and ${N}`>
          : Bind<LR, SR, With<K, A, Known<M, N, W>>, W>
        : never
      : Bind<LR, SR, With<K, A, N>, W>
    : EinsumError<`einsum: more letters than axes in a term with ${A}`>
  : S extends readonly [unknown, ...unknown[]]
    ? EinsumError<'einsum: fewer letters than axes'>
    : K

type BindAll<T extends readonly string[], S extends readonly Shape[], K, W> =
  K extends EinsumError<string>
    ? K
    : T extends readonly [infer A extends string, ...infer TR extends readonly string[]]
      ? S extends readonly [infer B extends Shape, ...infer SR extends readonly Shape[]]
        ? IsFixed<B> extends true
          ? BindAll<TR, SR, Bind<Letters<A>, B, K, W>, W>
          : BindAll<TR, SR, K & { readonly [L in Letters<A>[number]]: readonly [number] }, W>
        : EinsumError<'einsum: more terms than operands'>
      : S extends readonly [unknown, ...unknown[]]
        ? EinsumError<'einsum: fewer terms than operands'>
        : K

type Look<L extends readonly string[], K, Done extends Shape = readonly []> = L extends readonly [
  infer A extends string,
  ...infer R extends readonly string[],
]
  ? A extends keyof K
    ? K[A] extends readonly [infer N extends number]
      ? Look<R, K, readonly [...Done, N]>
      : never
    : EinsumError<`einsum: the letter ${A} of the result is in no operand`>
  : Done

/** What is wrong with an einsum, as a type. */
export interface EinsumError<M extends string> {
  readonly error: M
}

type Result<S extends string, A extends readonly Shape[]> = S extends `${infer Left}->${infer Right}`
  ? BindAll<Terms<Left>, A, NoSizes, Literal> extends infer K
    ? K extends EinsumError<string>
      ? K
      : Look<Letters<Right>, K>
    : never
  : Shape

type NoSizes = Readonly<Record<never, never>>

/** The result's shape; an `EinsumError` where letters and axes cannot agree. */
export type EinsumShape<S extends string, A extends readonly Shape[]> = string extends S
  ? Shape
  : S extends `${string}...${string}`
    ? Shape
    : Result<Trim<S>, A>
