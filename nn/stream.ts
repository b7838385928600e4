/**
 * Layers of records, in their types: of which entries are rows of a known size, and what comes of them. As functions
 * they keep what is known of the other axes; to other layers they are what they take and give, by sizes alone.
 */
import type { Dtype, Shape, Tensor } from '../core/index.ts'
import type { Literal, Same, ShapeMismatch, ShowShape, Unequal } from '../core/type.ts'
import type { AnyLayer, InputOf, Layer, OutputOf } from './layer.ts'
import type { CallLayer, CallOf, Features, LastTo, Rows, Sized, SizeOf, Takes } from './size.ts'

/** A function of a record, of which what stands at K are rows [..., N], to rows of the same size. */
export type Streaming<Name extends string, K extends string, N extends number, Input> = <
  S extends Shape,
  D extends Dtype,
  F extends number = number,
>(
  input: Input & { readonly [_ in K]: Rows<Name, S, D, F, N> },
) => Sized<LastTo<S, N>, D, N>

/** A layer of a record, of which what stands at K are rows [..., N], to rows of the same size. */
export type StreamLayer<P, Name extends string, K extends string, N extends number, Input> = CallLayer<
  P,
  Streaming<Name, K, N, Input>,
  Input & { readonly [_ in K]: Features<N> },
  Features<N>
>

/** A function of rows x [..., N] that looks at a memory [..., M], to rows of the size of x. */
export type Decoding<Name extends string, N extends number, M extends number, Input> = <
  S extends Shape,
  D extends Dtype,
  SM extends Shape,
  DM extends Dtype,
  F extends number = number,
  FM extends number = number,
>(
  input: Input & {
    readonly x: Rows<Name, S, D, F, N>
    readonly memory: Rows<`${Name}'s memory`, SM, DM, FM, M>
  },
) => Sized<LastTo<S, N>, D, N>

/** A layer of rows x [..., N] that looks at a memory [..., M]. */
export type DecodingLayer<P, Name extends string, N extends number, M extends number, Input> = CallLayer<
  P,
  Decoding<Name, N, M, Input>,
  Input & { readonly x: Features<N>; readonly memory: Features<M> },
  Features<N>
>

/** Asks for what stands at K where it is not as wide as what would be taken in its place. */
type Asks<K extends string, N extends number, Instead extends number, W> =
  Unequal<N, Instead, W> extends true ? { readonly [_ in K]: Tensor } : unknown

/** A function of queries [..., N], keys [..., K] and values [..., V], to rows of the size of the queries. */
export type Attending<
  Name extends string,
  N extends number,
  K extends number,
  V extends number,
  Input,
  W = Literal,
> = <
  S extends Shape,
  D extends Dtype,
  SK extends Shape,
  DK extends Dtype,
  SV extends Shape,
  DV extends Dtype,
  F extends number = number,
  FK extends number = number,
  FV extends number = number,
>(
  input: Input & {
    readonly query: Rows<Name, S, D, F, N>
    readonly key?: Rows<`${Name}'s key`, SK, DK, FK, K> | undefined
    readonly value?: Rows<`${Name}'s value`, SV, DV, FV, V> | undefined
  } & Asks<'key', K, N, W> &
    Asks<'value', V, K, W>,
) => Sized<LastTo<S, N>, D, N>

/** A layer of queries [..., N], keys [..., K] and values [..., V]. */
export type AttendingLayer<
  P,
  Name extends string,
  N extends number,
  K extends number,
  V extends number,
  Input,
> = CallLayer<
  P,
  Attending<Name, N, K, V, Input>,
  Input & {
    readonly query: Features<N>
    readonly key?: Features<K> | undefined
    readonly value?: Features<V> | undefined
  },
  Features<N>
>

/** A recurrent layer's state as other layers see it. What a state is made of is told by the widths W in its places. */
export type StateLike<W> = [W] extends [number] ? Features<W> : { readonly [K in keyof W]: StateLike<W[K]> }

