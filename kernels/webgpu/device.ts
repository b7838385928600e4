/** The way to a GPU: npm's `webgpu` (Dawn) in Node, `navigator.gpu` in browsers. Opening one is asynchronous. */

import type { Subgroups } from './subgroup.ts'
import { areNeighbours } from './subgroup.ts'
import type { Ticker } from './tick.ts'
import { tickerFor } from './tick.ts'

/** What is told of the adapter that a device belongs to. */
export interface Adapter {
  /** For people: `NVIDIA H100, hopper (nvidia)`. */
  readonly name: string
  /** Computes on the processor, so it is taken only by name. */
  readonly software: boolean
  readonly features: readonly string[]
  /** Threads that read each other's registers; none where the device has them in an order that no kernel expects. */
  readonly subgroups: Subgroups | undefined
  readonly limits: {
    readonly buffersPerKernel: number
    readonly bytesPerBuffer: number
    readonly threadsPerGroup: number
    readonly bytesPerGroup: number
    readonly groupsPerAxis: number
  }
}

/** A device shared by the engines that were opened on it. */
export interface Device {
  readonly gpu: GPUDevice
  readonly ticker: Ticker
  readonly adapter: Adapter
  /** Why it cannot be used any more. */
  readonly trouble: () => string | undefined
  /** Waits until what happened so far is known, causes as well as what follows from them. */
  readonly settled: () => Promise<void>
  /** Notes a failure that is known only after the call that caused it. */
  readonly fail: (reason: string) => void
  /** Ends the device. */
  readonly end: () => void
}

const wanted = ['timestamp-query', 'shader-f16', 'subgroups'] as const

const softwareNames = /swiftshader|llvmpipe|lavapipe|software|basic render|warp/i

const consequence = /is invalid due to a previous error/

const describe = (info: GPUAdapterInfo): string => {
  const maker = [info.vendor, info.architecture].filter((word) => word !== '')
  const name = info.description || info.device
  if (name === '') return maker.join(' ') || 'an adapter without a name'
  const more = maker.filter((word) => !name.toLowerCase().includes(word.toLowerCase()))
  return more.length === 0 ? name : `${name} (${more.join(', ')})`
}

const adapterOf = ({ info, features, limits }: GPUAdapter): Adapter => ({
  name: describe(info),
  software:
    info.isFallbackAdapter || softwareNames.test(`${info.description} ${info.device} ${info.architecture}`),
  features: [...features].filter((name) => (wanted as readonly string[]).includes(name)),
  subgroups: features.has('subgroups')
    ? { least: info.subgroupMinSize ?? 4, most: info.subgroupMaxSize ?? 128 }
    : undefined,
  limits: {
    buffersPerKernel: limits.maxStorageBuffersPerShaderStage,
    bytesPerBuffer: Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize),
    threadsPerGroup: limits.maxComputeInvocationsPerWorkgroup,
    bytesPerGroup: limits.maxComputeWorkgroupStorageSize,
    groupsPerAxis: limits.maxComputeWorkgroupsPerDimension,
  },
})

const libraryFolders = ['/usr/lib', '/usr/lib64', '/lib', '/usr/local/lib', '/run/opengl-driver/lib']

/** Whether Dawn will find Vulkan on Linux. Asked first, because Dawn writes to the console where it does not. */
const hasVulkan = ({ env: environment, getBuiltinModule }: NodeJS.Process): boolean => {
  const { existsSync } = getBuiltinModule('node:fs')
  const triples = ['x86_64-linux-gnu', 'aarch64-linux-gnu'].map((triple) => `/usr/lib/${triple}`)
  const named = (environment['LD_LIBRARY_PATH'] ?? '').split(':').filter((folder) => folder !== '')
  return [...named, ...triples, ...libraryFolders].some((folder) => existsSync(`${folder}/libvulkan.so.1`))
}

/**
 * What Dawn does against strangers' code in browsers, and Node has no use for: it rounds the device's clock to a tenth
 * of a millisecond, and writes zeros into a group's memory, which no kernel here reads before it has written it. In
 * software that is most of the time that a kernel with tiles takes to be compiled.
 */
