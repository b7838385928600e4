/** Laws of attention and its masks. */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  concatenate,
  expandDims,
  full,
  iota,
  less,
  logicalAnd,
  random,
  reshape,
  sliceAxis,
  stack,
  sum,
  take,
  tensor,
  toArraySync,
  vjp,
  where,
  zeros,
} from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import * as nn from '../../nn/index.ts'
import type { Mask } from '../../nn/index.ts'
import { messageOf } from './message.ts'
import { assertSame } from './reference.ts'

const attention = suite('attention')

const normal = (seed: number, ...shape: readonly number[]): Tensor => random.normal(random.key(seed), shape)
const text = (x: Tensor): string => toArraySync(x).join()
const bool = (data: Parameters<typeof tensor>[0]): Mask => tensor(data, { dtype: 'bool' })
/** True at the first `count` of `size`, [size]. */
const firstOf = (count: number, size: number): Mask => less(iota([size], 0), count) as Mask

const layer = nn.multiHeadAttention({ width: 8, heads: 2 })
const params = layer.init(random.key(0))
const attend = (input: nn.AttentionInput): Tensor => layer.apply(params, nn.evaluation)(input)

const seeds = fc.nat(1000)

attention('keys that are padding have no say, and get no gradient', () => {
  fc.assert(
    fc.property(seeds, fc.integer({ min: 1, max: 4 }), (seed, real) => {
      const [query, key, junk] = [normal(seed, 2, 3, 8), normal(seed + 1, 2, 5, 8), normal(seed + 2, 2, 5, 8)]
      const keyMask = stack([firstOf(real, 5), firstOf(real, 5)]) as Mask
      const isReal = expandDims(keyMask, -1) as Mask
      const { value, pullback } = vjp((x: Tensor) => attend({ query, key: x, keyMask }), key)
      assert.is(text(value), text(attend({ query, key: where(isReal, key, junk), keyMask })))
      const [gradient] = pullback(normal(seed + 3, 2, 3, 8))
      assert.ok(toArraySync(sliceAxis(gradient, 1, real)).every((g) => g === 0))
    }),
    { numRuns: 10 },
  )
})

attention('padding put behind the keys changes nothing', async () => {
  const [query, key, junk] = [normal(1, 2, 3, 8), normal(2, 2, 4, 8), normal(3, 2, 2, 8)]
  const keyMask = stack([firstOf(4, 6), firstOf(4, 6)]) as Mask
  const padded = attend({ query, key: concatenate([key, junk], 1), keyMask })
  await assertSame(padded, attend({ query, key }), 'padded')
})

const config = { layers: 2, width: 8, heads: 2, hidden: 16 } as const
const encoder = nn.encoder({ ...config, activation: 'gelu' })
const decoder = nn.decoder({ ...config, preNorm: true })

attention('with causal attention later positions have no say in earlier ones', () => {
  const [encoderParams, decoderParams] = [encoder.init(random.key(1)), decoder.init(random.key(2))]
  const memory = normal(9, 1, 3, 8)
  const stacks: readonly ((x: Tensor) => Tensor)[] = [
    (x) => encoder.apply(encoderParams, nn.evaluation)({ x, causal: true }),
    (x) => decoder.apply(decoderParams, nn.evaluation)({ x, memory }),
  ]
  fc.assert(
    fc.property(seeds, fc.integer({ min: 1, max: 4 }), fc.constantFrom(...stacks), (seed, from, f) => {
      const [x, other] = [normal(seed, 1, 5, 8), normal(seed + 1, 1, 5, 8)]
      const changed = concatenate([sliceAxis(x, 1, 0, from), sliceAxis(other, 1, from)], 1)
      assert.is(text(sliceAxis(f(x), 1, 0, from)), text(sliceAxis(f(changed), 1, 0, from)))
      assert.is.not(text(sliceAxis(f(x), 1, from)), text(sliceAxis(f(changed), 1, from)))
    }),
    { numRuns: 10 },
  )
})

attention('a padded source is the same source to the decoder', async () => {
  const own = decoder.init(random.key(2))
  const [x, memory, junk] = [normal(1, 2, 4, 8), normal(2, 2, 3, 8), normal(3, 2, 2, 8)]
  const run = decoder.apply(own, nn.evaluation)
  const memoryMask = stack([firstOf(3, 5), firstOf(3, 5)]) as Mask
  await assertSame(
    run({ x, memory: concatenate([memory, junk], 1), memoryMask }),
    run({ x, memory }),
    'decoder',
  )
})

