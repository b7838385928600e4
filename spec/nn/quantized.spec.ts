/** Matrices that are quantized, or only turned over: the same function where no number is rounded, and a bounded error where they are. */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  abs,
  fromArray,
  matmul,
  max,
  random,
  swapAxes,
  tensor,
  toArraySync,
  tree,
  withEngine,
} from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import { referenceEngine } from '../../kernels/index.ts'
import * as nn from '../../nn/index.ts'
import type { StoredPrecision } from '../../nn/index.ts'
import { packed, unpacked } from '../../nn/packed.ts'
import { bfloat16ToFloat32, float16ToFloat32, float32ToBfloat16, float32ToFloat16 } from '../../core/half.ts'
import { messageOf } from './message.ts'

const storing = suite('quantized matrices')

const normal = (seed: number, shape: readonly number[]): Tensor => random.normal(random.key(seed), shape)
const numbers = (x: Tensor): readonly number[] => [...toArraySync(x)]
const most = { int8: 127, int4: 7 }

const sizes = fc.record({
  inputs: fc.integer({ min: 1, max: 12 }).map((n) => 8 * n + 24),
  outputs: fc.integer({ min: 33, max: 70 }),
  rows: fc.integer({ min: 1, max: 9 }),
  seed: fc.nat({ max: 1000 }),
})

for (const precision of ['int8', 'int4'] as const)
  storing(`a linear map's error is at most half a step of each weight: ${precision}`, () => {
    fc.assert(
      fc.property(sizes, ({ inputs, outputs, rows, seed }) => {
        const layer: nn.Layer<nn.LinearParams, Tensor, Tensor> = nn.linear(inputs, outputs)
        const params = { weight: normal(seed, [inputs, outputs]), bias: normal(seed + 1, [outputs]) }
        const x = normal(seed + 2, [rows, inputs])
        const exact = numbers(layer.apply(params, nn.evaluation)(x))
        const kept = nn.quantize(layer, params, { precision })
        const found = numbers(nn.quantized(layer).apply(kept, nn.evaluation)(x))
        const [largest] = [numbers(max(abs(params.weight), { axis: 0 }))]
        const taken = numbers(abs(x))
        found.forEach((y, i) => {
          const row = Math.floor(i / outputs)
          const sum = taken.slice(row * inputs, (row + 1) * inputs).reduce((a, b) => a + b, 0)
          const half = (largest[i % outputs] as number) / most[precision] / 2
          const off = Math.abs(y - (exact[i] as number))
          assert.ok(off <= half * sum + 1e-4, `output ${i} is ${off} off, allowed ${half * sum}`)
        })
      }),
      { numRuns: 25 },
    )
  })

const halves = {
  bfloat16: { bits: 8, round: (x: Float32Array) => bfloat16ToFloat32(float32ToBfloat16(x)) },
  float16: { bits: 11, round: (x: Float32Array) => float16ToFloat32(float32ToFloat16(x)) },
} as const

/** Numbers of every size that fits, those between two neighbours of 16 bits, and what is no number. */
const hardNumbers = (form: keyof typeof halves): Float32Array => {
  const lowest = form === 'float16' ? -26 : -140
  const numbers = Float32Array.from({ length: 64 * 128 }, (_, i) => {
    const size =
      (1 + ((i * 37) % 2048) / 1024 + ((i % 3) - 1) * 2 ** -12) * 2 ** (lowest + (i % (13 - lowest)))
    return i % 2 === 0 ? size : -size
  })
  numbers.set([0, -0, 65504, -65504, 1 + 2 ** -8, 1 + 3 * 2 ** -8, 1 + 2 ** -11, 1 + 3 * 2 ** -11])
  return numbers
}

