/** Layers that slide windows, in their types: what they make of [batch, ...sizes, channels], one move after the other. */
import type { Dtype, Shape, Tensor } from '../core/index.ts'
import type { Same, ShapeMismatch, ShowShape, Slid } from '../core/type.ts'
import type { CallLayer, Features, LastTo, Sized, Takes } from './size.ts'

/** How a layer moves: by a window W, or by its transpose, to O channels, or from rows to rows of size O. */
export type Move =
  | readonly [kind: 'window' | 'transpose', W: Shape, O: number, options: unknown]
  | readonly [kind: 'rows', O: number]

/** The shape behind one move. */
type Moved<S extends Shape, M extends Move> = M extends readonly ['rows', infer O extends number]
  ? LastTo<S, O>
  : M extends readonly [infer Kind, infer W extends Shape, infer O extends number, infer Options]
    ? Slid<Kind, S, [...W, number, O], Options>
    : never

/** The shape behind all moves. */
type MovedAll<S extends Shape, M extends readonly Move[]> = M extends readonly [
  infer H extends Move,
  ...infer R extends readonly Move[],
]
  ? MovedAll<Moved<S, H>, R>
  : S

/** A window's axes and their names. */
interface Axes {
  readonly 1: { readonly of: readonly [number, number, number]; readonly names: 'batch, length' }
  readonly 2: {
    readonly of: readonly [number, number, number, number]
    readonly names: 'batch, height, width'
  }
}

/** Over how many axes windows slide. */
export type AxisCount = keyof Axes

/**
 * A tensor of [batch, ...sizes, channels] as far as layers know: over how many axes windows slide, and the number of
 * channels.
 */
export type Places<R extends AxisCount, N extends number> = Features<N> & { readonly places?: R }

/** What is known of the places of a value, and nothing else. */
export type PlacesOf<V> = V extends { readonly places?: infer R extends AxisCount }
  ? { readonly places?: R }
  : unknown

/** A value's shape as its places name it; `never` where it has none. */
export type ShowPlaces<V, N extends number> = V extends { readonly places?: infer R extends AxisCount }
  ? `[${Axes[R]['names']}, ${N}]`
  : never

/** Refuses what is known to be of another rank, or to have other channels. */
type TakesPlaces<
  Name extends string,
  R extends AxisCount,
  S extends Shape,
  F extends number,
  N extends number,
> =
  Same<
    number extends S['length'] ? Axes[R]['of']['length'] : S['length'],
    Axes[R]['of']['length']
  > extends true
    ? Takes<Name, S, F, N>
    : ShapeMismatch<`${Name}: the input must be [${Axes[R]['names']}, ${N}], got ${ShowShape<S>}`>

/** A function of [batch, ...sizes, I] that moves as M says, to [batch, ...sizes', O]. */
export type Sliding<
  Name extends string,
  R extends AxisCount,
  I extends number,
  O extends number,
  M extends readonly Move[],
> = <S extends Shape, D extends Dtype, F extends number = number>(
  x: Tensor<S, D> & TakesPlaces<Name, R, S, F, I> & { readonly features?: F },
) => Sized<MovedAll<number extends S['length'] ? Axes[R]['of'] : S, M>, D, O>

/** A layer that slides windows, one after the other: [batch, ...sizes, I] → [batch, ...sizes', O]. */
export type SlidingLayer<
  P,
  Name extends string,
  R extends AxisCount,
  I extends number,
  O extends number,
  M extends readonly Move[],
> = CallLayer<P, Sliding<Name, R, I, O, M>, Places<R, I>, Places<R, O>> & {
  /** Nothing but a type: the axes, the channels and the moves. */
  readonly slides?: readonly [R, I, O, M]
}
