/** The memories of an engine: handed out, donated, given back, and found again when nobody holds them. */
import type { Dtype } from '../dtype.ts'
import { bytesOf } from '../dtype.ts'
import type { Memory } from '../engine.ts'
import type { Collect } from './collect.ts'
import { makeCollect } from './collect.ts'
import type { Heap } from './heap.ts'

/** Where elements stand; shared by a memory and whoever frees it. */
export interface Place {
  readonly address: number
  readonly bytes: number
  open: boolean
  /** Its index among those that a sweep looks at; -1 for small ones. */
  index: number
}

export interface WasmMemory extends Memory {
  readonly place: Place
  /** Where nothing else tells the collector how much hangs on this handle: memory that is never touched. */
  readonly ballast: ArrayBuffer | undefined
}

export interface Store {
  readonly allocate: (dtype: Dtype, size: number) => WasmMemory
  /** The address of bytes that are no memory of anybody's: temporaries. */
  readonly reserve: (bytes: number) => number
  /** The place of a memory. Throws when it was released or donated before. */
  readonly placeOf: (memory: Memory) => Place
  /** A new memory in the place of another, which ends. */
  readonly takeOver: (memory: Memory, dtype: Dtype, size: number) => WasmMemory
  readonly release: (memory: Memory) => void
  readonly live: () => { readonly bytes: number; readonly count: number }
}

/** Bytes held below which no collection is asked for … */
const calmBytes = 128 * 2 ** 20
/** … and what becomes of them where collections take much of the time: a full one is as long as the heap is large. */
const mostCalmBytes = 512 * 2 ** 20
/** The share of the time, collections included, above which they are made rarer, and below which they need not be. */
const [muchTime, littleTime] = [0.2, 0.05]
/** What the first touch of new memory costs; collections must have cost as much before there is more garbage. */
const newBytesPerMillisecond = 2 ** 20

/** Smaller memories need no ballast. */
const ballastFrom = 2 ** 18
/** Smaller memories are given back between tasks only: a weak reference costs more than they are worth. */
const sweptFrom = 4096

/** The memories of a heap; `now` is a clock, in milliseconds. */
export const store = (heap: Heap, now: () => number = () => performance.now()): Store => {
  const swept: Place[] = []
  const references: WeakRef<WasmMemory>[] = []
  let bytes = 0
  let count = 0
  /** Bytes held at which garbage is looked for. */
  let limit = calmBytes
  let calm = calmBytes
  /** Milliseconds that sweeps took much of the time for, since `calm` changed. */
  let spent = 0
  /** When the last sweep ended. */
  let sweptAt = now()
  let collect: Collect | 'unknown' = 'unknown'

  const forget = (place: Place): void => {
    place.open = false
    bytes -= place.bytes
    count--
    const { index } = place
    if (index < 0) return
    const last = swept.pop() as Place
    const reference = references.pop() as WeakRef<WasmMemory>
    if (last === place) return
    swept[index] = last
    references[index] = reference
    last.index = index
  }
  const close = (place: Place): void => {
    if (!place.open) return
    forget(place)
    heap.free(place.address, place.bytes)
  }
  const registry = new FinalizationRegistry<Place>(close)

  /** How much garbage there may be after a sweep that took some of the milliseconds since the one before it. */
  const calmAfter = (milliseconds: number, since: number): number => {
    const share = milliseconds / since
    if (share < littleTime) {
      spent = 0
      return Math.max(calm / 2, calmBytes)
    }
    if (share < muchTime) return calm
    spent += milliseconds
    if (spent * newBytesPerMillisecond < calm) return calm
    spent = 0
    return Math.min(2 * calm, mostCalmBytes)
  }

  const collector = (): Collect => (collect === 'unknown' ? (collect = makeCollect()) : collect)
  const sweep = (): void => {
    const run = collector()
    if (run === undefined) return
    const begin = now()
    run()
    for (let index = swept.length - 1; index >= 0; index--)
      if (references[index]?.deref() === undefined) close(swept[index] as Place)
    const end = now()
    calm = calmAfter(end - begin, end - sweptAt)
    sweptAt = end
    limit = Math.max(calm, 1.5 * bytes)
  }

  const hold = (dtype: Dtype, size: number, address: number): WasmMemory => {
    const held = size * bytesOf(dtype)
    const place: Place = { address, bytes: held, open: true, index: held < sweptFrom ? -1 : swept.length }
    const weighs = place.bytes >= ballastFrom && collector() === undefined
    const ballast = weighs ? new ArrayBuffer(place.bytes) : undefined
    const memory: WasmMemory = { dtype, size, place, ballast }
    if (place.index >= 0) {
      swept.push(place)
      references.push(new WeakRef(memory))
    }
    bytes += held
    count++
    registry.register(memory, place)
    return memory
  }
  const placeOf = (memory: Memory): Place => {
    const { place } = memory as WasmMemory
    if (!place.open) throw new Error('wasm: this memory was released or donated before')
    return place
  }
  const reserve = (needed: number): number => {
    if (bytes + needed > limit) sweep()
    try {
      return heap.allocate(needed)
    } catch {
      sweep()
      return heap.allocate(needed)
    }
  }
  return {
    allocate: (dtype, size) => hold(dtype, size, reserve(size * bytesOf(dtype))),
    reserve,
    placeOf,
    takeOver: (memory, dtype, size) => {
      const place = placeOf(memory)
      forget(place)
      return hold(dtype, size, place.address)
    },
    release: (memory) => close((memory as WasmMemory).place),
    live: () => ({ bytes, count }),
  }
}
