import type { Lazy } from './lower/lazy.ts'
import type { Builder } from './lower/builder.ts'
import type * as functions from './function/index.ts'
import type { Aval, Tensor } from './tensor.ts'

/** The operations that rules are written in: the public functions, and `bind`. */
export type Operations = typeof functions

/** What a derivative rule is told. */
export interface VjpSite<P> {
  /** One for each output; `undefined` for an output that nothing depends on, if there are several. */
  readonly cotangents: readonly (Tensor | undefined)[]
  readonly inputs: readonly Tensor[]
  readonly outputs: readonly Tensor[]
  readonly params: P
  /** Which inputs' cotangents are wanted; the others may be left out. */
  readonly needs: readonly boolean[]
}

/** What a batching rule is told: batched inputs have the batch as axis 0. */
export interface BatchSite<P> {
  readonly inputs: readonly Tensor[]
  readonly batched: readonly boolean[]
  readonly size: number
  readonly params: P
}

/** What a lowering rule is told. */
export interface LowerSite<P> {
  readonly inputs: readonly Lazy[]
  readonly params: P
  readonly outputs: readonly Aval[]
  readonly builder: Builder
}

/**
 * An operation: one record in one place. Rules receive the operations they are written in, so records import
 * neither one another nor any transformation, and derivatives can be differentiated and batched again.
 */
export interface Primitive<P = unknown> {
  readonly name: string
  /** The outputs' shapes and dtypes; throws when the inputs do not fit, before anything runs. */
  shape(inputs: readonly Aval[], params: P): readonly Aval[]
  /** The inputs' cotangents; `'none'` where outputs do not depend smoothly on any input. */
  readonly vjp: 'none' | ((ops: Operations, site: VjpSite<P>) => readonly (Tensor | undefined)[])
  /** The outputs with the batch as axis 0. */
  batch(ops: Operations, site: BatchSite<P>): readonly Tensor[]
  /** The outputs as views, scalar expressions and launches. */
  lower(site: LowerSite<P>): readonly Lazy[]
}
