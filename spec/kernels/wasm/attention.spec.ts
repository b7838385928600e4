/** Attention over more keys than are packed at once, and what it holds. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  add,
  attention,
  grad,
  greaterEqual,
  iota,
  jit,
  matmul,
  random,
  softmax,
  sum,
  swapAxes,
  toArraySync,
  withEngine,
} from '../../../core/index.ts'
import type { Engine, Tensor } from '../../../core/index.ts'
import { referenceEngine, wasmEngine } from '../../../kernels/index.ts'
import type { AttentionGradientLaunch, HostArray } from '../../../kernels/index.ts'
import { piecesOf } from '../../../kernels/wasm/attention/backward.ts'
import { assertResults, attentionResults } from '../../support/attention.ts'
import type { AttentionCase } from '../../support/attention.ts'

const wasm = wasmEngine({ threads: 2, shareFrom: 0 })
const reference = referenceEngine()

const cases: readonly AttentionCase[] = [
  { batch: [2], queries: 70, keys: 600, width: 16, valueWidth: 16 },
  { batch: [1, 2], queries: 130, keys: 300, width: 9, valueWidth: 20, causal: 170 },
  { batch: [], queries: 300, keys: 300, width: 32, valueWidth: 7, causal: 0, masked: true },
  { batch: [2], queries: 61, keys: 257, width: 8, valueWidth: 8, masked: true, rate: 0.25 },
  { batch: [], queries: 13, keys: 9000, width: 64, valueWidth: 64 },
  { batch: [], queries: 40, keys: 9000, width: 64, valueWidth: 24, causal: 8960, rate: 0.5 },
]

/** The output and the gradients of all three. */
const results = (engine: Engine, one: AttentionCase): HostArray[] =>
  attentionResults(engine, one).map(toArraySync)

for (const one of cases)
  test(`attention and its gradient agree with the reference: ${JSON.stringify(one)}`, () => {
    assertResults(results(wasm, one), results(reference, one))
  })

const long: readonly AttentionCase[] = [
  { batch: [], queries: 300, keys: 300, width: 32, valueWidth: 7, causal: 0, masked: true },
  { batch: [1], queries: 200, keys: 431, width: 16, valueWidth: 24, causal: 231, rate: 0.25 },
  { batch: [3], queries: 233, keys: 700, width: 12, valueWidth: 8 },
  { batch: [1], queries: 400, keys: 200, width: 8, valueWidth: 8, causal: -150 },
]

test('the gradient of few heads is shared by queries and keys, and has the same bits for any number of threads', async () => {
  const launch = (one: AttentionCase): AttentionGradientLaunch =>
    ({ kind: 'attentionGradient', queries: one.queries, keys: one.keys }) as AttentionGradientLaunch
  const [one] = long as readonly [AttentionCase]
  assert.is(piecesOf(launch(one), 42, 1, 1), undefined)
  assert.is(piecesOf(launch(one), 42, 2, 2), undefined)
  assert.equal(piecesOf(launch(one), 42, 1, 2), { groups: 3, rows: 126, ranges: 4, keys: 96 })
  const alone = wasmEngine({ threads: 1 })
  const engines = [2, 5].map((threads) => wasmEngine({ threads, shareFrom: 0 }))
  for (const each of long) {
    const expected = results(alone, each)
    for (const engine of engines) assert.equal(results(engine, each), expected)
  }
  await Promise.all(engines.map((engine) => engine.close()))
})

test('memory is linear in the length, where the plain form is quadratic', () => {
  const bytes = (length: number, f: (x: Tensor) => Tensor): number =>
    withEngine(wasm, () => {
      const long = jit((y: Tensor): Tensor => grad((z: Tensor) => sum(f(z)))(y))
      return long.plan(random.normal(random.key(1), [1, 4, length, 32])).temporaryBytes
    })
  const blocked = (x: Tensor): Tensor => attention(x, x, x, { causal: 0 })
  const plain = (x: Tensor): Tensor => matmul(softmax(matmul(x, swapAxes(x, -1, -2))), x)
  const [short, long] = [bytes(512, blocked), bytes(4096, blocked)]
  assert.ok(long <= 8.2 * short, `${short} bytes for 512, ${long} for 4096`)
  assert.ok(long < 4096 * 4 * 4 * 32 * 8, `${long} bytes`)
  assert.ok(bytes(1024, plain) > 4 * 1024 * 1024 * 4)
})

test('a mask that is an expression costs no memory, and one that is strided is copied', () => {
  withEngine(wasm, () => {
    const x = random.normal(random.key(0), [2, 40, 8])
    const looks = jit((y: Tensor): Tensor =>
      attention(y, y, y, { mask: greaterEqual(add(iota([40, 40], 0), 1), iota([40, 40], 1)) }),
    )
    // The output, heads beside each other, and its copy in the order of its axes: no scores, no mask.
    assert.ok(looks.plan(x).temporaryBytes < 4 * (2 * 40 * 8 + 2 * 40) + 256)
    assert.equal([...toArraySync(looks(x))], [...toArraySync(attention(x, x, x, { causal: 1 }))])
    const mask = random.bernoulli(random.key(1), 0.5, [40, 40])
    const turned = jit((y: Tensor, m: Tensor): Tensor => attention(y, y, y, { mask: swapAxes(m, 0, 1) }))
    assert.equal(turned.plan(x, mask).onHost, [])
    const direct = attention(x, x, x, { mask: jit((m: Tensor): Tensor => swapAxes(m, 0, 1))(mask) })
    assert.equal([...toArraySync(turned(x, mask))], [...toArraySync(direct)])
  })
})

test.after(() => wasm.close())

test.run()
