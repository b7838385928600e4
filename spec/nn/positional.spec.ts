/** Heads that begin by looking at neighbours, in networks as they are built. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { random, sliceAxis, toArraySync, tree } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import { evaluation, multiHeadAttention, positionalHeads, withTaps } from '../../nn/index.ts'
import type { AttentionParams, PositionedParams } from '../../nn/index.ts'
import { bert, bertConfig, gpt, gptConfig } from '../../models/index.ts'

const test = suite('positional heads')

const vocabularySize = 200

/** The first layer's weights at random ids, as (head, query, key) => weight, of the one text. */
const weightsOf = (taps: Readonly<Record<string, Tensor>>, path: string) => {
  const weights = taps[path] as Tensor // [1, heads, time, time]
  const time = weights.shape[3] as number
  const data = toArraySync(weights)
  return (head: number, query: number, key: number): number =>
    data[(head * time + query) * time + key] as number
}

for (const [width, heads, length] of [
  [64, 4, 24],
  [128, 4, 64],
  [256, 2, 400],
] as const)
  test(`BERT, width ${width}, ${heads} heads, ${length} places: each head looks at its neighbour`, () => {
    const config = bertConfig({ vocabularySize, width, heads, layers: 2, hidden: 64, maxLength: length })
    const drawn = bert(config).init(random.key(1))
    const offsets = [-1, 1, -2].slice(0, heads)
    const { embeddings, block } = positionalHeads(
      { embeddings: drawn.embeddings, block: drawn.encoder.block },
      { heads, offsets },
    )
    const params = { ...drawn, embeddings, encoder: { ...drawn.encoder, block } }
    assert.equal(
      tree.entries(params).map(([path, { shape, dtype }]) => [path, shape, dtype]),
      tree.entries(drawn).map(([path, { shape, dtype }]) => [path, shape, dtype]),
    )
    const ids = random.randint(random.key(2), [1, length], { low: 1, high: vocabularySize })
    const path = 'encoder/block/0/attention/weights'
    const weights = (p: typeof drawn): ReturnType<typeof weightsOf> =>
      weightsOf(withTaps(bert(config), [path]).apply(p, evaluation)({ ids }).taps, path)
    const [after, before] = [weights(params), weights(drawn)]
    offsets.forEach((offset, head) => {
      for (let query = 0; query < length; query++) {
        const key = query + offset
        if (key < 0 || key >= length) continue
        const [now, then] = [after(head, query, key), before(head, query, key)]
        assert.ok(now > 0.4, `head ${head} gives ${now} to ${key} from ${query}`)
        assert.ok(then < 0.1, `drawn at random, head ${head} gives ${then}`)
      }
    })
    if (offsets.length < heads) assert.ok(Math.abs(after(heads - 1, 5, 4) - 1 / length) < 0.05)
  })

test('GPT looks back', () => {
  const config = gptConfig({ vocabularySize, width: 64, heads: 4, layers: 1, maxLength: 32 })
  const drawn = gpt(config).init(random.key(1))
  const { embeddings, block } = positionalHeads(
    { embeddings: drawn.embeddings, block: drawn.decoder.block },
    { heads: 4, offsets: [-1, -2, -3, -4] },
  )
  const params = { ...drawn, embeddings, decoder: { ...drawn.decoder, block } }
  const path = 'decoder/block/0/attention/weights'
  const ids = random.randint(random.key(2), [1, 32], { low: 0, high: vocabularySize })
  const weights = weightsOf(withTaps(gpt(config), [path]).apply(params, evaluation)({ ids }).taps, path)
  for (let query = 4; query < 32; query++)
    for (let head = 0; head < 4; head++) assert.ok(weights(head, query, query - head - 1) > 0.4)
})

test('without offsets nothing changes; heads without one stay as they are', () => {
  const drawn: PositionedParams = {
    embeddings: {
      word: { weight: random.normal(random.key(0), [10, 16]) },
      position: { weight: random.normal(random.key(1), [8, 16]) },
    },
    block: [{ attention: multiHeadAttention({ width: 16, heads: 4 }).init(random.key(2)) }],
  }
  assert.is(positionalHeads(drawn, { heads: 4, offsets: [] }), drawn)
  const attentionOf = ({ block }: PositionedParams): AttentionParams =>
    (block[0] as (typeof block)[number]).attention
  const [after, before] = [positionalHeads(drawn, { heads: 4, offsets: [3] }), drawn].map(attentionOf)
  const rest = (weight: Tensor, axis: 0 | 1): unknown => toArraySync(sliceAxis(weight, axis, 4))
  for (const [name, axis] of [
    ['query', 1],
    ['key', 1],
    ['value', 1],
    ['output', 0],
  ] as const)
    assert.equal(
      rest((after as AttentionParams)[name].weight, axis),
      rest((before as AttentionParams)[name].weight, axis),
    )
})

test('what does not fit is refused', () => {
  const of = (width: number, attention: AttentionParams): PositionedParams => ({
    embeddings: {
      word: { weight: random.normal(random.key(0), [10, width]) },
      position: { weight: random.normal(random.key(1), [8, width]) },
    },
    block: [{ attention }],
  })
  const attention = multiHeadAttention({ width: 16, heads: 4 }).init(random.key(2))
  const shared = multiHeadAttention({ width: 16, heads: 4, keyValueHeads: 2 }).init(random.key(2))
  assert.throws(
    () => positionalHeads(of(16, attention), { heads: 4, offsets: [1, 2, 3, 4, 5] }),
    /at most one for each of 4 heads/,
  )
  assert.throws(() => positionalHeads(of(16, attention), { heads: 4, offsets: [0.5] }), /whole numbers/)
  assert.throws(() => positionalHeads(of(8, attention), { heads: 4, offsets: [1] }), /of one width/)
  const narrow = multiHeadAttention({ width: 16, heads: 16 }).init(random.key(2))
  assert.throws(() => positionalHeads(of(16, narrow), { heads: 16, offsets: [1] }), /2 wide, got 1/)
  assert.throws(() => positionalHeads(of(16, shared), { heads: 4, offsets: [1] }), /a key of its own/)
})

test.run()
