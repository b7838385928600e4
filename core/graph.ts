import type { Primitive } from './primitive.ts'
import type { Aval } from './tensor.ts'
import type { Literal } from './tensor.ts'

/** A value of a graph, named by a number that is unique in it. */
export interface Var extends Aval {
  readonly id: number
}

export type Atom = Var | Literal

/** One step: the outputs are the primitive applied to the inputs. */
export interface Equation {
  readonly primitive: Primitive
  readonly params: unknown
  readonly inputs: readonly Atom[]
  readonly outputs: readonly Var[]
}

/** The trace of a pure function: equations in order. */
export interface Graph {
  readonly inputs: readonly Var[]
  readonly equations: readonly Equation[]
  readonly outputs: readonly Atom[]
}

export const isVar = (atom: Atom): atom is Var => 'id' in atom
