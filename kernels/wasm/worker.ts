/**
 * What a worker thread runs. It is sent as source text, so it refers to nothing outside of itself: in Node it
 * is evaluated, in a browser it is a blob, and neither needs to find a file.
 */

/** What a worker is started with. */
export interface WorkerStart {
  readonly memory: WebAssembly.Memory
  /** The address of its own scratch memory. */
  readonly scratch: number
  readonly words: Readonly<Record<string, number>>
  readonly nothing: number
  readonly mostParts: number
  readonly moduleHeader: number
  readonly gemmNames: readonly string[]
  /** Turns of waiting before it sleeps. */
  readonly patience: number
}

/** Function, block, begin and end. */
type Quadruple = readonly [number, number, number, number]

const work = (start: WorkerStart): void => {
  const { memory, words, nothing, mostParts, moduleHeader, gemmNames, patience } = start
  const control = new Int32Array(memory.buffer, 0, 1024)
  const word = (name: string): number => words[name] as number
  const [offered, claim, done, parked] = ['offered', 'claim', 'done', 'parked'].map(word) as [
    number,
    number,
    number,
    number,
  ]
  const unavailable = (): number => {
    throw new Error('only the calling thread has this function')
  }
  const env: Record<string, WebAssembly.ImportValue> = {
    memory,
    scratch: new WebAssembly.Global({ value: 'i32', mutable: false }, start.scratch),
    exp: Math.exp,
    expm1: Math.expm1,
    log: Math.log,
    log1p: Math.log1p,
    sin: Math.sin,
    cos: Math.cos,
    tanh: Math.tanh,
    sigmoid: unavailable,
    erf: unavailable,
    erfInv: unavailable,
    pow: unavailable,
    atan2: Math.atan2,
    rem: (x: number, y: number) => x % y,
  }
  const kernels: ((block: number, begin: number, end: number) => void)[] = []
  let loaded = 0
  let record = 0
  const loadModules = (): void => {
    const available = Atomics.load(control, word('modules'))
    while (loaded < available) {
      // The memory may have grown: views of it are made anew.
      const { buffer } = memory
      const next =
        loaded === 0
          ? Atomics.load(control, word('firstModule'))
          : (new Int32Array(buffer, record, 1)[0] as number)
      record = next >>> 0
      const [, length, functions] = new Int32Array(buffer, record, 3) as unknown as [number, number, number]
      const bytes = new Uint8Array(buffer, record + moduleHeader, length).slice()
      const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env })
      const all = Array.from({ length: functions }, (_, i) => exports[`f${i}`])
      if (loaded === 0) gemmNames.forEach((name, i) => (env[name] = all[i] as WebAssembly.ImportValue))
      else kernels.push(...(all as typeof kernels))
      loaded++
    }
  }
  let held = new Int32Array(memory.buffer)
  /** The memory as words, at least `count` of them: it may have grown. */
  const wordsFrom = (count: number): Int32Array => {
    if (held.length < count) held = new Int32Array(memory.buffer)
    return held
  }
  const takeParts = (): void => {
    for (;;) {
      const taken = Atomics.load(control, claim)
      const part = taken & mostParts
      // How many parts there are belongs to the launch that the claim word names, if it still does at the swap.
      if (taken === nothing || part >= Atomics.load(control, word('parts'))) return
      if (Atomics.compareExchange(control, claim, taken, taken + 1) !== taken) continue
      try {
        const table = Atomics.load(control, word('table')) >>> 2
        const read = wordsFrom(table + part + 2)
        const last = read[table + part + 1] as number
        const all = wordsFrom(table + last)
        for (let at = read[table + part] as number; at < last; at += 4) {
          const [kernel, block, begin, end] = all.subarray(table + at, table + at + 4) as unknown as Quadruple
          if (kernels[kernel] === undefined) loadModules()
          const run = kernels[kernel] as (block: number, begin: number, end: number) => void
          run(block, begin, end)
        }
      } catch {
        Atomics.store(control, word('failed'), 1)
      }
      Atomics.add(control, done, 1)
    }
  }
  let seen = Atomics.load(control, offered)
  loadModules()
  Atomics.add(control, word('ready'), 1)
  while (Atomics.load(control, word('closed')) === 0) {
    takeParts()
    let left = patience
    while (left > 0 && Atomics.load(control, offered) === seen) left--
    if (Atomics.load(control, offered) === seen) {
      Atomics.add(control, parked, 1)
      Atomics.wait(control, offered, seen)
      Atomics.sub(control, parked, 1)
    }
    seen = Atomics.load(control, offered)
  }
}

/**
 * The source of a script that does the work of a worker, in Node and in browsers. `__name` is what esbuild, where it
 * is told to keep functions' names, writes around each of them.
 */
export const workerSource = (): string => `'use strict'
const __name = (f) => f
const work = ${work.toString()}
if (typeof process !== 'undefined' && process.getBuiltinModule)
  work(process.getBuiltinModule('node:worker_threads').workerData)
else onmessage = ({ data }) => { work(data); close() }
`
