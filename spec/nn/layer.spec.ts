/** Laws of single layers: what they begin as, what chance does, where positions are, what is refused. */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  jit,
  arange,
  matmul,
  mul,
  ones,
  random,
  reshape,
  sliceAxis,
  stack,
  sum,
  swapAxes,
  tensor,
  toArraySync,
  vjp,
  zeros,
} from '../../core/index.ts'
import type { Shape, Tensor } from '../../core/index.ts'
import * as nn from '../../nn/index.ts'
import type { Initialiser } from '../../nn/index.ts'
import { messageOf } from './message.ts'
import { assertSame } from './reference.ts'

const normal = (seed: number, ...shape: readonly number[]): Tensor => random.normal(random.key(seed), shape)
const close = (actual: number, expected: number, tolerance: number, what: string): void =>
  assert.ok(
    Math.abs(actual - expected) <= tolerance,
    `${what}: expected ${expected} ± ${tolerance}, got ${actual}`,
  )

const initialiser = suite('initialisers')

/** Mean, standard deviation and largest size of what an initialiser makes. */
const momentsOf = (make: Initialiser, shape: Shape): { mean: number; deviation: number; most: number } => {
  const values = Array.from(toArraySync(make(random.key(1), shape, nn.fansOf(shape))))
  const mean = values.reduce((total, x) => total + x, 0) / values.length
  const variance = values.reduce((total, x) => total + (x - mean) ** 2, 0) / values.length
  return { mean, deviation: Math.sqrt(variance), most: Math.max(...values.map(Math.abs)) }
}

// A weight of 60 → 90: deviation, and largest size where there is a bound.
const expected: Readonly<Record<string, readonly [Initialiser, deviation: number, bound?: number]>> = {
  zeros: [nn.zeroInitialiser, 0, 0],
  uniform: [nn.uniform(-0.3, 0.3), 0.3 / Math.sqrt(3), 0.3],
  normal: [nn.normal(0.02), 0.02],
  truncatedNormal: [nn.truncatedNormal(0.02), 0.02 * 0.8796256610342398, 0.04],
  xavierUniform: [nn.xavierUniform(), Math.sqrt(2 / 150), Math.sqrt(6 / 150)],
  'xavierUniform with gain': [nn.xavierUniform(2), 2 * Math.sqrt(2 / 150), 2 * Math.sqrt(6 / 150)],
  xavierNormal: [nn.xavierNormal(), Math.sqrt(2 / 150)],
  kaimingUniform: [nn.kaimingUniform(), Math.sqrt(2 / 60), Math.sqrt(6 / 60)],
  'kaimingUniform, out, leaky': [
    nn.kaimingUniform({ fan: 'out', slope: 0.5 }),
    Math.sqrt(2 / 1.25 / 90),
    Math.sqrt(6 / 1.25 / 90),
  ],
  kaimingNormal: [nn.kaimingNormal(), Math.sqrt(2 / 60)],
  lecunNormal: [nn.lecunNormal, Math.sqrt(1 / 60), (2 * Math.sqrt(1 / 60)) / 0.8796256610342398],
  torchUniform: [nn.torchUniform, 1 / Math.sqrt(3 * 60), 1 / Math.sqrt(60)],
}

for (const [name, [make, deviation, bound]] of Object.entries(expected))
  initialiser(name, () => {
    const found = momentsOf(make, [60, 90])
    close(found.mean, 0, (4 * deviation) / Math.sqrt(5400), 'mean')
    close(found.deviation, deviation, 0.03 * deviation, 'deviation')
    if (bound !== undefined) {
      assert.ok(found.most <= bound * (1 + 1e-6), `${found.most} is beyond ${bound}`)
      assert.ok(found.most >= bound * 0.97, `${found.most} does not come near ${bound}`)
    }
  })

initialiser('fans are the last two axes times those before', () => {
  assert.equal(nn.fansOf([5, 7]), { fanIn: 5, fanOut: 7 })
  assert.equal(nn.fansOf([3, 2, 5, 7]), { fanIn: 30, fanOut: 42 })
  assert.equal(nn.fansOf([7]), { fanIn: 7, fanOut: 7 })
})

