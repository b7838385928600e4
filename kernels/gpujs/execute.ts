/** Runs the stages of a launch over host arrays and stores what the kernels give. */
import type { Dtype, HostArray } from '../dtype.ts'
import { compileLaunch } from '../javascript/launch.ts'
import type { View } from '../program/index.ts'
import { contiguous } from '../program/index.ts'
import { isSameView } from '../region.ts'
import type { BuiltKernel } from './cache.ts'
import type { Input } from './kernel.ts'
import type { KernelResult } from './library.ts'

export interface Call {
  readonly built: BuiltKernel
  readonly inputs: readonly (readonly Input[])[]
}

export type Store = (result: Float32Array, target: HostArray) => void

/** Kernels of one launch, and where each output goes. */
export interface StageCalls {
  readonly folds: readonly Call[]
  readonly outputs: readonly { readonly call: Call; readonly store: Store; readonly buffer: number }[]
}

const flat = (result: KernelResult): Float32Array => {
  if (result instanceof Float32Array) return result
  const rows = result.flatMap((row): readonly Float32Array[] => (row instanceof Float32Array ? [row] : row))
  const length = rows[0]?.length ?? 0
  const joined = new Float32Array(rows.length * length)
  rows.forEach((row, index) => joined.set(row, index * length))
  return joined
}

const limits: Partial<Readonly<Record<Dtype, readonly [low: number, high: number]>>> = {
  int32: [-2147483648, 2147483647],
  uint32: [0, 4294967295],
}

/** Writes a kernel's contiguous result through a strided target, saturating integers. */
export const storeTo = (target: View, shape: readonly number[], dtype: Dtype): Store => {
  const bounds = limits[dtype]
  const plain = isSameView({ strides: contiguous(shape), offset: target.offset }, target, shape)
  const clamp = (result: Float32Array): Float32Array | Float64Array => {
    if (bounds === undefined) return result
    const [low, high] = bounds
    // Float64Array, because 2^31 - 1 is no float32.
    return Float64Array.from(result, (value) => (value !== value ? 0 : Math.min(Math.max(value, low), high)))
  }
  if (plain) return (result, array) => array.set(clamp(result), target.offset)
  const copy = compileLaunch(
    {
      kind: 'map',
      shape,
      operands: [{ kind: 'buffer', buffer: 0, strides: contiguous(shape), offset: 0 }],
      body: [{ op: 'read', index: 0, dtype }],
      outputs: [{ target: { ...target, buffer: 1 }, value: 0 }],
    },
    () => dtype,
    2,
  )
  return (result, array) => copy(clamp(result), array)
}

const argument = (
  group: readonly Input[],
  buffers: readonly HostArray[],
  folds: readonly Float32Array[],
  floatsOnly: boolean,
): ArrayBufferView => {
  const values = group.map((input) =>
    input.kind === 'buffer' ? (buffers[input.id] as HostArray) : (folds[input.index] as Float32Array),
  )
  const [first] = values
  if (first !== undefined && values.length === 1)
    return floatsOnly && !(first instanceof Float32Array) ? Float32Array.from(first) : first
  const packed = new Float32Array(values.reduce((total, { length }) => total + length, 0))
  let at = 0
  for (const value of values) {
    packed.set(value, at)
    at += value.length
  }
  return packed
}

const call = (
  { built, inputs }: Call,
  buffers: readonly HostArray[],
  folds: readonly Float32Array[],
  floatsOnly: boolean,
): KernelResult | Promise<KernelResult> =>
  built.kernel(...inputs.map((group) => argument(group, buffers, folds, floatsOnly)))

const storeAll = (
  { outputs }: StageCalls,
  results: readonly Float32Array[],
  buffers: readonly HostArray[],
): void =>
  outputs.forEach(({ store, buffer }, index) =>
    store(results[index] as Float32Array, buffers[buffer] as HostArray),
  )

/** All kernels first, then all stores: an output may stand in the memory of an operand. */
export const runNow = (stage: StageCalls, buffers: readonly HostArray[]): void => {
  const folds: Float32Array[] = []
  const now = (one: Call): Float32Array => {
    const result = call(one, buffers, folds, false)
    if (result instanceof Promise) throw new Error('gpujs: a kernel that was to run at once gave a promise')
    return flat(result)
  }
  for (const fold of stage.folds) folds.push(now(fold))
  storeAll(
    stage,
    stage.outputs.map((output) => now(output.call)),
    buffers,
  )
}

/** The same where kernels give promises. */
export const runLater = async (stage: StageCalls, buffers: readonly HostArray[]): Promise<void> => {
  const folds: Float32Array[] = []
  for (const fold of stage.folds) folds.push(flat(await call(fold, buffers, folds, true)))
  const results: Float32Array[] = []
  for (const output of stage.outputs) results.push(flat(await call(output.call, buffers, folds, true)))
  storeAll(stage, results, buffers)
}
