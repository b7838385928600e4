import { bytesOf } from './dtype.ts'
import type { Plan } from './engine.ts'
import type { BufferId, BufferSpec, Launch, Operand, Program, View } from './program.ts'
import { readsOf, sizeOf, writesOf } from './program.ts'
import type { Body } from './scalar.ts'

/** Where a buffer stands while the program runs. */
export type Placement =
  | { readonly kind: 'input'; readonly position: number }
  /** Memory that the call allocates and returns. */
  | { readonly kind: 'result' }
  /** The memory of a donated argument, taken over by a result. */
  | { readonly kind: 'donated'; readonly position: number }
  | { readonly kind: 'arena'; readonly byteOffset: number }

export interface MemoryPlan {
  readonly placements: readonly Placement[]
  readonly arenaBytes: number
}

interface Lifetime {
  first: number
  last: number
}

const lifetimes = (program: Program): Lifetime[] => {
  const lives = program.buffers.map(() => ({ first: Infinity, last: -1 }))
  program.launches.forEach((launch, time) => {
    for (const id of [...readsOf(launch), ...writesOf(launch)]) {
      const life = lives[id] as Lifetime
      life.first = Math.min(life.first, time)
      life.last = time
    }
  })
  return lives
}

const sameView = (a: View, b: View): boolean =>
  a.offset === b.offset && a.strides.every((stride, axis) => stride === b.strides[axis])

/**
 * Whether `target` may stand in the memory of `source` during this launch: every element is read before it
 * is overwritten, because each is read only at the position that writes it.
 */
const inPlace = (launch: Launch, source: BufferId, target: BufferId): boolean => {
  if (writesOf(launch).includes(source)) return false
  if (launch.kind !== 'map') return !readsOf(launch).includes(source)
  const out = launch.outputs.find((output) => output.target.buffer === target)
  if (out === undefined) return false
  const reads = launch.operands.filter((operand) => operand.kind === 'buffer' && operand.buffer === source)
  const indexed = launch.operands.some(
    (operand) => operand.kind === 'buffer' && (operand.at ?? []).some(({ index }) => index.buffer === source),
  )
  const direct = (operand: Operand): boolean =>
    operand.kind === 'buffer' && operand.at === undefined && sameView(operand, out.target)
  return !indexed && reads.every(direct)
}

const align = (bytes: number, alignment: number): number => Math.ceil(bytes / alignment) * alignment

/**
 * For each buffer the one whose memory it stands in: a temporary that is last read where another one is first
 * written, element by element, hands its memory on. `lives` of those that do are joined.
 */
const sharing = (
  { buffers, launches }: Program,
  lives: Lifetime[],
  placements: readonly (Placement | undefined)[],
): BufferId[] => {
  const memoryOf = buffers.map((_, id) => id)
  launches.forEach((launch, time) => {
    if (launch.kind !== 'map') return
    for (const target of writesOf(launch)) {
      if (placements[target] !== undefined || lives[target]?.first !== time) continue
      const { dtype, size } = buffers[target] as BufferSpec
      const source = readsOf(launch).find((id) => {
        const root = memoryOf[id] as BufferId
        const spec = buffers[id] as BufferSpec
        return (
          placements[root] === undefined &&
          lives[id]?.last === time &&
          lives[root]?.last === time &&
          spec.dtype === dtype &&
          spec.size === size &&
          inPlace(launch, id, target)
        )
      })
      if (source === undefined) continue
      const root = memoryOf[source] as BufferId
      memoryOf[target] = root
      const life = lives[root] as Lifetime
      life.last = Math.max(life.last, (lives[target] as Lifetime).last)
    }
  })
  return memoryOf
}

/**
 * Static memory: results take over donated arguments where sizes agree and lifetimes allow; temporaries share
 * one arena, first fit by size among those alive together (Pisarchyk and Lee, "Efficient memory management
 * for deep neural net inference", 2020, greedy by size).
 */
