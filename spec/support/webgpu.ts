/** The `webgpu` engine for tests: on a GPU if there is one, else on one in software, else not at all. */
import type { either as E } from 'fp-ts'
import { openWebGpu, prepareWebGpu } from '../../kernels/webgpu/index.ts'
import type { WebGpuEngine, WebGpuOptions } from '../../kernels/webgpu/index.ts'

/** The engine, or why there is none here. `plain: false` says that products take tiles, also in software. */
export const gpuForTests = async (options: WebGpuOptions = {}): Promise<E.Either<string, WebGpuEngine>> => {
  await prepareWebGpu()
  return openWebGpu({ software: true, ...options })
}
