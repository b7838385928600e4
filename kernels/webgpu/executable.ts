/** Programs made ready to run: kernels compiled, memory planned, and one submission for each call. */
import type { Dtype } from '../dtype.ts'
import type { Executable, Memory } from '../engine.ts'
import { programPlan } from '../plan.ts'
import type { BufferId, BufferSpec, Launch, Program, Step } from '../program.ts'
import { isControl } from '../program.ts'
import { customDispatches } from './custom.ts'
import type { Device } from './device.ts'
import { mapDispatches } from './map.ts'
import type { MatmulOptions } from './matmul.ts'
import { matmulDispatches } from './matmul.ts'
import type { Pipelines, ReadyKernel } from './pipeline.ts'
import { reduceDispatches } from './reduce.ts'
import { scanDispatches } from './scan.ts'
import { scatterDispatches } from './scatter.ts'
import type { Binding, Context, Dispatch } from './shader.ts'
import { placementsOf, planSlots } from './slot.ts'
import type { Place, Scratch } from './slot.ts'
import { sortDispatches } from './sort.ts'

/** Elements in a buffer on the device. */
export interface GpuMemory extends Memory {
  readonly buffer: GPUBuffer
}

/** What the programs of an engine share. */
export interface Machine {
  readonly device: Device
  readonly pipelines: Pipelines
  readonly matmul: MatmulOptions
  readonly allocate: (dtype: Dtype, size: number) => GpuMemory
  /** A memory in the buffer of a donated one, which is no longer its owner. */
  readonly takeOver: (memory: GpuMemory, dtype: Dtype, size: number) => GpuMemory
  readonly release: (memory: Memory) => void
  /** Buffers for temporaries of at least these bytes, the largest first; the same for every program. */
  readonly workspace: (slots: readonly number[]) => readonly GPUBuffer[]
}

const dispatchesOf = (launch: Launch, context: Context, options: MatmulOptions): readonly Dispatch[] => {
  switch (launch.kind) {
    case 'map':
      return mapDispatches(launch, context)
    case 'reduce':
      return reduceDispatches(launch, context)
    case 'matmul':
      return matmulDispatches(launch, context, options)
    case 'scatter':
      return scatterDispatches(launch, context)
    case 'sort':
      return sortDispatches(launch, context)
    case 'scan':
      return scanDispatches(launch, context)
    case 'custom':
      return customDispatches(launch, context)
    case 'attention':
    case 'attentionGradient':
      throw new Error(`webgpu: ${launch.kind} launches are not among those that the engine says it runs`)
  }
}

/** A kernel of the program, with the bind group that it had last. */
interface Call {
  readonly kernel: ReadyKernel
  readonly bindings: readonly Binding[]
  readonly groups: Dispatch['groups']
  readonly uniform: GPUBuffer | undefined
  readonly bound: (GPUBuffer | undefined)[]
  group: GPUBindGroup | undefined
}

/**
 * All dispatches of a program in the order in which they run, those of a loop again and again, with its buffers
 * and those that launches need for themselves. Choices are always made, as the language allows: what runs is
 * decided before anything is known on the host.
 */
const printed = (program: Program, matmul: MatmulOptions, threadsPerGroup: number) => {
  const placements = placementsOf(program)
  const specs: BufferSpec[] = [...program.buffers]
  const scratch: Scratch[] = []
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
    threadsPerGroup,
  })
  const walk = (step: Step, context: Context): readonly Dispatch[] => {
    if (!isControl(step)) return dispatchesOf(step, context, matmul)
    if (step.kind === 'while')
      throw new Error(
        'webgpu: a while loop, whose end depends on what it computes, cannot be recorded in advance; run it on another engine, or use scan with a fixed number of rounds',
      )
    const inside = step.launches.flatMap((one) => walk(one, context))
    const rounds = step.kind === 'loop' ? step.count : 1
    return Array.from({ length: rounds }, () => inside).flat()
  }
  const dispatches = program.launches.flatMap((step, time) => walk(step, contextAt(time)))
  return { dispatches, plan: planSlots(program, placements, scratch) }
}

/** A kernel as text. */
export interface KernelText {
  /** What it does, like `map 8×64`. */
  readonly label: string
  readonly code: string
}

/**
 * The WGSL of a program's kernels in the order in which they first run. No device is needed; gpu.js has to be
 * loaded.
 */
export const wgslKernels = (program: Program): readonly KernelText[] =>
  [...new Set(printed(program, { tile: undefined }, 256).dispatches)].map(({ label, code }) => ({
    label,
    code,
  }))

/** A result: a new memory, or that of the argument at `from`, itself or taken over. */
interface Returned {
  readonly id: BufferId
  readonly from: number | undefined
  readonly takes: boolean
}

const uniformBuffer = (
  { gpu }: Device,
  words: Uint32Array<ArrayBuffer> | undefined,
): GPUBuffer | undefined => {
  if (words === undefined) return undefined
  const buffer = gpu.createBuffer({ size: Math.max(16, words.byteLength), usage: 64 | 8 })
  gpu.queue.writeBuffer(buffer, 0, words)
  return buffer
}