for (const form of ['bfloat16', 'float16'] as const) {
  storing(`${form} rounds to nearest, half to even, to the bit, and gives the numbers back in order`, () => {
    const given = hardNumbers(form)
    const matrix = packed(fromArray(given, [64, 128]), form)
    assert.is(matrix.scale, undefined)
    assert.equal(matrix.words.shape, [64, 64])
    const wanted = halves[form].round(given)
    // In a file the numbers stand one behind the other, from the lowest bits of each word on.
    const stored = form === 'bfloat16' ? float32ToBfloat16(given) : float32ToFloat16(given)
    assert.equal(numbers(matrix.words), [...new Int32Array(stored.buffer)])
    numbers(unpacked(matrix.words, form)).forEach((x, i) => assert.ok(Object.is(x, wanted[i]), `${x}, ${i}`))
  })

  storing(`a linear map of ${form} is that of the rounded weights, for few rows and many`, () => {
    fc.assert(
      fc.property(sizes, ({ inputs, outputs, rows, seed }) => {
        const layer: nn.Layer<nn.LinearParams, Tensor, Tensor> = nn.linear(inputs, outputs)
        const params = { weight: normal(seed, [inputs, outputs]), bias: normal(seed + 1, [outputs]) }
        const rounded = halves[form].round(Float32Array.from(numbers(params.weight)))
        const weight = fromArray(rounded, [inputs, outputs])
        const x = normal(seed + 2, [rows, inputs])
        const kept = nn.quantize(layer, params, { precision: form })
        const found = numbers(nn.quantized(layer).apply(kept, nn.evaluation)(x))
        const wanted = numbers(layer.apply({ ...params, weight }, nn.evaluation)(x))
        found.forEach((y, i) => assert.ok(Math.abs(y - (wanted[i] as number)) <= 1e-4, `${y}, ${wanted[i]}`))
      }),
      { numRuns: 25 },
    )
  })
}

storing(
  'bfloat16 keeps infinities and NaN; float16 stops at its largest number; neither touches a neighbour',
  () => {
    const given = Float32Array.of(Infinity, -1, NaN, 2, -Infinity, 3, 3.4e38, -3.4e38)
    const one = (form: keyof typeof halves): readonly number[] =>
      numbers(unpacked(packed(fromArray(given, [1, 8]), form).words, form))
    assert.equal(one('bfloat16'), [Infinity, -1, NaN, 2, -Infinity, 3, Infinity, -Infinity])
    const [largest, , no, ...rest] = one('float16')
    assert.equal([largest, ...rest], [65504, 2, -65504, 3, 65504, -65504])
    assert.ok((no as number) > 65504, 'NaN stands beyond all numbers')
  },
)

storing('what integers hold exactly comes back exactly, negative numbers and rows of zeros too', () => {
  for (const precision of ['int8', 'int4'] as const) {
    const top = most[precision]
    const whole = Array.from({ length: 64 }, (_, column) =>
      Array.from({ length: 32 }, (_, row) =>
        column === 5 ? 0 : row === 0 ? -top : ((row * 7 + column) % (2 * top + 1)) - top,
      ),
    )
    const weight = swapAxes(tensor(whole), 0, 1) // [32, 64]
    const layer: nn.Layer<nn.LinearParams, Tensor, Tensor> = nn.linear(32, 64, { bias: false })
    const kept = nn.quantize(layer, { weight }, { precision })
    for (const rows of [1, 9]) {
      const x = tensor(
        Array.from({ length: rows }, (_, r) => Array.from({ length: 32 }, (_, k) => (k + r) % 3)),
      )
      assert.equal(numbers(nn.quantized(layer).apply(kept, nn.evaluation)(x)), numbers(matmul(x, weight)))
    }
  }
})

