/** Programs made ready to run: launches compiled, memory planned, addresses written once. */
import type { Dtype, HostArray } from '../dtype.ts'
import { bytesOf } from '../dtype.ts'
import type { Executable, Memory, Profiled } from '../engine.ts'
import { apart, handoverOf } from '../handover.ts'
import type { Returned } from '../handover.ts'
import { compileLaunch } from '../javascript.ts'
import { planMemory, programPlan } from '../plan.ts'
import type { Span } from '../profile.ts'
import type { BufferId, BufferSpec, Launch, Program, Step } from '../program.ts'
import { flatLaunches, isControl, readsOf, writesOf } from '../program.ts'
import { attentionKernel } from './attention/kernel.ts'
import { inMegabytes } from './heap.ts'
import type { Kernel } from './kernel.ts'
import { mapKernel } from './map.ts'
import { matmulKernel } from './matmul.ts'
import type { Pool } from './pool.ts'
import { reduceKernel } from './reduce.ts'
import type { CompiledKernel, Runtime } from './runtime.ts'
import { scanKernel } from './scan.ts'
import { scatterKernel } from './scatter.ts'
import { sortKernel } from './sort.ts'
import type { Store, WasmMemory } from './store.ts'

/** Memory for the temporaries of whatever program runs: programs run one after the other. */
export interface Arena {
  /** Its address, with room for as many bytes at least. */
  readonly reserve: (bytes: number) => number
}

export const arena = (store: Store, { heap }: Runtime): Arena => {
  let address = 0
  let held = 0
  return {
    reserve: (bytes) => {
      if (bytes <= held) return address
      if (held > 0) heap.free(address, held)
      held = 0
      address = store.reserve(bytes)
      held = bytes
      return address
    },
  }
}

export const viewOf = (
  { buffer }: WebAssembly.Memory,
  dtype: Dtype,
  address: number,
  size: number,
): HostArray => {
  switch (dtype) {
    case 'float32':
      return new Float32Array(buffer, address, size)
    case 'float64':
      return new Float64Array(buffer, address, size)
    case 'int32':
      return new Int32Array(buffer, address, size)
    case 'uint32':
      return new Uint32Array(buffer, address, size)
    case 'bool':
      return new Uint8Array(buffer, address, size)
  }
}

const kernelOf = (launch: Launch, dtypeOf: (id: BufferId) => Dtype): Kernel | undefined => {
  switch (launch.kind) {
    case 'map':
      return mapKernel(launch, dtypeOf)
    case 'reduce':
      return reduceKernel(launch, dtypeOf)
    case 'matmul':
      return matmulKernel(launch, dtypeOf)
    case 'scatter':
      return scatterKernel(launch, dtypeOf)
    case 'sort':
      return sortKernel(launch, dtypeOf)
    case 'scan':
      return scanKernel(launch, dtypeOf)
    case 'attention':
    case 'attentionGradient':
      return attentionKernel(launch, dtypeOf)
    default:
      return undefined
  }
}

/** What programs of an engine share. */
export interface Machine {
  readonly runtime: Runtime
  readonly store: Store
  readonly pool: Pool
  readonly arena: Arena
}

/** Runs one launch, given the address of each buffer. */
type Task = (addresses: Float64Array) => void

/** A launch of the program, ready to run. */
interface Job {
  readonly launch: number
  readonly task: Task
}

const emptyView = new Uint8Array(0)

/** A launch that JavaScript runs on views of the memory. */
const hostTask = ({ runtime }: Machine, launch: Launch, buffers: readonly BufferSpec[]): Task => {
  const run = compileLaunch(launch, (id) => (buffers[id] as BufferSpec).dtype, buffers.length)
  const used = new Set([...readsOf(launch), ...writesOf(launch)])
  return (addresses) =>
    run(
      ...buffers.map(({ dtype, size }, id) =>
        used.has(id) ? viewOf(runtime.memory, dtype, addresses[id] as number, size) : emptyView,
      ),
    )
}

/** The words of the program's block that hold each buffer's address, kept up to date. */
class Block {
  readonly #words: readonly (readonly number[])[]
  readonly #memory: WebAssembly.Memory
  readonly #held: Float64Array
  readonly #address: number
  readonly #size: number

  constructor(
    memory: WebAssembly.Memory,
    address: number,
    size: number,
    words: readonly (readonly number[])[],
  ) {
    this.#memory = memory
    this.#address = address
    this.#size = size
    this.#words = words
    this.#held = new Float64Array(words.length).fill(-1)
  }

