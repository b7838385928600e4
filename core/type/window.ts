/** How many positions a window has. */
import type { Shape } from '../shape.ts'
import type { OptionOf } from './option.ts'
import type { Literal, Unequal } from './same.ts'
import type { ShapeMismatch, ShowShape } from './show.ts'
import type { Minus, Plus, Quotient, Times } from './size.ts'

/** What is said for one axis, or for all. */
type Per<P, I, Default extends number> = P extends readonly number[]
  ? I extends keyof P
    ? P[I] & number
    : number
  : P extends number
    ? P
    : Default

/** How far a window reaches: (size - 1) · dilation + 1. */
type Reach<K extends number, Dilation extends number> = Dilation extends 1
  ? K
  : Plus<Times<Minus<K, 1>, Dilation>, 1>

/** ⌈N / Step⌉ */
type Steps<N extends number, Step extends number> = Step extends 1
  ? N
  : Quotient<Plus<N, Minus<Step, 1>>, Step>

/** ⌊(N - Reach) / Step⌋ + 1 */
type Fitting<N extends number, K extends number, Step extends number> = Plus<Quotient<Minus<N, K>, Step>, 1>

type PositionsOf<
  N extends number,
  K extends number,
  Step extends number,
  Dilation extends number,
  Padding,
  I,
> = [Padding] extends ['same']
  ? Steps<N, Step>
  : [Padding] extends ['valid' | undefined]
    ? Fitting<N, Reach<K, Dilation>, Step>
    : I extends keyof Padding
      ? Padding[I] extends readonly [infer L extends number, infer H extends number]
        ? Fitting<Plus<N, Plus<L, H>>, Reach<K, Dilation>, Step>
        : number
      : number

type PositionsAt<N extends number, K extends number, O, I, Stride extends number> = PositionsOf<
  N,
  K,
  Per<OptionOf<O, 'stride'>, I, Stride>,
  Per<OptionOf<O, 'dilation'>, I, 1>,
  OptionOf<O, 'padding'>,
  I
>

/** The shape of a convolution of [batch, ...sizes, in] with a kernel [...sizes, in, out]. */
type Convolved<S extends Shape, K extends Shape, O> = S extends readonly [
  infer B extends number,
  infer N extends number,
  unknown,
]
  ? K extends readonly [infer KN extends number, unknown, infer Out extends number]
    ? [B, PositionsAt<N, KN, O, '0', 1>, Out]
    : Shape
  : S extends readonly [infer B extends number, infer H extends number, infer W extends number, unknown]
    ? K extends readonly [infer KH extends number, infer KW extends number, unknown, infer Out extends number]
      ? [B, PositionsAt<H, KH, O, '0', 1>, PositionsAt<W, KW, O, '1', 1>, Out]
      : Shape
    : Shape

/** (N - 1) · stride - 2 · padding + dilation · (K - 1) + 1 + outputPadding, for one axis. */
type Unfolded<N extends number, K extends number, O, I> = Minus<
  Plus<
    Plus<Times<Minus<N, 1>, Per<OptionOf<O, 'stride'>, I, 1>>, Reach<K, Per<OptionOf<O, 'dilation'>, I, 1>>>,
    Per<OptionOf<O, 'outputPadding'>, I, 0>
  >,
  Times<2, Per<OptionOf<O, 'padding'>, I, 0>>
>

/** The shape of a transposed convolution of [batch, ...sizes, in] with a kernel [...sizes, in, out]. */
type Transposed<S extends Shape, K extends Shape, O> = S extends readonly [
  infer B extends number,
  infer N extends number,
  unknown,
]
  ? K extends readonly [infer KN extends number, unknown, infer Out extends number]
    ? [B, Unfolded<N, KN, O, '0'>, Out]
    : Shape
  : S extends readonly [infer B extends number, infer H extends number, infer W extends number, unknown]
    ? K extends readonly [infer KH extends number, infer KW extends number, unknown, infer Out extends number]
      ? [B, Unfolded<H, KH, O, '0'>, Unfolded<W, KW, O, '1'>, Out]
      : Shape
    : Shape

/** The shape of a convolution, or of its transpose. */
export type Slid<Kind, S extends Shape, K extends Shape, O> = Kind extends 'window'
  ? Convolved<S, K, O>
  : Transposed<S, K, O>

/** [batch, height, width, channels] with another height and width. */
export type Resized<S extends Shape, To> = To extends readonly [
  infer H extends number,
  infer W extends number,
]
  ? S extends readonly [infer B extends number, unknown, unknown, infer C extends number]
    ? [B, H, W, C]
    : Shape
  : Shape

/** Whether a kernel takes the input's channels, as far as is known. */
type Channels<S extends Shape, K extends Shape, Groups extends number, W = Literal> = S extends readonly [
  ...unknown[],
  infer C extends number,
]
  ? K extends readonly [...unknown[], infer I extends number, unknown]
    ? Unequal<C, Times<I, Groups>, W> extends true
      ? false
      : true
    : true
  : true

/** Refuses a kernel that does not take the input's channels. */
export type Convolves<Name extends string, S extends Shape, K extends Shape, O> =
  Channels<S, K, Per<OptionOf<O, 'groups'>, '0', 1>> extends false
    ? ShapeMismatch<`${Name}: the kernel must take the input's channels, got ${ShowShape<S>} and ${ShowShape<K>}`>
    : unknown

/** The shape of pooling [batch, ...sizes, channels]; windows lie side by side by default. */
export type Pooled<S extends Shape, P, O> = S extends readonly [
  infer B extends number,
  infer N extends number,
  infer C extends number,
]
  ? [B, PositionsAt<N, Per<P, '0', number>, O, '0', Per<P, '0', number>>, C]
  : S extends readonly [
        infer B extends number,
        infer H extends number,
        infer W extends number,
        infer C extends number,
      ]
    ? [
        B,
        PositionsAt<H, Per<P, '0', number>, O, '0', Per<P, '0', number>>,
        PositionsAt<W, Per<P, '1', number>, O, '1', Per<P, '1', number>>,
        C,
      ]
    : Shape
