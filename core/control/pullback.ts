/** A function and its pullback as one graph, cut in two: what the forward pass computes, and what waits for cotangents. */
import * as functions from '../function/index.ts'
import type { Graph, Var } from '../graph.ts'
import { optimise } from '../optimise.ts'
import { interpret, stage } from '../transform/stage.ts'
import { vjp } from '../transform/vjp.ts'
import type { Flags, Tensors } from './body.ts'
import { pick, place, replace } from './body.ts'
import { dependents, halves } from './flow.ts'

export interface HalvedPullback {
  /** [...inputs, ...captured] → [...outputs, ...residuals]. */
  readonly early: Graph
  /** [...inputs, ...cotangents of the seeded outputs, ...captured, ...residuals] → the cotangents that `gives` flags. */
  readonly late: Graph
  /** What the late half needs of the early one. */
  readonly residuals: readonly Var[]
  /** What tracing used from outside. */
  readonly captured: Tensors
  /** For each moving input, whether it has a cotangent; else that is zero. */
  readonly gives: Flags
}

/** The body and its pullback in the moving inputs, for cotangents of the seeded outputs. */
export const halvedPullback = (body: Graph, moving: Flags, seeds: Flags): HalvedPullback => {
  const [own, values] = [body.inputs.length, body.outputs.length]
  const joint = stage(
    (all) => {
      const primal = all.slice(0, own)
      const { value, pullback } = vjp(
        (...variables: Tensors) => interpret(body, replace(primal, moving, variables)),
        ...pick(primal, moving),
      )
      const cotangents = place(seeds, all.slice(own))
      return [...value, ...pullback(value.map((x, i) => cotangents[i] ?? functions.zerosLike(x)))]
    },
    [...body.inputs, ...pick(body.outputs, seeds).map(({ shape, dtype }) => ({ shape, dtype }))],
  )
  const end = own + seeds.filter(Boolean).length
  const later = joint.graph.inputs.map((_, i) => i >= own && i < end)
  // A cotangent that depends on no other is zero.
  const gives = dependents(joint.graph, later).slice(values)
  const outputs = [...joint.graph.outputs.slice(0, values), ...pick(joint.graph.outputs.slice(values), gives)]
  return { ...halves(optimise({ ...joint.graph, outputs }), later), captured: joint.captured, gives }
}
