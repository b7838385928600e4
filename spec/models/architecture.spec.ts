/** What must hold of architectures whatever their weights are. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { grad, random, sliceAxis, sum, take, tensor, toArraySync, tree, zeros } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import * as models from '../../models/index.ts'
import { evaluation, training } from '../../nn/index.ts'
import { messageOf } from '../nn/message.ts'

const architecture = suite('architectures')

const ints = (rows: readonly (readonly number[])[]): Tensor => tensor(rows, { dtype: 'int32' })
const close = (a: Tensor, b: Tensor, what: string, tolerance = 2e-6): void => {
  assert.equal(a.shape, b.shape, what)
  const [x, y] = [toArraySync(a), toArraySync(b)]
  x.forEach((value, i) => assert.ok(Math.abs(value - (y[i] as number)) <= tolerance, `${what} at ${i}`))
}
const differ = (a: Tensor, b: Tensor): boolean => toArraySync(a).some((x, i) => x !== toArraySync(b)[i])
const shaken = <P>(params: P): P => {
  let i = 0
  return tree.map((x) => random.normal(random.key(100 + i++), x.shape), params)
}

const sizes = { vocabularySize: 29, width: 8, layers: 2, heads: 2, maxLength: 12 } as const
const config = models.bertConfig(sizes)
const bert = models.bertForPreTraining(config)
const ids = ints([
  [2, 5, 7, 9, 3],
  [2, 6, 8, 3, 0],
])
const keyMask = ints([
  [1, 1, 1, 1, 1],
  [1, 1, 1, 1, 0],
])

architecture('BERT has its parameters where taps and checkpoints look for them', () => {
  const paths = tree.pathsOf(bert.init(random.key(0)))
  for (const path of [
    'embeddings/word/weight',
    'embeddings/norm/bias',
    'encoder/block/0/attention/query/weight',
    'encoder/block/1/feedForward/up/weight',
    'pooler/weight',
    'predictions/transform/weight',
    'predictions/bias',
    'nextSentence/weight',
  ])
    assert.ok(paths.includes(path), path)
})

architecture('BERT begins as it did: small normal weights, zero biases, no padding', () => {
  const entries = tree.entries(bert.init(random.key(0)))
  for (const [path, x] of entries) {
    const numbers = toArraySync(x)
    if (path.endsWith('bias'))
      assert.ok(
        numbers.every((n) => n === 0),
        path,
      )
    else if (/norm\/weight|Norm\/weight/.test(path))
      assert.ok(
        numbers.every((n) => n === 1),
        path,
      )
    else assert.ok(numbers.every((n) => Math.abs(n) <= 0.04) && numbers.some((n) => n !== 0), path)
  }
  const words = toArraySync(bert.init(random.key(0)).embeddings.word.weight)
  assert.ok(words.slice(0, 8).every((n) => n === 0))
})

architecture('BERT scores the places that are asked for as it does in all', () => {
  const params = shaken(bert.init(random.key(0)))
  const apply = bert.apply(params, evaluation)
  const all = apply({ ids, keyMask })
  const predictAt = ints([
    [3, 1, 1],
    [0, 2, 4],
  ])
  const some = apply({ ids, keyMask, predictAt })
  assert.equal(some.predictionLogits.shape, [2, 3, 29])
  for (const [row, places] of [
    [3, 1, 1],
    [0, 2, 4],
  ].entries())
    for (const [i, place] of places.entries()) {
      const at = (x: Tensor, j: number): Tensor => sliceAxis(sliceAxis(x, 0, row, row + 1), 1, j, j + 1)
      close(at(some.predictionLogits, i), at(all.predictionLogits, place), `row ${row}, place ${place}`, 1e-5)
    }
  close(some.nextSentenceLogits, all.nextSentenceLogits, 'next sentence', 1e-5)
  // The gradient is that of the same places' scores.
  const first = (x: Tensor): Tensor<readonly []> => sum(sliceAxis(x, 0, 0, 1)) as Tensor<readonly []>
  const asked = grad((p: typeof params) =>
    first(bert.apply(p, evaluation)({ ids, keyMask, predictAt }).predictionLogits),
  )
  const picked = grad((p: typeof params) =>
    first(take(bert.apply(p, evaluation)({ ids, keyMask }).predictionLogits, tensor([3, 1, 1]), 1)),
  )
  const expected = new Map(tree.entries(picked(params)))
  for (const [path, x] of tree.entries(asked(params))) close(x, expected.get(path) as Tensor, path, 2e-4)
})

architecture('padding changes nothing at real places', () => {
  const params = shaken(bert.init(random.key(0)))
  const apply = bert.apply(params, evaluation)
  const padded = apply({ ids, keyMask })
  const alone = apply({ ids: ints([[2, 6, 8, 3]]) })
  const row = sliceAxis(padded.predictionLogits, 0, 1, 2)
  close(sliceAxis(row, 1, 0, 4), alone.predictionLogits, 'logits', 1e-5)
  close(sliceAxis(padded.pooled, 0, 1, 2), alone.pooled, 'pooled', 1e-5)
  const boolMask = tensor(
    [
      [true, true, true, true, true],
      [true, true, true, true, false],
    ],
    { dtype: 'bool' },
  )
  close(apply({ ids, keyMask: boolMask }).pooled, padded.pooled, 'a mask of bools', 0)
})

architecture('passages and positions are those given, and the usual ones where none are', () => {
  const params = shaken(bert.init(random.key(0)))
  const apply = bert.apply(params, evaluation)
  const plain = apply({ ids }).pooled
  close(apply({ ids, tokenTypes: zeros([2, 5], 'int32') }).pooled, plain, 'first passage', 0)
  close(
    apply({
      ids,
      positions: ints([
        [0, 1, 2, 3, 4],
        [0, 1, 2, 3, 4],
      ]),
    }).pooled,
    plain,
    'positions',
    0,
  )
  assert.ok(
    differ(
      apply({
        ids,
        tokenTypes: ints([
          [0, 0, 0, 1, 1],
          [0, 0, 1, 1, 1],
        ]),
      }).pooled,
      plain,
    ),
  )
  assert.ok(differ(apply({ ids, positions: tensor([1, 2, 3, 4, 5], { dtype: 'int32' }) }).pooled, plain))
})

architecture('in training, dropout draws on the key; in evaluation, nothing does', () => {
  const params = bert.init(random.key(0))
  const run = (seed: number): Tensor => bert.apply(params, training(random.key(seed)))({ ids }).hidden
  close(run(1), run(1), 'one key', 0)
  assert.ok(differ(run(1), run(2)))
  const still = models.bert(models.bertConfig({ ...sizes, dropout: 0, attentionDropout: 0 }))
  const own = still.init(random.key(0))
  const trained = still.apply(own, training(random.key(1)))({ ids }).hidden
  close(trained, still.apply(own, evaluation)({ ids }).hidden, 'no dropout', 0)
})

architecture('GPT and the decoder see nothing to their right', () => {
  const gpt = models.gpt(models.gptConfig(sizes))
  const apply = gpt.apply(shaken(gpt.init(random.key(0))), evaluation)
  const [a, b] = [apply({ ids: ints([[3, 4, 5, 6]]) }).logits, apply({ ids: ints([[3, 4, 7, 8]]) }).logits]
  close(sliceAxis(a, 1, 0, 2), sliceAxis(b, 1, 0, 2), 'before the difference', 0)
  assert.ok(differ(sliceAxis(a, 1, 2, 3), sliceAxis(b, 1, 2, 3)))
  const last = apply({ ids: ints([[3, 4, 5, 6]]), predictAt: ints([[3]]) }).logits
  close(last, sliceAxis(a, 1, 3, 4), 'the last place', 1e-5)
})

const seq2seq = {
  sourceVocabularySize: 29,
  targetVocabularySize: 29,
  width: 8,
  heads: 2,
  encoderLayers: 2,
  decoderLayers: 2,
} as const

for (const sharing of ['none', 'output', 'all'] as const)
  for (const preNorm of [false, true])
    architecture(`the Transformer: causal, blind to padding (sharing ${sharing}, preNorm ${preNorm})`, () => {
      const own = models.transformerConfig({ ...seq2seq, sharing, preNorm })
      const model = models.transformer(own)
      const params = model.init(random.key(0))
      assert.equal(Object.keys(params).sort(), [
        'decoder',
        'encoder',
        ...(sharing === 'none' ? ['head'] : []),
        ...(sharing === 'all' ? [] : ['source']),
        'target',
      ])
      const apply = model.apply(shaken(params), evaluation)
      const source = ints([[4, 5, 6, 0]])
      const sourceMask = ints([[1, 1, 1, 0]])
      const decoderIds = ints([[1, 7, 8]])
      const whole = apply({ ids: source, keyMask: sourceMask, decoderIds })
      const alone = apply({ ids: ints([[4, 5, 6]]), decoderIds })
      close(whole.logits, alone.logits, 'the source without padding', 2e-5)
      const other = apply({ ids: source, keyMask: sourceMask, decoderIds: ints([[1, 7, 9]]) })
      close(sliceAxis(other.logits, 1, 0, 2), sliceAxis(whole.logits, 1, 0, 2), 'causal', 0)
      assert.ok(differ(other.logits, whole.logits))
      assert.ok(
        differ(apply({ ids: ints([[4, 9, 6]]), decoderIds }).logits, alone.logits),
        'reads the source',
      )
      const memory = models.transformerEncoder(own).apply(shaken(params), evaluation)({
        ids: source,
        keyMask: sourceMask,
      })
      close(memory, whole.memory, 'memory', 0)
      close(
        apply({ ids: source, keyMask: sourceMask, decoderIds, memory }).logits,
        whole.logits,
        'from memory',
        0,
      )
    })

architecture('shiftRight puts the start in front and padding where nothing is learnt', () => {
  const shifted = models.shiftRight(
    ints([
      [5, 6, -100],
      [7, 8, 9],
    ]),
    { start: 1, padding: 0 },
  )
  assert.equal([...toArraySync(shifted)], [1, 5, 6, 1, 7, 8])
  const more = models.shiftRight(ints([[5, -100, 6]]), { start: 1, padding: 0 })
  assert.equal([...toArraySync(more)], [1, 5, 0])
})

architecture('images of another size are refused by every model that sees', () => {
  const small = { width: 8, layers: 1, heads: 2, imageSize: 8, patchSize: 4 } as const
  const vit = models.vit(models.vitConfig(small))
  const clip = models.clipVision(models.clipConfig({ vision: small }).vision)
  const see = {
    vit: vit.apply(vit.init(random.key(0)), evaluation),
    clip: clip.apply(clip.init(random.key(0)), evaluation),
  }
  const inside = ', got [1, 3, 9, 9], in embeddings' // as many patches, but not the same places
  assert.is(
    messageOf(() => see.vit({ pixels: zeros([1, 3, 9, 9]) })),
    `vit: images must be 8 by 8 unless positions are interpolated${inside}`,
  )
  assert.is(
    messageOf(() => see.clip({ pixels: zeros([1, 3, 9, 9]) })),
    `clip: images must be 8 by 8${inside}`,
  )
  assert.equal(see.vit({ pixels: zeros([1, 3, 9, 12]), interpolate: true }).hidden.shape, [1, 7, 8])
})

architecture('mistakes are named before anything runs', () => {
  const apply = bert.apply(bert.init(random.key(0)), evaluation)
  assert.is(
    messageOf(() => apply({ ids: zeros([1, 13], 'int32') })),
    'bert: the model has 12 positions, the sequence is longer, got [1, 13], in embeddings',
  )
  assert.is(
    messageOf(() => apply({ ids: zeros([5], 'int32') })),
    'bert: ids must be [batch, time], got [5], in embeddings',
  )
  assert.is(
    messageOf(() => apply({ ids, keyMask: zeros([2, 5]) })),
    'keyMask: expected bool (true = a real token) or int32, got float32',
  )
  assert.is(
    messageOf(() => apply({ ids, keyMask: zeros([2, 4], 'int32') })),
    'attention: the key mask must be [batch, keys], got [2, 4] and [2, 5], in encoder/block/0/attention',
  )
  assert.is(
    messageOf(() => apply({ ids, positions: zeros([4], 'int32') })),
    'bert: positions must be [time] or [batch, time], got [4] and [2, 5], in embeddings',
  )
  assert.is(
    messageOf(() => apply({ ids, predictAt: zeros([3], 'int32') })),
    'bert: places must be [batch, predictions], got [3] and [2, 5, 8]',
  )
  assert.is(
    messageOf(() => apply({ ids: zeros([1, 3]) })),
    'embedding: ids must be int32, got float32, in embeddings/word',
  )
})

architecture.run()
