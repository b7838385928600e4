/**
 * The `webgpu` engine: parameters stay on the device, a program is one submission, and only what is asked for
 * is read back.
 */
import { either as E } from 'fp-ts'
import type { Dtype, HostArray } from '../dtype.ts'
import { dtypeOf, hostArray } from '../dtype.ts'
import type { Engine, Memory } from '../engine.ts'
import { loadGpuJs } from '../gpujs/index.ts'
import { gpuJs } from '../gpujs/library.ts'
import { ledger } from '../ledger.ts'
import type { Adapter, Device } from './device.ts'
import { loadWebGpu, openDevice } from './device.ts'
import type { GpuMemory } from './executable.ts'
import { executable } from './executable.ts'
import type { MatmulOptions } from './matmul/dispatch.ts'
import type { TileTable } from './matmul/tile.ts'
import { lineOfWork } from './line.ts'
import { pipelinesOf } from './pipeline.ts'
import { stagingPool, storagePool } from './pool.ts'
import type { Limits } from './record.ts'
import { rememberedTiles } from './remember.ts'
import type { Subgroups } from './subgroup.ts'

export interface WebGpuOptions {
  /** Whether an adapter that computes on the processor will do. */
  readonly software?: boolean
  /** The tile that every large matmul uses, instead of the one that fits its size best: for measuring. */
  readonly tile?: MatmulOptions['tile']
  /** Tiles that were measured (`tuneTiles`), for the products that they are of; by default `rememberedTiles()`. */
  readonly tiles?: TileTable
  /**
   * Whether threads work for themselves alone: products without tiles, rows a thread each, attention as products and
   * rows. By default on adapters that compute on the processor.
   */
  readonly plain?: boolean
  /** Whether threads join what they found within subgroups; by default wherever the device has them in order. */
  readonly subgroups?: boolean
  /**
   * How exact products of float32 are, as by JAX's `F32_F32_F32` and `F16_F16_F32`: `float16` lets those that take
   * tiles, attention's too, round what they multiply to float16; they add up in float32. Refused where the device has
   * no float16.
   */
  readonly matmulPrecision?: 'float32' | 'float16'
}

/** As what tiles hold factors of float32. */
export const factorsOf = (precision: WebGpuOptions['matmulPrecision']): Limits['factors'] =>
  precision === 'float16' ? 'f16' : 'f32'

const mebibytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`

const threadsOf = ({ least, most }: Subgroups): string =>
  `subgroups of ${least === most ? least : `${least} to ${most}`} threads`

const detailOf = (
  { name, software, features, limits }: Adapter,
  { factors, subgroups }: Limits,
  tiles: TileTable,
): string => {
  const measured = Object.keys(tiles).filter((key) => key.startsWith(`${name}|`)).length
  return [
    `${name}${software ? ', which computes on the processor' : ''}`,
    `${limits.buffersPerKernel} buffers of up to ${mebibytes(limits.bytesPerBuffer)} a kernel`,
    `groups of ${limits.threadsPerGroup} threads with ${limits.bytesPerGroup / 1024} KiB`,
    features.length === 0 ? 'no optional features' : `features ${features.join(' ')}`,
    ...(subgroups === undefined ? [] : [threadsOf(subgroups)]),
    ...(factors === 'f16' ? ['products in float16, added up in float32'] : []),
    ...(measured === 0 ? [] : [`tiles measured for products of ${measured} sizes`]),
  ].join('; ')
}

/** A truth value is a whole word on the device. */
const words = (data: HostArray): Exclude<HostArray, Uint8Array> =>
  data instanceof Uint8Array ? Uint32Array.from(data) : data

const fromWords = (buffer: ArrayBuffer, dtype: Dtype, size: number): HostArray => {
  const array = hostArray(dtype, size)
  switch (dtype) {
    case 'float32':
      array.set(new Float32Array(buffer, 0, size))
      break
    case 'int32':
      array.set(new Int32Array(buffer, 0, size))
      break
    default:
      array.set(new Uint32Array(buffer, 0, size))
  }
  return array
}

/** Engines that use a device; the last to close ends it. */
const users = new WeakMap<Device, number>()

/** More about an engine than its contract tells, for tests and measurements. */
export interface WebGpuEngine extends Engine {
  readonly adapter: Adapter
  /** The device itself, for code that goes on with what is on it. */
  readonly device: GPUDevice
  /** Bytes and number of the buffers on the device, whether in use or waiting for it. */
  readonly held: () => { readonly bytes: number; readonly count: number }
}

const engineOf = (
  device: Device,
  {
    tile,
    tiles = rememberedTiles(),
    matmulPrecision = 'float32',
    // What is kept in float16 are tiles.
    plain = device.adapter.software && matmulPrecision === 'float32',
    subgroups = true,
  }: WebGpuOptions,
): WebGpuEngine => {
  const { gpu, adapter } = device
  const line = lineOfWork((error) =>
    device.fail(error instanceof Error ? error.message : `webgpu: ${String(error)}`),
  )
  const storage = storagePool(device, line)
  const staging = stagingPool(device, line)
  const memories = ledger<GpuMemory>()
  const pipelines = pipelinesOf(device)
  const buffers = new WeakMap<GpuMemory, { owned: boolean }>()
  users.set(device, (users.get(device) ?? 0) + 1)
  let open = true

  const hold = (dtype: Dtype, size: number, buffer: GPUBuffer): GpuMemory => {
    const memory: GpuMemory = { dtype, size, buffer }
    const owner = { owned: true }
    buffers.set(memory, owner)
    return memories.add(memory, 4 * size, () => {
      if (owner.owned) storage.release(buffer)
    })
  }
  const allocate = (dtype: Dtype, size: number): GpuMemory => hold(dtype, size, storage.acquire(4 * size))
  const takeOver = (memory: GpuMemory, dtype: Dtype, size: number): GpuMemory => {
    const owner = buffers.get(memory)
    if (owner !== undefined) owner.owned = false
    memories.remove(memory)
    return hold(dtype, size, memory.buffer)
  }
  const release = (memory: Memory): void => memories.remove(memory as GpuMemory)

  /** One set of temporaries for all programs: their commands run one after the other. */
  const space: GPUBuffer[] = []
  const workspace = (slots: readonly number[]): readonly GPUBuffer[] => {
    slots.forEach((bytes, slot) => {
      const before = space[slot]
      if (before !== undefined && before.size >= bytes) return
      if (before !== undefined) storage.release(before)
      space[slot] = storage.acquire(bytes)
    })
    return space
  }
  const limits: Limits = {
    ...adapter.limits,
    factors: factorsOf(matmulPrecision),
    subgroups: subgroups ? adapter.subgroups : undefined,
    plain,
  }
  const machine = {
    device,
    pipelines,
    matmul: { tile, device: adapter.name, tiles },
    limits,
    line,
    staging,
    allocate,
    takeOver,
    release,
    workspace,
  }

  const check = (): void => {
    const trouble = open ? device.trouble() : 'webgpu: the engine was closed'
    if (trouble !== undefined) throw new Error(trouble)
  }
  const read = async (memory: Memory): Promise<HostArray> => {
    if (open && device.trouble() !== undefined) await device.settled()
    check()
    const { buffer, dtype, size } = memory as GpuMemory
    if (size === 0) return hostArray(dtype, 0)
    const copy = staging.acquire(4 * size)
    try {
      await line.turn(() => {
        const encoder = gpu.createCommandEncoder()
        encoder.copyBufferToBuffer(buffer, 0, copy, 0, 4 * size)
        gpu.queue.submit([encoder.finish()])
      })
      await device.ticker.awaited(() => copy.mapAsync(1, 0, 4 * size))
    } catch (error) {
      await device.settled()
      check()
      throw new Error(`webgpu: reading failed: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      })
    }
    const data = fromWords(copy.getMappedRange(0, 4 * size), dtype, size)
    copy.unmap()
    staging.release(copy)
    await device.settled()
    check()
    return data
  }
  return {
    name: 'webgpu',
    detail: detailOf(adapter, limits, tiles),
    adapter,
    device: gpu,
    supports: (dtype) => dtype !== 'float64',
    fuses: plain ? [] : ['attention', 'attentionGradient'],
    buffersPerLaunch: Math.min(16, adapter.limits.buffersPerKernel),
    compile: (program) => {
      check()
      return executable(machine, program)
    },
    upload: (data) => {
      check()
      const dtype = dtypeOf(data) as Dtype
      if (dtype === 'float64') throw new Error('webgpu: float64 is not supported')
      const memory = allocate(dtype, data.length)
      if (data.length === 0) return memory
      // Whoever gave the data may change it before it is its turn.
      const own = words(line.waits() ? data.slice() : data) as Float32Array<ArrayBuffer>
      line.add(() => gpu.queue.writeBuffer(memory.buffer, 0, own))
      return memory
    },
    read,
    readSync: undefined,
    release,
    live: memories.live,
    held: () => ({ bytes: storage.bytes(), count: storage.count() }),
    close: async () => {
      if (!open) return
      open = false
      const left = (users.get(device) ?? 1) - 1
      users.set(device, left)
      for (const buffer of space.splice(0)) storage.release(buffer)
      storage.end()
      staging.end()
      if (left === 0) device.end()
      await Promise.resolve()
    },
  }
}

