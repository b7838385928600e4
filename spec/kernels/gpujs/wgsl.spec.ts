import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { wgslOf } from '../../../kernels/gpujs/index.ts'
import type { Source } from '../../../kernels/gpujs/kernel.ts'
import { stageOf } from '../../../kernels/gpujs/kernel.ts'
import { flatLaunches } from '../../../kernels/index.ts'
import type { BufferSpec, Program } from '../../../kernels/index.ts'
import { programCase } from '../../arbitrary/program.ts'

const test = suite('gpujs WGSL')

/** The kernels that a program becomes where gpu.js runs on WebGPU. */
const sourcesOf = ({ buffers, launches }: Program): readonly Source[] =>
  flatLaunches(launches).flatMap((launch) => {
    const spec = (id: number): BufferSpec => buffers[id] as BufferSpec
    const stage = stageOf(
      launch,
      (id) => spec(id).dtype,
      (id) => spec(id).size,
      'webgpu',
    )
    if (typeof stage === 'string') return []
    return [...stage.folds, ...stage.outputs.map(({ source }) => source)]
  })

test('every printed kernel translates, without a device', () => {
  const programs = programCase({ dtypes: ['float32', 'int32', 'bool'], kinds: ['map', 'reduce', 'matmul'] })
  let translated = 0
  fc.assert(
    fc.property(programs, ({ program }) => {
      for (const { source, output, inputs } of sourcesOf(program)) {
        if (output.includes(0)) continue
        const { code, workgroup } = wgslOf(source, output, inputs.length)
        assert.match(code, '@compute @workgroup_size')
        assert.ok(inputs.length <= 7, 'more than a GPU binds')
        assert.is(workgroup.length, 3)
        translated++
      }
    }),
    { numRuns: 100 },
  )
  assert.ok(translated > 50)
})

test('addresses stay integers', () => {
  const source = 'function (a) { return a[(Math.floor((this.thread.x + 0.5) / 3) | 0) * 3 + 1]; }'
  assert.match(wgslOf(source, [6], 1).code, /get_user_a\(0, 0, i32\(\(\(\(i32\(floor\(/)
})

test.run()
