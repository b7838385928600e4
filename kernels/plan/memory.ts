/** Where buffers stand in memory. */
import { bytesOf } from '../dtype.ts'
import type { BufferId, BufferSpec, Launch, Operand, Program, View } from '../program/index.ts'
import { readsOf, writesOf } from '../program/index.ts'
import { roundUp } from '../round.ts'
import type { Lifetime, Timeline } from './lifetime.ts'
import { lifetimes, overlaps, timelineOf } from './lifetime.ts'

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

/**
 * For each buffer the one whose memory it stands in: a temporary that is last read where another one is first
 * written, element by element, hands its memory on. `lives` of those that do are joined.
 */
const sharing = (
  { buffers }: Program,
  launches: Timeline['at'],
  lives: Lifetime[],
  placements: readonly (Placement | undefined)[],
): BufferId[] => {
  const memoryOf = buffers.map((_, id) => id)
  launches.forEach((launch, time) => {
    if (launch?.kind !== 'map') return
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
 *
 * @example
 * ```ts
 * import { planMemory } from 'pullback/kernels'
 * import type { Program } from 'pullback/kernels'
 * // y = x + 1, for three numbers
 * const view = { strides: [1], offset: 0 }
 * const program: Program = {
 *   buffers: [{ dtype: 'float32', size: 3 }, { dtype: 'float32', size: 3 }],
 *   inputs: [0],
 *   outputs: [1],
 *   donated: [],
 *   launches: [
 *     {
 *       kind: 'map',
 *       shape: [3],
 *       operands: [{ kind: 'buffer', buffer: 0, ...view }],
 *       body: [
 *         { op: 'read', index: 0, dtype: 'float32' },
 *         { op: 'constant', value: 1, dtype: 'float32' },
 *         { op: 'add', args: [0, 1], dtype: 'float32' },
 *       ],
 *       outputs: [{ target: { buffer: 1, ...view }, value: 2 }],
 *     },
 *   ],
 * }
 * console.log(planMemory(program).arenaBytes) // => 0
 * ```
 */
export const planMemory = (program: Program, alignment = 64): MemoryPlan => {
  const timeline = timelineOf(program.launches)
  const lives = lifetimes(program, timeline)
  const placements: (Placement | undefined)[] = program.buffers.map(() => undefined)
  program.inputs.forEach((id, position) => (placements[id] ??= { kind: 'input', position }))
  const free = new Set(program.donated)
  const takeOver = (
    id: BufferId,
    wanted: (launch: Launch | undefined, source: BufferId) => boolean,
  ): void => {
    if (placements[id] !== undefined) return
    const { dtype, size } = program.buffers[id] as BufferSpec
    const start = (lives[id] as Lifetime).first
    const launch = timeline.at[start]
    const taken = [...free].find((position) => {
      const source = program.inputs[position] as BufferId
      const spec = program.buffers[source] as BufferSpec
      const life = lives[source] as Lifetime
      if (spec.dtype !== dtype || spec.size !== size || program.outputs.includes(source)) return false
      if (program.inputs.indexOf(source) !== program.inputs.lastIndexOf(source)) return false
      if (!wanted(launch, source)) return false
      return life.last < start || (life.last === start && launch !== undefined && inPlace(launch, source, id))
    })
    if (taken === undefined) return
    free.delete(taken)
    placements[id] = { kind: 'donated', position: taken }
  }
  // What begins as a copy of an argument stands in that one's memory, so that there is nothing to copy.
  for (const id of program.outputs)
    takeOver(id, (launch, source) => launch !== undefined && readsOf(launch).includes(source))
  for (const id of program.outputs) takeOver(id, () => true)
  for (const id of program.outputs) placements[id] ??= { kind: 'result' }
  const memoryOf = sharing(program, timeline.at, lives, placements)
  const order = program.buffers
    .map((spec, id) => ({ id, bytes: roundUp(spec.size * bytesOf(spec.dtype), alignment) }))
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

const samePlace = (a: Placement | undefined, b: Placement | undefined): boolean => {
  if (a === undefined || b === undefined) return false
  if (a.kind === 'arena') return b.kind === 'arena' && a.byteOffset === b.byteOffset
  return 'position' in a && 'position' in b && a.position === b.position
}

/**
 * Whether a launch does nothing: it copies memory to where it stands, as where a scatter changes a donated argument.
 */
export const isIdle = (launch: Launch, { placements }: MemoryPlan): boolean =>
  launch.kind === 'map' &&
  launch.outputs.every(({ target, value }) => {
    const op = launch.body[value]
    const operand = op?.op === 'read' ? launch.operands[op.index] : undefined
    return (
      operand?.kind === 'buffer' &&
      operand.at === undefined &&
      sameView(operand, target) &&
      samePlace(placements[operand.buffer], placements[target.buffer])
    )
  })
