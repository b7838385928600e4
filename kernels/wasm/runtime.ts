/** The memory of an engine, and compiled functions over it. */
import * as special from '../special.ts'
import type { Emitted, Kernel } from './kernel.ts'
import type { Target } from './emitter.ts'
import { gemmNames, hostNames, imports } from './emitter.ts'
import { f32x4, v128 } from './code/index.ts'
import { gemmFunctions } from './gemm.ts'
import type { Heap } from './heap.ts'
import { heap } from './heap.ts'
import { scratchBytes } from './scratch.ts'
import type { WasmFunction } from './module.ts'
import { encode } from './module.ts'

const pageBytes = 65536
const constantTableBytes = 65536
/** Bytes at the beginning of the memory by which threads find each other's work. */
const controlBytes = 4096
const constantTableAt = controlBytes

export type KernelFunction = (block: number, begin: number, end: number) => void

/** A function that is compiled, by its number in the engine. */
export interface CompiledKernel {
  readonly run: KernelFunction
  readonly number: number
  readonly needsCaller: boolean
}

export interface Runtime {
  readonly memory: WebAssembly.Memory
  readonly shared: boolean
  readonly heap: Heap
  readonly fused: boolean
  /** The compiled functions of kernels, one for each key; those that are new are compiled in one module. */
  readonly compile: (kernels: readonly Kernel[]) => readonly CompiledKernel[]
  /** The bytes of each module so far, the parts of matrix products first, and how many functions it exports. */
  readonly modules: readonly { readonly bytes: Uint8Array<ArrayBuffer>; readonly functions: number }[]
  /** Bytes of memory in use by the engine, free ones included. */
  readonly reserved: () => number
}

/** Whether this runtime has relaxed SIMD. */
const hasRelaxedSimd = (): boolean => {
  const zero = v128.const(new Array<number>(16).fill(0))
  const body = [f32x4.relaxedMadd(zero, zero, zero), 0x1a]
  return validates({ params: [], results: [], locals: [], body })
}

const validates = (code: WasmFunction): boolean =>
  WebAssembly.validate(encode({ imports: [], functions: [code], sharedMemory: false, maximumPages: 1 }))

/** Makes V8 compile with its optimising compiler at once: its baseline code runs at a third of the speed. */
const optimised = <A>(compile: () => A): A => {
  const v8 =
    typeof process === 'undefined' || typeof process.getBuiltinModule !== 'function'
      ? undefined
      : process.getBuiltinModule('node:v8')
  if (v8 === undefined) return compile()
  v8.setFlagsFromString('--no-liftoff')
  v8.setFlagsFromString('--no-wasm-lazy-compilation')
  try {
    return compile()
  } finally {
    v8.setFlagsFromString('--liftoff')
    v8.setFlagsFromString('--wasm-lazy-compilation')
  }
}

const hostFunctions: Record<string, (x: number, y: number) => number> = {
  exp: Math.exp,
  expm1: Math.expm1,
  log: Math.log,
  log1p: Math.log1p,
  sin: Math.sin,
  cos: Math.cos,
  tanh: Math.tanh,
  sigmoid: special.sigmoid,
  erf: special.erf,
  erfInv: special.erfInv,
  pow: special.power,
  atan2: Math.atan2,
  rem: (x, y) => x % y,
}

const makeMemory = (shared: boolean): { memory: WebAssembly.Memory; maximum: number } => {
  // Runtimes reserve the maximum as addresses only, but some allow less than others.
  for (let maximum = 65536; ; maximum /= 2) {
    try {
      return { memory: new WebAssembly.Memory({ initial: 256, maximum, shared }), maximum }
    } catch (error) {
      if (maximum <= 2048) throw error
    }
  }
}

export const runtime = (options: { readonly strict: boolean; readonly shared: boolean }): Runtime => {
  const { memory, maximum } = makeMemory(options.shared)
  const scratchAt = constantTableAt + constantTableBytes
  const bytes = (): number => memory.buffer.byteLength
  const grow = (wanted: number): number | undefined => {
    if (wanted > maximum * pageBytes) return undefined
    const ahead = Math.min(Math.max(wanted, bytes() * 1.25), maximum * pageBytes)
    const pages = Math.ceil((ahead - bytes()) / pageBytes)
    try {
      memory.grow(pages)
    } catch {
      return undefined
    }
    return bytes()
  }
  const initial = scratchAt + scratchBytes
  if (initial > bytes()) grow(initial)
  const own = heap(initial, bytes(), grow)

  const constants = new Map<string, number>()
  const fused = !options.strict && hasRelaxedSimd()
  const target: Target = {
    fused,
    constantAddress: (data) => {
      const key = data.join(',')
      const known = constants.get(key)
      if (known !== undefined) return known
      const address = constantTableAt + 16 * constants.size
      if (address + 16 > constantTableAt + constantTableBytes) return undefined
      new Uint8Array(memory.buffer, address, 16).set(data)
      constants.set(key, address)
      return address
    },
  }
  const scratch = new WebAssembly.Global({ value: 'i32', mutable: false }, scratchAt)
  const modules: { bytes: Uint8Array<ArrayBuffer>; functions: number }[] = []
  const instantiate = (
    functions: readonly WasmFunction[],
    env: Record<string, WebAssembly.ImportValue>,
    importing: boolean,
  ): WebAssembly.Exports => {
    const binary = encode({
      imports: importing ? imports : [],
      functions,
      sharedMemory: options.shared,
      maximumPages: maximum,
    })
    modules.push({ bytes: binary, functions: functions.length })
    const compiled = optimised(() => new WebAssembly.Module(binary))
    return new WebAssembly.Instance(compiled, { env: { memory, scratch, ...env } }).exports
  }
  const parts = instantiate(gemmFunctions(target), {}, false)
  const env: Record<string, WebAssembly.ImportValue> = {}
  for (const name of hostNames) env[name] = hostFunctions[name] as (x: number, y: number) => number
  gemmNames.forEach((name, index) => (env[name] = parts[`f${index}`] as WebAssembly.ImportValue))

  const known = new Map<string, CompiledKernel>()
  const compile = (kernels: readonly Kernel[]): readonly CompiledKernel[] => {
    const missing = new Map<string, Emitted>()
    for (const { key, emit } of kernels)
      if (!known.has(key) && !missing.has(key)) missing.set(key, emit(target))
    if (missing.size > 0) {
      const fresh = [...missing]
      const exports = instantiate(
        fresh.map(([, { code }]) => code),
        env,
        true,
      )
      fresh.forEach(([key, { needsCaller }], index) =>
        known.set(key, { run: exports[`f${index}`] as KernelFunction, number: known.size, needsCaller }),
      )
    }
    return kernels.map(({ key }) => known.get(key) as CompiledKernel)
  }
  return { memory, shared: options.shared, heap: own, fused, compile, modules, reserved: bytes }
}