  update(addresses: Float64Array): void {
    let table: Int32Array | undefined
    for (let id = 0; id < addresses.length; id++) {
      const address = addresses[id] as number
      if (this.#held[id] === address) continue
      this.#held[id] = address
      const words = this.#words[id] as readonly number[]
      if (words.length === 0) continue
      table ??= new Int32Array(this.#memory.buffer, this.#address, this.#size)
      for (const word of words) table[word] = address
    }
  }
}

export const executable = (
  machine: Machine,
  program: Program,
  whenGone: (f: object, free: () => void) => void,
): Executable => {
  const { runtime, store, pool } = machine
  const { buffers, inputs, donated, launches } = program
  const dtypeOf = (id: BufferId): Dtype => (buffers[id] as BufferSpec).dtype
  const plan = planMemory(program)
  const flat = flatLaunches(launches)
  const kernels = flat.map((launch) => kernelOf(launch, dtypeOf))
  const compiled = runtime.compile(
    kernels.filter((kernel) => kernel !== undefined && kernel.units > 0) as Kernel[],
  )

  const wordsOf: number[][] = buffers.map(() => [])
  const size = kernels.reduce((n, kernel) => n + (kernel?.slots.length ?? 0), 0)
  const blockAddress = runtime.heap.allocate(4 * size)
  let word = 0
  let next = 0
  const onHost: string[] = []
  const leaves = flat.map((launch, index): Task | undefined => {
    const kernel = kernels[index]
    if (kernel === undefined) {
      onHost.push(`launch ${index} (${launch.kind}): it has no WebAssembly form and runs as JavaScript`)
      return hostTask(machine, launch, buffers)
    }
    if (kernel.units === 0) return undefined
    const code = compiled[next++] as CompiledKernel
    const block = blockAddress + 4 * word
    for (const id of kernel.slots) wordsOf[id]?.push(word++)
    const { units, grain, cost } = kernel
    return pool.shares(code, units, grain, cost)
      ? () => pool.run(code, block, units, grain, cost)
      : () => code.run(block, 0, units)
  })
  let leaf = 0
  const first = (id: BufferId, addresses: Float64Array): number =>
    viewOf(runtime.memory, dtypeOf(id), addresses[id] as number, 1)[0] as number
  const tasksOf = (steps: readonly Step[]): readonly Task[] =>
    steps.flatMap((step) => {
      const task = taskOf(step)
      return task === undefined ? [] : [task]
    })
  const taskOf = (step: Step): Task | undefined => {
    if (!isControl(step)) return leaves[leaf++]
    const condition = step.kind === 'while' ? tasksOf(step.condition) : []
    const inside = tasksOf(step.launches)
    const all = (tasks: readonly Task[], addresses: Float64Array): void => {
      for (const task of tasks) task(addresses)
    }
    switch (step.kind) {
      case 'loop':
        return (addresses) => {
          for (let round = 0; round < step.count; round++) all(inside, addresses)
        }
      case 'when':
        return (addresses) => {
          if (first(step.index, addresses) === step.value) all(inside, addresses)
        }
      case 'while':
        return (addresses) => {
          for (all(condition, addresses); first(step.flag, addresses) !== 0; all(condition, addresses))
            all(inside, addresses)
        }
    }
  }
  const jobs = launches.flatMap((step, index): Job[] => {
    const task = taskOf(step)
    return task === undefined ? [] : [{ launch: index, task }]
  })
  const tasks = jobs.map(({ task }) => task)
  const block = new Block(runtime.memory, blockAddress, size, wordsOf)
  const addresses = new Float64Array(buffers.length)
  const temporaries = plan.placements.flatMap((placement, id) =>
    placement.kind === 'arena' ? [{ id, offset: placement.byteOffset }] : [],
  )
  const { returned, order, ending } = handoverOf(program, plan.placements)
  let arenaAddress = -1

  const copied = (memory: Memory): Memory => {
    const copy = store.allocate(memory.dtype, memory.size)
    const { address, bytes } = store.placeOf(memory)
    new Uint8Array(runtime.memory.buffer).copyWithin(copy.place.address, address, address + bytes)
    return copy
  }

  const newBytes = returned.reduce(
    (sum, { dtype, size: length, from }) => sum + (from === undefined ? length * bytesOf(dtype) : 0),
    0,
  )
  const results: WasmMemory[] = []
  /** Finds memory for temporaries and new results, or says what was asked for and leaves all as it was. */
  const claim = (): void => {
    try {
      if (plan.arenaBytes > 0) {
        const base = machine.arena.reserve(plan.arenaBytes)
        if (base !== arenaAddress) for (const { id, offset } of temporaries) addresses[id] = base + offset
        arenaAddress = base
      }
      for (let index = 0; index < returned.length; index++) {
        const { dtype, size: length, from } = returned[index] as Returned
        if (from === undefined) results[index] = store.allocate(dtype, length)
      }
    } catch (error) {
      for (const memory of results) if (memory !== undefined) store.release(memory)
      results.length = 0
      arenaAddress = -1
      const reason = error instanceof Error ? error.message : String(error)
      throw new Error(
        `wasm: the program does not fit and was not begun: it needs ${inMegabytes(plan.arenaBytes)} for temporaries and ${inMegabytes(newBytes)} for results; ${reason}`,
        { cause: error },
      )
    }
  }
  /** Runs the program, whose launches `go` runs once every address is known. */
  const around = (arguments_: readonly Memory[], go: () => void): readonly Memory[] => {
    const given = apart(donated, arguments_, copied)
    for (let position = 0; position < inputs.length; position++)
      addresses[inputs[position] as BufferId] = store.placeOf(given[position] as Memory).address
    claim()
    for (let index = 0; index < returned.length; index++) {
      const { id, dtype, size: length, from, takes } = returned[index] as Returned
      if (from !== undefined)
        results[index] = takes
          ? store.takeOver(given[from] as Memory, dtype, length)
          : (given[from] as WasmMemory)
      addresses[id] = (results[index] as WasmMemory).place.address
    }
    block.update(addresses)
    go()
    for (const position of ending) store.release(given[position] as Memory)
    const found = order.map((index) => results[index] as WasmMemory)
    results.length = 0
    return found
  }
  const every = (): void => {
    for (let index = 0; index < tasks.length; index++) (tasks[index] as Task)(addresses)
  }
  const run = (given: readonly Memory[]): readonly Memory[] => around(given, every)
  const profile = (given: readonly Memory[]): Profiled => {
    const spans: Span[] = []
    const timed = (): void => {
      const begin = performance.now()
      for (const { launch, task } of jobs) {
        const start = performance.now()
        task(addresses)
        spans.push({ launch, start: start - begin, milliseconds: performance.now() - start })
      }
    }
    return { outputs: around(given, timed), spans: Promise.resolve(spans) }
  }
  whenGone(around, () => runtime.heap.free(blockAddress, 4 * size))
  return { plan: programPlan(program, plan.arenaBytes, onHost), run, profile }
}
