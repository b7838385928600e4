/** Buffers on the device, used again when their memories are gone. */
import type { Device } from './device.ts'
import type { Line } from './line.ts'

export interface Pool {
  /** A buffer of at least so many bytes, with whatever was in it before. */
  readonly acquire: (bytes: number) => GPUBuffer
  readonly release: (buffer: GPUBuffer) => void
  /** Bytes of all buffers that exist, in use or not. */
  readonly bytes: () => number
  readonly count: () => number
  readonly end: () => void
}

const usage = { mapRead: 1, copySource: 4, copyTarget: 8, storage: 128 } as const

/** Sizes come in steps of an eighth, so that a buffer fits again though sizes vary. */
const roundedSize = (bytes: number): number => {
  if (bytes <= 256) return 256
  const step = 2 ** Math.max(8, Math.floor(Math.log2(bytes - 1)) - 2)
  return Math.ceil(bytes / step) * step
}

/** From here on a buffer is large enough for the device to run out of memory. */
const large = 2 ** 20
/** Buffers that wait for use may take a quarter of those in use, and this much in any case. */
const spare = 2 ** 28

const poolOf = (device: Device, line: Line, flags: number, what: string): Pool => {
  const { gpu, adapter } = device
  const free = new Map<number, GPUBuffer[]>()
  let held = 0
  let waiting = 0
  let count = 0
  const destroy = (buffer: GPUBuffer): void => {
    held -= buffer.size
    count--
    // What was asked for before may still have to be done with it.
    line.add(() => buffer.destroy())
  }
  const trim = (limit: number): void => {
    for (const [size, buffers] of [...free].sort(([a], [b]) => b - a))
      while (waiting > limit && buffers.length > 0) {
        waiting -= size
        destroy(buffers.pop() as GPUBuffer)
      }
  }
  const create = (size: number): GPUBuffer => {
    if (size > adapter.limits.bytesPerBuffer)
      throw new Error(
        `webgpu: one buffer of ${size} bytes is wanted, but ${adapter.name} allows ${adapter.limits.bytesPerBuffer}`,
      )
    if (size >= large) gpu.pushErrorScope('out-of-memory')
    const buffer = gpu.createBuffer({ size, usage: flags })
    if (size >= large)
      void device.ticker
        .called(() => gpu.popErrorScope())
        .then(
          (error) => {
            if (error !== null)
              device.fail(
                `webgpu: out of memory: ${what} of ${size} bytes was refused with ${held} bytes in use on ${adapter.name}; open the engine again, with less to do at once, and go on from the last checkpoint`,
              )
          },
          () => undefined,
        )
    held += size
    count++
    return buffer
  }
  return {
    acquire: (bytes) => {
      const size = roundedSize(bytes)
      const found = free.get(size)?.pop()
      if (found === undefined) return create(size)
      waiting -= size
      return found
    },
    release: (buffer) => {
      const same = free.get(buffer.size)
      if (same === undefined) free.set(buffer.size, [buffer])
      else same.push(buffer)
      waiting += buffer.size
      if (waiting > spare && waiting > held / 4) trim(Math.max(spare, held / 4) / 2)
    },
    bytes: () => held,
    count: () => count,
    end: () => {
      trim(0)
    },
  }
}

/** Buffers that kernels read and write. */
export const storagePool = (device: Device, line: Line): Pool =>
  poolOf(device, line, usage.storage | usage.copySource | usage.copyTarget, 'a buffer')

/** Buffers through which the host reads. */
export const stagingPool = (device: Device, line: Line): Pool =>
  poolOf(device, line, usage.mapRead | usage.copyTarget, 'a buffer for reading')
