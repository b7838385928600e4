import { either as E } from 'fp-ts'
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { gpuJsEngine, openGpuJs } from '../../../kernels/gpujs/index.ts'
import { engineOf } from '../../../kernels/gpujs/engine.ts'
import type { Gpu, GpuJs, Kernel } from '../../../kernels/gpujs/library.ts'
import { gpuJs } from '../../../kernels/gpujs/library.ts'
import { engineAgrees } from '../../law/engine.ts'
import { operationsAgree, specialRowsAgree } from '../../law/operation.ts'

const test = suite('gpujs modes')

for (const mode of ['webasm', 'cpu'] as const) {
  const engine = gpuJsEngine({ mode })

  test(`${mode} is the mode that runs, and is told`, () => {
    assert.is(engine.name, 'gpujs')
    assert.match(engine.detail, `gpu.js in mode ${mode}:`)
  })

  test(`${mode} agrees with the reference on random programs`, () =>
    fc.assert(engineAgrees(engine), { numRuns: 200 }))

  test(`${mode} agrees with the reference on every operation`, () => operationsAgree(engine))

  test(`${mode} agrees with the reference on rows with special values`, () => specialRowsAgree(engine))
}

/** A gpu.js whose kernels run in JavaScript but give promises and call themselves webgpu. */
const pretended = (): Gpu => {
  const gpu = new (gpuJs() as GpuJs).GPU({ mode: 'cpu' })
  return {
    kernels: gpu.kernels,
    destroy: () => gpu.destroy(),
    createKernel: (source, settings) => {
      const real = gpu.createKernel(source, settings)
      const later = async (...inputs: readonly ArrayBufferView[]) => {
        assert.ok(
          inputs.every((input) => input instanceof Float32Array),
          'only float32 goes to a GPU',
        )
        await Promise.resolve()
        return real(...inputs)
      }
      const kernel = {
        build: (...inputs: readonly ArrayBufferView[]) => real.kernel.build(...inputs),
        destroy: () => real.kernel.destroy(),
        constructor: { mode: 'webgpu' },
      }
      return Object.assign(later, { kernel }) as unknown as Kernel
    },
  }
}

test('what is printed for GPUs means the same, and kernels may give promises', async () => {
  const engine = engineOf(pretended(), 'webgpu', 'webgpu')
  assert.is(engine.readSync, undefined)
  await operationsAgree(engine)
  await specialRowsAgree(engine)
  await fc.assert(engineAgrees(engine), { numRuns: 100 })
})

test('a mode that is not available here is refused, never replaced', () => {
  const refused = openGpuJs({ mode: 'webgl2' })
  assert.ok(E.isLeft(refused))
  assert.match(E.isLeft(refused) ? refused.left : '', 'gpujs: mode webgl2 is not available here')
  assert.throws(() => gpuJsEngine({ mode: 'webgpu' }), 'webgpu')
})

test('asked for whatever gpu.js finds, it tells what that is', () => {
  assert.match(gpuJsEngine().detail, 'gpu.js in mode webasm, asked for gpu:')
})

test.run()
