/** Compiled kernels, shared by all programs of an engine. */
import type { Device } from './device.ts'
import type { Dispatch } from './shader.ts'

export interface ReadyKernel {
  readonly pipeline: GPUComputePipeline
  readonly layout: GPUBindGroupLayout
}

export interface Pipelines {
  readonly kernel: (dispatch: Dispatch) => ReadyKernel
  readonly count: () => number
}

/** Kernels that are kept; more would be those of programs long gone. */
const limit = 4096

export const pipelinesOf = (device: Device): Pipelines => {
  const { gpu } = device
  const layouts = new Map<string, { readonly group: GPUBindGroupLayout; readonly all: GPUPipelineLayout }>()
  const kernels = new Map<string, ReadyKernel>()
  const layoutOf = ({ bindings, uniform }: Dispatch) => {
    const types: GPUBufferBindingType[] = [
      ...(uniform === undefined ? [] : ['uniform' as const]),
      ...bindings.map(({ access }) =>
        access === 'read' ? ('read-only-storage' as const) : ('storage' as const),
      ),
    ]
    const key = types.join()
    const known = layouts.get(key)
    if (known !== undefined) return known
    const group = gpu.createBindGroupLayout({
      entries: types.map((type, binding) => ({ binding, visibility: 4, buffer: { type } })),
    })
    const made = { group, all: gpu.createPipelineLayout({ bindGroupLayouts: [group] }) }
    layouts.set(key, made)
    return made
  }
  return {
    kernel: (dispatch) => {
      const known = kernels.get(dispatch.code)
      if (known !== undefined) return known
      const layout = layoutOf(dispatch)
      gpu.pushErrorScope('validation')
      const module = gpu.createShaderModule({ label: dispatch.label, code: dispatch.code })
      const pipeline = gpu.createComputePipeline({
        label: dispatch.label,
        layout: layout.all,
        compute: { module, entryPoint: 'main' },
      })
      void device.ticker
        .called(() => gpu.popErrorScope())
        .then(
          (error) => {
            if (error !== null)
              device.fail(`webgpu: the kernel ${dispatch.label} was refused: ${error.message}`)
          },
          () => undefined,
        )
      const kernel = { pipeline, layout: layout.group }
      if (kernels.size >= limit) kernels.delete(kernels.keys().next().value as string)
      kernels.set(dispatch.code, kernel)
      return kernel
    },
    count: () => kernels.size,
  }
}