attention('weights are shares: at least 0, 1 in sum, 0 where a query may not look', () => {
  const { taps } = nn.withTaps(layer, ['weights']).apply(params, nn.evaluation)({
    query: normal(1, 2, 5, 8),
    keyMask: stack([firstOf(3, 5), firstOf(5, 5)]) as Mask,
    causal: true,
  })
  const weights = taps['weights'] as Tensor
  for (const total of toArraySync(sum(weights, { axis: -1 }))) assert.ok(Math.abs(total - 1) < 1e-6)
  toArraySync(weights).forEach((share, i) => {
    const [keyAt, queryAt, batch] = [i % 5, Math.floor(i / 5) % 5, Math.floor(i / 50)]
    const may = keyAt <= queryAt && (batch === 1 || keyAt < 3)
    assert.ok(may ? share > 0 : share === 0)
  })
})

attention('a query that may look at nothing takes nothing, and its gradient is finite', () => {
  const heads = [normal(1, 1, 2, 3, 4), normal(2, 1, 2, 3, 4), normal(3, 1, 2, 3, 4)] as const
  const keyMask = bool([[false, true, true]])
  const f = (q: Tensor, k: Tensor, v: Tensor): Tensor =>
    nn.dotProductAttention(q, k, v, { keyMask, causal: true }).output
  const { value, pullback } = vjp(f, ...heads)
  assert.ok(toArraySync(sliceAxis(value, 2, 0, 1)).every((x) => x === 0))
  assert.ok(toArraySync(sliceAxis(value, 2, 1)).every((x) => x !== 0))
  const gradients = pullback(normal(4, 1, 2, 3, 4))
  for (const g of gradients) assert.ok(toArraySync(g).every(Number.isFinite))
  assert.ok(toArraySync(sliceAxis(gradients[0], 2, 0, 1)).every((g) => g === 0))
})

attention('what a bias forbids, alone or together with a mask, is as what a mask forbids', async () => {
  const heads = [normal(1, 1, 2, 3, 4), normal(2, 1, 2, 3, 4), normal(3, 1, 2, 3, 4)] as const
  // the first query sees nothing by the bias alone, the second nothing by both, the third one key
  const byBias = bool([
    [false, false, false],
    [false, true, false],
    [true, true, false],
  ])
  const mask = bool([
    [true, true, true],
    [true, false, true],
    [true, false, true],
  ])
  const both = logicalAnd(byBias, mask) as Mask
  const attended = (masks: nn.DotProductOptions) => (q: Tensor, k: Tensor, v: Tensor) =>
    nn.dotProductAttention(q, k, v, masks).output
  const expected = vjp(attended({ mask: both }), ...heads)
  const cotangent = normal(4, 1, 2, 3, 4)
  // -3.4e38 is what Hugging Face's models add
  for (const least of [-Infinity, -3.4e38]) {
    const found = vjp(attended({ mask, bias: where(byBias, 0, full([], least)) }), ...heads)
    await assertSame(found.value, expected.value, `output with ${least}`)
    const gradients = expected.pullback(cotangent)
    for (const [i, g] of found.pullback(cotangent).entries())
      await assertSame(g, gradients[i] as Tensor, `gradient ${i} with ${least}`)
  }
  assert.ok(toArraySync(sliceAxis(expected.value, 2, 0, 2)).every((x) => x === 0))
})

attention('a mask is a bias of -∞, and causal is a triangle', async () => {
  const query = normal(1, 2, 4, 8)
  const mask = nn.causalMask(4)
  assert.equal(Array.from(toArraySync(nn.causalMask(2, 3, 1))), [1, 1, 0, 1, 1, 1])
  const causal = attend({ query, causal: true })
  await assertSame(attend({ query, mask }), causal, 'mask')
  await assertSame(attend({ query, bias: where(mask, 0, full([], -Infinity)) }), causal, 'bias')
})

