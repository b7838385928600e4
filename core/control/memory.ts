/** Memory that controls work on: variables that are read and overwritten round by round. */
import { contiguous, sizeOf } from '../../kernels/index.ts'
import type { BufferId } from '../../kernels/index.ts'
import type { Graph } from '../graph.ts'
import { buffersOf, hasPending } from '../lower/builder.ts'
import type { Builder } from '../lower/builder.ts'
import { costOf, leavesOf } from '../lower/lazy.ts'
import type { Lazy } from '../lower/lazy.ts'
import { expandCalls, optimise } from '../optimise.ts'

const prepared = new WeakMap<Graph, Graph>()

/** The body as it is lowered: calls written out, cleaned up; once for each graph. */
export const lowered = (body: Graph): Graph => {
  let graph = prepared.get(body)
  if (graph === undefined) prepared.set(body, (graph = optimise(expandCalls(body))))
  return graph
}

/** A value that can be read again and again inside a control. */
export const stable = (lazy: Lazy, builder: Builder): Lazy =>
  hasPending(lazy) || costOf(lazy.node) > 0 ? builder.materialise(lazy) : lazy

/** A buffer of its own that begins with the value. */
export const variable = (lazy: Lazy, builder: Builder): BufferId => {
  const id = builder.buffer(lazy.dtype, sizeOf(lazy.shape))
  builder.write(lazy, { buffer: id, strides: contiguous(lazy.shape), offset: 0 })
  return id
}

const readsExactly = (lazy: Lazy, id: BufferId): boolean => {
  const strides = contiguous(lazy.shape)
  for (const leaf of leavesOf(lazy.node)) {
    if (leaf.kind !== 'leaf' || leaf.operand.kind !== 'buffer' || leaf.operand.buffer !== id) continue
    const { offset, at, strides: own } = leaf.operand
    if (offset !== 0 || at !== undefined) return false
    if (own.some((stride, axis) => stride !== strides[axis] && lazy.shape[axis] !== 1)) return false
  }
  return true
}

/**
 * Writes the next values of variables. A value that reads another variable, or its own elsewhere than it writes, is
 * given memory first, so that none sees what has been overwritten.
 */
export const assign = (variables: readonly BufferId[], values: readonly Lazy[], builder: Builder): void => {
  const own = new Set(variables)
  const settled = values.map((value) => (hasPending(value) ? builder.store(value) : value))
  const safe = settled.map((value, i) => {
    const id = variables[i] as BufferId
    const others = [...buffersOf(value.node)].some((read) => read !== id && own.has(read))
    return others || !readsExactly(value, id) ? builder.materialise(value) : value
  })
  safe.forEach((value, i) => {
    const id = variables[i] as BufferId
    if (value.node.kind === 'leaf' && buffersOf(value.node).has(id)) return // unchanged
    builder.write(value, { buffer: id, strides: contiguous(value.shape), offset: 0 })
  })
}
