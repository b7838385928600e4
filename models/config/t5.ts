/** The config of a T5. */
import * as t from 'io-ts'
import type { ConfigFile, Field } from './codec.ts'
import {
  configCodec,
  depth,
  field,
  makeConfig,
  natural,
  optionalField,
  rate,
  real,
  refined,
  size,
  usualHidden,
  word,
} from './codec.ts'

/** The feed-forward part: its activation, and whether it is gated, as in T5 1.1. */
export type T5FeedForward = 'relu' | 'gelu' | 'silu' | 'gated-relu' | 'gated-gelu' | 'gated-silu'

export interface T5Config {
  readonly vocabularySize: number
  readonly width: number
  readonly heads: number
  readonly headWidth: number
  /** The width inside the feed-forward parts. */
  readonly hidden: number
  readonly encoderLayers: number
  /** `encoderLayers` where undefined. */
  readonly decoderLayers: number | undefined
  readonly feedForward: T5FeedForward
  /** How many buckets there are for distances. */
  readonly buckets: number
  /** The distance from which on all are in the last bucket. */
  readonly maxDistance: number
  readonly dropout: number
  readonly epsilon: number
  /** By what all initial deviations are multiplied. */
  readonly deviationFactor: number
  /** Whether scores of words are taken with the words' embeddings. */
  readonly tied: boolean
  /** Whether rows are divided by √width in front of the scores; as `tied` where undefined. */
  readonly scaled: boolean | undefined
  readonly paddingId: number
  readonly startId: number
  readonly endId: number | undefined
  readonly extra: Readonly<Record<string, unknown>>
}

const feedForwards: Readonly<Record<T5FeedForward, T5FeedForward>> = {
  relu: 'relu',
  gelu: 'gelu',
  silu: 'silu',
  'gated-relu': 'gated-relu',
  'gated-gelu': 'gated-gelu',
  'gated-silu': 'gated-silu',
}

const farthest = 2 ** 20

const scaledField: Field<boolean | undefined> = {
  ...optionalField('scale_decoder_outputs', t.boolean),
  // Where it is null, Python's library does not scale, whatever is tied.
  write: (isScaled) => (isScaled === undefined ? {} : { scale_decoder_outputs: isScaled }),
}

/**
 * The config.json of a T5.
 *
 * @example
 * ```ts
 * import { decodeConfig, t5Codec } from 'pullback/models'
 * const config = decodeConfig(t5Codec, { d_model: 64 })
 * console.log(config._tag === 'Right' && config.right.width) // => 64
 * ```
 */
export const t5Codec: t.Type<T5Config, ConfigFile, unknown> = refined(
  configCodec('t5', {
    vocabularySize: field('vocab_size', size, 32128),
    width: field('d_model', size, 512, ['hidden_size']),
    heads: field('num_heads', size, 8, ['num_attention_heads']),
    headWidth: field('d_kv', size, 64),
    hidden: field('d_ff', size, 2048),
    encoderLayers: field('num_layers', depth, 6, ['num_hidden_layers']),
    decoderLayers: optionalField('num_decoder_layers', depth),
    feedForward: field('feed_forward_proj', word(feedForwards), 'relu'),
    buckets: field('relative_attention_num_buckets', size, 32),
    maxDistance: field('relative_attention_max_distance', size, 128),
    dropout: field('dropout_rate', rate, 0.1),
    epsilon: field('layer_norm_epsilon', real, 1e-6),
    deviationFactor: field('initializer_factor', real, 1),
    tied: field('tie_word_embeddings', t.boolean, true),
    scaled: scaledField,
    paddingId: field('pad_token_id', natural, 0),
    startId: field('decoder_start_token_id', natural, 0),
    endId: optionalField('eos_token_id', natural),
  }),
  ({ buckets, maxDistance }) => [
    ...(buckets >= 4 ? [] : [`relative_attention_num_buckets ${buckets} leave nothing for longer distances`]),
    // Distances are gone through one by one.
    ...(maxDistance <= farthest && buckets <= farthest
      ? []
      : [`relative positions go up to ${farthest}, got ${buckets} buckets and a distance of ${maxDistance}`]),
    ...(maxDistance > buckets / 2
      ? []
      : [`relative_attention_max_distance ${maxDistance} is not beyond half of ${buckets} buckets`]),
  ],
)

/**
 * A config by its sizes; what is not given is as in the small T5, `hidden` four times the width.
 *
 * @throws PullbackError when an entry is impossible.
 * @example
 * ```ts
 * import { t5Config } from 'pullback/models'
 * const config = t5Config({ width: 64, heads: 2 })
 * console.log(config.width) // => 64
 * ```
 */
export const t5Config = (entries: Partial<T5Config> = {}): T5Config =>
  makeConfig(t5Codec, { ...usualHidden(entries), ...entries })
