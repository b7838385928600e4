import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { wgslBlock, wgslOf } from '../../../kernels/gpujs/index.ts'
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

test('parameters stand before the inputs, the result behind them', () => {
  const { code, parameterBytes, sizesAt, workgroup } = wgslOf(
    'function (a, b) { return a[this.thread.x] + b[0]; }',
    [100],
    2,
  )
  assert.equal([parameterBytes, sizesAt, workgroup], [48, [16, 32], [64, 1, 1]])
  const bindings = [...code.matchAll(/@group\(0\) @binding\((\d)\) var<([^>]*)> \w+ : ([^;]*);/g)]
  assert.equal(
    bindings.map(([, binding, space, type]) => [binding, space, type]),
    [
      ['0', 'uniform', 'Params'],
      ['1', 'storage, read', 'array<f32>'],
      ['2', 'storage, read', 'array<f32>'],
      ['3', 'storage, read_write', 'array<f32>'],
    ],
  )
  assert.match(
    code,
    /struct Params \{\s*outputX : u32,\s*outputY : u32,\s*outputZ : u32,\s*dispatchWidth : u32,/,
  )
  assert.match(code, 'gid.x + gid.y * params.dispatchWidth')
  assert.match(code, 'fn main(@builtin(global_invocation_id) gid')
})

test('a block keeps its names, its order and its calls', () => {
  const code = wgslBlock(
    {
      parameters: ['v0', 'v1'],
      values: [
        { name: 'v2', expression: 'v0 * v1' },
        { name: 'v3', expression: 'max(v2, v0)' },
        { name: 'v4', expression: '-v3 / Math.sqrt(v1)' },
      ],
    },
    { max: 2, exp: 1 },
  )
  assert.is(code, 'let v2 = (v0*v1);\nlet v3 = fn_max(v2, v0);\nlet v4 = ((-v3)/sqrt(v1));')
})

test('a block that is no arithmetic of float32 numbers is refused', () => {
  const values = [{ name: 'v1', expression: 'v0 > 1' }]
  assert.throws(() => wgslBlock({ parameters: ['v0'], values }))
})

test.run()