attention('a mask has the shape [time, keys], [batch, time, keys] or that of the scores', async () => {
  const query = normal(1, 2, 3, 8)
  const flat = bool([
    [true, false, true],
    [true, true, false],
    [false, true, true],
  ])
  const expected = attend({ query, mask: flat })
  for (const shape of [
    [1, 3, 3],
    [2, 3, 3],
    [1, 1, 3, 3],
    [2, 2, 3, 3],
    [2, 1, 3, 3],
  ]) {
    const mask = where(
      reshape(flat, [...shape.slice(0, -2).map(() => 1), 3, 3]) as Mask,
      full(shape, 1, 'bool'),
      zeros(shape, 'bool'),
    ) as Mask
    await assertSame(attend({ query, mask }), expected, `mask [${shape.join()}]`)
  }
  // One batch element's mask is not the other's.
  const none = where(flat, zeros([3, 3], 'bool'), full([3, 3], 1, 'bool')) as Mask
  const two = attend({ query, mask: stack([flat, none]) as Mask })
  await assertSame(sliceAxis(two, 0, 0, 1), sliceAxis(expected, 0, 0, 1), 'first')
  await assertSame(sliceAxis(two, 0, 1, 2), sliceAxis(attend({ query, mask: none }), 0, 1, 2), 'second')
})

attention('batches may have any number of axes', async () => {
  const query = normal(1, 2, 3, 5, 8)
  const merged = attend({ query: reshape(query, [6, 5, 8]), causal: true })
  await assertSame(reshape(attend({ query, causal: true }), [6, 5, 8]), merged, 'two axes')
  const single = attend({
    query: reshape(sliceAxis(reshape(query, [6, 5, 8]), 0, 0, 1), [5, 8]),
    causal: true,
  })
  await assertSame(single, reshape(sliceAxis(merged, 0, 0, 1), [5, 8]), 'none')
})

attention('grouped queries share heads of keys and values', async () => {
  const [q, k, v] = [normal(1, 2, 6, 3, 4), normal(2, 2, 2, 5, 4), normal(3, 2, 2, 5, 3)]
  const heads = tensor([0, 0, 0, 1, 1, 1], { dtype: 'int32' })
  const mask = nn.causalMask(3, 5, 1)
  const shared = nn.dotProductAttention(q, k, v, { mask })
  const repeated = nn.dotProductAttention(q, take(k, heads, 1), take(v, heads, 1), { mask })
  await assertSame(shared.output, repeated.output, 'output')
  await assertSame(shared.weights(), repeated.weights(), 'weights')
  const grouped = nn.multiHeadAttention({ width: 8, heads: 4, keyValueHeads: 2, rotary: {} })
  const own = grouped.init(random.key(0))
  assert.equal(own.key.weight.shape, [8, 4])
  assert.equal(grouped.apply(own, nn.evaluation)({ query: normal(1, 1, 3, 8) }).shape, [1, 3, 8])
})

attention('heads split and merge back', async () => {
  const x = normal(1, 2, 3, 8)
  assert.equal(nn.splitHeads(x, 4).shape, [2, 4, 3, 2])
  await assertSame(nn.mergeHeads(nn.splitHeads(x, 4)), x, 'heads')
})

attention('what does not fit is told', () => {
  const query = zeros([2, 3, 8])
  assert.is(
    messageOf(() => attend({ query, keyMask: full([2, 4], 1, 'bool') })),
    'attention: the key mask must be [batch, keys], got [2, 4] and [2, 3]',
  )
  assert.is(
    messageOf(() => attend({ query, mask: full([3, 4], 1, 'bool') })),
    "attention: the mask must be [time, keys], [batch, time, keys] or the scores' shape, got [3, 4] and [2, 2, 3, 3]",
  )
  assert.is(
    messageOf(() => attend({ query, mask: zeros([3, 3]) as never })),
    'attention: the mask must be bool (true = may look); numbers to add are the bias, got float32',
  )
  assert.is(
    messageOf(() => attend({ query, key: zeros([2, 3, 8]), value: zeros([2, 4, 8]) })),
    'attention: keys and values must go together, got [2, 2, 3, 4] and [2, 2, 4, 4]',
  )
  assert.is(
    messageOf(() => attend({ query, key: zeros([1, 3, 8]) })),
    'attention: query and key must have the same batch, got [2, 2, 3, 4] and [1, 2, 3, 4]',
  )
  assert.is(
    messageOf(() => nn.multiHeadAttention({ width: 8, heads: 3 })),
    'multiHeadAttention: the width 8 cannot be split into 3 heads',
  )
  assert.is(
    messageOf(() => nn.multiHeadAttention({ width: 8, heads: 4, keyValueHeads: 3 })),
    'multiHeadAttention: 3 key heads cannot serve 4 heads',
  )
})

attention.run()
