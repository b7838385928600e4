/** T5 in checkpoints. */
import type { Tensor } from '../../core/index.ts'
import type { T5Config } from '../config/t5.ts'
import { t5Codec } from '../config/t5.ts'
import type { T5EncoderParams, T5Input, T5Output, T5Params } from '../t5.ts'
import { t5, t5EncoderModel } from '../t5.ts'
import type { SourceInput } from '../transformer.ts'
import type { Architecture } from './architecture.ts'
import type { Rules } from './name.ts'
import { dense, plain } from './name.ts'

/** The parts of one attention. */
const attention = (ours: string, theirs: string): Rules => ({
  [`${ours}/query`]: dense(`${theirs}.q`),
  [`${ours}/key`]: dense(`${theirs}.k`),
  [`${ours}/value`]: dense(`${theirs}.v`),
  [`${ours}/output`]: dense(`${theirs}.o`),
})

/** A feed-forward part, whose first matrix is called by a number where there are two. */
const feedForward = (ours: string, theirs: string, gated: boolean): Rules => ({
  ...(gated ? { [`${ours}/gate`]: dense(`${theirs}.wi_0`) } : {}),
  [`${ours}/up`]: dense(`${theirs}.${gated ? 'wi_1' : 'wi'}`),
  [`${ours}/down`]: dense(`${theirs}.wo`),
})

const body = (gated: boolean): Rules => {
  const [encoder, decoder] = ['encoder.block.*.layer', 'decoder.block.*.layer']
  return {
    embedding: plain('shared'),
    encoderDistances: plain('encoder.block.0.layer.0.SelfAttention.relative_attention_bias'),
    ...attention('encoder/block/*/attention', `${encoder}.0.SelfAttention`),
    'encoder/block/*/attentionNorm': plain(`${encoder}.0.layer_norm`),
    ...feedForward('encoder/block/*/feedForward', `${encoder}.1.DenseReluDense`, gated),
    'encoder/block/*/feedForwardNorm': plain(`${encoder}.1.layer_norm`),
    'encoder/norm': plain('encoder.final_layer_norm'),
    decoderDistances: plain('decoder.block.0.layer.0.SelfAttention.relative_attention_bias'),
    ...attention('decoder/block/*/attention', `${decoder}.0.SelfAttention`),
    'decoder/block/*/attentionNorm': plain(`${decoder}.0.layer_norm`),
    ...attention('decoder/block/*/crossAttention', `${decoder}.1.EncDecAttention`),
    'decoder/block/*/crossAttentionNorm': plain(`${decoder}.1.layer_norm`),
    ...feedForward('decoder/block/*/feedForward', `${decoder}.2.DenseReluDense`, gated),
    'decoder/block/*/feedForwardNorm': plain(`${decoder}.2.layer_norm`),
    'decoder/norm': plain('decoder.final_layer_norm'),
  }
}

/**
 * T5, and its names in files: `transformers.T5ForConditionalGeneration`.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { t5Config, T5ForConditionalGeneration } from 'pullback/models'
 * const config = t5Config({ vocabularySize: 50, width: 16, heads: 2, headWidth: 8, encoderLayers: 1 })
 * const model = T5ForConditionalGeneration.layer(config)
 * const ids = tensor([[4, 5, 6, 1]], { dtype: 'int32' })
 * const decoderIds = tensor([[0, 7, 8]], { dtype: 'int32' })
 * const { logits } = model.apply(model.init(random.key(0)), evaluation)({ ids, decoderIds })
 * console.log(logits.shape) // => [1, 3, 50]
 * ```
 */
export const T5ForConditionalGeneration: Architecture<T5Config, T5Params, T5Input, T5Output> = {
  name: 'T5ForConditionalGeneration',
  codec: t5Codec,
  layer: t5,
  untied: (config) => ({ ...config, tied: false, scaled: config.scaled ?? config.tied }),
  names: ({ tied, feedForward }) => ({
    body: body(feedForward.startsWith('gated')),
    prefix: '',
    otherPrefix: '',
    head: { head: dense('lm_head') },
    tied: {
      'encoder.embed_tokens.weight': 'shared.weight',
      'decoder.embed_tokens.weight': 'shared.weight',
      ...(tied ? { 'lm_head.weight': 'shared.weight' } : {}),
    },
    // A mistake of the library's first version, which many files carry.
    ignored: [/^decoder\.block\.0\.layer\.1\.EncDecAttention\.relative_attention_bias\.weight$/],
  }),
}

/**
 * T5's encoder alone, and its names in files: `transformers.T5EncoderModel`; of the file of a whole T5 it reads its part.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { t5Config, T5EncoderModel } from 'pullback/models'
 * const config = t5Config({ vocabularySize: 50, width: 16, heads: 2, headWidth: 8, encoderLayers: 1 })
 * const model = T5EncoderModel.layer(config)
 * const ids = tensor([[4, 5, 6, 1]], { dtype: 'int32' })
 * console.log(model.apply(model.init(random.key(0)), evaluation)({ ids }).hidden.shape) // => [1, 4, 16]
 * ```
 */
export const T5EncoderModel: Architecture<
  T5Config,
  T5EncoderParams,
  SourceInput,
  { readonly hidden: Tensor }
> = {
  name: 'T5EncoderModel',
  codec: t5Codec,
  layer: t5EncoderModel,
  names: ({ feedForward }) => ({
    body: body(feedForward.startsWith('gated')),
    prefix: '',
    otherPrefix: '',
    head: {},
    tied: { 'encoder.embed_tokens.weight': 'shared.weight' },
    ignored: [/^decoder\./, /^lm_head\./],
  }),
}
