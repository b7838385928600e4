/** Attention in blocks: longer than a block, wider than a panel, and what it binds and holds. */
import { either as E } from 'fp-ts'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { attention, grad, jit, random, sum, toArray, withEngine } from '../../../core/index.ts'
import type { Tensor } from '../../../core/index.ts'
import { contiguous, referenceEngine, wgslKernels } from '../../../kernels/index.ts'
import type { AttentionGradientLaunch, Operand, Program, View } from '../../../kernels/index.ts'
import type { WebGpuEngine } from '../../../kernels/webgpu/index.ts'
import { assertResults, attentionResults } from '../../support/attention.ts'
import type { AttentionCase } from '../../support/attention.ts'
import { skip } from '../../support/skip.ts'
import { gpuForTests } from '../../support/webgpu.ts'

const test = suite('webgpu attention')
const reference = referenceEngine()

const cases: readonly AttentionCase[] = [
  { batch: [2], queries: 70, keys: 100, width: 16, valueWidth: 68 },
  { batch: [1, 2], queries: 40, keys: 33, width: 9, valueWidth: 6, causal: 3, masked: true, rate: 0.25 },
  // Enough of them for blocks of 64 rows.
  { batch: [32], queries: 66, keys: 70, width: 4, valueWidth: 4, causal: 0 },
]

const onGpu = (engine: WebGpuEngine): void => {
  for (const one of cases)
    test(`agrees with the reference, and with itself to the last bit: ${JSON.stringify(one)}`, async () => {
      const read = (tensors: readonly Tensor[]) => Promise.all(tensors.map((tensor) => toArray(tensor)))
      const actual = await read(attentionResults(engine, one))
      const expected = await read(attentionResults(reference, one))
      assertResults(actual, expected)
      assert.equal(await read(attentionResults(engine, one)), actual)
    })

  test('memory is linear in the length', () => {
    const bytes = (length: number): number =>
      withEngine(engine, () => {
        const long = jit((y: Tensor): Tensor =>
          grad((z: Tensor) => sum(attention(z, z, z, { causal: 0 })))(y),
        )
        return long.plan(random.normal(random.key(1), [1, 4, length, 32])).temporaryBytes
      })
    const [short, long] = [bytes(512), bytes(4096)]
    assert.ok(long <= 8.2 * short, `${short} bytes for 512, ${long} for 4096`)
  })

  test.after(() => engine.close())
}

test('gradients of keys and of values come from two kernels where one would bind too many buffers', () => {
  const [queries, keys, width] = [40, 50, 8]
  const sizes = [
    [queries, width],
    [keys, width],
    [keys, width],
    [queries, width],
    [queries],
    [queries],
    [queries, keys],
    [queries, width],
    [keys, width],
    [keys, width],
  ] as const
  const view = (buffer: number): View => ({ buffer, strides: contiguous(sizes[buffer] ?? []), offset: 0 })
  const operand = (buffer: number): Operand => ({ kind: 'buffer', ...view(buffer) })
  const program = (masked: boolean): Program => ({
    buffers: sizes.map((shape) => ({ dtype: 'float32', size: shape.reduce((n, m) => n * m, 1) })),
    inputs: [0, 1, 2, 3, 4, 5, 6],
    outputs: [7, 8, 9],
    donated: [],
    launches: [
      {
        kind: 'attentionGradient',
        batch: [],
        queries,
        keys,
        width,
        valueWidth: width,
        query: view(0),
        key: view(1),
        value: view(2),
        cotangent: view(3),
        total: view(4),
        delta: view(5),
        queryGradient: view(7),
        keyGradient: view(8),
        valueGradient: view(9),
        scale: 1,
        operands: masked ? [operand(6)] : [],
        body: [
          { op: 'fold', index: 0, dtype: 'float32' },
          ...(masked
            ? ([
                { op: 'read', index: 0, dtype: 'float32' },
                { op: 'add', args: [0, 1], dtype: 'float32' },
              ] as const)
            : []),
        ],
        score: masked ? 2 : 0,
      } satisfies AttentionGradientLaunch,
    ],
  })
  const bound = (masked: boolean): readonly number[] =>
    wgslKernels(program(masked)).map(({ code }) => [...code.matchAll(/@binding/g)].length)
  assert.equal(bound(false), [7, 8])
  assert.equal(bound(true), [8, 8, 6])
})

const opened = await gpuForTests({ plain: false })
if (E.isLeft(opened)) skip(test, 'attention on a device', opened.left)
else onGpu(opened.right)

test.run()
