import { either as E } from 'fp-ts'
import type { Dtype, HostArray } from '../dtype.ts'
import { dtypeOf, hostArray } from '../dtype.ts'
import type { Engine, Executable, Memory } from '../engine.ts'
import { ledger } from '../ledger.ts'
import type { MemoryPlan, Placement } from '../plan/index.ts'
import { planMemory, programPlan } from '../plan/index.ts'
import type { BufferSpec, Launch, Program } from '../program/index.ts'
import { flatLaunches } from '../program/index.ts'
import { kernelCache } from './cache.ts'
import type { Gpu } from './library.ts'
import { gpuJs } from './library.ts'
import type { Mode } from './mode.ts'
import { isAsynchronous, runsOnHost } from './mode.ts'
import { opened } from './open.ts'
import { kernelsOf, prepareStep, readyOf, runAllLater, runAllNow } from './prepare.ts'

export interface GpuJsOptions {
  /** `gpu`, the default: the best mode that gpu.js finds here. Any other: that mode, or a refusal. */
  readonly mode?: 'gpu' | Mode
}

interface HostMemory extends Memory {
  data: HostArray
}

const arenaViews = (
  { placements, arenaBytes }: MemoryPlan,
  buffers: readonly BufferSpec[],
): readonly (HostArray | undefined)[] => {
  const arena = new ArrayBuffer(arenaBytes)
  const constructors = { float32: Float32Array, int32: Int32Array, uint32: Uint32Array, bool: Uint8Array }
  return placements.map((place, id) => {
    if (place.kind !== 'arena') return undefined
    const { dtype, size } = buffers[id] as BufferSpec
    return new constructors[dtype as keyof typeof constructors](arena, place.byteOffset, size)
  })
}

/** The engine over an open gpu.js instance that runs in `mode`. */
export const engineOf = (gpu: Gpu, mode: Mode, asked: string): Engine => {
  const memories = ledger<HostMemory>()
  const later = isAsynchronous(mode)
  /** Where kernels give promises, every program waits for the one before. */
  let tail: Promise<void> = Promise.resolve()
  const cache = kernelCache(gpu, mode, (then) => {
    if (later) void tail.then(then, then)
    else then()
  })
  const hold = (data: HostArray): HostMemory =>
    memories.add({ dtype: dtypeOf(data) as Dtype, size: data.length, data }, data.byteLength)

  const compile = (program: Program): Executable => {
    const wide = program.buffers.findIndex(({ dtype }) => dtype === 'float64')
    if (wide >= 0) throw new Error(`gpujs: float64 is not supported, but buffer ${wide} holds it`)
    const steps = program.launches.map((step) => prepareStep(step, program, mode, cache))
    const ready = steps.flatMap(readyOf)
    const flat = flatLaunches(program.launches)
    const memory = planMemory(program)
    const views = arenaViews(memory, program.buffers)
    const own = [...new Set(ready.flatMap(kernelsOf))]
    const onHost = ready.flatMap((one, time) =>
      one.kind === 'host' ? [`launch ${time} (${(flat[time] as Launch).kind}): ${one.reason}`] : [],
    )
    const held = own.reduce((total, { bytes }) => total + bytes, 0)
    const run = (inputs: readonly Memory[]): readonly Memory[] => {
      const given = inputs as readonly HostMemory[]
      const fresh = new Map<number, HostMemory>()
      const place = (at: Placement, id: number): HostArray => {
        if (at.kind === 'input') return (given[at.position] as HostMemory).data
        if (at.kind === 'arena') return views[id] as HostArray
        const { dtype, size } = program.buffers[id] as BufferSpec
        const data = at.kind === 'donated' ? (given[at.position] as HostMemory).data : hostArray(dtype, size)
        fresh.set(id, hold(data))
        return data
      }
      const buffers = memory.placements.map(place)
      const kept = new Set(program.outputs.map((id) => memory.placements[id]))
      for (const position of program.donated) {
        const returned = [...kept].some((at) => at?.kind === 'input' && at.position === position)
        if (!returned) memories.remove(given[position] as HostMemory)
      }
      if (later) {
        tail = tail.then(() => runAllLater(steps, buffers))
        // Whoever reads is told; an error that nobody reads must not end the process.
        tail.catch(() => undefined)
      } else runAllNow(steps, buffers)
      return program.outputs.map((id) => {
        const at = memory.placements[id] as Placement
        return at.kind === 'input' ? (given[at.position] as HostMemory) : (fresh.get(id) as HostMemory)
      })
    }
    const executable = { plan: programPlan(program, memory.arenaBytes + held, onHost), run }
    cache.keep(run, own)
    return executable
  }

  const read = (memory: Memory): HostArray => (memory as HostMemory).data.slice()
  const where = runsOnHost(mode) ? 'on the processor, one thread' : 'on the GPU, every result read back'
  return {
    name: 'gpujs',
    detail: `gpu.js in mode ${mode}${asked === mode ? '' : `, asked for ${asked}`}: ${where}`,
    supports: (dtype) => dtype !== 'float64',
    compile,
    upload: (data) => hold(data.slice()),
    read: (memory) => (later ? tail.then(() => read(memory)) : Promise.resolve(read(memory))),
    readSync: later ? undefined : read,
    release: (memory) => memories.remove(memory as HostMemory),
    live: memories.live,
    close: () => gpu.destroy(),
  }
}

/**
 * Opens gpu.js in a mode; left with a sentence where that mode is not available here.
 *
 * @example
 * ```ts
 * import { openGpuJs } from 'pullback/kernels'
 * const engine = openGpuJs({ mode: 'cpu' })
 * console.log(engine._tag === 'Right' && engine.right.detail)
 * // => gpu.js in mode cpu: on the processor, one thread
 * ```
 */
export const openGpuJs = ({ mode = 'gpu' }: GpuJsOptions = {}): E.Either<string, Engine> => {
  const library = gpuJs()
  if (library === undefined) return E.left('gpujs: gpu.js is not loaded, await loadGpuJs() first')
  return E.map(([gpu, real]: readonly [Gpu, Mode]) => engineOf(gpu, real, mode))(opened(library, mode))
}

/**
 * The engine whose kernels gpu.js compiles: portable, in float32, and the place where users' own kernels run.
 * Integers live in buffers of their own dtype; launches whose integers float32 cannot carry exactly, and
 * scatters, sorts and scans, run as loops on the host and are listed in `plan.onHost`. float64 is refused.
 *
 * Throws where the mode is not available; `openGpuJs` gives an `Either`.
 *
 * @example
 * const engine = gpuJsEngine({ mode: 'webasm' })
 * engine.detail // 'gpu.js in mode webasm: on the processor, one thread'
 */
export const gpuJsEngine = (options: GpuJsOptions = {}): Engine => {
  const engine = openGpuJs(options)
  if (E.isLeft(engine)) throw new Error(engine.left)
  return engine.right
}