initialiser('linear, attention and embedding begin as in PyTorch', () => {
  const key = random.key(3)
  const { weight, bias } = nn.linear(100, 30).init(key)
  for (const x of [weight, bias as Tensor])
    close(Math.max(...toArraySync(x).map(Math.abs)), 0.1, 0.008, 'linear')
  const heads = nn.multiHeadAttention({ width: 32, heads: 2 }).init(key)
  close(Math.max(...toArraySync(heads.query.weight).map(Math.abs)), Math.sqrt(6 / (4 * 32)), 0.01, 'query')
  close(Math.max(...toArraySync(heads.output.weight).map(Math.abs)), Math.sqrt(1 / 32), 0.01, 'output')
  assert.ok(toArraySync(heads.query.bias as Tensor).every((x) => x === 0))
  const table = nn.embedding(50, 20, { paddingIndex: 3 }).init(key).weight
  assert.ok(toArraySync(sliceAxis(table, 0, 3, 4)).every((x) => x === 0))
  assert.ok(toArraySync(sliceAxis(table, 0, 0, 3)).every((x) => x !== 0))
})

initialiser.run()

const dropout = suite('dropout')

dropout('drops the share it is told, and keeps the expectation', () => {
  fc.assert(
    fc.property(fc.nat(1000), fc.constantFrom(0.1, 0.3, 0.5, 0.9), (seed, rate) => {
      const out = toArraySync(nn.dropout(rate).apply({}, nn.training(random.key(seed)))(ones([4000])))
      const dropped = out.filter((x) => x === 0).length
      close(dropped / 4000, rate, 5 * Math.sqrt((rate * (1 - rate)) / 4000), 'share')
      assert.ok(out.every((x) => x === 0 || x === Math.fround(1 / Math.fround(1 - rate))))
    }),
    { numRuns: 10 },
  )
})

dropout('does nothing in evaluation or at rate 0, and passes gradients where it keeps', async () => {
  const x = normal(1, 20)
  assert.is(nn.dropout(0.5).apply({}, nn.evaluation)(x), x)
  assert.is(nn.dropout(0).apply({}, nn.training(random.key(1)))(x), x)
  const f = nn.dropout(0.5).apply({}, nn.training(random.key(1)))
  const { pullback } = vjp(f, x)
  await assertSame(pullback(ones([20]))[0], f(ones([20])), 'gradient')
  assert.is(
    messageOf(() => nn.dropout(1)),
    'dropout: the rate must be in [0, 1), got 1',
  )
})

dropout.run()

const position = suite('positions')

position('sinusoidal is the formula', async () => {
  const width = 6
  const angle = (p: number, i: number): number => p / 10000 ** ((2 * i) / width)
  const rows = Array.from({ length: 40 }, (_, p) =>
    [0, 1, 2].flatMap((i) => [Math.sin(angle(p, i)), Math.cos(angle(p, i))]),
  )
  await assertSame(nn.sinusoidal(arange(40), width), tensor(rows), 'interleaved')
  const halves = rows.map((row) => [0, 2, 4, 1, 3, 5].map((i) => row[i] as number))
  await assertSame(nn.sinusoidal(arange(40), width, { interleaved: false }), tensor(halves), 'halves')
  const x = normal(1, 2, 5, 6)
  const added = nn.sinusoidalPositions().apply({}, nn.evaluation)(x)
  await assertSame(
    added,
    stack(toRows(x).map((row) => sum(stack([row, tensor(rows.slice(0, 5))]), { axis: 0 }))),
    'layer',
  )
})

const toRows = (x: Tensor): readonly Tensor[] =>
  Array.from({ length: x.shape[0] as number }, (_, i) => reshape(sliceAxis(x, 0, i, i + 1), x.shape.slice(1)))

position('learned positions are the first rows of a table, which ends', async () => {
  const layer = nn.learnedPositions(4, 6)
  const params = layer.init(random.key(1))
  await assertSame(
    layer.apply(params, nn.evaluation)(zeros([3, 6])),
    sliceAxis(params.weight, 0, 0, 3),
    'rows',
  )
  assert.is(
    messageOf(() => layer.apply(params, nn.evaluation)(zeros([2, 5, 6]))),
    'learnedPositions: the sequence is longer than the table, got [2, 5, 6] and [4, 6]',
  )
})

/** Pairs as complex numbers times e^(iθp), on the host. */
const turned = (
  row: readonly number[],
  p: number,
  pairs: readonly (readonly [number, number])[],
): readonly number[] => {
  const out = [...row]
  pairs.forEach(([a, b], i) => {
    const angle = p / 10000 ** (i / pairs.length)
    const [x, y] = [row[a] as number, row[b] as number]
    out[a] = x * Math.cos(angle) - y * Math.sin(angle)
    out[b] = x * Math.sin(angle) + y * Math.cos(angle)
  })
  return out
}

