import { either as E } from 'fp-ts'
import type { Dtype, HostArray } from '../dtype.ts'
import { dtypeOf, hostArray } from '../dtype.ts'
import type { Engine, Executable, Memory } from '../engine.ts'
import { compileLaunch } from '../javascript/launch.ts'
import { ledger } from '../ledger.ts'
import type { MemoryPlan, Placement } from '../plan/index.ts'
import { planMemory, programPlan } from '../plan/index.ts'
import type { BufferId, BufferSpec, CustomLaunch, Launch, Program, Step } from '../program/index.ts'
import { flatLaunches, sizeOf } from '../program/index.ts'
import type { BuiltKernel, KernelCache } from './cache.ts'
import { kernelCache } from './cache.ts'
import type { Call, StageCalls } from './execute.ts'
import { runLater, runNow, storeTo } from './execute.ts'
import type { Input, Source, Stage } from './kernel.ts'
import { stageOf } from './kernel.ts'
import type { Gpu, GpuJs } from './library.ts'
import { gpuJs, modeOfKernel } from './library.ts'
import type { Mode } from './mode.ts'
import { isAsynchronous, isMode, runsOnHost } from './mode.ts'

export interface GpuJsOptions {
  /** `gpu`, the default: the best mode that gpu.js finds here. Any other: that mode, or a refusal. */
  readonly mode?: 'gpu' | Mode
}

interface HostMemory extends Memory {
  data: HostArray
}

/** One launch, ready to run: kernels of gpu.js, or printed loops on the host. */
type Ready =
  | { readonly kind: 'stage'; readonly calls: StageCalls }
  | {
      readonly kind: 'host'
      readonly run: (...buffers: readonly HostArray[]) => void
      readonly reason: string
    }

/** A program as it runs: launches that are ready, and decisions about them. */
type Prepared =
  | Ready
  | { readonly kind: 'loop'; readonly count: number; readonly inside: readonly Prepared[] }
  | {
      readonly kind: 'while'
      readonly condition: readonly Prepared[]
      readonly flag: BufferId
      readonly inside: readonly Prepared[]
    }
  | {
      readonly kind: 'when'
      readonly index: BufferId
      readonly value: number
      readonly inside: readonly Prepared[]
    }

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** The mode that a kernel really gets, found by building one. */
const modeOf = (gpu: Gpu): string => {
  const probe = gpu.createKernel('function () { return 1; }', {
    output: [1],
    precision: 'single',
    tactic: 'precision',
    loopMaxIterations: 1,
    dynamicArguments: false,
    onRequestFallback: () => {
      throw new Error('it falls back to another mode')
    },
  })
  probe.kernel.build()
  return modeOfKernel(probe)
}

export const opened = (library: GpuJs, asked: string): E.Either<string, readonly [Gpu, Mode]> => {
  try {
    const gpu = new library.GPU({ mode: asked })
    const mode = modeOf(gpu)
    if (asked !== 'gpu' && mode !== asked)
      return E.left(`gpujs: mode ${asked} is not available here, gpu.js would run ${mode} instead`)
    return isMode(mode)
      ? E.right([gpu, mode])
      : E.left(`gpujs: gpu.js would run in mode ${mode}, which pullback does not print for`)
  } catch (error) {
    const message = messageOf(error)
    const reason = message.includes('is not supported') ? 'gpu.js finds nothing to run it on' : message
    return E.left(`gpujs: mode ${asked} is not available here: ${reason}`)
  }
}

/** A custom launch as a kernel: the user's own source. */
const customStage = ({ source, inputs, target, size }: CustomLaunch): Stage => ({
  folds: [],
  rows: 0,
  outputs: [
    {
      source: {
        source,
        output: [size],
        inputs: inputs.map((id): readonly Input[] => [{ kind: 'buffer', id }]),
      },
      target: { buffer: target, strides: [1], offset: 0 },
      shape: [size],
    },
  ],
})

const customReason = ({ inputs, target }: CustomLaunch, dtype: (id: number) => Dtype): string | undefined => {
  const other = [...inputs, target].map(dtype).find((of) => of !== 'float32' && of !== 'bool')
  return other === undefined ? undefined : `it reads or writes ${other}, which float32 does not carry exactly`
}

export const stageFor = (launch: Launch, program: Program, mode: Mode): Stage | string => {
  const spec = (id: number): BufferSpec => program.buffers[id] as BufferSpec
  const dtype = (id: number): Dtype => spec(id).dtype
  if (launch.kind !== 'custom') return stageOf(launch, dtype, (id) => spec(id).size, mode)
  return customReason(launch, dtype) ?? customStage(launch)
}

