/** Functions that are called as one operation: a graph, and rules for what transformations make of it. */
import { PullbackError, argumentError } from '../error.ts'
import type { Graph } from '../graph.ts'
import { lowerInto } from '../lower/lower.ts'
import { expandCalls, graphKey, optimise } from '../optimise.ts'
import type { LowerSite, Primitive } from '../primitive.ts'
import type { Lazy } from '../lower/lazy.ts'
import { interpret, stage } from '../transform/stage.ts'
import { sameShape } from '../shape.ts'
import type { Aval, Tensor } from '../tensor.ts'
import * as tree from '../tree.ts'
import { vmap } from '../transform/vmap.ts'

export interface CallParams {
  readonly graph: Graph
}

/** A function of trees as a graph: its inputs are the tensors of the arguments, then what the function uses from outside. */
export interface Call {
  readonly graph: Graph
  readonly inputs: readonly Tensor[]
  /** How many of the inputs come from the arguments. */
  readonly own: number
  readonly args: tree.Structure
  readonly output: tree.Structure
}

export const callOf = (f: (...args: never[]) => unknown, args: readonly unknown[]): Call => {
  const [given, structure] = tree.flatten(args)
  let output: tree.Structure | undefined
  const { graph, captured } = stage((tracers) => {
    const [leaves, shape] = tree.flatten(f(...(structure.unflatten(tracers) as never[])))
    output = shape
    return leaves
  }, given)
  return {
    graph: optimise(graph),
    inputs: [...given, ...captured],
    own: given.length,
    args: structure,
    output: output as tree.Structure,
  }
}

/** The graph of a batch of inputs; every output has the batch as axis 0. What it uses besides comes behind the inputs. */
export const batchedGraph = (
  graph: Graph,
  inputs: readonly Aval[],
  batched: readonly boolean[],
): { readonly graph: Graph; readonly captured: readonly Tensor[] } =>
  stage((values) => batchedCall((...own) => interpret(graph, own), batched)(...values), inputs)

/** A function of lists of tensors over batches of some of them. */
export const batchedCall = (
  f: (...inputs: readonly Tensor[]) => readonly Tensor[],
  batched: readonly boolean[],
): ((...inputs: readonly Tensor[]) => readonly Tensor[]) =>
  vmap(f, { inAxes: batched.map((is) => (is ? 0 : null)) })

/** The rules that all calls share: shapes, lowering, and how they are told apart. */
export const callRules = (
  name: string,
): Pick<Primitive<CallParams>, 'name' | 'shape' | 'lower' | 'key' | 'inline'> => ({
  name,
  shape: (_, { graph }) => graph.outputs.map(({ shape, dtype }) => ({ shape, dtype })),
  lower: ({ inputs, params: { graph }, builder }: LowerSite<CallParams>): readonly Lazy[] =>
    lowerInto(optimise(expandCalls(graph)), inputs, builder),
  key: ({ graph }) => `${name} ${graphKey(graph)}`,
  inline: ({ graph }) => graph,
})

/** Throws where what a function uses from outside is differentiated, which a rule of the user's cannot know of. */
export const refuseCaptured = (
  operation: string,
  own: number,
  moving: readonly boolean[],
  done: string,
): void => {
  if (moving.slice(own).includes(true))
    throw new PullbackError({
      tag: 'argument',
      operation,
      detail: `the function uses a tensor from outside that is being ${done}, of which its rule knows nothing; pass it as an argument`,
    })
}

/** The leaves of what a rule gives; throws where it is not of the structure and shapes wanted. */
export const checkLike = (
  operation: string,
  what: string,
  given: unknown,
  wanted: tree.Structure,
  leaves: readonly Aval[],
): readonly Tensor[] => {
  const [found, structure] = tree.flatten(given)
  if (structure.key !== wanted.key)
    throw argumentError(
      operation,
      `${what} has another structure: ${structure.key} for ${wanted.key}, where * is a tensor`,
    )
  found.forEach((x, i) => {
    const { shape } = leaves[i] as Aval
    if (!sameShape(x.shape, shape))
      throw new PullbackError({
        tag: 'shape',
        operation,
        detail: `${what} has another shape`,
        shapes: [shape, x.shape],
      })
  })
  return found
}
