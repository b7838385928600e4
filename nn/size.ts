/** Layers' sizes in their types: what a layer asks of the last axis, what it makes of it, and what fits behind what. */
import type { Dtype, Shape, Tensor } from '../core/index.ts'
import type { IsLiteral, Literal, Same, ShapeMismatch, ShowShape, Unequal, WithLast } from '../core/type.ts'
import type { AnyLayer, InputOf, Layer, OutputOf, Run } from './layer.ts'

/**
 * A tensor whose last axis has size N as far as layers know: any tensor is one, but layers that know different
 * sizes do not fit behind one another.
 */
export type Features<N extends number> = Tensor & { readonly features?: N }

/**
 * Refuses a tensor whose last size is known to be another, from its shape S or else from the features F of the layers
 * it came through. One of both speaks: two refusals in one type would be `never`, which names nothing.
 */
export type Takes<
  Name extends string,
  S extends Shape,
  F extends number,
  N extends number,
  W = Literal,
> = S extends readonly [...unknown[], infer M extends number]
  ? Unequal<M, N, W> extends true
    ? ShapeMismatch<`${Name}: the last axis must be ${N}, got ${ShowShape<S>}`>
    : IsLiteral<M, W> extends true
      ? unknown
      : FeaturesFit<Name, F, N>
  : FeaturesFit<Name, F, N>

/** The shape with another last size, which stays known where the others are not. */
export type LastTo<S extends Shape, N extends number> = number extends S['length']
  ? readonly [...number[], N]
  : WithLast<S, N>

/** A function of rows: [..., I] → [..., O], whatever the other axes are. */
export type Rowwise<Name extends string, I extends number, O extends number> = <
  S extends Shape,
  D extends Dtype,
  F extends number = number,
>(
  x: Rows<Name, S, D, F, I>,
) => Sized<LastTo<S, O>, D, O>

/** Rows of a size, as far as is known of the tensor's shape S and of the layers' features F. */
export type Rows<
  Name extends string,
  S extends Shape,
  D extends Dtype,
  F extends number,
  N extends number,
> = Tensor<S, D> & Takes<Name, S, F, N> & { readonly features?: F }

/** A tensor of which the layers behind know the size of its last axis. */
export type Sized<S extends Shape, D extends Dtype, N extends number> = Tensor<S, D> & {
  readonly features?: N
}

/** A function that puts an axis of a size behind the others: [...] → [..., O]. */
export type Widening<O extends number> = <S extends Shape>(
  x: Tensor<S>,
) => Sized<number extends S['length'] ? readonly [...number[], O] : readonly [...S, O], Dtype, O>

/** Refuses features that are known to be others. They wait until they are known, unless both are one and generic. */
type FeaturesFit<Name extends string, F extends number, I extends number> =
  Same<readonly [F], readonly [I]> extends true
    ? unknown
    : number extends F
      ? unknown
      : [F] extends [I]
        ? unknown
        : ShapeMismatch<`${Name}: the last axis must be ${I}, got [..., ${F}]`>

/** A function that keeps shapes, and what layers know of sizes. */
export type Pointwise = <T extends Tensor>(x: T) => T

/** Any function that keeps shapes. */
export type Preserving = <S extends Shape, D extends Dtype>(x: Tensor<S, D>) => Tensor<S, D>

/** A layer of rows, which knows the sizes of their last axis: [..., I] → [..., O]. */
export type RowLayer<P, Name extends string, I extends number, O extends number> = {
  readonly apply: (params: P, run: Run) => Rowwise<Name, I, O>
  /** Nothing but a type: the sizes. */
  readonly rows?: readonly [Name, I, O]
} & Layer<P, Features<I>, Features<O>>

/** A layer that keeps shapes, whatever they are. */
export type KeepingLayer<P> = {
  readonly apply: (params: P, run: Run) => Pointwise
  /** Nothing but a type: that it keeps shapes. */
  readonly keeps?: true
} & Layer<P, Tensor, Tensor>

/** A layer that is the function F of any tensors, but which others take as a layer from I to O. */
export type CallLayer<P, F, I, O> = {
  readonly apply: (params: P, run: Run) => F
  /** Nothing but a type: the function. */
  readonly calls?: F
} & Layer<P, I, O>

/** A layer that puts an axis of size O behind the others. */
export type WideningLayer<P, O extends number> = CallLayer<P, Widening<O>, Tensor, Features<O>> & {
  /** Nothing but a type: that it puts an axis behind the others. */
  readonly widens?: true
}

/** The name and sizes of a layer of rows. */
export type RowsOf<L> = 'rows' extends keyof L
  ? L extends {
      readonly rows?: readonly [infer N extends string, infer I extends number, infer O extends number]
    }
    ? readonly [N, I, O]
    : never
  : never

/** A layer with its parameters: the function it is. */
export type CallOf<L extends AnyLayer> = 'keeps' extends keyof L
  ? Pointwise
  : 'calls' extends keyof L
    ? NonNullable<L['calls']>
    : [RowsOf<L>] extends [readonly [infer N extends string, infer I extends number, infer O extends number]]
      ? [RowsOf<L>] extends [never]
        ? (input: InputOf<L>) => OutputOf<L>
        : Rowwise<N, I, O>
      : (input: InputOf<L>) => OutputOf<L>

/** The last size of a value, where it is known. */
export type SizeOf<V> = V extends { readonly features?: infer N }
  ? number extends N
    ? number
    : N & number
  : number
