/** The modes of gpu.js that an engine can run in. */

/** How gpu.js runs kernels: on the processor (`webasm`, `cpu`), or on the GPU. */
export type Mode = 'webasm' | 'cpu' | 'webgl2' | 'webgpu'

/**
 * The modes of gpu.js that the engine runs: those of every machine first, the faster of two before the other.
 *
 * @example
 * ```ts
 * import { gpuJsModes } from 'pullback/kernels'
 * console.log(gpuJsModes.map(String)) // => ['webasm', 'cpu', 'webgl2', 'webgpu']
 * ```
 */
export const modes: readonly Mode[] = ['webasm', 'cpu', 'webgl2', 'webgpu']

export const isMode = (name: string): name is Mode => (modes as readonly string[]).includes(name)

/** Modes whose arithmetic is the processor's own: NaN, infinities and Math functions are as in JavaScript. */
export const runsOnHost = (mode: Mode): boolean => mode === 'webasm' || mode === 'cpu'

/** Only JavaScript's own `%` is exact; elsewhere it is `x - y * trunc(x / y)` in float32. */
export const remainderIsExact = (mode: Mode): boolean => mode === 'cpu'

/** Kernels of this mode give promises. */
export const isAsynchronous = (mode: Mode): boolean => mode === 'webgpu'