position('rotary turns pairs, halves or neighbours, all or some', async () => {
  const rows = [0, 1, 2, 3, 4].map((p) => Array.from(toArraySync(normal(p, 6))))
  const x = tensor(rows)
  const by = (pairs: readonly (readonly [number, number])[], places = [0, 1, 2, 3, 4]): Tensor =>
    tensor(rows.map((row, i) => turned(row, places[i] as number, pairs)))
  await assertSame(
    nn.rotary(x),
    by([
      [0, 3],
      [1, 4],
      [2, 5],
    ]),
    'halves',
  )
  await assertSame(
    nn.rotary(x, { interleaved: true }),
    by([
      [0, 1],
      [2, 3],
      [4, 5],
    ]),
    'neighbours',
  )
  await assertSame(
    nn.rotary(x, { dimensions: 4 }),
    by([
      [0, 2],
      [1, 3],
    ]),
    'some',
  )
  const places = [3, 1, 4, 1, 5]
  await assertSame(
    nn.rotary(x, { dimensions: 4 }, tensor(places, { dtype: 'int32' })),
    by(
      [
        [0, 2],
        [1, 3],
      ],
      places,
    ),
    'places',
  )
  const slow = nn.rotary(x, { rescale: (f) => mul(f, 0) })
  await assertSame(slow, x, 'rescaled to nothing')
})

position('scores of rotated queries and keys depend on distance alone', async () => {
  const [q, k] = [normal(1, 2, 3, 4, 8), normal(2, 2, 3, 4, 8)]
  const at = (offset: number): Tensor => {
    const places = tensor(
      [0, 1, 2, 3].map((p) => p + offset),
      { dtype: 'int32' },
    )
    const both = stack([places, places]) // [batch, time]
    return matmul(nn.rotary(q, {}, both), swapAxes(nn.rotary(k, {}, both), -1, -2))
  }
  await assertSame(at(5), at(0), 'scores')
})

position('what cannot be turned is told', () => {
  assert.is(
    messageOf(() => nn.rotary(zeros([4, 5]))),
    'rotary: cannot turn 5 numbers, an even part of the last axis, got [4, 5]',
  )
  assert.is(
    messageOf(() => nn.rotary(zeros([4, 6]), {}, arange(3))),
    'rotary: positions must be [time] or [batch, time], got [3] and [4, 6]',
  )
  assert.is(
    messageOf(() => nn.sinusoidal(arange(3), 5)),
    'positions: the width must be even, got 5',
  )
})

position.run()

const embedding = suite('embedding')

embedding('the shared output layer scores by rows of the table', async () => {
  const table = nn.embedding(7, 4)
  const params = table.init(random.key(1))
  const x = normal(2, 2, 3, 4)
  await assertSame(nn.unembed(params)(x), matmul(x, swapAxes(params.weight, 0, 1)), 'scores')
  assert.equal(nn.unembed(params, zeros([7]))(x).shape, [2, 3, 7])
  assert.is(
    messageOf(() => nn.unembed(params)(zeros([2, 5]) as Tensor)),
    "unembed: the input's last axis must be the table's width, got [2, 5] and [7, 4]",
  )
})

embedding(
  'refuses ids beyond the table where they are known; a compiled function reads the nearest row',
  () => {
    const table = nn.embedding(7, 4)
    const params = table.init(random.key(0))
    const rows = (ids: readonly number[]): Tensor =>
      table.apply(params, nn.evaluation)(tensor(ids, { dtype: 'int32' }))
    assert.match(
      messageOf(() => rows([0, 6, 7])),
      'embedding: ids must be 0 to 6, rows of the table, got 7',
    )
    assert.match(
      messageOf(() => rows([-1])),
      'got -1',
    )
    const compiled = jit((ids: Tensor) => table.apply(params, nn.evaluation)(ids))
    assert.equal(toArraySync(compiled(tensor([7], { dtype: 'int32' }))), toArraySync(rows([6])))
  },
)

embedding('refuses ids that are not integers and padding that is no id', () => {
  const table = nn.embedding(7, 4)
  assert.is(
    messageOf(() => table.apply(table.init(random.key(1)), nn.evaluation)(zeros([2]))),
    'embedding: ids must be int32, got float32',
  )
  assert.is(
    messageOf(() => nn.embedding(7, 4, { paddingIndex: 7 })),
    'embedding: the padding index must be one of 7 ids, got 7',
  )
})

