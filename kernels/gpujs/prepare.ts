/** Launches and controls of a program made ready: built kernels, or loops on the host, and how they are run. */
import type { Dtype, HostArray } from '../dtype.ts'
import { compileLaunch } from '../javascript/launch.ts'
import type { BufferId, BufferSpec, CustomLaunch, Launch, Program, Step } from '../program/index.ts'
import { sizeOf } from '../program/index.ts'
import type { BuiltKernel, KernelCache } from './cache.ts'
import type { Call, StageCalls } from './execute.ts'
import { runLater, runNow, storeTo } from './execute.ts'
import type { Input, Source, Stage } from './kernel.ts'
import { stageOf } from './kernel.ts'
import type { Mode } from './mode.ts'

/** One launch, ready to run: kernels of gpu.js, or printed loops on the host. */
export type Ready =
  | { readonly kind: 'stage'; readonly calls: StageCalls }
  | {
      readonly kind: 'host'
      readonly run: (...buffers: readonly HostArray[]) => void
      readonly reason: string
    }

/** A program as it runs: launches that are ready, and decisions about them. */
export type Prepared =
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

/** A launch as kernels of gpu.js, or why it runs on the host. */
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

/** A step, with all that is inside it, ready to run. */
export const prepareStep = (step: Step, program: Program, mode: Mode, cache: KernelCache): Prepared => {
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
export const readyOf = (one: Prepared): readonly Ready[] => {
  if (one.kind === 'stage' || one.kind === 'host') return [one]
  return [...(one.kind === 'while' ? one.condition : []), ...one.inside].flatMap(readyOf)
}

/** Runs steps whose kernels give their results at once. */
export const runAllNow = (steps: readonly Prepared[], buffers: readonly HostArray[]): void => {
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

/** Runs steps whose kernels give promises, each after the one before. */
export const runAllLater = async (
  steps: readonly Prepared[],
  buffers: readonly HostArray[],
): Promise<void> => {
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

/** The kernels that a launch runs. */
export const kernelsOf = (ready: Ready): readonly BuiltKernel[] =>
  ready.kind === 'host'
    ? []
    : [...ready.calls.folds, ...ready.calls.outputs.map(({ call }) => call)].map(({ built }) => built)
