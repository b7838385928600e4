import type { Graph } from './graph.ts'
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

/** What a rule that computes outputs and derivatives together is told. */
export interface LineariseSite<P> {
  readonly inputs: readonly Tensor[]
  readonly params: P
  /** Which inputs' cotangents will be wanted. */
  readonly needs: readonly boolean[]
}

/** The outputs, and the inputs' cotangents as a linear function of the outputs'. */
export interface Linearised {
  readonly outputs: readonly Tensor[]
  readonly pullback: (cotangents: readonly (Tensor | undefined)[]) => readonly (Tensor | undefined)[]
}

/** What a forward derivative rule is told; a tangent is `undefined` where an input does not move. */
export interface JvpSite<P> {
  readonly inputs: readonly Tensor[]
  readonly tangents: readonly (Tensor | undefined)[]
  readonly params: P
}

/** The outputs, and their tangents; `undefined` for an output that does not move. */
export interface Pushed {
  readonly outputs: readonly Tensor[]
  readonly tangents: readonly (Tensor | undefined)[]
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
  /** In place of `vjp`, where the derivative needs more than the inputs and outputs: it may keep what it likes. */
  linearise?(ops: Operations, site: LineariseSite<P>): Linearised
  /** Forward mode, where the transpose of the pullback would not do, or not as well. */
  jvp?(ops: Operations, site: JvpSite<P>): Pushed
  /** The outputs with the batch as axis 0. */
  batch(ops: Operations, site: BatchSite<P>): readonly Tensor[]
  /** The outputs as views, scalar expressions and launches. */
  lower(site: LowerSite<P>): readonly Lazy[]
  /** What compiled programs are told apart by; by default the name, and the parameters as JSON. */
  key?(params: P): string
  /** The graph that the operation stands for, if it is a call that compiling may write out. */
  inline?(params: P): Graph
  /** Two of these with the same inputs are never taken for one. */
  readonly distinct?: boolean
}

/** A text that is the same for applications that lower to the same program, apart from their inputs. */
export const keyOf = <P>(primitive: Primitive<P>, params: P): string =>
  primitive.key?.(params) ?? `${primitive.name} ${JSON.stringify(params)}`
