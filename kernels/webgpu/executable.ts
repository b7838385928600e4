/** Programs made ready to run: kernels compiled, memory planned, and one submission for each call. */
import type { Dtype } from '../dtype.ts'
import type { Executable, Memory, Profiled } from '../engine.ts'
import { apart, handoverOf } from '../handover.ts'
import { programPlan } from '../plan/index.ts'
import type { Span } from '../profile/index.ts'
import type { BufferId, Program } from '../program/index.ts'
import type { Device } from './device.ts'
import { callOf, recorder } from './encode.ts'
import type { Call, Held, Recorder } from './encode.ts'
import { fitted } from './fit.ts'
import type { Line } from './line.ts'
import type { MatmulOptions } from './matmul/dispatch.ts'
import type { Pipelines } from './pipeline.ts'
import type { Pool } from './pool.ts'
import { timedByDevice, timedByHost } from './profile.ts'
import { mapParts, recorded } from './record.ts'
import type { Limits, Part } from './record.ts'
import type { Dispatch } from './shader.ts'
import type { Place } from './slot.ts'

/** Elements in a buffer on the device. */
export interface GpuMemory extends Memory {
  readonly buffer: GPUBuffer
}

/** What the programs of an engine share. */
export interface Machine {
  readonly device: Device
  readonly pipelines: Pipelines
  readonly matmul: MatmulOptions
  readonly limits: Limits
  readonly line: Line
  /** Buffers through which the host reads. */
  readonly staging: Pool
  readonly allocate: (dtype: Dtype, size: number) => GpuMemory
  /** A memory in the buffer of a donated one, which is no longer its owner. */
  readonly takeOver: (memory: GpuMemory, dtype: Dtype, size: number) => GpuMemory
  readonly release: (memory: Memory) => void
  /** Buffers for temporaries of at least these bytes, the largest first; the same for every program. */
  readonly workspace: (slots: readonly number[]) => readonly GPUBuffer[]
}

/** Throws where a buffer would be larger than the device allows, before anything is begun. */
const checkSizes = ({ buffers }: Program, slots: readonly number[], { adapter }: Device): void => {
  const most = adapter.limits.bytesPerBuffer
  const wide = buffers.findIndex(({ dtype }) => dtype === 'float64')
  if (wide >= 0) throw new Error(`webgpu: float64 is not supported, but buffer ${wide} holds it`)
  const refuse = (what: string, bytes: number): never => {
    throw new Error(
      `webgpu: the program does not fit and was not begun: ${what} needs one buffer of ${bytes} bytes, but ${adapter.name} allows ${most}`,
    )
  }
  buffers.forEach(({ size }, id) => (4 * size > most ? refuse(`buffer ${id}`, 4 * size) : undefined))
  const slot = slots.find((bytes) => bytes > most)
  if (slot !== undefined) refuse('a kernel', slot)
}

/** The calls of parts that can all be encoded before any of it has run. */
const closedCalls = (parts: readonly Part<Call>[]): readonly Call[] | undefined => {
  const calls = parts.flatMap((part) => (part.kind === 'dispatch' ? [part.dispatch] : []))
  return calls.length === parts.length ? calls : undefined
}

/** Whether the word at the start of a buffer is true; what was recorded before is submitted. */
const truthOf = async ({ device, staging }: Machine, into: Recorder, flag: GPUBuffer): Promise<boolean> => {
  const copy = staging.acquire(4)
  into.encoder().copyBufferToBuffer(flag, 0, copy, 0, 4)
  into.submit()
  await device.ticker.awaited(() => copy.mapAsync(1, 0, 4))
  const [word] = new Uint32Array(copy.getMappedRange(0, 4))
  copy.unmap()
  staging.release(copy)
  return word !== 0
}

/** Records parts whose ends depend on what they compute, which submits them piece by piece. */
const recordOpen = async (
  machine: Machine,
  into: Recorder,
  held: Held,
  parts: readonly Part<Call>[],
): Promise<void> => {
  const inner = (inside: readonly Part<Call>[]): Promise<void> => recordOpen(machine, into, held, inside)
  for (const part of parts)
    if (part.kind === 'dispatch') into.dispatch(part.dispatch)
    else if (part.kind === 'loop') for (let round = 0; round < part.count; round++) await inner(part.inside)
    else
      for (;;) {
        await inner(part.condition)
        if (!(await truthOf(machine, into, held[part.flag] as GPUBuffer))) break
        await inner(part.inside)
      }
}

