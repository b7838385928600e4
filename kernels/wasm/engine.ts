/**
 * The `wasm` engine: WebAssembly SIMD over one memory that holds every tensor. Launches are compiled to
 * machine code of their own, temporaries stand in one planned arena, and a program that runs a second time
 * allocates nothing but its results.
 */
import type { Dtype, HostArray } from '../dtype.ts'
import { bytesOf, dtypeOf as dtypeOfArray } from '../dtype.ts'
import type { Engine, Executable, Memory } from '../engine.ts'
import { compileLaunch } from '../javascript.ts'
import { planMemory, programPlan } from '../plan.ts'
import type { BufferId, BufferSpec, Launch, Program } from '../program.ts'
import { readsOf, writesOf } from '../program.ts'
import type { Kernel } from './kernel.ts'
import { mapKernel } from './map.ts'
import { matmulKernel } from './matmul.ts'
import { noPool, pool } from './pool.ts'
import { reduceKernel } from './reduce.ts'
import type { CompiledKernel, Runtime } from './runtime.ts'
import { runtime } from './runtime.ts'
import { scatterKernel } from './scatter.ts'

export interface WasmOptions {
  /** No fused multiply-add: the same bits on every machine, at about two thirds of the speed. */
  readonly strict?: boolean
  /**
   * Threads that compute, the calling one included; as many as the machine has by default. One where memory
   * cannot be shared (a page that is not cross-origin isolated): `detail` says so.
   */
  readonly threads?: number
  /** Estimated nanoseconds of a launch from which on threads share it; 60,000 by default. */
  readonly shareFrom?: number
}

/** Where elements stand; shared by a memory and whoever frees it. */
interface Place {
  readonly address: number
  readonly bytes: number
  open: boolean
}

interface WasmMemory extends Memory {
  readonly place: Place
}

const viewOf = (memory: WebAssembly.Memory, dtype: Dtype, address: number, size: number): HostArray => {
  const { buffer } = memory
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
    default:
      return undefined
  }
}

/** A launch as this engine runs it. */
type Task =
  | {
      readonly kind: 'kernel'
      readonly kernel: Kernel
      readonly compiled: CompiledKernel
      readonly word: number
    }
  | {
      readonly kind: 'host'
      readonly launch: Launch
      readonly run: (...buffers: readonly ArrayBufferView[]) => void
    }

/** Memory for the temporaries of whatever program runs: programs run one after the other. */
interface Arena {
  readonly reserve: (bytes: number) => void
  readonly address: () => number
}

const arena = ({ heap }: Runtime): Arena => {
  let address = 0
  let held = 0
  return {
    reserve: (bytes) => {
      if (bytes <= held) return
      if (held > 0) heap.free(address, held)
      held = 0
      address = heap.allocate(bytes)
      held = bytes
    },
    address: () => address,
  }
}

