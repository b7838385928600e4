/**
 * The `wasm` engine: WebAssembly SIMD over one memory that holds every tensor. Launches are compiled to
 * machine code of their own, temporaries stand in one planned arena, and a program that runs a second time
 * allocates nothing but its results.
 */
import type { Dtype, HostArray } from '../dtype.ts'
import { dtypeOf } from '../dtype.ts'
import type { Engine, Memory } from '../engine.ts'
import { arena } from './arena.ts'
import { executable } from './executable.ts'
import type { Pool } from './pool.ts'
import { noPool, pool } from './pool.ts'
import type { Runtime } from './runtime.ts'
import { runtime } from './runtime.ts'
import { store } from './store.ts'
import { viewOf } from './view.ts'

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

/** The engine, and what it alone can tell. */
export interface WasmEngine extends Engine {
  /** Bytes of WebAssembly memory that it has taken, free ones included; they are never given back. */
  readonly reserved: () => number
}

const availableThreads = (): number =>
  (typeof navigator === 'undefined' ? undefined : navigator.hardwareConcurrency) ?? 1

/** Shared memory needs a page that is cross-origin isolated; Node always has it. */
const canShare = (): boolean =>
  typeof SharedArrayBuffer !== 'undefined' && (globalThis.crossOriginIsolated ?? true)

const poolFor = (own: Runtime, { threads = availableThreads(), shareFrom }: WasmOptions): Pool => {
  if (threads <= 1) return noPool(undefined)
  if (!own.shared) return noPool('memory cannot be shared here')
  return pool(own, Math.floor(threads), shareFrom === undefined ? {} : { shareFrom })
}

/**
 * The engine on the CPU, in Node and in browsers. Workers start with it and sleep while there is nothing to
 * do; they keep no process alive.
 *
 * @example
 * ```ts
 * import { item, setDefaultEngine, sum, tensor } from 'pullback'
 * setDefaultEngine(wasmEngine({ threads: 2 }))
 * console.log(await item(sum(tensor([1, 2, 3])))) // => 6
 * ```
 */
export const wasmEngine = (options: WasmOptions = {}): WasmEngine => {
  const { strict = false } = options
  const own = runtime({ strict, shared: canShare() })
  const workers = poolFor(own, options)
  const memories = store(own.heap)
  const machine = { runtime: own, store: memories, pool: workers, arena: arena(memories, own) }
  const endings = new FinalizationRegistry<() => void>((free) => free())
  const read = (memory: Memory): HostArray =>
    viewOf(own.memory, memory.dtype, memories.placeOf(memory).address, memory.size).slice()
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
    fuses: ['attention', 'attentionGradient'],
    buffersPerLaunch: 16,
    compile: (program) => executable(machine, program, (run, free) => endings.register(run, free)),
    upload: (data) => {
      const memory = memories.allocate(dtypeOf(data) as Dtype, data.length)
      viewOf(own.memory, memory.dtype, memory.place.address, memory.size).set(data)
      return memory
    },
    read: (memory) => Promise.resolve(read(memory)),
    readSync: read,
    release: memories.release,
    live: memories.live,
    reserved: own.reserved,
    close: workers.close,
  }
}
