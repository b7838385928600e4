/** Worker threads that share the calling thread's launches. */
import { launchNumbers, moduleHeader, mostParts, nothing, partBits, words } from './control.ts'
import { gemmNames } from './emitter.ts'
import { partsOf, tableOf, tableWords } from './dispatch.ts'
import type { Part, Work } from './dispatch.ts'
import type { Runtime } from './runtime.ts'
import { scratchBytes } from './scratch.ts'
import type { WorkerStart } from './worker.ts'
import { workerSource } from './worker.ts'

export interface Pool {
  /** Threads that take part, the calling one included. */
  readonly threads: () => number
  /** Makes launches ready that do not depend on each other; threads share them where that is worth it. */
  readonly dispatch: (works: readonly Work[]) => Dispatch
  /** Why there are fewer threads than were wanted; `undefined` where there are not. */
  readonly trouble: () => string | undefined
  readonly close: () => Promise<void>
}

/** Launches that run together, again and again. */
export interface Dispatch {
  readonly run: () => void
  /** Gives back what it holds in memory. */
  readonly free: () => void
}

/** A worker of Node or of a browser. */
interface Thread {
  readonly end: () => Promise<void>
}

export interface PoolOptions {
  /** Work below this many nanoseconds is done before another thread has woken up. */
  readonly shareFrom: number
  /** Milliseconds without any part done after which a worker is taken for dead: no part takes a hundredth. */
  readonly lostAfter: number
}

const defaultPoolOptions: PoolOptions = { shareFrom: 60_000, lostAfter: 20_000 }

/** Turns of a worker's waiting loop, about 50 µs. */
const patience = 4000

const refusal =
  'its script was not loaded; where the page has a Content-Security-Policy, worker-src has to allow blob:'

const startThread = (start: WorkerStart, ended: (reason: string) => void): Thread => {
  const source = workerSource()
  if (typeof process !== 'undefined' && typeof process.getBuiltinModule === 'function') {
    const { Worker } = process.getBuiltinModule('node:worker_threads')
    const worker = new Worker(source, { eval: true, workerData: start, execArgv: [], name: 'pullback' })
    worker.on('error', (error) => ended(error instanceof Error ? error.message : String(error)))
    worker.on('exit', () => ended('it ended'))
    worker.unref()
    return { end: async () => void (await worker.terminate()) }
  }
  const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }))
  const worker = new Worker(url)
  // An error of the script has a message. A script that may not be loaded at all gives an event without one.
  worker.onerror = (event: ErrorEvent | Event) => ended('message' in event ? event.message : refusal)
  worker.postMessage(start)
  return {
    end: () => {
      worker.terminate()
      URL.revokeObjectURL(url)
      return Promise.resolve()
    },
  }
}

const inTurn = (works: readonly Work[]) => (): void => {
  for (const { kernel, block, units } of works) kernel.run(block, 0, units)
}

/** The calling thread alone. */
export const noPool = (reason: string | undefined): Pool => ({
  threads: () => 1,
  dispatch: (works) => ({ run: inTurn(works), free: () => undefined }),
  trouble: () => reason,
  close: () => Promise.resolve(),
})

export const pool = (runtime: Runtime, wanted: number, options: Partial<PoolOptions> = {}): Pool => {
  const { shareFrom, lostAfter } = { ...defaultPoolOptions, ...options }
  const control = new Int32Array(runtime.memory.buffer, 0, 1024)
  Atomics.store(control, words.claim, nothing)
  let alive = wanted - 1
  let closing = false
  let trouble: string | undefined
  const ended = (reason: string): void => {
    if (closing) return
    alive--
    trouble ??= `a worker thread was lost: ${reason}`
  }
  const threads = Array.from({ length: wanted - 1 }, () =>
    startThread(
      {
        memory: runtime.memory,
        scratch: runtime.heap.allocate(scratchBytes),
        words,
        nothing,
        mostParts,
        moduleHeader,
        gemmNames,
        patience,
      },
      ended,
    ),
  )

  let published = 0
  let lastRecord: number | undefined
  const publish = (): void => {
    for (; published < runtime.modules.length; published++) {
      const { bytes, functions } = runtime.modules[published] as Runtime['modules'][number]
      const record = runtime.heap.allocate(moduleHeader + bytes.length)
      const { buffer } = runtime.memory
      new Int32Array(buffer, record, 3).set([0, bytes.length, functions])
      new Uint8Array(buffer, record + moduleHeader, bytes.length).set(bytes)
      if (lastRecord === undefined) Atomics.store(control, words.firstModule, record)
      else new Int32Array(buffer, lastRecord, 1)[0] = record
      lastRecord = record
      Atomics.add(control, words.modules, 1)
    }
  }
  publish()

  let launch = 0
  const join = (parts: number): void => {
    let turns = 0
    let since = 0
    let before = -1
    for (;;) {
      const done = Atomics.load(control, words.done)
      if (done >= parts) return
      if (++turns % 65536 !== 0) continue
      const now = performance.now()
      if (done !== before) {
        before = done
        since = now
      } else if (now - since > lostAfter) {
        alive = 0
        trouble = 'a worker thread was lost in the middle of its work'
        throw new Error(`wasm: ${trouble}; what it computed cannot be used`)
      }
    }
  }
  const share = (parts: readonly Part[], table: number): void => {
    publish()
    launch = (launch + 1) % launchNumbers
    Atomics.store(control, words.claim, nothing)
    Atomics.store(control, words.done, 0)
    Atomics.store(control, words.table, table)
    Atomics.store(control, words.parts, parts.length)
    Atomics.store(control, words.claim, launch << partBits)
    Atomics.add(control, words.offered, 1)
    if (Atomics.load(control, words.parked) > 0) Atomics.notify(control, words.offered)
    for (;;) {
      const taken = Atomics.load(control, words.claim)
      const part = taken & mostParts
      if (part >= parts.length) break
      if (Atomics.compareExchange(control, words.claim, taken, taken + 1) !== taken) continue
      for (const { work, begin, end } of parts[part] as Part) work.kernel.run(work.block, begin, end)
      Atomics.add(control, words.done, 1)
    }
    join(parts.length)
    if (Atomics.load(control, words.failed) !== 0) {
      alive = 0
      trouble = 'a worker thread failed at its work'
      throw new Error(`wasm: ${trouble}`)
    }
  }
  const dispatch = (works: readonly Work[]): Dispatch => {
    const alone = inTurn(works)
    const cost = works.reduce((sum, work) => sum + work.cost, 0)
    const callers = works.some(({ kernel }) => kernel.needsCaller)
    const parts = cost < shareFrom || callers ? [] : partsOf(works, wanted, shareFrom)
    if (parts.length < 2) return { run: alone, free: () => undefined }
    const bytes = 4 * tableWords(parts)
    const table = runtime.heap.allocate(bytes)
    new Int32Array(runtime.memory.buffer, table, bytes / 4).set(tableOf(parts))
    return {
      run: () => (alive > 0 ? share(parts, table) : alone()),
      free: () => runtime.heap.free(table, bytes),
    }
  }
  return {
    threads: () => alive + 1,
    dispatch,
    trouble: () => trouble,
    close: async () => {
      closing = true
      Atomics.store(control, words.closed, 1)
      Atomics.add(control, words.offered, 1)
      Atomics.notify(control, words.offered)
      await Promise.all(threads.map((thread) => thread.end()))
      alive = 0
    },
  }
}