export const wasmEngine = (options: WasmOptions = {}): Engine => {
  const strict = options.strict ?? false
  const wanted = Math.max(1, Math.floor(options.threads ?? availableThreads()))
  const shared = canShare()
  const own = runtime({ strict, shared })
  const workers =
    wanted === 1 || !shared
      ? noPool(shared ? undefined : 'memory cannot be shared')
      : pool(own, wanted, options.shareFrom === undefined ? {} : { shareFrom: options.shareFrom })
  const temporaries = arena(own)
  let liveBytes = 0
  let liveCount = 0
  const close = (place: Place): void => {
    if (!place.open) return
    forget(place)
    own.heap.free(place.address, place.bytes)
  }
  const forget = (place: Place): void => {
    place.open = false
    liveBytes -= place.bytes
    liveCount--
  }
  const registry = new FinalizationRegistry<Place>(close)
  const hold = (dtype: Dtype, size: number, address: number): WasmMemory => {
    const place: Place = { address, bytes: size * bytesOf(dtype), open: true }
    const memory: WasmMemory = { dtype, size, place }
    liveBytes += place.bytes
    liveCount++
    registry.register(memory, place)
    return memory
  }
  const allocate = (dtype: Dtype, size: number): WasmMemory =>
    hold(dtype, size, own.heap.allocate(size * bytesOf(dtype)))
  const placeOf = (memory: Memory): Place => {
    const { place } = memory as WasmMemory
    if (!place.open) throw new Error('wasm: this memory was released or donated before')
    return place
  }
  const read = (memory: Memory): HostArray => {
    const { address } = placeOf(memory)
    return viewOf(own.memory, memory.dtype, address, memory.size).slice()
  }

  const compile = (program: Program): Executable => {
    const { buffers, inputs, outputs, donated, launches } = program
    const dtype = (id: BufferId): Dtype => (buffers[id] as BufferSpec).dtype
    const plan = planMemory(program)
    const kernels = launches.map((launch) => kernelOf(launch, dtype))
    const compiled = own.compile(
      kernels.filter((kernel) => kernel !== undefined && kernel.units > 0) as Kernel[],
    )
    const tasks: Task[] = []
    const wordsOf: number[][] = buffers.map(() => [])
    let words = 0
    let next = 0
    launches.forEach((launch, index) => {
      const kernel = kernels[index]
      if (kernel === undefined)
        tasks.push({ kind: 'host', launch, run: compileLaunch(launch, dtype, buffers.length) })
      else if (kernel.units > 0) {
        tasks.push({ kind: 'kernel', kernel, compiled: compiled[next++] as CompiledKernel, word: words })
        for (const id of kernel.slots) wordsOf[id]?.push(words++)
      }
    })
    const block = own.heap.allocate(words * 4)
    blocks.register(wordsOf, { address: block, bytes: words * 4 })
    const held = new Float64Array(buffers.length).fill(-1)
    const addresses = new Float64Array(buffers.length)

    const run = (given: readonly Memory[]): readonly Memory[] => {
      temporaries.reserve(plan.arenaBytes)
      const results: (WasmMemory | undefined)[] = buffers.map(() => undefined)
      inputs.forEach((id, position) => {
        addresses[id] = placeOf(given[position] as Memory).address
      })
      for (const id of outputs) {
        const placement = plan.placements[id]
        if (results[id] !== undefined) continue
        if (placement?.kind === 'result') {
          const memory = allocate(dtype(id), (buffers[id] as BufferSpec).size)
          results[id] = memory
          addresses[id] = memory.place.address
        } else if (placement?.kind === 'donated') {
          const { place } = given[placement.position] as WasmMemory
          forget(place)
          results[id] = hold(dtype(id), (buffers[id] as BufferSpec).size, place.address)
          addresses[id] = place.address
        } else if (placement?.kind === 'input') results[id] = given[placement.position] as WasmMemory
      }
      const base = temporaries.address()
      plan.placements.forEach((placement, id) => {
        if (placement.kind === 'arena') addresses[id] = base + placement.byteOffset
      })
      const table = new Int32Array(own.memory.buffer, block, words)
      for (let id = 0; id < buffers.length; id++) {
        if (held[id] === addresses[id]) continue
        held[id] = addresses[id] as number
        for (const word of wordsOf[id] as number[]) table[word] = addresses[id] as number
      }
      for (const task of tasks) {
        if (task.kind === 'kernel') {
          const { units, grain, cost } = task.kernel
          workers.run(task.compiled, block + 4 * task.word, units, grain, cost)
        } else {
          const used = new Set([...readsOf(task.launch), ...writesOf(task.launch)])
          const views = buffers.map(({ dtype: type, size }, id) =>
            used.has(id) ? viewOf(own.memory, type, addresses[id] as number, size) : emptyView,
          )
          task.run(...views)
        }
      }
      for (const position of donated) {
        const id = inputs[position] as BufferId
        if (!outputs.includes(id)) close((given[position] as WasmMemory).place)
      }
      return outputs.map((id) => results[id] as WasmMemory)
    }
    const onHost = tasks.flatMap((task) =>
      task.kind === 'host' ? [`${task.launch.kind}: runs as JavaScript`] : [],
    )
    return { plan: programPlan(program, plan.arenaBytes, onHost), run }
  }
  const blocks = new FinalizationRegistry<{ address: number; bytes: number }>(({ address, bytes }) =>
    own.heap.free(address, bytes),
  )
  return {
    name: 'wasm',
    get detail() {
      const count = workers.threads()
      const reason = workers.trouble()
      return [
        `WebAssembly SIMD${own.fused ? ' with fused multiply-add' : ''}`,
        ...(strict ? ['strict'] : []),
        `${count} thread${count === 1 ? '' : 's'}${reason === undefined ? '' : ` (${reason})`}`,
      ].join(', ')
    },
    supports: () => true,
    compile,
    upload: (data) => {
      const memory = allocate(dtypeOfArray(data) as Dtype, data.length)
      viewOf(own.memory, memory.dtype, memory.place.address, memory.size).set(data)
      return memory
    },
    read: (memory) => Promise.resolve(read(memory)),
    readSync: read,
    release: (memory) => close((memory as WasmMemory).place),
    live: () => ({ bytes: liveBytes, count: liveCount }),
    close: workers.close,
  }
}

const availableThreads = (): number =>
  (typeof navigator === 'undefined' ? undefined : navigator.hardwareConcurrency) ?? 1

/** Shared memory needs a page that is cross-origin isolated; Node always has it. */
const canShare = (): boolean =>
  typeof SharedArrayBuffer !== 'undefined' && (globalThis.crossOriginIsolated ?? true)

const emptyView = new Uint8Array(0)