const prepare = (launch: Launch, program: Program, mode: Mode, cache: KernelCache): Ready => {
  const spec = (id: number): BufferSpec => program.buffers[id] as BufferSpec
  const host = (reason: string): Ready => ({
    kind: 'host',
    reason,
    run: compileLaunch(launch, (id) => spec(id).dtype, program.buffers.length),
  })
  const stage = stageFor(launch, program, mode)
  if (typeof stage === 'string') return host(stage)
  const rows = stage.outputs.filter(({ shape }) => sizeOf(shape) > 0)
  if (rows.length === 0) return { kind: 'stage', calls: { folds: [], outputs: [] } }
  const sizeOfInput = (input: Input): number => (input.kind === 'buffer' ? spec(input.id).size : stage.rows)
  const build = (source: Source): Call | string => {
    const sizes = source.inputs.map((group) => group.reduce((total, input) => total + sizeOfInput(input), 0))
    const built = cache.build(source, sizes)
    return typeof built === 'string' ? built : { built, inputs: source.inputs }
  }
  const folds = stage.folds.map(build)
  const outputs = rows.map(({ source }) => build(source))
  const refused = [...folds, ...outputs].find((one) => typeof one === 'string')
  if (typeof refused === 'string') return host(refused)
  return {
    kind: 'stage',
    calls: {
      folds: folds as Call[],
      outputs: rows.map(({ target, shape }, index) => ({
        call: outputs[index] as Call,
        store: storeTo(target, shape, spec(target.buffer).dtype),
        buffer: target.buffer,
      })),
    },
  }
}

const prepareStep = (step: Step, program: Program, mode: Mode, cache: KernelCache): Prepared => {
  const all = (steps: readonly Step[]): readonly Prepared[] =>
    steps.map((each) => prepareStep(each, program, mode, cache))
  switch (step.kind) {
    case 'loop':
      return { kind: 'loop', count: step.count, inside: all(step.launches) }
    case 'while':
      return { kind: 'while', condition: all(step.condition), flag: step.flag, inside: all(step.launches) }
    case 'when':
      return { kind: 'when', index: step.index, value: step.value, inside: all(step.launches) }
    default:
      return prepare(step, program, mode, cache)
  }
}

/** The launches that are ready, in the order of `flatLaunches`. */
const readyOf = (one: Prepared): readonly Ready[] => {
  if (one.kind === 'stage' || one.kind === 'host') return [one]
  return [...(one.kind === 'while' ? one.condition : []), ...one.inside].flatMap(readyOf)
}

const runAllNow = (steps: readonly Prepared[], buffers: readonly HostArray[]): void => {
  for (const one of steps)
    if (one.kind === 'host') one.run(...buffers)
    else if (one.kind === 'stage') runNow(one.calls, buffers)
    else if (one.kind === 'loop')
      for (let round = 0; round < one.count; round++) runAllNow(one.inside, buffers)
    else if (one.kind === 'when') {
      if (buffers[one.index]?.[0] === one.value) runAllNow(one.inside, buffers)
    } else
      for (;;) {
        runAllNow(one.condition, buffers)
        if (buffers[one.flag]?.[0] === 0) break
        runAllNow(one.inside, buffers)
      }
}

const runAllLater = async (steps: readonly Prepared[], buffers: readonly HostArray[]): Promise<void> => {
  for (const one of steps)
    if (one.kind === 'host') one.run(...buffers)
    else if (one.kind === 'stage') await runLater(one.calls, buffers)
    else if (one.kind === 'loop')
      for (let round = 0; round < one.count; round++) await runAllLater(one.inside, buffers)
    else if (one.kind === 'when') {
      if (buffers[one.index]?.[0] === one.value) await runAllLater(one.inside, buffers)
    } else
      for (;;) {
        await runAllLater(one.condition, buffers)
        if (buffers[one.flag]?.[0] === 0) break
        await runAllLater(one.inside, buffers)
      }
}

const kernelsOf = (ready: Ready): readonly BuiltKernel[] =>
  ready.kind === 'host'
    ? []
    : [...ready.calls.folds, ...ready.calls.outputs.map(({ call }) => call)].map(({ built }) => built)

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
  const cache = kernelCache(gpu, mode)
  const later = isAsynchronous(mode)
  /** Where kernels give promises, every program waits for the one before. */
  let tail: Promise<void> = Promise.resolve()
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
