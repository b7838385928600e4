/** What a run of training holds of a GPU, counted where the browser hands it out. */
import type { Engine } from 'pullback/kernels'
import { train } from './train.ts'

interface Held {
  /** Buffers of WebGPU that are not destroyed, and their bytes. */
  buffers: number
  bytes: number
  /** Textures of WebGL that are not deleted. */
  textures: number
}

export interface Growth {
  /** What was held after each tenth of the steps. */
  readonly held: readonly Held[]
  /** What the engine says that it holds, at the same times. */
  readonly live: readonly number[]
}

const held: Held = { buffers: 0, bytes: 0, textures: 0 }

const counted = new WeakMap<object, number>()

/** Replaces a method by one that calls it and then `after`. */
const watch = (
  prototype: object,
  name: string,
  after: (result: unknown, self: unknown, first: unknown) => void,
): void => {
  const methods = prototype as Record<string, (...args: unknown[]) => unknown>
  const original = methods[name] as (...args: unknown[]) => unknown
  methods[name] = function (this: unknown, ...args: unknown[]) {
    const result = original.apply(this, args)
    after(result, this, args[0])
    return result
  }
}

/** Begins to count; what was there before is not known. */
const count = (): void => {
  const { GPUDevice, GPUBuffer, WebGL2RenderingContext } = globalThis as unknown as Record<
    string,
    { readonly prototype: object }
  >
  if (GPUDevice !== undefined && GPUBuffer !== undefined) {
    watch(GPUDevice.prototype, 'createBuffer', (buffer) => {
      const { size } = buffer as { readonly size: number }
      counted.set(buffer as object, size)
      held.buffers++
      held.bytes += size
    })
    watch(GPUBuffer.prototype, 'destroy', (_, buffer) => {
      const size = counted.get(buffer as object)
      if (size === undefined) return
      counted.delete(buffer as object)
      held.buffers--
      held.bytes -= size
    })
  }
  if (WebGL2RenderingContext !== undefined) {
    watch(WebGL2RenderingContext.prototype, 'createTexture', (texture) => {
      counted.set(texture as object, 0)
      held.textures++
    })
    watch(WebGL2RenderingContext.prototype, 'deleteTexture', (_, __, texture) => {
      if (texture !== null && counted.delete(texture as object)) held.textures--
    })
  }
}

let counting = false

/** Collects garbage (Chromium runs with --expose-gc), and lets finalizers run. */
export const collect = async (): Promise<void> => {
  for (let turn = 0; turn < 3; turn++) {
    ;(globalThis as { readonly gc?: () => void }).gc?.()
    await new Promise((done) => setTimeout(done, 20))
  }
}

export const growth = async (engine: Engine, steps: number): Promise<Growth> => {
  if (!counting) count()
  counting = true
  const seen: Held[] = []
  const live: number[] = []
  const tenth = Math.ceil(steps / 10)
  await train(engine, steps, { layers: 1, width: 8, batch: 1, length: 4 }, async (step) => {
    if (step % tenth !== 0) return
    await collect()
    seen.push({ ...held })
    live.push(engine.live().bytes)
  })
  return { held: seen, live }
}