embedding('which ids are padding', () => {
  const ids = tensor(
    [
      [3, 0],
      [0, 2],
    ],
    { dtype: 'int32' },
  )
  assert.equal(Array.from(toArraySync(nn.notPadding(ids, 0))), [1, 0, 0, 1])
})

embedding.run()

const activation = suite('activations')

activation('by name or as they are', () => {
  assert.is(nn.activationOf('gelu'), nn.gelu)
  assert.is(nn.activationOf(nn.silu), nn.silu)
  assert.equal(nn.activations.linear, nn.activationOf('linear'))
  assert.is(
    messageOf(() => nn.glu(zeros([2, 3]))),
    'glu: the last axis must have two halves, got [2, 3]',
  )
})

activation('finite, with finite derivatives, at large and small numbers', () => {
  const x = tensor([-1e12, -1e4, -100, -1e-30, 0, 1e-30, 100, 1e12])
  for (const [name, f] of Object.entries(nn.activations)) {
    const { value, pullback } = vjp(f, x)
    for (const y of [value, ...pullback(ones([8]))])
      assert.ok(toArraySync(y).every(Number.isFinite), `${name}: ${toArraySync(y).join()}`)
  }
})

activation.run()

const option = suite('options')

const x = zeros([1, 2, 4])
const block = { width: 4, heads: 2, hidden: 8 } as const
const kept = nn.linear(4, 4)

/** What takes options, with one more than it knows. */
const optional: Readonly<Record<string, (wrong: { readonly wrong: 1 }) => unknown>> = {
  linear: (wrong) => nn.linear(4, 4, wrong as never),
  convolution1d: (wrong) => nn.convolution1d(4, 4, 3, wrong as never),
  transposedConvolution2d: (wrong) => nn.transposedConvolution2d(4, 4, 3, wrong as never),
  embedding: (wrong) => nn.embedding(4, 4, wrong as never),
  layerNorm: (wrong) => nn.layerNorm(4, wrong as never),
  rmsNorm: (wrong) => nn.rmsNorm(4, wrong as never),
  groupNorm: (wrong) => nn.groupNorm(2, 4, wrong as never),
  batchNorm: (wrong) => nn.batchNorm(4, wrong as never),
  rnn: (wrong) => nn.rnn(4, 4, wrong as never),
  lstm: (wrong) => nn.lstm(4, 4, wrong as never),
  sinusoidal: (wrong) => nn.sinusoidal(arange(2), 4, wrong as never),
  sinusoidalPositions: (wrong) => nn.sinusoidalPositions(wrong as never),
  learnedPositions: (wrong) => nn.learnedPositions(4, 4, wrong as never),
  rotary: (wrong) => nn.rotary(x, wrong as never),
  dotProductAttention: (wrong) => nn.dotProductAttention(x, x, x, wrong as never),
  multiHeadAttention: (wrong) => nn.multiHeadAttention({ width: 4, heads: 2, ...wrong }),
  feedForward: (wrong) => nn.feedForward({ width: 4, hidden: 8, ...wrong }),
  gatedFeedForward: (wrong) => nn.swiglu({ width: 4, hidden: 8, ...wrong }),
  encoderLayer: (wrong) => nn.encoderLayer({ ...block, ...wrong }),
  encoder: (wrong) => nn.encoder({ ...block, layers: 1, ...wrong }),
  decoderLayer: (wrong) => nn.decoderLayer({ ...block, ...wrong }),
  decoder: (wrong) => nn.decoder({ ...block, layers: 1, ...wrong }),
  lora: (wrong) => nn.lora({ rank: 1, ...wrong }),
  quantize: (wrong) => nn.quantize(kept, kept.init(random.key(0)), wrong as never),
  kaimingNormal: (wrong) => nn.kaimingNormal(wrong as never),
}

for (const [name, f] of Object.entries(optional))
  option(`${name} has none by another name`, () => {
    const message = messageOf(() => f({ wrong: 1 }))
    assert.ok(message.startsWith(`${name}: there is no option 'wrong', there is `), message)
  })

option('what belongs to a stack is none of a layer, and what is told to attention is looked at', () => {
  const stacked = { ...block, layers: 2 }
  assert.match(
    messageOf(() => nn.encoderLayer(stacked)),
    /^encoderLayer: there is no option 'layers'/,
  )
  const attention = { headwidth: 4 } as never
  assert.match(
    messageOf(() => nn.encoder({ ...stacked, attention })),
    /^multiHeadAttention: there is no option 'headwidth'/,
  )
})

option.run()
