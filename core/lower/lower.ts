import type { BufferId, Program } from '../../kernels/index.ts'
import { sizeOf } from '../../kernels/index.ts'
import type { Atom, Graph } from '../graph.ts'
import { isVar } from '../graph.ts'
import type { Builder } from './builder.ts'
import { buffersOf, hasPending, makeBuilder } from './builder.ts'
import type { Lazy, Node } from './lazy.ts'
import { constant, costOf, leavesOf, plainView, whole } from './lazy.ts'

/** Values that are read more than once are computed once, unless computing them costs less than memory. */
const recomputeCost = 2
/** WebGPU promises eight storage buffers a kernel, and one of them is written. */
const operandLimit = 7
/** Longer expressions gain nothing more from fusion and make kernels slow to compile. */
const nodeLimit = 160

const countUses = (graph: Graph): Map<number, number> => {
  const uses = new Map<number, number>()
  const count = (atom: Atom): void => {
    if (isVar(atom)) uses.set(atom.id, (uses.get(atom.id) ?? 0) + 1)
  }
  graph.equations.forEach((equation) => equation.inputs.forEach(count))
  graph.outputs.forEach(count)
  return uses
}

const tooWide = (nodes: readonly Node[]): boolean => {
  const buffers = new Set<BufferId>()
  const all = new Set<Node>()
  for (const node of nodes) {
    buffersOf(node).forEach((id) => buffers.add(id))
    leavesOf(node, all)
  }
  return buffers.size > operandLimit || all.size > nodeLimit
}

/** Keeps a value lazy where that is worth it; otherwise gives it memory. */
const keep = (lazy: Lazy, uses: number, builder: Builder): Lazy => {
  if (uses <= 1) return lazy
  if (hasPending(lazy)) return builder.store(lazy)
  if (costOf(lazy.node) > recomputeCost || (costOf(lazy.node) > 0 && buffersOf(lazy.node).size > 1))
    return builder.materialise(lazy)
  return lazy
}

/** Whether the value is exactly a whole contiguous buffer, and which. */
const wholeBuffer = (lazy: Lazy, builder: Builder): BufferId | undefined => {
  const view = plainView(lazy)
  if (view === undefined || view.offset !== 0) return undefined
  let expected = 1
  for (let axis = lazy.shape.length - 1; axis >= 0; axis--) {
    if (lazy.shape[axis] !== 1 && view.strides[axis] !== expected) return undefined
    expected *= lazy.shape[axis] as number
  }
  return builder.spec(view.buffer).size === sizeOf(lazy.shape) ? view.buffer : undefined
}

/**
 * Lowers a graph to a program: each equation's primitive gives lazy values, elementwise chains fuse into the
 * launches that need them, and only what is read twice, or by a launch that needs memory, is stored.
 */
export const lowerEquations = (graph: Graph, donated: readonly number[] = []): Program => {
  const builder = makeBuilder()
  const uses = countUses(graph)
  const values = new Map<number, Lazy>()
  const inputs = graph.inputs.map(({ id, shape, dtype }) => {
    const buffer = builder.buffer(dtype, sizeOf(shape))
    values.set(id, whole(buffer, shape, dtype))
    return buffer
  })
  const read = (atom: Atom): Lazy =>
    isVar(atom) ? (values.get(atom.id) as Lazy) : constant(atom.value, atom.dtype)

  for (const { primitive, inputs, outputs, params } of graph.equations) {
    let args = inputs.map(read)
    if (tooWide(args.map(({ node }) => node)))
      args = args.map((arg, i) => {
        if (costOf(arg.node) === 0 && !hasPending(arg)) return arg
        const stored = builder.materialise(arg)
        const atom = inputs[i] as Atom
        if (isVar(atom)) values.set(atom.id, stored)
        return stored
      })
    const results = primitive.lower({ inputs: args, params, outputs, builder })
    outputs.forEach(({ id }, i) => values.set(id, keep(results[i] as Lazy, uses.get(id) ?? 0, builder)))
  }

  const returned = graph.outputs.map((atom) => {
    const lazy = read(atom)
    const buffer = wholeBuffer(lazy, builder)
    if (buffer !== undefined) return buffer
    const stored = builder.materialise(lazy)
    if (isVar(atom)) values.set(atom.id, stored)
    return (plainView(stored) as { buffer: BufferId }).buffer
  })
  return builder.program(inputs, returned, donated)
}
