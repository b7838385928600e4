/** A program as dispatches: every launch printed, loops written out, and memory planned. */
import type { BufferId, BufferSpec, Program, Step } from '../program/index.ts'
import { byKind, isControl } from '../program/index.ts'
import { attentionGradientDispatches } from './attention/backward.ts'
import { attentionDispatches } from './attention/forward.ts'
import { customDispatches } from './custom.ts'
import { mapDispatches } from './map.ts'
import type { MatmulOptions } from './matmul/dispatch.ts'
import { matmulDispatches } from './matmul/dispatch.ts'
import { reduceDispatches } from './reduce/dispatch.ts'
import { scanDispatches } from './scan.ts'
import { scatterDispatches } from './scatter.ts'
import type { Context, Dispatch } from './shader.ts'
import { placementsOf, planSlots } from './slot.ts'
import type { Scratch, SlotPlan } from './slot.ts'
import { sortDispatches } from './sort.ts'

/** What is to be done next. `D` is a dispatch, or what became of it. */
export type Part<D> =
  | { readonly kind: 'dispatch'; readonly dispatch: D }
  /** Rounds that cannot be written out, because of a `while` inside. */
  | { readonly kind: 'loop'; readonly count: number; readonly inside: readonly Part<D>[] }
  | {
      readonly kind: 'while'
      readonly condition: readonly Part<D>[]
      readonly flag: BufferId
      readonly inside: readonly Part<D>[]
    }

export interface Recording<D> {
  /** What each step of the program becomes. */
  readonly steps: readonly (readonly Part<D>[])[]
  readonly plan: SlotPlan
  /** Decisions that are made on the host, and why. */
  readonly onHost: readonly string[]
}

const dispatchesOf = byKind<[context: Context, options: MatmulOptions], readonly Dispatch[]>({
  map: mapDispatches,
  reduce: (launch, context) => reduceDispatches(launch, context),
  matmul: matmulDispatches,
  scatter: scatterDispatches,
  sort: sortDispatches,
  scan: scanDispatches,
  attention: attentionDispatches,
  attentionGradient: attentionGradientDispatches,
  custom: customDispatches,
})

/** What the device allows. */
export type Limits = Pick<
  Context,
  'threadsPerGroup' | 'bytesPerGroup' | 'buffersPerKernel' | 'factors' | 'subgroups' | 'plain'
>

/** Whether an end depends on what is computed. */
const isOpen = <D>(part: Part<D>): boolean => part.kind !== 'dispatch'

/**
 * Choices are always made, as the language allows: what runs is decided before anything is known on the host. Only
 * the end of a `while` has to be read back.
 */
export const recorded = (program: Program, matmul: MatmulOptions, limits: Limits): Recording<Dispatch> => {
  const placements = placementsOf(program)
  const specs: BufferSpec[] = [...program.buffers]
  const scratch: Scratch[] = []
  const onHost: string[] = []
  const contextAt = (time: number): Context => ({
    dtype: (id) => (specs[id] as BufferSpec).dtype,
    sizeOf: (id) => (specs[id] as BufferSpec).size,
    home: (id) => {
      const place = placements[id]
      return place?.kind === 'donated' ? (program.inputs[place.position] as BufferId) : id
    },
    scratch: (dtype, size) => {
      scratch.push({ bytes: 4 * size, time })
      return specs.push({ dtype, size }) - 1
    },
    ...limits,
  })
  const steps = program.launches.map((step, time) => {
    const context = contextAt(time)
    const all = (inside: readonly Step[]): readonly Part<Dispatch>[] => inside.flatMap(walk)
    const walk = (one: Step): readonly Part<Dispatch>[] => {
      if (!isControl(one))
        return dispatchesOf(one, context, matmul).map((dispatch) => ({ kind: 'dispatch', dispatch }))
      if (one.kind === 'while') {
        onHost.push(
          `launch ${time} (while): whether it goes on is read back each round, because the device cannot decide how much is dispatched`,
        )
        return [{ kind: 'while', condition: all(one.condition), flag: one.flag, inside: all(one.launches) }]
      }
      const inside = all(one.launches)
      const count = one.kind === 'loop' ? one.count : 1
      if (inside.some(isOpen)) return [{ kind: 'loop', count, inside }]
      return Array.from({ length: count }, () => inside).flat()
    }
    return walk(step)
  })
  return { steps, plan: planSlots(program, placements, scratch), onHost }
}

/** Every dispatch of the parts once. */
export const dispatchesIn = <D>(parts: readonly Part<D>[]): readonly D[] => [
  ...new Set(
    parts.flatMap((part): readonly D[] => {
      if (part.kind === 'dispatch') return [part.dispatch]
      return dispatchesIn(part.kind === 'while' ? [...part.condition, ...part.inside] : part.inside)
    }),
  ),
]

/** The same parts with something else in the place of dispatches. */
export const mapParts = <D, E>(parts: readonly Part<D>[], change: (dispatch: D) => E): readonly Part<E>[] =>
  parts.map((part): Part<E> => {
    switch (part.kind) {
      case 'dispatch':
        return { kind: 'dispatch', dispatch: change(part.dispatch) }
      case 'loop':
        return { ...part, inside: mapParts(part.inside, change) }
      case 'while':
        return {
          ...part,
          condition: mapParts(part.condition, change),
          inside: mapParts(part.inside, change),
        }
    }
  })

/** A kernel as text. */
export interface KernelText {
  /** What it does, like `map 8×64`. */
  readonly label: string
  readonly code: string
}

/** What every device allows. */
const promised: Limits = {
  threadsPerGroup: 256,
  bytesPerGroup: 16384,
  buffersPerKernel: 8,
  factors: 'f32',
  subgroups: undefined,
  plain: false,
}

/**
 * The WGSL of a program's kernels in the order in which they first run. No device is needed; gpu.js has to be
 * loaded.
 *
 * @example
 * ```ts
 * import { loadGpuJs, wgslKernels } from 'pullback/kernels'
 * import type { Program } from 'pullback/kernels'
 * await loadGpuJs()
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
 * console.log(wgslKernels(program).map(({ code }) => code.includes('@compute'))) // => [true]
 * ```
 */
export const wgslKernels = (program: Program): readonly KernelText[] =>
  dispatchesIn(recorded(program, { tile: undefined }, promised).steps.flat()).map(({ label, code }) => ({
    label,
    code,
  }))
