/** The config of a DistilBERT. */
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
  rate,
  real,
  refined,
  size,
  strangePadding,
  unsplit,
  usualHidden,
} from './codec.ts'

export interface DistilBertConfig {
  readonly vocabularySize: number
  readonly width: number
  readonly layers: number
  readonly heads: number
  readonly hidden: number
  readonly activation: ActivationName
  readonly dropout: number
  readonly attentionDropout: number
  /** In front of a classifier of sequences. */
  readonly classifierDropout: number
  /** In front of an output layer for answers. */
  readonly answerDropout: number
  readonly maxLength: number
  readonly deviation: number
  readonly paddingId: number
  readonly tied: boolean
  readonly labels: readonly string[]
  readonly extra: Readonly<Record<string, unknown>>
}

/**
 * The config.json of a DistilBERT.
 *
 * @example
 * ```ts
 * import { decodeConfig, distilBertCodec } from 'pullback/models'
 * const config = decodeConfig(distilBertCodec, { dim: 64, n_heads: 2 })
 * console.log(config._tag === 'Right' && config.right.width) // => 64
 * ```
 */
export const distilBertCodec: t.Type<DistilBertConfig, ConfigFile, unknown> = refined(
  configCodec('distilbert', {
    vocabularySize: field('vocab_size', size, 30522),
    width: field('dim', size, 768, ['hidden_size']),
    layers: field('n_layers', depth, 6, ['num_hidden_layers']),
    heads: field('n_heads', size, 12, ['num_attention_heads']),
    hidden: field('hidden_dim', size, 3072),
    activation: field('activation', activationName, 'gelu'),
    dropout: field('dropout', rate, 0.1),
    attentionDropout: field('attention_dropout', rate, 0.1),
    classifierDropout: field('seq_classif_dropout', rate, 0.2),
    answerDropout: field('qa_dropout', rate, 0.1),
    maxLength: field('max_position_embeddings', size, 512),
    deviation: field('initializer_range', real, 0.02),
    paddingId: field('pad_token_id', natural, 0),
    tied: field('tie_word_embeddings', t.boolean, true),
    labels: labelsField,
  }),
  ({ width, heads, paddingId, vocabularySize }) => [
    ...unsplit('dim', width, heads),
    ...strangePadding(paddingId, vocabularySize),
  ],
)

/**
 * A config by its sizes; what is not given is as in DistilBERT base, `hidden` four times the width.
 *
 * @throws PullbackError when an entry is impossible.
 * @example
 * ```ts
 * import { distilBertConfig } from 'pullback/models'
 * const config = distilBertConfig({ width: 64, heads: 2 })
 * console.log(config.hidden) // => 256
 * ```
 */
export const distilBertConfig = (entries: Partial<DistilBertConfig> = {}): DistilBertConfig =>
  makeConfig(distilBertCodec, { ...usualHidden(entries), ...entries })
