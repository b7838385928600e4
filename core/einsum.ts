/** The type of an Einstein summation: its result's shape, or a sentence on what is wrong with the subscripts. */
import type { Shape } from './shape.ts'

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

/** The sizes of letters, as a record; `number` wins over nothing, a literal over `number`. */
type Bind<L extends readonly string[], S extends Shape, Known> = L extends readonly [
  infer A extends string,
  ...infer LR extends readonly string[],
]
  ? S extends readonly [infer N extends number, ...infer SR extends Shape]
    ? A extends keyof Known
      ? Agree<N, Known[A]> extends true
        ? Bind<LR, SR, Omit<Known, A> & { readonly [K in A]: Literal<N, Known[A]> }>
        : EinsumError<`einsum: the letter ${A} stands for ${Show<Known[A]>} and ${N}`>
      : Bind<LR, SR, Known & { readonly [K in A]: N }>
    : EinsumError<`einsum: more letters than axes in a term with ${A}`>
  : S extends readonly [number, ...Shape]
    ? EinsumError<'einsum: fewer letters than axes'>
    : Known

type Show<N> = N extends number ? `${N}` : never
type Agree<A, B> = number extends A ? true : number extends B ? true : A extends B ? true : false
type Literal<A, B> = number extends A ? B : A

type BindAll<T extends readonly string[], S extends readonly Shape[], Known> =
  Known extends EinsumError<string>
    ? Known
    : T extends readonly [infer A extends string, ...infer TR extends readonly string[]]
      ? S extends readonly [infer B extends Shape, ...infer SR extends readonly Shape[]]
        ? IsFixed<B> extends true
          ? BindAll<TR, SR, Bind<Letters<A>, B, Known>>
          : BindAll<TR, SR, Known & { readonly [K in Letters<A>[number]]: number }>
        : EinsumError<'einsum: more terms than operands'>
      : S extends readonly [Shape, ...(readonly Shape[])]
        ? EinsumError<'einsum: fewer terms than operands'>
        : Known

type Look<L extends readonly string[], Known, Done extends Shape = readonly []> = L extends readonly [
  infer A extends string,
  ...infer R extends readonly string[],
]
  ? A extends keyof Known
    ? Known[A] extends infer N extends number
      ? Look<R, Known, readonly [...Done, N]>
      : never
    : EinsumError<`einsum: the letter ${A} of the result is in no operand`>
  : Done

/** What is wrong with an einsum, as a type. */
export interface EinsumError<M extends string> {
  readonly error: M
}

type Result<S extends string, A extends readonly Shape[]> = S extends `${infer Left}->${infer Right}`
  ? BindAll<Terms<Left>, A, unknown> extends infer Known
    ? Known extends EinsumError<string>
      ? Known
      : Look<Letters<Right>, Known>
    : never
  : Shape

/** The result's shape; an `EinsumError` where letters and axes cannot agree. */
export type EinsumShape<S extends string, A extends readonly Shape[]> = string extends S
  ? Shape
  : S extends `${string}...${string}`
    ? Shape
    : Result<Trim<S>, A>
