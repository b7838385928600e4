/** Computing again in the backward pass what would otherwise be kept in memory. */
import { bind, isStaging } from '../bind.ts'
import { argumentError, checkOptions, describe } from '../error.ts'
import type { CallParams } from '../custom/call.ts'
import { batchedGraph, callOf, callRules } from '../custom/call.ts'
import * as functions from '../function/index.ts'
import type { Graph, Var } from '../graph.ts'
import { isVar } from '../graph.ts'
import type { Primitive } from '../primitive.ts'
import { barrier } from '../primitives/structure.ts'
import type { Tensor } from '../tensor.ts'
import { jvp } from './jvp.ts'
import { interpret } from './stage.ts'
import { vjp } from './vjp.ts'

/**
 * What the backward pass finds stored: `'nothing'` but the inputs; the results of `'matmuls'`, which cost most to
 * compute again; or those of the primitives for whose names a predicate holds.
 */
export type CheckpointPolicy = 'nothing' | 'matmuls' | ((primitive: string) => boolean)

export interface CheckpointOptions {
  /** 'nothing' by default. */
  readonly policy?: CheckpointPolicy
}

const savesOf = (policy: CheckpointPolicy): ((primitive: string) => boolean) => {
  if (typeof policy === 'function') return policy
  const given: unknown = policy
  if (given !== 'nothing' && given !== 'matmuls')
    throw argumentError(
      'checkpoint',
      `the policy is 'nothing', 'matmuls' or a predicate of primitives' names, got ${describe(given)}`,
    )
  return (name) => given === 'matmuls' && name === 'matmul'
}

/** The first input's derivative with the second one's value. */
const replaced: Primitive<Readonly<Record<string, never>>> = {
  name: 'replaced',
  shape: ([x]) => [x as Tensor],
  vjp: (_, { cotangents: [g] }) => [g, undefined],
  batch: (ops, { inputs, batched, size }) => {
    const wide = inputs.map((x, i) => (batched[i] === true ? x : ops.broadcastTo(x, [size, ...x.shape])))
    return ops.bind(replaced, wide, {})
  },
  lower: ({ inputs: [, saved] }) => [saved as NonNullable<typeof saved>],
}

/** The graph's outputs, computed with what is saved of its intermediate results in place of them. */
const interpretSaved = (
  graph: Graph,
  inputs: readonly Tensor[],
  saved: ReadonlyMap<number, Tensor>,
): readonly Tensor[] => {
  const values = new Map<number, Tensor>()
  graph.inputs.forEach(({ id }, i) => values.set(id, inputs[i] as Tensor))
  for (const { primitive, params, inputs: atoms, outputs } of graph.equations) {
    const results = bind(
      primitive,
      atoms.map((atom) => (isVar(atom) ? (values.get(atom.id) as Tensor) : atom)),
      params,
    )
    outputs.forEach(({ id }, i) => {
      const result = results[i] as Tensor
      const kept = saved.get(id)
      values.set(id, kept === undefined ? result : (bind(replaced, [result, kept], {})[0] as Tensor))
    })
  }
  return graph.outputs.map((atom) => (isVar(atom) ? (values.get(atom.id) as Tensor) : atom))
}

/** Keeps the recomputation from being taken for the computation before, and from starting before it is needed. */
const apart = (inputs: readonly Tensor[], cotangents: readonly (Tensor | undefined)[]): readonly Tensor[] =>
  isStaging()
    ? bind(barrier, [...inputs, ...cotangents.filter((g) => g !== undefined)], {}).slice(0, inputs.length)
    : inputs

const primitiveOf = (saves: (primitive: string) => boolean): Primitive<CallParams> => ({
  ...callRules('checkpoint'),
  vjp: 'none',
  linearise: (_, { inputs, needs, params: { graph } }) => {
    const kept: readonly Var[] = graph.equations.flatMap(({ primitive, outputs }) =>
      saves(primitive.name) ? outputs : [],
    )
    const results = bind(primitiveOf(saves), inputs, {
      graph: { ...graph, outputs: [...graph.outputs, ...kept] },
    })
    const outputs = results.slice(0, graph.outputs.length)
    const saved = results.slice(graph.outputs.length)
    return {
      outputs,
      pullback: (cotangents) => {
        const again = apart([...inputs, ...saved], cotangents)
        const stored = new Map(kept.map(({ id }, i) => [id, again[inputs.length + i] as Tensor]))
        const moving = again.slice(0, inputs.length).filter((_, i) => needs[i] === true)
        const { value, pullback } = vjp(
          (...own: readonly Tensor[]) => {
            let next = 0
            const all = inputs.map((_, i) =>
              needs[i] === true ? (own[next++] as Tensor) : (again[i] as Tensor),
            )
            return interpretSaved(graph, all, stored)
          },
          ...moving,
        )
        const given = pullback(value.map((out, i) => cotangents[i] ?? functions.zerosLike(out)))
        let next = 0
        return needs.map((need) => (need ? given[next++] : undefined))
      },
    }
  },
  jvp: (_, { inputs, tangents, params: { graph } }) => {
    const moving = inputs.filter((_, i) => tangents[i] !== undefined)
    const [outputs, pushed] = jvp(
      (...own: readonly Tensor[]) => {
        let next = 0
        return interpret(
          graph,
          inputs.map((x, i) => (tangents[i] === undefined ? x : (own[next++] as Tensor))),
        )
      },
      moving,
      tangents.filter((tangent) => tangent !== undefined),
    )
    return { outputs, tangents: pushed }
  },
  batch: (_, { inputs, batched, params: { graph } }) => {
    const wide = batchedGraph(graph, inputs, batched)
    return bind(primitiveOf(saves), [...inputs, ...wide.captured], { graph: wide.graph })
  },
})

/**
 * The same function, whose intermediate results are not kept for the backward pass but computed again there:
 * less memory, for up to one more forward pass. JAX's `checkpoint` (also called `remat`). The function is traced
 * when it is called.
 *
 * @example
 * ```ts
 * import { grad, item, sin, tensor } from 'pullback'
 * import type { Tensor } from 'pullback'
 * const f = checkpoint((x: Tensor) => sin(sin(x)))
 * console.log((await item(grad(f)(tensor(1)))).toFixed(3)) // => 0.360
 * ```
 */
export const checkpoint = <A extends readonly unknown[], B>(
  f: (...args: A) => B,
  options: CheckpointOptions = {},
): ((...args: A) => B) => {
  checkOptions('checkpoint', options, ['policy'])
  const { policy = 'nothing' } = options
  const primitive = primitiveOf(savesOf(policy))
  return (...args) => {
    const { graph, inputs, output } = callOf(f as never, args)
    return output.unflatten(bind(primitive, inputs, { graph })) as B
  }
}
