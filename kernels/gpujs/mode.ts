/** The modes of gpu.js that an engine can run in. */

/** `gpu` lets gpu.js take the best mode that it has here; the others are that mode or a refusal. */
export type Mode = 'webasm' | 'cpu' | 'webgl2' | 'webgpu'

/**
 * The modes of gpu.js that the engine runs, the best first.
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
