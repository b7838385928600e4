import type { Dtype, HostArray } from './dtype.ts'
import type { Span } from './profile/index.ts'
import type { FusedKind, Program } from './program/index.ts'

/** Elements held by an engine. Opaque to everyone else; released when nothing refers to it any more. */
export interface Memory {
  readonly dtype: Dtype
  readonly size: number
}

/** What a compiled program will need and do, known before it runs. */
export interface Plan {
  /** Bytes of the arena that holds all temporaries. */
  readonly temporaryBytes: number
  /** Bytes of arguments and results; a result that takes over a donated argument counts once. */
  readonly argumentBytes: number
  readonly resultBytes: number
  readonly launches: number
  /** How often the engine sets out to run launches, where it runs neighbours that do not depend on each other as one. */
  readonly dispatches?: number
  /** Floating-point operations, a multiply-add counted as two. */
  readonly flops: number
  /** Launches that this engine runs on the host instead of the device, and why. Empty where there are none. */
  readonly onHost: readonly string[]
}

export interface Executable {
  readonly plan: Plan
  /** Runs the program. Donated arguments must not be used afterwards. */
  readonly run: (inputs: readonly Memory[]) => readonly Memory[]
  /** Runs the program as `run` does, each launch timed by itself. Left out by engines that cannot tell. */
  readonly profile?: (inputs: readonly Memory[]) => Profiled
}

/** The results of a run, and the times of its launches once they are known. */
export interface Profiled {
  readonly outputs: readonly Memory[]
  readonly spans: Promise<readonly Span[]>
}

/**
 * Runs programs. An engine knows no tensor and no gradient. `run` may return before the work is done (a GPU
 * queue); `read` waits for it.
 */
export interface Engine {
  readonly name: string
  /** What really runs, for people: mode, threads, adapter. */
  readonly detail: string
  readonly supports: (dtype: Dtype) => boolean
  /** How many buffers a launch may touch; 8 where left out, what WebGPU promises. */
  readonly buffersPerLaunch?: number
  /** The optional kinds of launch that it has kernels for; none where left out. */
  readonly fuses?: readonly FusedKind[]
  readonly compile: (program: Program) => Executable
  readonly upload: (data: HostArray) => Memory
  readonly read: (memory: Memory) => Promise<HostArray>
  /** Reading at once, where the engine can; `undefined` where reading must be awaited. */
  readonly readSync: ((memory: Memory) => HostArray) | undefined
  /** Gives memory back before it becomes unreachable (a donated argument that no result took over). */
  readonly release: (memory: Memory) => void
  /** Bytes and number of memories alive now, for laws about leaks. */
  readonly live: () => { readonly bytes: number; readonly count: number }
  /** Ends workers and devices. The engine cannot be used afterwards. */
  readonly close: () => Promise<void>
}