/** A recurrent layer's state for a batch: [batch, width] in each place. */
export type StateOf<W, B extends number, D extends Dtype> = [W] extends [number]
  ? Sized<readonly [B, W], D, W>
  : { readonly [K in keyof W]: StateOf<W[K], B, D> }

/** Refuses a state of another width, wherever in it that stands. */
type StateFits<Name extends string, W, X> = [W] extends [number]
  ? X extends Tensor<infer S>
    ? Takes<`${Name}'s state`, S, SizeOf<X>, W>
    : unknown
  : { readonly [K in keyof W]: K extends keyof X ? StateFits<Name, W[K], X[K]> : unknown }

/** Refuses what is known to be no steps [batch, time, N]. */
type Steps<Name extends string, S extends Shape, F extends number, N extends number> =
  Same<number extends S['length'] ? 3 : S['length'], 3> extends true
    ? Takes<Name, S, F, N>
    : ShapeMismatch<`${Name}: the input must be [batch, time, ${N}], got ${ShowShape<S>}`>

/** A function of steps x [batch, time, N] and a state, to what each step gives and the state behind the last one. */
export type Recurring<Name extends string, N extends number, O extends number, W> = <
  S extends Shape,
  D extends Dtype,
  X extends StateLike<W>,
  F extends number = number,
>(input: {
  readonly x: Tensor<S, D> & Steps<Name, S, F, N> & { readonly features?: F }
  readonly state?: X & StateFits<Name, W, X>
}) => {
  readonly outputs: Sized<LastTo<S, O>, D, O>
  readonly state: StateOf<W, S[0] & number, D>
}

/** A layer of steps [batch, time, N], whose state has the widths W. */
export type RecurrentLayer<P, Name extends string, N extends number, O extends number, W> = CallLayer<
  P,
  Recurring<Name, N, O, W>,
  { readonly x: Features<N>; readonly state?: StateLike<W> },
  { readonly outputs: Features<O>; readonly state: StateLike<W> }
> & {
  /** Nothing but a type: the sizes. */
  readonly recurs?: readonly [N, O, W]
}

/** A function of a batch x [batch, ..., N] beside what is told of its channels, to the same of what comes out. */
export type Normalising<Name extends string, N extends number> = <
  S extends Shape,
  D extends Dtype,
  SM extends Shape,
  SV extends Shape,
  F extends number = number,
  FM extends number = number,
  FV extends number = number,
>(input: {
  readonly x: Rows<Name, S, D, F, N>
  readonly statistics: {
    readonly mean: Rows<`${Name}'s mean`, SM, Dtype, FM, N>
    readonly variance: Rows<`${Name}'s variance`, SV, Dtype, FV, N>
  }
}) => {
  readonly x: Sized<S, D, N>
  readonly statistics: {
    readonly mean: Sized<readonly [N], Dtype, N>
    readonly variance: Sized<readonly [N], Dtype, N>
  }
}

/** A layer of a batch x [batch, ..., N] and the statistics of its channels. */
export type NormalisingLayer<P, Name extends string, N extends number> = CallLayer<
  P,
  Normalising<Name, N>,
  Channels<N>,
  Channels<N>
>

/** A batch, and what is known of its channels, as other layers see them. */
interface Channels<N extends number> {
  readonly x: Features<N>
  readonly statistics: { readonly mean: Features<N>; readonly variance: Features<N> }
}

/** Refuses a layer whose input has no stream `x`. */
export type Streams<Name extends string, L extends AnyLayer> = [InputOf<L>] extends [{ readonly x: Tensor }]
  ? unknown
  : ShapeMismatch<`${Name}: blocks must take a record with the stream in x, { x: [..., width] }`>

/** Blocks in a row, with the parameters P: what each of them is. */
export type Repeated<L extends AnyLayer, P> = 'calls' extends keyof L
  ? CallLayer<P, CallOf<L>, InputOf<L>, OutputOf<L>>
  : Layer<P, InputOf<L>, OutputOf<L>>
