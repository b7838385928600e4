/** The config of a GPT-2. */
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
  unsplit,
  unsupported,
} from './codec.ts'

export interface GptConfig {
  readonly vocabularySize: number
  readonly width: number
  readonly layers: number
  readonly heads: number
  /** The width inside the feed-forward parts; four times the width where undefined. */
  readonly hidden: number | undefined
  readonly activation: ActivationName
  readonly dropout: number
  readonly embeddingDropout: number
  readonly attentionDropout: number
  /** The longest sequence: how many positions have an embedding. */
  readonly maxLength: number
  /** The standard deviation of initial weights. */
  readonly deviation: number
  /** Added to variances in layer norms. */
  readonly epsilon: number
  /** Whether scores are divided by √headWidth. */
  readonly scaled: boolean
  /** Whether the scores of block i are also divided by i + 1. */
  readonly scaledByDepth: boolean
  /** Whether scores of words are taken with the words' embeddings. */
  readonly tied: boolean
  /** The id that texts begin with. */
  readonly startId: number | undefined
  /** The id that ends a text. */
  readonly endId: number | undefined
  /** The id of padding, by which a classifier finds the last token. */
  readonly paddingId: number | undefined
  /** The names of a classifier's classes. */
  readonly labels: readonly string[]
  readonly extra: Readonly<Record<string, unknown>>
}

/**
 * The config.json of a GPT-2.
 *
 * @example
 * ```ts
 * import { decodeConfig, gptCodec } from 'pullback/models'
 * const config = decodeConfig(gptCodec, { n_embd: 64, n_head: 2 })
 * console.log(config._tag === 'Right' && config.right.width) // => 64
 * ```
 */
export const gptCodec: t.Type<GptConfig, ConfigFile, unknown> = refined(
  configCodec('gpt2', {
    vocabularySize: field('vocab_size', size, 50257),
    width: field('n_embd', size, 768, ['hidden_size']),
    layers: field('n_layer', depth, 12, ['num_hidden_layers']),
    heads: field('n_head', size, 12, ['num_attention_heads']),
    hidden: optionalField('n_inner', size),
    activation: field('activation_function', activationName, 'geluTanh'),
    dropout: field('resid_pdrop', rate, 0.1),
    embeddingDropout: field('embd_pdrop', rate, 0.1),
    attentionDropout: field('attn_pdrop', rate, 0.1),
    maxLength: field('n_positions', size, 1024, ['max_position_embeddings', 'n_ctx']),
    deviation: field('initializer_range', real, 0.02),
    epsilon: field('layer_norm_epsilon', real, 1e-5),
    scaled: field('scale_attn_weights', t.boolean, true),
    scaledByDepth: field('scale_attn_by_inverse_layer_idx', t.boolean, false),
    tied: field('tie_word_embeddings', t.boolean, true),
    startId: optionalField('bos_token_id', natural),
    endId: optionalField('eos_token_id', natural),
    paddingId: optionalField('pad_token_id', natural),
    labels: labelsField,
  }),
  ({ width, heads, extra }) => [
    ...unsupported(extra, { add_cross_attention: false }),
    ...unsplit('n_embd', width, heads),
  ],
)

/**
 * A config by its sizes; what is not given is as in the small GPT-2.
 *
 * @throws PullbackError when an entry is impossible.
 * @example
 * ```ts
 * import { gptConfig } from 'pullback/models'
 * const config = gptConfig({ vocabularySize: 512, width: 64, layers: 2, heads: 4, maxLength: 128 })
 * console.log(config.activation, config.tied) // => geluTanh true
 * ```
 */
export const gptConfig = (entries: Partial<GptConfig> = {}): GptConfig => makeConfig(gptCodec, entries)