export const planMemory = (program: Program, alignment = 64): MemoryPlan => {
  const lives = lifetimes(program)
  const placements: (Placement | undefined)[] = program.buffers.map(() => undefined)
  program.inputs.forEach((id, position) => (placements[id] ??= { kind: 'input', position }))
  const free = new Set(program.donated)
  for (const id of program.outputs) {
    if (placements[id] !== undefined) continue
    const { dtype, size } = program.buffers[id] as BufferSpec
    const taken = [...free].find((position) => {
      const source = program.inputs[position] as BufferId
      const spec = program.buffers[source] as BufferSpec
      const life = lives[source] as Lifetime
      const start = (lives[id] as Lifetime).first
      if (spec.dtype !== dtype || spec.size !== size || program.outputs.includes(source)) return false
      if (program.inputs.indexOf(source) !== program.inputs.lastIndexOf(source)) return false
      return (
        life.last < start || (life.last === start && inPlace(program.launches[start] as Launch, source, id))
      )
    })
    if (taken !== undefined) free.delete(taken)
    placements[id] = taken === undefined ? { kind: 'result' } : { kind: 'donated', position: taken }
  }
  const memoryOf = sharing(program, lives, placements)
  const order = program.buffers
    .map((spec, id) => ({ id, bytes: align(spec.size * bytesOf(spec.dtype), alignment) }))
    .filter(({ id }) => placements[id] === undefined && memoryOf[id] === id)
    .sort((a, b) => b.bytes - a.bytes || a.id - b.id)
  const placed: { readonly id: BufferId; readonly start: number; readonly end: number }[] = []
  let arenaBytes = 0
  for (const { id, bytes } of order) {
    const life = lives[id] as Lifetime
    const conflicts = placed
      .filter(({ id: other }) => overlaps(life, lives[other] as Lifetime))
      .sort((a, b) => a.start - b.start)
    let start = 0
    for (const other of conflicts) {
      if (other.start - start >= bytes) break
      start = Math.max(start, other.end)
    }
    placed.push({ id, start, end: start + bytes })
    placements[id] = { kind: 'arena', byteOffset: start }
    arenaBytes = Math.max(arenaBytes, start + bytes)
  }
  program.buffers.forEach((_, id) => (placements[id] ??= placements[memoryOf[id] as BufferId]))
  return { placements: placements as Placement[], arenaBytes }
}

const overlaps = (a: Lifetime, b: Lifetime): boolean => a.first <= b.last && b.first <= a.last

const arithmetic = (body: Body): number =>
  body.filter(({ op }) => op !== 'read' && op !== 'fold' && op !== 'constant').length

/** Floating-point operations of a launch, a multiply-add counted as two. */
export const flopsOf = (launch: Launch): number => {
  switch (launch.kind) {
    case 'map':
    case 'scatter':
      return sizeOf(launch.shape) * arithmetic(launch.body)
    case 'reduce':
      return sizeOf(launch.outer) * sizeOf(launch.inner) * (arithmetic(launch.body) + launch.folds.length)
    case 'matmul': {
      const size = sizeOf(launch.batch) * launch.rows * launch.columns
      return size * (2 * launch.inner + arithmetic(launch.body))
    }
    case 'scan':
    case 'sort':
      return sizeOf(launch.outer) * launch.length
    case 'custom':
      return launch.size
  }
}

/** The plan that an engine reports, given the bytes of its temporaries and what it must run on the host. */
export const programPlan = (
  program: Program,
  temporaryBytes: number,
  onHost: readonly string[] = [],
): Plan => {
  const bytes = (ids: readonly BufferId[]): number =>
    [...new Set(ids)].reduce((total, id) => {
      const { dtype, size } = program.buffers[id] as BufferSpec
      return total + bytesOf(dtype) * size
    }, 0)
  return {
    temporaryBytes,
    argumentBytes: bytes(program.inputs),
    resultBytes: bytes(program.outputs.filter((id) => !program.inputs.includes(id))),
    launches: program.launches.length,
    flops: program.launches.reduce((total, launch) => total + flopsOf(launch), 0),
    onHost,
  }
}
