/** Dispatches written into command encoders, with bind groups that are kept from run to run. */
import type { BufferId } from '../program/index.ts'
import type { Device } from './device.ts'
import type { Pipelines, ReadyKernel } from './pipeline.ts'
import type { Dispatch } from './shader.ts'

/** Which buffer on the device each of the program's buffers is in this run. */
export type Held = readonly (GPUBuffer | undefined)[]

/** A kernel of the program, with the bind groups that it had last, the latest first. */
export interface Call {
  readonly kernel: ReadyKernel
  readonly ids: readonly BufferId[]
  readonly groups: Dispatch['groups']
  readonly uniform: GPUBuffer | undefined
  readonly known: { readonly bound: Held; readonly group: GPUBindGroup }[]
}

/** Bind groups that a call keeps: arguments come in a few buffers, by turns. */
const kept = 4

const uniformBuffer = (
  { gpu }: Device,
  words: Uint32Array<ArrayBuffer> | undefined,
): GPUBuffer | undefined => {
  if (words === undefined) return undefined
  const buffer = gpu.createBuffer({ size: Math.max(16, words.byteLength), usage: 64 | 8 })
  gpu.queue.writeBuffer(buffer, 0, words)
  return buffer
}

export const callOf = (device: Device, pipelines: Pipelines, dispatch: Dispatch): Call => {
  const { adapter } = device
  const { bindings, groups, label, uniform } = dispatch
  if (bindings.length > adapter.limits.buffersPerKernel)
    throw new Error(
      `webgpu: a kernel (${label}) needs ${bindings.length} buffers, but ${adapter.name} binds ${adapter.limits.buffersPerKernel}`,
    )
  return {
    kernel: pipelines.kernel(dispatch),
    ids: bindings.map(({ id }) => id),
    groups,
    uniform: uniformBuffer(device, uniform),
    known: [],
  }
}

const fits = (ids: readonly BufferId[], bound: Held, held: Held): boolean => {
  for (let index = 0; index < ids.length; index++)
    if (bound[index] !== held[ids[index] as BufferId]) return false
  return true
}

const groupOf = (gpu: GPUDevice, { kernel, ids, uniform, known }: Call, held: Held): GPUBindGroup => {
  for (const one of known) if (fits(ids, one.bound, held)) return one.group
  const bound = ids.map((id) => held[id])
  const first = uniform === undefined ? 0 : 1
  const entries: GPUBindGroupEntry[] = bound.map((buffer, index) => ({
    binding: index + first,
    resource: { buffer: buffer as GPUBuffer },
  }))
  if (uniform !== undefined) entries.push({ binding: 0, resource: { buffer: uniform } })
  const group = gpu.createBindGroup({ layout: kernel.layout, entries })
  known.unshift({ bound, group })
  if (known.length > kept) known.pop()
  return group
}

/** Commands that are collected until they are submitted. */
export interface Recorder {
  readonly dispatch: (call: Call) => void
  /** Ends the pass, so that what is encoded next stands between dispatches. */
  readonly encoder: () => GPUCommandEncoder
  readonly submit: () => void
  /** Begins a pass whose beginning and end are written to two places of a query set. */
  readonly timed: (querySet: GPUQuerySet, first: number) => void
}

export const recorder = ({ gpu }: Device, held: Held): Recorder => {
  let encoder: GPUCommandEncoder | undefined
  let pass: GPUComputePassEncoder | undefined
  let pipeline: GPUComputePipeline | undefined
  const begin = (descriptor?: GPUComputePassDescriptor): GPUComputePassEncoder => {
    pipeline = undefined
    return (pass = (encoder ??= gpu.createCommandEncoder()).beginComputePass(descriptor))
  }
  const end = (): void => {
    pass?.end()
    pass = undefined
  }
  return {
    dispatch: (call) => {
      const into = pass ?? begin()
      const own = call.kernel.pipeline
      if (own !== pipeline) into.setPipeline((pipeline = own))
      into.setBindGroup(0, groupOf(gpu, call, held))
      const [x, y, z] = call.groups
      // Each number that crosses to the device's library costs time.
      if (y === 1 && z === 1) into.dispatchWorkgroups(x)
      else into.dispatchWorkgroups(x, y, z)
    },
    encoder: () => {
      end()
      return (encoder ??= gpu.createCommandEncoder())
    },
    submit: () => {
      end()
      if (encoder !== undefined) gpu.queue.submit([encoder.finish()])
      encoder = undefined
    },
    timed: (querySet, first) => {
      end()
      begin({
        timestampWrites: { querySet, beginningOfPassWriteIndex: first, endOfPassWriteIndex: first + 1 },
      })
    },
  }
}