const withoutStrangers = [
  'disable-dawn-features=timestamp_quantization',
  'enable-dawn-features=disable_workgroup_init',
] as const

interface Door {
  readonly gpu: GPU
  readonly ticker: Ticker
}

/** Kept, because in Node what it gave dies with it. */
let door: Door | undefined

const findDoor = async (): Promise<Door> => {
  if (door !== undefined) return door
  const { navigator } = globalThis as { readonly navigator?: { readonly gpu?: GPU } }
  if (navigator?.gpu !== undefined) return (door = { gpu: navigator.gpu, ticker: tickerFor(false) })
  const { process } = globalThis as { readonly process?: NodeJS.Process }
  if (process?.versions.node === undefined)
    throw new Error('webgpu: this browser has no WebGPU, or the page is not served over https or localhost')
  if (process.platform === 'linux' && !hasVulkan(process))
    throw new Error('webgpu: there is no Vulkan loader (libvulkan.so.1) on this system')
  // A variable name, so that bundlers for browsers do not look for it.
  const name = 'webgpu'
  const dawn = (await import(name).catch(() => undefined)) as
    { readonly create: (options: readonly string[]) => GPU } | undefined
  if (dawn === undefined)
    throw new Error("webgpu: npm's package webgpu is not installed, or does not load on this system")
  const ticker = tickerFor(true)
  return (door = { gpu: ticker.called(() => dawn.create(withoutStrangers)), ticker })
}

const request = async (): Promise<Device> => {
  const { gpu, ticker } = await findDoor()
  const adapter = await ticker.awaited(() => gpu.requestAdapter({ powerPreference: 'high-performance' }))
  if (adapter === null) throw new Error('webgpu: there is no adapter here')
  const told = adapterOf(adapter)
  const { limits } = adapter
  const device = await ticker.awaited(() =>
    adapter.requestDevice({
      label: 'pullback',
      requiredFeatures: told.features as GPUFeatureName[],
      requiredLimits: {
        maxStorageBuffersPerShaderStage: limits.maxStorageBuffersPerShaderStage,
        maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
        maxBufferSize: limits.maxBufferSize,
        maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
        maxComputeInvocationsPerWorkgroup: limits.maxComputeInvocationsPerWorkgroup,
        maxComputeWorkgroupSizeX: limits.maxComputeWorkgroupSizeX,
      },
    }),
  )
  const ordered = told.subgroups !== undefined && (await areNeighbours(device, ticker))
  const facts = ordered ? told : { ...told, subgroups: undefined }
  let trouble: string | undefined
  // What only follows from another failure is told until that is known.
  const fail = (reason: string): void => {
    if (trouble === undefined || consequence.test(trouble)) trouble = reason
  }
  device.addEventListener('uncapturederror', ({ error }) => fail(`webgpu: ${error.message}`))
  void ticker
    .called(() => device.lost)
    .then(({ reason, message }) =>
      fail(
        `webgpu: the device was lost (${message || (reason === 'destroyed' ? 'it was destroyed' : 'for no reason that is told')}); open the engine again and go on from the last checkpoint`,
      ),
    )
  return {
    gpu: device,
    ticker,
    adapter: facts,
    trouble: () => trouble,
    settled: async () => {
      if (trouble === undefined || !consequence.test(trouble)) return
      await ticker.awaited(() => new Promise((done) => setTimeout(done, 20)))
    },
    fail,
    end: () => {
      fail('webgpu: the engine was closed')
      ticker.called(() => device.destroy())
    },
  }
}

let ready: Device | undefined
let refusal = 'webgpu: a device is opened asynchronously, await loadWebGpu() (or chooseEngineAsync) first'

/** Opens a device, unless one is open that still works; `openWebGpu` then succeeds or tells why it cannot. */
export const loadWebGpu = async (): Promise<void> => {
  if (ready !== undefined && ready.trouble() === undefined) return
  // What a device that failed still holds is given back.
  ready?.end()
  ready = undefined
  try {
    ready = await request()
  } catch (error) {
    refusal = error instanceof Error ? error.message : String(error)
  }
}

/** The device that `loadWebGpu` opened, or why there is none. */
export const openDevice = (): Device | string => {
  if (ready === undefined) return refusal
  return ready.trouble() ?? ready
}
