/** The config of a BERT. */
import * as t from 'io-ts'
import type { ActivationName } from '../../nn/index.ts'
import type { ConfigFile } from './codec.ts'
import {
  activationName,
  configCodec,
  depth,
  field,
  labelsField,
  makeConfig,
  natural,
  optionalField,
  rate,
  real,
  refined,
  size,
  strangePadding,
  unsplit,
  unsupported,
  usualHidden,
} from './codec.ts'

export interface BertConfig {
  readonly vocabularySize: number
  readonly width: number
  readonly layers: number
  readonly heads: number
  /** The width inside the feed-forward parts. */
  readonly hidden: number
  readonly activation: ActivationName
  readonly dropout: number
  readonly attentionDropout: number
  /** In front of a classifier; `dropout` where undefined. */
  readonly classifierDropout: number | undefined
  /** The longest sequence: how many positions have an embedding. */
  readonly maxLength: number
  /** How many kinds of passage there are: 2 for pairs. */
  readonly tokenTypes: number
  /** The standard deviation of initial weights. */
  readonly deviation: number
  /** Added to variances in layer norms. */
  readonly epsilon: number
  /** The id of padding, whose embedding is not trained by being read. */
  readonly paddingId: number
  /** Whether scores of words are taken with the words' embeddings. */
  readonly tied: boolean
  /** The names of a classifier's classes. */
  readonly labels: readonly string[]
  readonly extra: Readonly<Record<string, unknown>>
}

/** The codec of BERT and of those who have its entries: `modelType` and defaults tell them apart. */
export const codecLikeBert = (
  modelType: string,
  defaults: Pick<BertConfig, 'vocabularySize' | 'maxLength' | 'tokenTypes' | 'epsilon' | 'paddingId'>,
): t.Type<BertConfig, ConfigFile, unknown> =>
  refined(
    configCodec(modelType, {
      vocabularySize: field('vocab_size', size, defaults.vocabularySize),
      width: field('hidden_size', size, 768),
      layers: field('num_hidden_layers', depth, 12),
      heads: field('num_attention_heads', size, 12),
      hidden: field('intermediate_size', size, 3072),
      activation: field('hidden_act', activationName, 'gelu'),
      dropout: field('hidden_dropout_prob', rate, 0.1),
      attentionDropout: field('attention_probs_dropout_prob', rate, 0.1),
      classifierDropout: optionalField('classifier_dropout', rate),
      maxLength: field('max_position_embeddings', size, defaults.maxLength),
      tokenTypes: field('type_vocab_size', size, defaults.tokenTypes),
      deviation: field('initializer_range', real, 0.02),
      epsilon: field('layer_norm_eps', real, defaults.epsilon),
      paddingId: field('pad_token_id', natural, defaults.paddingId),
      tied: field('tie_word_embeddings', t.boolean, true),
      labels: labelsField,
    }),
    ({ width, heads, paddingId, vocabularySize, extra }) => [
      ...unsupported(extra, { position_embedding_type: 'absolute', is_decoder: false }),
      ...unsplit('hidden_size', width, heads),
      ...strangePadding(paddingId, vocabularySize),
    ],
  )

/**
 * The config.json of a BERT.
 *
 * @example
 * ```ts
 * import { bertCodec, decodeConfig } from 'pullback/models'
 * const config = decodeConfig(bertCodec, { hidden_size: 64, num_attention_heads: 2 })
 * console.log(config._tag === 'Right' && config.right.width) // => 64
 * ```
 */
export const bertCodec: t.Type<BertConfig, ConfigFile, unknown> = codecLikeBert('bert', {
  vocabularySize: 30522,
  maxLength: 512,
  tokenTypes: 2,
  epsilon: 1e-12,
  paddingId: 0,
})

/**
 * A config by its sizes; what is not given is as in BERT base, `hidden` four times the width.
 *
 * @throws PullbackError when an entry is impossible.
 * @example
 * ```ts
 * import { bertConfig } from 'pullback/models'
 * const config = bertConfig({ vocabularySize: 4096, width: 128, layers: 2, heads: 2 })
 * console.log(config.hidden, config.maxLength, config.activation) // => 512 512 gelu
 * ```
 */
export const bertConfig = (entries: Partial<BertConfig> = {}): BertConfig =>
  makeConfig(bertCodec, { ...usualHidden(entries), ...entries })
