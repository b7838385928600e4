import { bytesOf } from './dtype.ts'
import type { Plan } from './engine.ts'
import type { BufferId, BufferSpec, Launch, Operand, Program, Step, View } from './program/index.ts'
import { insideOf, isControl, readsOf, sizeOf, writesOf } from './program/index.ts'
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

/** Steps in a row: each launch has a time of its own, and so have the beginning and the end of every loop. */
interface Timeline {
  /** The launch at each time; `undefined` where a control begins or ends. */
  readonly at: readonly (Launch | undefined)[]
  /** When buffers are read and written, in order; decisions read too. */
  readonly touches: readonly {
    readonly time: number
    readonly reads: readonly BufferId[]
    readonly writes: readonly BufferId[]
  }[]
  /** First and last time of each loop, inner ones first. */
  readonly loops: readonly (readonly [start: number, end: number])[]
}

const timelineOf = (steps: readonly Step[]): Timeline => {
  const at: (Launch | undefined)[] = []
  const touches: { time: number; reads: readonly BufferId[]; writes: readonly BufferId[] }[] = []
  const loops: (readonly [number, number])[] = []
  const touch = (reads: readonly BufferId[], writes: readonly BufferId[] = []): void => {
    touches.push({ time: at.length, reads, writes })
  }
  const walk = (step: Step): void => {
    if (!isControl(step)) {
      touch(readsOf(step), writesOf(step))
      at.push(step)
      return
    }
    const start = at.length
    if (step.kind === 'when') touch([step.index])
    at.push(undefined)
    if (step.kind === 'while') {
      step.condition.forEach(walk)
      touch([step.flag])
      at.push(undefined)
    }
    step.launches.forEach(walk)
    if (step.kind !== 'when') loops.push([start, at.length])
    at.push(undefined)
  }
  steps.forEach(walk)
  return { at, touches, loops }
}

/**
 * From the first to the last time at which a buffer is touched. One that carries something from round to round of
 * a loop, or into or out of it, lives as long as the loop; one that is written first and only used inside lives
 * within each round.
 */
const lifetimes = (program: Program, { touches, loops }: Timeline): Lifetime[] => {
  const own = program.buffers.map((): Lifetime => ({ first: Infinity, last: -1 }))
  for (const { time, reads, writes } of touches)
    for (const id of [...reads, ...writes]) {
      const life = own[id] as Lifetime
      life.first = Math.min(life.first, time)
      life.last = time
    }
  const lives = own.map((life) => ({ ...life }))
  const kept = new Set([...program.inputs, ...program.outputs])
  for (const [start, end] of loops) {
    const begun = new Map<BufferId, 'read' | 'written'>()
    for (const { time, reads, writes } of touches) {
      if (time < start || time > end) continue
      for (const id of reads) if (!begun.has(id)) begun.set(id, 'read')
      for (const id of writes) if (!begun.has(id)) begun.set(id, 'written')
    }
    for (const [id, how] of begun) {
      const { first, last } = own[id] as Lifetime
      if (how === 'written' && first >= start && last <= end && !kept.has(id)) continue
      const life = lives[id] as Lifetime
      life.first = Math.min(life.first, start)
      life.last = Math.max(life.last, end)
    }
  }
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

const overlaps = (a: Lifetime, b: Lifetime): boolean => a.first <= b.last && b.first <= a.last

const arithmetic = (body: Body): number =>
  body.filter(({ op }) => op !== 'read' && op !== 'fold' && op !== 'constant').length

/**
 * Floating-point operations of a launch, a multiply-add counted as two.
 *
 * @example
 * ```ts
 * import { flopsOf } from 'pullback/kernels'
 * import type { Launch } from 'pullback/kernels'
 * const rows = { buffer: 0, strides: [4, 1], offset: 0 }
 * const launch: Launch = {
 *   kind: 'sort',
 *   outer: [2],
 *   length: 4,
 *   descending: false,
 *   input: rows,
 *   target: { ...rows, buffer: 1 },
 * }
 * console.log(flopsOf(launch)) // => 8
 * ```
 */
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
    case 'attention':
    case 'attentionGradient': {
      const { batch, queries, keys, width, valueWidth, causal, body } = launch
      // Half of the scores, where each query looks back only.
      const seen = causal === undefined ? keys : Math.min(keys, Math.max(0, (queries + 1) / 2 + causal))
      const products = launch.kind === 'attention' ? width + valueWidth : 3 * width + 2 * valueWidth
      return Math.round(sizeOf(batch) * queries * seen * (2 * products + arithmetic(body) + 4))
    }
    case 'custom':
      return launch.size
  }
}

/** A sum over all launches as often as they run: loops count every round, what depends on data counts once. */
export const overLaunches = (steps: readonly Step[], of: (launch: Launch) => number): number =>
  steps.reduce((sum, step) => {
    if (!isControl(step)) return sum + of(step)
    return sum + (step.kind === 'loop' ? step.count : 1) * overLaunches(insideOf(step), of)
  }, 0)

/**
 * The plan that an engine reports, given the bytes of its temporaries and what it must run on the host.
 *
 * @example
 * ```ts
 * import { programPlan } from 'pullback/kernels'
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
 * console.log(programPlan(program, 0))
 * // => {
 * //      temporaryBytes: 0,
 * //      argumentBytes: 12,
 * //      resultBytes: 12,
 * //      launches: 1,
 * //      flops: 3,
 * //      onHost: []
 * //    }
 * ```
 */
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
    launches: overLaunches(program.launches, () => 1),
    flops: overLaunches(program.launches, flopsOf),
    onHost,
  }
}