export const executable = (machine: Machine, program: Program): Executable => {
  const { device, pipelines } = machine
  const { gpu } = device
  const { buffers, inputs, outputs, donated } = program
  const wide = buffers.findIndex(({ dtype }) => dtype === 'float64')
  if (wide >= 0) throw new Error(`webgpu: float64 is not supported, but buffer ${wide} holds it`)
  const { dispatches, plan } = printed(program, machine.matmul, device.adapter.limits.threadsPerGroup)
  const { buffersPerKernel } = device.adapter.limits
  const calls = new Map<Dispatch, Call>()
  const steps = dispatches.map((dispatch): Call => {
    const known = calls.get(dispatch)
    if (known !== undefined) return known
    if (dispatch.bindings.length > buffersPerKernel)
      throw new Error(
        `webgpu: a kernel (${dispatch.label}) needs ${dispatch.bindings.length} buffers, but ${device.adapter.name} binds ${buffersPerKernel}`,
      )
    const call: Call = {
      kernel: pipelines.kernel(dispatch),
      bindings: dispatch.bindings,
      groups: dispatch.groups,
      uniform: uniformBuffer(device, dispatch.uniform),
      bound: dispatch.bindings.map(() => undefined),
      group: undefined,
    }
    calls.set(dispatch, call)
    return call
  })
  const { places, slots } = plan
  const distinct = [...new Set(outputs)]
  const returned = distinct.map((id): Returned => {
    const place = places[id] as Place
    return {
      id,
      from: place.kind === 'input' || place.kind === 'donated' ? place.position : undefined,
      takes: place.kind === 'donated',
    }
  })
  const order = outputs.map((id) => distinct.indexOf(id))
  const taken = new Set(returned.flatMap(({ from, takes }) => (takes ? [from] : [])))
  const ending = donated.filter(
    (position) => !taken.has(position) && !outputs.includes(inputs[position] as BufferId),
  )
  const held: (GPUBuffer | undefined)[] = places.map(() => undefined)

  /** Donated memory that is another argument too must not be written to: the program gets a copy of it. */
  const apart = (given: readonly GpuMemory[], encoder: GPUCommandEncoder): readonly GpuMemory[] => {
    if (donated.length === 0 || new Set(given).size === given.length) return given
    const own = [...given]
    for (const position of donated) {
      const memory = own[position] as GpuMemory
      if (own.indexOf(memory) === own.lastIndexOf(memory)) continue
      const copy = machine.allocate(memory.dtype, memory.size)
      encoder.copyBufferToBuffer(memory.buffer, 0, copy.buffer, 0, 4 * memory.size)
      own[position] = copy
    }
    return own
  }

  const bind = (step: Call): GPUBindGroup => {
    const { bindings, bound } = step
    let same = step.group !== undefined
    for (let index = 0; index < bindings.length; index++) {
      const buffer = held[(bindings[index] as Binding).id]
      if (bound[index] === buffer) continue
      bound[index] = buffer
      same = false
    }
    if (same) return step.group as GPUBindGroup
    const first = step.uniform === undefined ? 0 : 1
    const entries: GPUBindGroupEntry[] = bound.map((buffer, index) => ({
      binding: index + first,
      resource: { buffer: buffer as GPUBuffer },
    }))
    if (step.uniform !== undefined) entries.push({ binding: 0, resource: { buffer: step.uniform } })
    return (step.group = gpu.createBindGroup({ layout: step.kernel.layout, entries }))
  }

  const run = (arguments_: readonly Memory[]): readonly Memory[] => {
    const trouble = device.trouble()
    if (trouble !== undefined) throw new Error(trouble)
    const encoder = gpu.createCommandEncoder()
    const given = apart(arguments_ as readonly GpuMemory[], encoder)
    for (let position = 0; position < inputs.length; position++)
      held[inputs[position] as BufferId] = (given[position] as GpuMemory).buffer
    const space = machine.workspace(slots)
    for (let id = 0; id < places.length; id++) {
      const place = places[id] as Place
      if (place.kind === 'slot') held[id] = space[place.slot] as GPUBuffer
    }
    const results = returned.map(({ id, from, takes }): GpuMemory => {
      const { dtype, size } = buffers[id] as BufferSpec
      const memory =
        from === undefined
          ? machine.allocate(dtype, size)
          : takes
            ? machine.takeOver(given[from] as GpuMemory, dtype, size)
            : (given[from] as GpuMemory)
      held[id] = memory.buffer
      return memory
    })
    if (steps.length > 0) {
      const pass = encoder.beginComputePass()
      for (const step of steps) {
        pass.setPipeline(step.kernel.pipeline)
        pass.setBindGroup(0, bind(step))
        pass.dispatchWorkgroups(step.groups[0], step.groups[1], step.groups[2])
      }
      pass.end()
    }
    gpu.queue.submit([encoder.finish()])
    for (const position of ending) machine.release(given[position] as GpuMemory)
    return order.map((index) => results[index] as GpuMemory)
  }
  const temporaryBytes = slots.reduce((total, bytes) => total + bytes, 0)
  return { plan: programPlan(program, temporaryBytes), run }
}
