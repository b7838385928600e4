/** Configs: read and written without loss, refused with every error. */
import { either as E } from 'fp-ts'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  bertCodec,
  bartCodec,
  bartConfig,
  bertConfig,
  decodeConfig,
  gptCodec,
  gptConfig,
  t5Codec,
  t5Config,
  transformerConfig,
} from '../../models/index.ts'
import type { BertConfig, ConfigFile, GptConfig } from '../../models/index.ts'
import { configText } from '../../models/config/codec.ts'
import { messageOf } from '../nn/message.ts'

const config = suite('configs')

const bert = (file: unknown): BertConfig => {
  const decoded = decodeConfig(bertCodec, file)
  if (E.isLeft(decoded)) throw new Error(decoded.left.join('; '))
  return decoded.right
}
const refusal = (file: unknown): readonly string[] => {
  const decoded = decodeConfig(bertCodec, file)
  return E.isLeft(decoded) ? decoded.left : assert.unreachable('should have been refused')!
}

config('an empty file is the base model, and what is written is read', () => {
  assert.equal(bert({}), bertConfig())
  const size = fc.integer({ min: 1, max: 64 })
  const rate = fc.double({ min: 0, max: 0.99, noNaN: true })
  fc.assert(
    fc.property(
      fc.record({
        vocabularySize: size,
        layers: size,
        heads: size,
        times: size,
        dropout: rate,
        classifierDropout: fc.option(rate, { nil: undefined }),
        tied: fc.boolean(),
        labels: fc.uniqueArray(fc.string(), { minLength: 1 }),
        extra: fc.dictionary(fc.constantFrom('torch_dtype', 'another', 'use_cache'), fc.jsonValue(), {
          noNullPrototype: true,
        }),
      }),
      ({ heads, times, ...entries }) => {
        const own = bertConfig({ ...entries, heads, width: heads * times })
        assert.equal(bert(JSON.parse(JSON.stringify(bertCodec.encode(own)))), own)
      },
    ),
  )
})

config('what the codec does not know is kept', () => {
  const file = { model_type: 'bert', something: { else: [1] }, transformers_version: '4.0' }
  assert.equal(bert(file).extra, { something: { else: [1] }, transformers_version: '4.0' })
  const written = bertCodec.encode(bert(file))
  assert.equal(written['something'], { else: [1] })
})

config('older spellings are read', () => {
  const decoded = decodeConfig(gptCodec, {
    hidden_size: 12,
    num_hidden_layers: 3,
    num_attention_heads: 4,
    n_ctx: 99,
  }) as E.Right<GptConfig>
  const { width, layers, heads, maxLength } = decoded.right
  assert.equal({ width, layers, heads, maxLength }, { width: 12, layers: 3, heads: 4, maxLength: 99 })
})

config('classes are named by id2label, or by label2id, or only counted', () => {
  assert.equal(bert({ id2label: { 1: 'b', 0: 'a' } }).labels, ['a', 'b'])
  assert.equal(bert({ label2id: { b: 1, a: 0 } }).labels, ['a', 'b'])
  assert.equal(bert({ num_labels: 3 }).labels, ['LABEL_0', 'LABEL_1', 'LABEL_2'])
  for (const id2label of [{}, { 0: 'a', 2: 'b' }, { 0: 1 }, [], 'a', -1, 1e9])
    assert.match(refusal({ id2label }).join(), /^id2label: expected an object from 0, 1, 2/)
  const written: ConfigFile = bertCodec.encode(bertConfig({ labels: ['no', 'yes'] }))
  assert.equal(written['id2label'], { 0: 'no', 1: 'yes' })
  assert.equal(written['label2id'], { no: 0, yes: 1 })
})

config('a bad config is refused with every error', () => {
  assert.equal(refusal({ model_type: 'gpt2', hidden_size: -1, hidden_dropout_prob: 1, hidden_act: 'wavy' }), [
    'model_type: expected "bert", got "gpt2"',
    'hidden_size: expected a positive integer, got -1',
    `hidden_act: expected one of gelu, gelu_python, gelu_new, gelu_pytorch_tanh, gelu_fast, gelu_accurate, quick_gelu, relu, silu, swish, tanh, sigmoid, mish, relu6, leaky_relu, linear, relu2, gelu_10, laplace, got "wavy"`,
    'hidden_dropout_prob: expected a number in [0, 1), got 1',
  ])
  assert.equal(
    refusal({ hidden_size: 10, num_attention_heads: 3, position_embedding_type: 'relative_key' }),
    [
      'config: position_embedding_type "relative_key" is not supported, only "absolute"',
      'config: hidden_size 10 cannot be split into 3 heads',
    ],
  )
  assert.equal(refusal(null), ['config: expected an object, got null'])
})

config('fractions are written as such, and the rest as it is', () => {
  const file = bertCodec.encode(bertConfig({ dropout: 0 }))
  const rope = { factor: 4, rope_theta: 1e6, longest_factor: 1e21 }
  const text = configText({ ...file, rope, small: 1e-7, words: ['0'] })
  for (const line of [
    '"hidden_dropout_prob": 0.0',
    '"attention_probs_dropout_prob": 0.1',
    '"hidden_size": 768',
    '"factor": 4.0',
    '"rope_theta": 1000000.0',
    '"longest_factor": 1e+21',
    '"layer_norm_eps": 1e-12',
  ])
    assert.ok(text.includes(line), line)
  assert.equal(JSON.parse(text), {
    ...file,
    rope,
    small: 1e-7,
    words: ['0'],
  })
})

config('no config makes the codec throw', () => {
  fc.assert(
    fc.property(
      fc.dictionary(
        fc.constantFrom(
          'vocab_size',
          'hidden_size',
          'id2label',
          'hidden_act',
          'pad_token_id',
          'x',
          'model_type',
        ),
        fc.anything(),
      ),
      (file) => {
        const decoded = decodeConfig(bertCodec, file)
        assert.ok(E.isRight(decoded) || decoded.left.length > 0)
      },
    ),
  )
})

config('entries that mean something else where they are null are left out', () => {
  assert.not.ok('scale_decoder_outputs' in t5Codec.encode(t5Config({})))
  assert.not.ok('decoder_vocab_size' in bartCodec.encode(bartConfig({})))
})

config('a config of our own that cannot be is a mistake', () => {
  assert.is(
    messageOf(() => bertConfig({ width: 10, heads: 4 })),
    'bert config: config: hidden_size 10 cannot be split into 4 heads',
  )
  assert.is(
    messageOf(() => gptConfig({ layers: 0 })),
    'gpt2 config: n_layer: expected a positive integer up to 4096, got 0',
  )
  assert.is(
    messageOf(() => transformerConfig({ sharing: 'all', sourceVocabularySize: 5, targetVocabularySize: 6 })),
    'transformer config: config: 5 source ids and 6 target ids cannot share embeddings',
  )
  assert.match(
    messageOf(() => bertConfig({ hidden_size: 64 } as never)),
    /^bert config: there is no option 'hidden_size', there is vocabularySize, width, /,
  )
})

config.run()
