/** Layers behind one another, in their types: what fits behind what, and what they are as one. */
import type { Tensor } from '../core/index.ts'
import type { ShapeMismatch } from '../core/type.ts'
import type { AnyLayer, InputOf, Layer, OutputOf, ParamsOf } from './layer.ts'
import type { KeepingLayer, RowLayer, RowsOf, SizeOf, WideningLayer } from './size.ts'
import type { AxisCount, Move, PlacesOf, ShowPlaces, SlidingLayer } from './slide.ts'

/** What comes out behind a layer. Layers of rows leave the other axes as they are. */
type After<H extends AnyLayer, V> = 'keeps' extends keyof H
  ? V
  : 'rows' extends keyof H
    ? OutputOf<H> & PlacesOf<V>
    : OutputOf<H>

/** Whether a value is what is asked for, or a tensor of a size that is not known where any tensor will do. */
type Fits<V, I> = [V] extends [I]
  ? true
  : [V, Tensor] extends [Tensor, I]
    ? number extends SizeOf<V>
      ? true
      : false
    : false

/** Refuses layers of which one does not take what the one before it gives. */
export type Follows<L extends readonly AnyLayer[], V = unknown, Place extends 0[] = []> = L extends readonly [
  infer H extends AnyLayer,
  ...infer R extends readonly AnyLayer[],
]
  ? unknown extends V
    ? Follows<R, After<H, InputOf<H>>, [...Place, 0]>
    : Fits<V, InputOf<H>> extends true
      ? Follows<R, After<H, V>, [...Place, 0]>
      : ShapeMismatch<`sequence: layer ${Place['length']} takes ${ShowInput<H>}, but gets ${ShowValue<V>}`>
  : unknown

type ShowInput<H extends AnyLayer> = ShowValue<InputOf<H>>

/** A tensor by its last size, and a record by the tensor that goes from layer to layer in it. */
type ShowValue<V> = V extends Tensor
  ? ShowTensor<V>
  : V extends { readonly x: infer X extends Tensor }
    ? `{ x: ${ShowTensor<X>} }`
    : V extends { readonly outputs: infer X extends Tensor }
      ? `{ outputs: ${ShowTensor<X>} }`
      : 'something else'

type ShowTensor<V> =
  number extends SizeOf<V>
    ? 'a tensor'
    : [ShowPlaces<V, SizeOf<V>>] extends [never]
      ? `[..., ${SizeOf<V>}]`
      : ShowPlaces<V, SizeOf<V>>

/** What comes out of layers behind one another. */
type Through<L extends readonly AnyLayer[], V> = L extends readonly [
  infer H extends AnyLayer,
  ...infer R extends readonly AnyLayer[],
]
  ? Through<R, After<H, V>>
  : V

/** What the first layer asks for that asks for anything. */
type Asked<L extends readonly AnyLayer[]> = L extends readonly [
  infer H extends AnyLayer,
  ...infer R extends readonly AnyLayer[],
]
  ? 'keeps' extends keyof H
    ? R extends readonly []
      ? Tensor
      : Asked<R>
    : InputOf<H>
  : Tensor

type ParamsList<L extends readonly AnyLayer[]> = { readonly [I in keyof L]: ParamsOf<L[I]> }

/** How layers move that keep shapes, change rows or slide windows; 'other' where one does anything else. */
type MovesOf<L extends readonly AnyLayer[], Done extends readonly Move[] = []> = L extends readonly [
  infer H extends AnyLayer,
  ...infer R extends readonly AnyLayer[],
]
  ? 'keeps' extends keyof H
    ? MovesOf<R, Done>
    : 'rows' extends keyof H
      ? MovesOf<R, [...Done, readonly ['rows', SizeOf<OutputOf<H>>]]>
      : H extends { readonly slides?: readonly [unknown, unknown, unknown, infer M extends readonly Move[]] }
        ? 'slides' extends keyof H
          ? MovesOf<R, [...Done, ...M]>
          : 'other'
        : 'other'
  : Done

type RowMoves = readonly (readonly ['rows', number])[]

/** Whether a layer puts an axis behind the others and nothing but rows follow: their sizes go on. */
type WidensFirst<L extends readonly AnyLayer[]> = L extends readonly [
  infer H extends AnyLayer,
  ...infer R extends readonly AnyLayer[],
]
  ? 'keeps' extends keyof H
    ? WidensFirst<R>
    : 'widens' extends keyof H
      ? MovesOf<R> extends RowMoves
        ? true
        : false
      : false
  : false

/** Layers behind one another as one layer. */
export type SequenceOf<L extends readonly AnyLayer[]> = number extends L['length']
  ? Layer<readonly ParamsOf<L[number]>[], InputOf<L[number]>, OutputOf<L[number]>>
  : MovesOf<L> extends readonly []
    ? KeepingLayer<ParamsList<L>>
    : MovesOf<L> extends RowMoves
      ? RowLayer<ParamsList<L>, 'sequence', SizeOf<Asked<L>>, SizeOf<Through<L, Asked<L>>>>
      : MovesOf<L> extends readonly Move[]
        ? SlidingSequence<ParamsList<L>, MovesOf<L>, Asked<L>, Through<L, Asked<L>>>
        : WidensFirst<L> extends true
          ? WideningLayer<ParamsList<L>, SizeOf<Through<L, Asked<L>>>>
          : Layer<ParamsList<L>, Asked<L>, Through<L, Asked<L>>>

type SlidingSequence<P, M extends readonly Move[], I, O> = O extends {
  readonly places?: infer R extends AxisCount
}
  ? SlidingLayer<P, 'sequence', R, SizeOf<I>, SizeOf<O>, M>
  : never

/** Refuses a layer that gives another size than it takes. */
export type KeepsSize<Name extends string, L> = [SizesOf<L>] extends [
  readonly [infer I extends number, infer O extends number],
]
  ? [I, O] extends [O, I]
    ? unknown
    : ShapeMismatch<`${Name}: the layer must give what it takes, but takes [..., ${I}] and gives [..., ${O}]`>
  : unknown

type SizesOf<L> = 'slides' extends keyof L
  ? L extends { readonly slides?: readonly [unknown, infer I, infer O, unknown] }
    ? readonly [I, O]
    : unknown
  : [RowsOf<L>] extends [readonly [string, infer I, infer O]]
    ? readonly [I, O]
    : unknown
