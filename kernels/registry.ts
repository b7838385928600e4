/** The engines there are, best first. A new engine is one row. */
import { either as E } from 'fp-ts'
import type { Engine } from './engine.ts'
import { loadGpuJs, modes, openGpuJs } from './gpujs/index.ts'
import { isMode } from './gpujs/mode.ts'
import { referenceEngine } from './reference.ts'
import { wasmEngine } from './wasm/index.ts'
import { openWebGpu, prepareWebGpu } from './webgpu/index.ts'

export interface EngineRow {
  readonly name: string
  /** What it is for, in a few words. */
  readonly purpose: string
  /** Ways in which it can be asked to run, written `name:variant`. */
  readonly variants: readonly string[]
  /** Taken when no engine is named, if it is the first that works. Others are taken only by name. */
  readonly automatic: boolean
  /** What has to be awaited before `open` can succeed where nothing can be loaded at once (a browser). */
  readonly prepare?: () => Promise<void>
  /** Opens it, or says in a sentence why it cannot run here. */
  readonly open: (variant?: string) => E.Either<string, Engine>
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/**
 * Every engine, the best first, as `chooseEngine` tries them.
 *
 * @example
 * ```ts
 * import { engines } from 'pullback/kernels'
 * console.log(engines.map(({ name }) => name)) // => ['webgpu', 'wasm', 'gpujs', 'reference']
 * ```
 */
export const engines: readonly EngineRow[] = [
  {
    name: 'webgpu',
    purpose: 'the GPU, through WebGPU in Node and in browsers',
    variants: ['software', 'float16'],
    automatic: true,
    prepare: prepareWebGpu,
    open: (variant) =>
      openWebGpu({
        software: variant === 'software',
        matmulPrecision: variant === 'float16' ? 'float16' : 'float32',
      }),
  },
  {
    name: 'wasm',
    purpose: 'WebAssembly SIMD, wherever there is no GPU',
    variants: ['strict'],
    automatic: true,
    open: (variant) => E.tryCatch(() => wasmEngine(variant === 'strict' ? { strict: true } : {}), messageOf),
  },
  {
    name: 'gpujs',
    purpose: "portable kernels compiled by gpu.js, and users' own",
    variants: modes,
    automatic: true,
    prepare: loadGpuJs,
    open: (variant) => openGpuJs(variant !== undefined && isMode(variant) ? { mode: variant } : {}),
  },
  {
    name: 'reference',
    purpose: 'plain loops, the oracle of all others, never fast',
    variants: [],
    automatic: false,
    open: () => E.right(referenceEngine()),
  },
]
