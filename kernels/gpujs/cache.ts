/** Kernels of one gpu.js instance, shared by all programs and given up when no program uses them. */
import { sizeOf } from '../program/index.ts'
import type { Gpu, Kernel } from './library.ts'
import { modeOfKernel } from './library.ts'
import type { Source } from './kernel.ts'
import type { Mode } from './mode.ts'

export interface KernelCache {
  /** The built kernel for a source over inputs of these sizes, or why gpu.js cannot build it in this mode. */
  readonly build: (source: Source, sizes: readonly number[]) => BuiltKernel | string
  /** Keeps kernels for as long as `owner` is reachable, and sweeps. */
  readonly keep: (owner: object, kernels: readonly BuiltKernel[]) => void
  /** Ends one use of each of the kernels; the last use ends the kernel. */
  readonly drop: (keys: readonly string[]) => void
  /** Ends the kernels that were built and are kept by nobody. */
  readonly sweep: () => void
  readonly count: () => number
}

export interface BuiltKernel {
  readonly key: string
  readonly kernel: Kernel
  /** Bytes that gpu.js itself holds for the kernel. */
  readonly bytes: number
}

interface Entry {
  readonly built: BuiltKernel
  users: number
}

const page = 65536

/** A webasm kernel owns a memory with its inputs, its output and sixteen pages more. */
const bytesHeld = (mode: Mode, sizes: readonly number[], output: readonly number[]): number => {
  if (mode !== 'webasm') return 0
  const elements = [...sizes, sizeOf(output)]
  const bytes = elements.reduce((total, size) => total + Math.ceil(size / 4) * 16, 0)
  return (Math.ceil(bytes / page) + 16) * page
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** `whenIdle` calls back when what was started before is done; where kernels run at once, that is now. */
export const kernelCache = (
  gpu: Gpu,
  mode: Mode,
  whenIdle: (then: () => void) => void = (then) => then(),
): KernelCache => {
  const entries = new Map<string, Entry>()
  let zeros = new Float32Array(0)
  const make = ({ source, output }: Source, sizes: readonly number[]): Kernel | string => {
    try {
      const kernel = gpu.createKernel(source, {
        output,
        precision: 'single',
        // Some GPUs compute what is called lowp in 16 bits.
        tactic: 'precision',
        // Loops over more than 1000 would end there without a word.
        loopMaxIterations: 1e9,
        dynamicArguments: false,
        onRequestFallback: () => {
          throw new Error(`gpu.js cannot build it in mode ${mode}`)
        },
      })
      const largest = Math.max(0, ...sizes)
      if (zeros.length < largest) zeros = new Float32Array(largest)
      // Types and sizes of the arguments are all that building needs.
      kernel.kernel.build(...sizes.map((size) => zeros.subarray(0, size)))
      const ran = modeOfKernel(kernel)
      return ran === mode ? kernel : `gpu.js built it for mode ${ran} instead of ${mode}`
    } catch (error) {
      return `gpu.js refused the kernel: ${messageOf(error)}`
    }
  }
  const end = ({ key, kernel: { kernel } }: BuiltKernel): void => {
    entries.delete(key)
    // All draw with the corners that the kernel built last has bound: with them deleted, none would draw anything.
    if (mode === 'webgl2') kernel.buffer = null
    kernel.destroy()
    const at = gpu.kernels.indexOf(kernel)
    if (at >= 0) gpu.kernels.splice(at, 1)
  }
  const drop = (keys: readonly string[]): void => {
    for (const key of keys) {
      const entry = entries.get(key)
      if (entry !== undefined && --entry.users <= 0) end(entry.built)
    }
  }
  const sweep = (): void => {
    for (const { built, users } of [...entries.values()]) if (users === 0) end(built)
  }
  // A program that nobody can start any more may still run.
  const owners = new FinalizationRegistry<readonly string[]>((keys) => whenIdle(() => drop(keys)))
  return {
    build: (source, sizes) => {
      const key = `${source.output.join()};${sizes.join()};${source.source}`
      const old = entries.get(key)
      if (old !== undefined) return old.built
      const kernel = make(source, sizes)
      if (typeof kernel === 'string') return kernel
      const built = { key, kernel, bytes: bytesHeld(mode, sizes, source.output) }
      entries.set(key, { built, users: 0 })
      return built
    },
    keep: (owner, kernels) => {
      const keys = kernels.map(({ key }) => key)
      for (const key of keys) (entries.get(key) as Entry).users++
      owners.register(owner, keys)
      sweep()
    },
    drop,
    sweep,
    count: () => entries.size,
  }
}