storing('a table gives rows and scores, each number at most half a step off', () => {
  const table = nn.embedding(50, 32)
  const params = { weight: normal(3, [50, 32]) }
  const ids = tensor([[4, 49, 0]], { dtype: 'int32' })
  const exact = numbers(table.apply(params, nn.evaluation)(ids))
  for (const precision of ['float32', 'bfloat16', 'float16', 'int8', 'int4'] as const) {
    const kept = nn.quantize(table, params, { precision })
    const rows = numbers(nn.quantized(table).apply(kept, nn.evaluation)(ids))
    const largest = numbers(max(abs(params.weight), { axis: 1 }))
    rows.forEach((x, i) => {
      const step =
        precision === 'float32'
          ? 0
          : precision === 'bfloat16' || precision === 'float16'
            ? Math.abs(exact[i] as number) * 2 ** (1 - halves[precision].bits)
            : (largest[[4, 49, 0][Math.floor(i / 32)] as number] as number) / most[precision]
      assert.ok(Math.abs(x - (exact[i] as number)) <= step / 2 + 1e-6)
    })
    const hidden = normal(5, [2, 32])
    const scores = nn.unembed((kept as { parts: nn.EmbeddingParams }).parts)(hidden)
    assert.equal(scores.shape, [2, 50])
    const wanted = numbers(matmul(hidden, swapAxes(params.weight, 0, 1)))
    const far = Math.max(...numbers(scores).map((x, i) => Math.abs(x - (wanted[i] as number))))
    assert.ok(
      far <= { float32: 1e-5, bfloat16: 0.05, float16: 0.01, int8: 0.3, int4: 4 }[precision],
      `${precision}: ${far}`,
    )
  }
})

const block = nn.encoderLayer({ width: 32, heads: 4, hidden: 64 })
const blocks = nn.scanLayers(2, block)

storing('float32 changes no number of a stack; other engines compute the same of integers', () => {
  const params = blocks.init(random.key(0))
  const x = normal(1, [2, 5, 32])
  const run = (precision: StoredPrecision): readonly number[] =>
    numbers(nn.quantized(blocks).apply(nn.quantize(blocks, params, { precision }), nn.evaluation)({ x }))
  const near = (a: readonly number[], b: readonly number[], bound: number): void =>
    a.forEach((value, i) => assert.ok(Math.abs(value - (b[i] as number)) <= bound))
  near(run('float32'), numbers(blocks.apply(params, nn.evaluation)({ x })), 1e-5)
  const elsewhere = (precision: StoredPrecision): readonly number[] =>
    withEngine(referenceEngine(), () => {
      const own = blocks.init(random.key(0))
      const kept = nn.quantize(blocks, own, { precision })
      return numbers(nn.quantized(blocks).apply(kept, nn.evaluation)({ x: normal(1, [2, 5, 32]) }))
    })
  near(run('int8'), elsewhere('int8'), 1e-4)
  near(run('bfloat16'), elsewhere('bfloat16'), 1e-4)
  near(run('float16'), elsewhere('float16'), 1e-4)
})

storing('half, a quarter or an eighth of the memory is held by 16, 8 or 4 bits', () => {
  const params = nn.linear(512, 512, { bias: false }).init(random.key(0))
  const layer: nn.Layer<nn.LinearParams, Tensor, Tensor> = nn.linear(512, 512, { bias: false })
  const bytes = (x: unknown): number =>
    tree.leaves(x).reduce((sum, { shape }) => sum + 4 * shape.reduce((a, b) => a * b, 1), 0)
  const all = bytes(params)
  assert.equal(
    (['float32', 'bfloat16', 'float16', 'int8', 'int4'] as const).map((precision) =>
      bytes(nn.quantize(layer, params, { precision })),
    ),
    [all, all / 2, all / 2, all / 4 + 4 * 512, all / 8 + 4 * 512],
  )
})

storing('small matrices and rows that fill no words stay; no matrix at all is refused', () => {
  const odd: nn.Layer<nn.LinearParams, Tensor, Tensor> = nn.linear(301, 40)
  const params = odd.init(random.key(0))
  const kept = nn.quantize(odd, params) as { parts: nn.LinearParams }
  assert.is(kept.parts.weight, params.weight)
  const little: nn.Layer<nn.LinearParams, Tensor, Tensor> = nn.linear(8, 8)
  const own = little.init(random.key(0))
  assert.is((nn.quantize(little, own) as { parts: nn.LinearParams }).parts.weight, own.weight)
  const norm = nn.layerNorm(8)
  assert.match(
    messageOf(() => nn.quantize(norm, norm.init(random.key(0)))),
    /the layer tells of no matrix among its parameters/,
  )
})

storing.run()
