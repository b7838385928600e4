import type { BufferId, Engine, Program } from '../../kernels/index.ts'
import { sizeOf } from '../../kernels/index.ts'
import type { Atom, Graph, Var } from '../graph.ts'
import { isVar } from '../graph.ts'
import type { Builder } from './builder.ts'
import { buffersOf, hasPending, makeBuilder } from './builder.ts'
import type { Lazy, Node } from './lazy.ts'
import { mergeMaps } from './merge.ts'
import { constant, costOf, leavesOf, plainView, whole } from './lazy.ts'

/** Values that are read more than once are computed once, unless computing them costs less than memory. */
const recomputeCost = 4
/** WebGPU promises eight storage buffers a kernel, and one of them is written. */
const operandLimit = 7
/** Longer expressions gain nothing more from fusion and make kernels slow to compile. */
const nodeLimit = 160

interface Uses {
  /** How many equations and outputs read a value. */
  readonly readers: number
  /** How often it is read: x · x reads x twice, but computes it once. */
  readonly reads: number
}

const unused: Uses = { readers: 0, reads: 0 }

const countUses = (graph: Graph): Map<number, Uses> => {
  const uses = new Map<number, Uses>()
  const count = (atoms: readonly Atom[]): void => {
    const ids = atoms.flatMap((atom) => (isVar(atom) ? [atom.id] : []))
    ids.forEach((id, i) => {
      const { readers, reads } = uses.get(id) ?? unused
      uses.set(id, { readers: readers + Number(ids.indexOf(id) === i), reads: reads + 1 })
    })
  }
  graph.equations.forEach(({ inputs }) => count(inputs))
  graph.outputs.forEach((atom) => count([atom]))
  return uses
}

/** A launch that waits longer for its reader, counted in equations, keeps what it reads in memory for too long. */
const patience = 12

/** The first equation that reads each value. */
const firstReaders = (graph: Graph): Map<number, number> => {
  const readers = new Map<number, number>()
  graph.equations.forEach(({ inputs }, time) => {
    for (const atom of inputs) if (isVar(atom) && !readers.has(atom.id)) readers.set(atom.id, time)
  })
  return readers
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
const keep = (lazy: Lazy, { readers, reads }: Uses, builder: Builder): Lazy => {
  if (hasPending(lazy)) return reads <= 1 ? lazy : builder.store(lazy)
  if (readers <= 1) return lazy
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

/** The value as the whole of one contiguous buffer. */
export const contiguousBuffer = (lazy: Lazy, builder: Builder): BufferId =>
  wholeBuffer(lazy, builder) ?? (plainView(builder.materialise(lazy)) as { buffer: BufferId }).buffer

/**
 * Lowers the equations of a graph, given its inputs: each equation's primitive gives lazy values, elementwise
 * chains fuse into the launches that need them, and only what is read twice, or by a launch that needs memory,
 * is stored. Gives the values of the outputs, and takes back what they became when they were stored.
 */
const lowerBody = (
  graph: Graph,
  given: readonly Lazy[],
  builder: Builder,
): { readonly read: (atom: Atom) => Lazy; readonly stored: (atom: Atom, lazy: Lazy) => void } => {
  const uses = countUses(graph)
  const values = new Map<number, Lazy>()
  graph.inputs.forEach(({ id }, i) => values.set(id, given[i] as Lazy))
  const read = (atom: Atom): Lazy =>
    isVar(atom) ? (values.get(atom.id) as Lazy) : constant(atom.value, atom.dtype)
  const stored = (atom: Atom, lazy: Lazy): void => {
    if (isVar(atom)) values.set(atom.id, lazy)
  }
  const readers = firstReaders(graph)
  for (const [time, { primitive, inputs, outputs, params }] of graph.equations.entries()) {
    let args = inputs.map(read)
    if (tooWide(args.map(({ node }) => node)))
      args = args.map((arg, i) => {
        if (costOf(arg.node) === 0 && !hasPending(arg)) return arg
        const memory = builder.materialise(arg)
        stored(inputs[i] as Atom, memory)
        return memory
      })
    const results = primitive.lower({ inputs: args, params, outputs, builder })
    outputs.forEach(({ id }, i) => {
      const kept = keep(results[i] as Lazy, uses.get(id) ?? unused, builder)
      const late = (readers.get(id) ?? graph.equations.length) - time > patience
      values.set(id, late && hasPending(kept) ? builder.store(kept) : kept)
    })
  }
  return { read, stored }
}

/** The outputs of a graph as values of the program that is being built. */
export const lowerInto = (graph: Graph, inputs: readonly Lazy[], builder: Builder): readonly Lazy[] => {
  // What is read twice inside is better computed once; the graph around counts its own uses only.
  const uses = countUses(graph)
  const given = inputs.map((lazy, i) => keep(lazy, uses.get((graph.inputs[i] as Var).id) ?? unused, builder))
  const { read } = lowerBody(graph, given, builder)
  return graph.outputs.map(read)
}

/** Lowers a graph to a program for an engine, or for any. */
export const lowerEquations = (
  graph: Graph,
  donated: readonly number[] = [],
  { fuses = [], buffersPerLaunch = 8 }: Pick<Engine, 'fuses' | 'buffersPerLaunch'> = {},
): Program => {
  const builder = makeBuilder(fuses)
  const inputs = graph.inputs.map(({ shape, dtype }) => builder.buffer(dtype, sizeOf(shape)))
  const given = graph.inputs.map(({ shape, dtype }, i) => whole(inputs[i] as BufferId, shape, dtype))
  const { read, stored } = lowerBody(graph, given, builder)
  const returned = graph.outputs.map((atom) => {
    const lazy = read(atom)
    const buffer = wholeBuffer(lazy, builder)
    if (buffer !== undefined) return buffer
    const memory = builder.materialise(lazy)
    stored(atom, memory)
    return (plainView(memory) as { buffer: BufferId }).buffer
  })
  return mergeMaps(builder.program(inputs, returned, donated), buffersPerLaunch)
}