/** One run with all its buffers found: what is to be encoded, and what is copied before. */
interface Turn {
  readonly held: Held
  readonly copies: readonly (readonly [from: GPUBuffer, to: GPUBuffer, bytes: number])[]
}

const begun = (device: Device, { held, copies }: Turn): Recorder => {
  const into = recorder(device, held)
  for (const [from, to, bytes] of copies) into.encoder().copyBufferToBuffer(from, 0, to, 0, bytes)
  return into
}

export const executable = (machine: Machine, whole: Program): Executable => {
  const { device, pipelines, line } = machine
  const program = fitted(whole, device.adapter.limits.buffersPerKernel)
  const { inputs, donated } = program
  checkSizes(program, [], device)
  const recording = recorded(program, machine.matmul, machine.limits)
  const { places, slots } = recording.plan
  checkSizes(program, slots, device)
  const calls = new Map<Dispatch, Call>()
  const steps = recording.steps.map((parts) =>
    mapParts(parts, (dispatch) => {
      const call = calls.get(dispatch) ?? callOf(device, pipelines, dispatch)
      calls.set(dispatch, call)
      return call
    }),
  )
  const all = steps.flat()
  const closed = closedCalls(all)
  const { returned, order, ending } = handoverOf(program, places)
  const held: (GPUBuffer | undefined)[] = places.map(() => undefined)

  /** Finds every buffer, gives `go` what is to be run, and hands the results over. */
  const around = (arguments_: readonly Memory[], go: (turn: Turn) => void): readonly Memory[] => {
    const trouble = device.trouble()
    if (trouble !== undefined) throw new Error(trouble)
    const copies: (readonly [GPUBuffer, GPUBuffer, number])[] = []
    const given = apart(donated, arguments_ as readonly GpuMemory[], (memory) => {
      const copy = machine.allocate(memory.dtype, memory.size)
      copies.push([memory.buffer, copy.buffer, 4 * memory.size])
      return copy
    })
    for (let position = 0; position < inputs.length; position++)
      held[inputs[position] as BufferId] = (given[position] as GpuMemory).buffer
    const space = machine.workspace(slots)
    for (let id = 0; id < places.length; id++) {
      const place = places[id] as Place
      if (place.kind === 'slot') held[id] = space[place.slot] as GPUBuffer
    }
    const results = returned.map(({ id, dtype, size, from, takes }): GpuMemory => {
      const memory =
        from === undefined
          ? machine.allocate(dtype, size)
          : takes
            ? machine.takeOver(given[from] as GpuMemory, dtype, size)
            : (given[from] as GpuMemory)
      held[id] = memory.buffer
      return memory
    })
    go({ held, copies })
    for (const position of ending) machine.release(given[position] as GpuMemory)
    return order.map((index) => results[index] as GpuMemory)
  }
  /** The next run finds other buffers: what is done later needs a copy. */
  const later = (turn: Turn): Turn => ({ ...turn, held: turn.held.slice() })

  const once = (turn: Turn, list: readonly Call[]): void => {
    const into = begun(device, turn)
    for (let index = 0; index < list.length; index++) into.dispatch(list[index] as Call)
    into.submit()
  }
  const open = async (turn: Turn): Promise<void> => {
    const into = begun(device, turn)
    await recordOpen(machine, into, turn.held, all)
    into.submit()
  }
  const run = (given: readonly Memory[]): readonly Memory[] =>
    around(given, (turn) => {
      if (closed !== undefined) {
        const own = line.waits() ? later(turn) : turn
        line.add(() => once(own, closed))
      } else {
        const own = later(turn)
        line.addLong(() => open(own))
      }
    })
  const timed = (turn: Turn): Promise<readonly Span[]> => {
    const into = begun(device, turn)
    if (closed !== undefined && device.adapter.features.includes('timestamp-query'))
      return timedByDevice(device, into, steps)
    return timedByHost(device, steps, async (parts) => {
      await recordOpen(machine, into, turn.held, parts)
      into.submit()
    })
  }
  const profile = (given: readonly Memory[]): Profiled => {
    const { promise, resolve, reject } = Promise.withResolvers<readonly Span[]>()
    const outputs = around(given, (turn) => {
      const own = later(turn)
      line.addLong(async () => {
        await timed(own).then(resolve, reject)
        await promise
      })
    })
    return { outputs, spans: promise }
  }
  const temporaryBytes = slots.reduce((total, bytes) => total + bytes, 0)
  return { plan: programPlan(whole, temporaryBytes, recording.onHost), run, profile }
}
