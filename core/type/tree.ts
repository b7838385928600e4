/** Trees of tensors with an axis more or less, and numbers nested as a tensor's axes are. */
import type { Shape } from '../shape.ts'
import type { Tensor } from '../tensor.ts'
import type { Inserted } from './axis.ts'
import type { ShapeMismatch } from './show.ts'

/** A tree of tensors as it is at one position of axis 0. */
export type SliceOf<T> =
  T extends Tensor<infer S, infer D>
    ? Tensor<S extends readonly [unknown, ...infer R extends Shape] ? R : Shape, D>
    : T extends object
      ? { readonly [K in keyof T]: SliceOf<T[K]> }
      : T

/** A tree of tensors stacked along a new axis 0. */
export type StackOf<T> = Batched<T, 0>

/** A tree of tensors with a batch axis, of which the size is not known, at a literal place; `null` is for none. */
export type Batched<T, A> = [A] extends [null]
  ? T
  : T extends Tensor<infer S, infer D>
    ? Tensor<[A] extends [number] ? Inserted<S, A, number> : Shape, D>
    : T extends (...args: never) => unknown
      ? T
      : T extends object
        ? { readonly [K in keyof T]: Batched<T[K], A> }
        : T

/** The batch axis that options name for the argument at `I`; the first one where they name none at all. */
type AxisOf<In, I> = In extends readonly unknown[]
  ? I extends keyof In
    ? In[I]
    : number extends In['length']
      ? number | null
      : never
  : [In] extends [undefined]
    ? 0
    : In

/** Arguments with their batch axes. */
export type BatchedArguments<P extends readonly unknown[], In> = {
  readonly [I in keyof P]: [AxisOf<In, I>] extends [never]
    ? ShapeMismatch<`vmap: inAxes has no axis for argument ${I & string}; null is for one that all examples share`>
    : Batched<P[I], AxisOf<In, I>>
}

/** A result with the batch axis that options name; the first one where they name none. */
export type BatchedResult<T, Out> = Batched<T, [Out] extends [undefined] ? 0 : Out>

/**
 * What a step may make of a carry: tensors in the same places. That shapes stay is found while tracing, so that a
 * step may be written for tensors of any shape.
 */
export type Carried<C> = C extends Tensor
  ? Tensor
  : C extends object
    ? { readonly [K in keyof C]: Carried<C[K]> }
    : C

/** The shape of nested numbers; of eight axes at most. */
export type ShapeOfNested<N> = unknown extends N ? Shape : NestedSizes<N>

type NestedSizes<N, Depth extends 0[] = [], Done extends Shape = []> = Depth['length'] extends 8
  ? Shape
  : [N] extends [readonly unknown[]]
    ? NestedSizes<FirstOf<N>, [...Depth, 0], [...Done, N['length']]>
    : [N] extends [number | boolean]
      ? Done
      : Shape

type FirstOf<N extends readonly unknown[]> = N extends readonly [infer H, ...unknown[]] ? H : N[number]

/** The dtype of nested numbers: bool where they are booleans, else float32. */
export type DtypeOfNested<N, Depth extends 0[] = []> = Depth['length'] extends 8
  ? 'float32' | 'bool'
  : [N] extends [readonly unknown[]]
    ? DtypeOfNested<FirstOf<N>, [...Depth, 0]>
    : [N] extends [boolean]
      ? 'bool'
      : [N] extends [number]
        ? 'float32'
        : 'float32' | 'bool'
