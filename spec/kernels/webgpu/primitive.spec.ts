/** Every primitive, and its pullback, on WebGPU. */
import { primitivesAgree } from '../../core/primitive/agree.ts'
import { gpuForTests } from '../../support/webgpu.ts'

primitivesAgree({ label: 'webgpu', engine: await gpuForTests() }, 3).run()