/**
 * Loads what `openWebGpu` needs: gpu.js and a device.
 *
 * @example
 * ```ts
 * import { openWebGpu, prepareWebGpu } from 'pullback/kernels'
 * await prepareWebGpu() // then openWebGpu tells at once
 * console.log(openWebGpu()._tag) // where there is a graphics card: Right
 * ```
 */
export const prepareWebGpu = async (): Promise<void> => {
  await Promise.all([loadGpuJs(), loadWebGpu()])
}

/**
 * Opens the engine on the device that `loadWebGpu` found; left with a sentence where there is none, or only
 * one that computes on the processor and `software` was not said.
 *
 * @example
 * ```ts
 * import { openWebGpu, prepareWebGpu } from 'pullback/kernels'
 * await prepareWebGpu()
 * const engine = openWebGpu({ software: true })
 * console.log(engine._tag === 'Left' ? engine.left : engine.right.detail) // where there is an adapter
 * ```
 */
export const openWebGpu = (options: WebGpuOptions = {}): E.Either<string, WebGpuEngine> => {
  const device = openDevice()
  if (typeof device === 'string') return E.left(device)
  if (gpuJs() === undefined) return E.left('webgpu: gpu.js, which compiles its kernels, is not loaded')
  if (device.adapter.software && options.software !== true)
    return E.left(
      `webgpu: the only adapter here is ${device.adapter.name}, which computes on the processor; it is taken only by the name webgpu:software`,
    )
  if (options.matmulPrecision === 'float16' && !device.adapter.features.includes('shader-f16'))
    return E.left(
      `webgpu: products in float16 were asked for, but ${device.adapter.name} has no float16 (shader-f16)`,
    )
  return E.right(engineOf(device, options))
}

/**
 * The engine on a GPU, opened with all that it takes; rejects with a sentence where there is no GPU.
 *
 * @example
 * ```ts no-run
 * import { setDefaultEngine } from 'pullback'
 * import { webGpuEngine } from 'pullback/kernels'
 * setDefaultEngine(await webGpuEngine())
 * ```
 */
export const webGpuEngine = async (options: WebGpuOptions = {}): Promise<WebGpuEngine> => {
  await prepareWebGpu()
  const engine = openWebGpu(options)
  if (E.isLeft(engine)) throw new Error(engine.left)
  return engine.right
}
