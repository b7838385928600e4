/** The door to gpu.js: loaded when first needed, and typed as far as it is used here. */

/** What a kernel gives: flat for one output dimension, nested rows for more; a promise in mode webgpu. */
export type KernelResult = Float32Array | readonly Float32Array[] | readonly (readonly Float32Array[])[]

export interface Kernel {
  (...inputs: readonly ArrayBufferView[]): KernelResult | Promise<KernelResult>
  readonly kernel: {
    readonly build: (...inputs: readonly ArrayBufferView[]) => void
    readonly destroy: () => void
    readonly constructor: { readonly mode: string }
    /** In mode webgl2, the corners of the square that it draws. */
    buffer?: unknown
    /** In mode webgl2, once it is built. */
    readonly compiledFragmentShader?: string | null
  }
}

export interface KernelSettings {
  readonly output: readonly number[]
  readonly precision: 'single'
  readonly tactic: 'precision'
  readonly loopMaxIterations: number
  readonly dynamicArguments: boolean
  readonly onRequestFallback: () => never
}

export interface Gpu {
  readonly createKernel: (source: string, settings: KernelSettings) => Kernel
  /** Every kernel made; a kernel that is destroyed is to be taken out. */
  readonly kernels: unknown[]
  readonly destroy: () => Promise<void>
}

export interface GpuJs {
  readonly WebGL2Kernel?: unknown
  readonly GPU: new (settings: { readonly mode: string }) => Gpu
}

let loaded: GpuJs | undefined

/** Browsers have a class GPU of their own, that of WebGPU, which makes no kernels. */
const isGpuJs = (value: unknown): value is GpuJs => {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false
  const { GPU } = value as { readonly GPU?: unknown }
  return typeof GPU === 'function' && 'createKernel' in (GPU.prototype as object)
}

/**
 * Loads gpu.js where modules can only be loaded asynchronously (a browser). Node needs no call.
 *
 * Throws where what was loaded is something else.
 *
 * @example
 * ```ts
 * import { loadGpuJs, openGpuJs } from 'pullback/kernels'
 * await loadGpuJs()
 * console.log(openGpuJs({ mode: 'cpu' })._tag) // => Right
 * ```
 */
export const loadGpuJs = async (): Promise<void> => {
  const library: { readonly default?: unknown } = await import('gpu.js')
  // It is no ES module: bundlers differ in whether its names are the module's own or those of its default export.
  const found = [library, library.default].find(isGpuJs)
  if (found === undefined) throw new Error('the module gpu.js has no class GPU')
  loaded = found
}

/**
 * gpu.js, if it is at hand: already loaded, loadable at once (Node), or put into the page by a script tag.
 * It is loaded late because it takes a tenth of a second that no other engine should pay.
 */
export const gpuJs = (): GpuJs | undefined => {
  if (loaded !== undefined) return loaded
  const { process, GPU } = globalThis as {
    readonly process?: NodeJS.Process
    readonly GPU?: unknown
  }
  const makeRequire = process?.getBuiltinModule?.('node:module').createRequire
  const library: unknown = makeRequire === undefined ? GPU : makeRequire(import.meta.url)('gpu.js')
  if (isGpuJs(library)) loaded = library
  return loaded
}

/** The mode that a kernel runs in. gpu.js says `gpu` of all kernels that WebGL runs. */
export const modeOfKernel = ({ kernel }: Kernel): string => {
  const { constructor } = kernel
  return constructor === loaded?.WebGL2Kernel ? 'webgl2' : constructor.mode
}
