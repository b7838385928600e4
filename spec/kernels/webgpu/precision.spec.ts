/** Products in float16: refused where there is none, and as exact as is told where there is. */
import { either as E } from 'fp-ts'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  attention,
  fromArray,
  grad,
  item,
  jit,
  mul,
  random,
  sum,
  toArray,
  withEngine,
} from '../../../core/index.ts'
import type { Engine, Key, Tensor } from '../../../core/index.ts'
import { referenceEngine } from '../../../kernels/index.ts'
import type { Memory } from '../../../kernels/index.ts'
import type { WebGpuEngine } from '../../../kernels/webgpu/index.ts'
import { gpt, gptConfig } from '../../../models/index.ts'
import { training } from '../../../nn/index.ts'
import { adamW, causalLanguageModelling, initState, makeStep } from '../../../training/index.ts'
import { agreesOn } from '../../law/engine.ts'
import { skip } from '../../support/skip.ts'
import { gpuForTests } from '../../support/webgpu.ts'
import { product } from '../../support/product.ts'

const test = suite('webgpu precision')

/** WGSL lets a driver take either of the two neighbours in float16. */
const unit = 2 ** -10

const drawn = (seed: number, size: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: size }, (_, i) => Math.sin(seed + 12.9898 * i) * 4)

/** The gradients and the value of causal attention, its loss a product with `weights`. */
const attended = (engine: Engine): Promise<readonly (readonly number[])[]> =>
  withEngine(engine, () => {
    const [x, weights] = [
      random.normal(random.key(1), [2, 70, 16]),
      random.normal(random.key(2), [2, 70, 16]),
    ]
    const f = (y: Tensor): Tensor => attention(y, y, y, { causal: 0 })
    const gradient = jit(grad((y: Tensor): Tensor => sum(mul(f(y), weights))))
    return Promise.all([jit(f)(x), gradient(x)].map(async (y) => Array.from(await toArray(y), Number)))
  })

const model = gpt(gptConfig({ vocabularySize: 32, width: 32, layers: 1, heads: 2, maxLength: 16 }))

/** Losses of a GPT that learns to count, one each step. */
const losses = async (engine: Engine, steps: number): Promise<readonly number[]> => {
  const optimizer = adamW({ learningRate: 0.01 })
  const begun = withEngine(engine, () => {
    const params = model.init(random.key(0))
    const objective = (p: typeof params, ids: Tensor, key: Key) =>
      causalLanguageModelling(model.apply(p, training(key))({ ids }).logits, ids)
    return {
      state: initState(params, optimizer, random.key(1)),
      batch: fromArray(
        Int32Array.from({ length: 4 * 16 }, (_, i) => (i * 5 + (i >> 4)) % 32),
        [4, 16],
      ),
      step: makeStep({ objective, optimizer }),
    }
  })
  let { state } = begun
  const found: number[] = []
  for (let n = 0; n < steps; n++) {
    const [next, { loss }] = withEngine(engine, () => begun.step(state, begun.batch))
    state = next
    found.push(await item(loss))
  }
  return found
}

const onGpu = (engine: WebGpuEngine): void => {
  test('the engine tells it', () => assert.match(engine.detail, 'products in float16, added up in float32'))

  test('a product is off by no more than what rounding its factors to float16 gives', async () => {
    for (const [m, k, n] of [
      [70, 200, 90],
      [16, 8, 16],
      [130, 1030, 33],
    ] as const) {
      const [a, b] = [drawn(m, m * k), drawn(n, k * n)]
      const memories = [a, b].map((data) => engine.upload(data))
      const [result] = engine.compile(product('float32', m, k, n)).run(memories) as [Memory]
      const found = await engine.read(result)
      for (const memory of [...memories, result]) engine.release(memory)
      let largest = 0
      for (let at = 0; at < m * n; at++) {
        const [row, column] = [Math.floor(at / n), at % n]
        let [exact, norm] = [0, 0]
        for (let i = 0; i < k; i++) {
          const term = (a[row * k + i] as number) * (b[i * n + column] as number)
          exact += term
          norm += Math.abs(term)
        }
        const share = Math.abs((found[at] as number) - exact) / norm
        assert.ok(share <= 2 * unit + unit ** 2 + k * 2 ** -24, `${m}×${k}×${n} at ${at}: ${share}`)
        largest = Math.max(largest, share)
      }
      assert.ok(largest > 2 ** -18, `off by ${largest} at most, which no float16 is`)
    }
  })

  test('products of integers are exact', async () => {
    const whole = [1, 2].map((seed) => Int32Array.from(drawn(seed, 32 * 32), (x) => Math.round(1e4 * x)))
    const program = product('int32', 32, 32, 32)
    await agreesOn(engine, { program, inputs: whole, tolerances: [0] })
  })

  test('attention and its gradient follow the reference', async () => {
    const [actual, expected] = [await attended(engine), await attended(referenceEngine())]
    actual.forEach((values, i) => {
      const scale = Math.max(...(expected[i] as readonly number[]).map(Math.abs))
      values.forEach((x, j) => {
        if (!(Math.abs(x - (expected[i]?.[j] as number)) <= 0.01 * scale))
          assert.unreachable(`result ${i}[${j}] is ${x}, not ${expected[i]?.[j]}`)
      })
    })
  })

  test('the losses of a GPT stay within 2 % of those of the reference over 30 steps', async () => {
    const [actual, expected] = [await losses(engine, 30), await losses(referenceEngine(), 30)]
    console.log(`losses ${actual.at(0)} to ${actual.at(-1)}, the reference's ${expected.at(-1)}`)
    assert.ok((expected.at(-1) as number) < 0.5 * (expected[0] as number), 'it learns')
    actual.forEach((loss, step) => {
      const wanted = expected[step] as number
      assert.ok(Math.abs(loss - wanted) <= 0.02 * wanted, `step ${step}: ${loss}, not ${wanted}`)
    })
  })

  test.after(() => engine.close())
}

const opened = await gpuForTests({ matmulPrecision: 'float16' })
if (E.isRight(opened)) onGpu(opened.right)
else {
  const plain = await gpuForTests()
  if (E.isRight(plain))
    test('where there is no float16, that is said', () =>
      assert.is(
        opened.left,
        `webgpu: products in float16 were asked for, but ${plain.right.adapter.name} has no float16 (shader-f16)`,
      ))
  skip(test, 'products in float16', opened.left)
}

test.run()
