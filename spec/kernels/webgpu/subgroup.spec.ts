/** Rows joined by subgroups, and without them. */
import { either as E } from 'fp-ts'
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  attention,
  grad,
  jit,
  standardise,
  random,
  softmax,
  square,
  sum,
  toArray,
  withEngine,
} from '../../../core/index.ts'
import type { Tensor } from '../../../core/index.ts'
import { referenceEngine } from '../../../kernels/index.ts'
import type { GpuMemory } from '../../../kernels/webgpu/executable.ts'
import type { WebGpuEngine } from '../../../kernels/webgpu/index.ts'
import type { Subgroups } from '../../../kernels/webgpu/subgroup.ts'
import { joinedBySubgroups } from '../../../kernels/webgpu/subgroup.ts'
import { engineAgrees } from '../../law/engine.ts'
import { specialRowsAgree } from '../../law/operation.ts'
import { skip } from '../../support/skip.ts'
import { gpuForTests } from '../../support/webgpu.ts'

const test = suite('webgpu subgroups')

const threads = 128

/** What `threads` threads have when every `lanes` of them joined their sums and the places of their largest. */
const joined = async (
  { device, upload, read: readMemory, release }: WebGpuEngine,
  given: Float32Array<ArrayBuffer>,
  lanes: number,
  subgroups: Subgroups,
): Promise<readonly (readonly [sum: number, place: number])[]> => {
  const code = `enable subgroups;
@group(0) @binding(0) var<storage, read> given: array<f32>;
@group(0) @binding(1) var<storage, read_write> found: array<vec2<f32>>;
var<workgroup> sums: array<f32, ${threads}>;
var<workgroup> peaks: array<f32, ${threads}>;
var<workgroup> places: array<i32, ${threads}>;
@compute @workgroup_size(${threads})
fn main(@builtin(local_invocation_index) local: u32, @builtin(subgroup_size) subgroup: u32) {
  var total = given[local];
  var peak = given[local];
  var place = i32(local);
  ${joinedBySubgroups(
    subgroups,
    lanes,
    [
      ['f32', 'total'],
      ['f32', 'peak'],
      ['i32', 'place'],
    ],
    ([more = '', top = '', at = '']) =>
      `total = total + ${more}; if (${top} > peak || (${top} == peak && ${at} < place)) { peak = ${top}; place = ${at}; }`,
    (variable, at) => `${['sums', 'peaks', 'places'][variable]}[${at}]`,
  ).join('\n')}
  found[local] = vec2<f32>(total, f32(place));
}`
  const memories = [given, new Float32Array(2 * threads)].map((data) => upload(data) as GpuMemory)
  const module = device.createShaderModule({ code })
  const pipeline = device.createComputePipeline({ layout: 'auto', compute: { module, entryPoint: 'main' } })
  const encoder = device.createCommandEncoder()
  const pass = encoder.beginComputePass()
  pass.setPipeline(pipeline)
  const layout = pipeline.getBindGroupLayout(0)
  const entries = memories.map(({ buffer }, binding) => ({ binding, resource: { buffer } }))
  pass.setBindGroup(0, device.createBindGroup({ layout, entries }))
  pass.dispatchWorkgroups(1)
  pass.end()
  device.queue.submit([encoder.finish()])
  const words = await readMemory(memories[1] as GpuMemory)
  memories.forEach(release)
  return Array.from({ length: threads }, (_, at) => [words[2 * at] as number, words[2 * at + 1] as number])
}

/** Rows of every length that threads share: softmax, layer norm, sums, gradients of them, and attention. */
const rowsOf = (engine: WebGpuEngine | ReturnType<typeof referenceEngine>): readonly Tensor[] =>
  withEngine(engine, () =>
    [9, 40, 300, 1500].flatMap((length) => {
      const x = random.normal(random.key(length), [5, length])
      const f = (y: Tensor): Tensor => sum(square(softmax(standardise(y))))
      const q = random.normal(random.key(1), [2, 37, 8])
      return [
        jit((y: Tensor): Tensor => softmax(standardise(y)))(x),
        jit(grad(f))(x),
        ...(length === 40 ? [jit((y: Tensor): Tensor => attention(y, y, y, { causal: 0 }))(q)] : []),
      ]
    }),
  )

const read = (tensors: readonly Tensor[]) => Promise.all(tensors.map((tensor) => toArray(tensor)))

const onGpu = (engine: WebGpuEngine, without: WebGpuEngine, { least, most }: Subgroups): void => {
  test('both engines tell whether they use them', () => {
    assert.match(engine.detail, `; subgroups of ${least === most ? least : `${least} to ${most}`} threads`)
    assert.not.match(without.detail, 'subgroups of')
  })

  // First, while no tensor is about to be released.
  test('without them, rows with special values and folds agree with the reference', async () => {
    await specialRowsAgree(without)
    await fc.assert(engineAgrees(without, { kinds: ['reduce'], maxLaunches: 3 }), { numRuns: 10 })
  })

  for (const range of [
    { least, most },
    { least: 1, most: 128 },
    { least: Math.max(1, least / 2), most: 2 * most },
  ])
    test(`neighbours join where subgroups have ${range.least} to ${range.most} threads`, async () => {
      const given = Float32Array.from({ length: threads }, (_, i) => ((i * 37) % 11) - 3)
      for (const lanes of [2, 8, 32, threads]) {
        const found = await joined(engine, given, lanes, range)
        const expected = Array.from(given, (_, i) => {
          const start = i - (i % lanes)
          const row = given.slice(start, start + lanes)
          return [row.reduce((a, b) => a + b), start + row.indexOf(Math.max(...row))]
        })
        assert.equal(found, expected, `${lanes} lanes`)
      }
    })

  test('rows agree with the reference with and without, and with themselves to the last bit', async () => {
    const expected = await read(rowsOf(referenceEngine()))
    for (const own of [engine, without]) {
      const actual = await read(rowsOf(own))
      actual.forEach((values, i) =>
        values.forEach((x, j) => {
          if (!(Math.abs(x - (expected[i]?.[j] as number)) <= 1e-5))
            assert.unreachable(`result ${i}[${j}] is ${x}, not ${expected[i]?.[j]}`)
        }),
      )
      assert.equal(await read(rowsOf(own)), actual)
    }
  })

  test.after(async () => {
    await engine.close()
    await without.close()
  })
}

const [opened, other] = [
  await gpuForTests({ plain: false }),
  await gpuForTests({ plain: false, subgroups: false }),
]
if (E.isLeft(opened)) skip(test, 'subgroups', opened.left)
else if (E.isLeft(other)) skip(test, 'subgroups', other.left)
else {
  const { subgroups, name } = opened.right.adapter
  if (subgroups !== undefined) onGpu(opened.right, other.right, subgroups)
  else skip(test, 'subgroups', `${name} has none whose threads are neighbours`)
}

test.run()
