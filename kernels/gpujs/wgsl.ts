/** gpu.js as a compiler to WGSL: its classes translate a kernel without a device and without running it. */
import { gpuJs } from './library.ts'

/** What one kernel becomes: bind group 0 holds the parameters, then the inputs, then the result. */
export interface Wgsl {
  readonly code: string
  /** Threads of one workgroup along x, y and z. */
  readonly workgroup: readonly number[]
}

/** The part of gpu.js' WebGPUKernel that translates; it is exported but not described. */
interface Translator {
  output: number[]
  threadDim: number[]
  paramsLayout: unknown
  readonly workgroupSize: readonly number[]
  readonly setupConstants: () => void
  readonly setupArguments: (inputs: readonly unknown[]) => void
  readonly validateSettings: (inputs: readonly unknown[]) => void
  readonly translateSource: () => void
  readonly computeParamsLayout: () => unknown
  readonly assembleWGSL: () => string
}

type TranslatorClass = new (
  source: string,
  settings: {
    readonly output: readonly number[]
    readonly argumentTypes: readonly 'Array'[]
    readonly loopMaxIterations: number
  },
) => Translator

/** Translates a kernel of `inputs` flat arrays whose threads are numbered by `output`, x first. */
export const wgslOf = (source: string, output: readonly number[], inputs: number): Wgsl => {
  const library = gpuJs() as unknown as { readonly WebGPUKernel: TranslatorClass } | undefined
  if (library === undefined) throw new Error('gpujs: gpu.js is not loaded, await loadGpuJs() first')
  const argumentTypes = new Array<'Array'>(inputs).fill('Array')
  const kernel = new library.WebGPUKernel(source, { output, argumentTypes, loopMaxIterations: 1e9 })
  const values = argumentTypes.map(() => 0)
  kernel.setupConstants()
  kernel.setupArguments(values)
  kernel.validateSettings(values)
  kernel.threadDim = [...kernel.output, 1, 1].slice(0, 3)
  kernel.translateSource()
  kernel.paramsLayout = kernel.computeParamsLayout()
  return { code: kernel.assembleWGSL(), workgroup: kernel.workgroupSize }
}
