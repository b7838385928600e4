/** The config of a Llama. */
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
  numberOf,
  optionalField,
  prepared,
  rate,
  real,
  refined,
  size,
  unsupported,
} from './codec.ts'
import type { Rope } from '../rope/index.ts'
import { defaultRope, oneRope, ropeCodec } from '../rope/index.ts'

export interface LlamaConfig {
  readonly vocabularySize: number
  readonly width: number
  readonly layers: number
  readonly heads: number
  /** How many heads keys and values have; `heads` where undefined. */
  readonly keyValueHeads: number | undefined
  /** The width of each head; width / heads where undefined. */
  readonly headWidth: number | undefined
  /** The width inside the feed-forward parts. */
  readonly hidden: number
  readonly activation: ActivationName
  readonly attentionDropout: number
  readonly attentionBias: boolean
  readonly feedForwardBias: boolean
  readonly maxLength: number
  readonly rope: Rope
  /** The standard deviation of initial weights. */
  readonly deviation: number
  /** Added to mean squares in norms. */
  readonly epsilon: number
  /** Whether scores of words are taken with the words' embeddings. */
  readonly tied: boolean
  readonly startId: number | undefined
  readonly endId: number | readonly number[] | undefined
  /** The id of padding, whose embedding is not trained by being read. */
  readonly paddingId: number | undefined
  /** The names of a classifier's classes. */
  readonly labels: readonly string[]
  readonly extra: Readonly<Record<string, unknown>>
}

/** An id; below 0, none. */
const idOrNone: t.Type<number, unknown> = numberOf('an integer', Number.isInteger)

/** One id, or several of which each will do. */
const naturals: t.Type<number | readonly number[], unknown> = t.union([natural, t.readonlyArray(natural)])

/**
 * The config.json of a Llama.
 *
 * @example
 * ```ts
 * import { decodeConfig, llamaCodec } from 'pullback/models'
 * const config = decodeConfig(llamaCodec, { hidden_size: 64, num_attention_heads: 2 })
 * console.log(config._tag === 'Right' && config.right.width) // => 64
 * ```
 */
export const llamaCodec: t.Type<LlamaConfig, ConfigFile, unknown> = refined(
  prepared(
    oneRope,
    configCodec('llama', {
      vocabularySize: field('vocab_size', size, 32000),
      width: field('hidden_size', size, 4096),
      layers: field('num_hidden_layers', depth, 32),
      heads: field('num_attention_heads', size, 32),
      keyValueHeads: optionalField('num_key_value_heads', size),
      headWidth: optionalField('head_dim', size),
      hidden: field('intermediate_size', size, 11008),
      activation: field('hidden_act', activationName, 'silu'),
      attentionDropout: field('attention_dropout', rate, 0),
      attentionBias: field('attention_bias', t.boolean, false),
      feedForwardBias: field('mlp_bias', t.boolean, false),
      maxLength: field('max_position_embeddings', size, 2048),
      rope: field('rope_parameters', ropeCodec, defaultRope),
      deviation: field('initializer_range', real, 0.02),
      epsilon: field('rms_norm_eps', real, 1e-6),
      tied: field('tie_word_embeddings', t.boolean, false),
      startId: optionalField('bos_token_id', natural),
      endId: optionalField('eos_token_id', naturals),
      paddingId: optionalField('pad_token_id', idOrNone),
      labels: labelsField,
    }),
  ),
  ({ width, heads, keyValueHeads = heads, headWidth = width / heads, rope, extra }) => [
    ...unsupported(extra, { pretraining_tp: 1, partial_rotary_factor: 1 }),
    ...(Number.isInteger(headWidth) ? [] : [`hidden_size ${width} cannot be split into ${heads} heads`]),
    ...(headWidth % 2 === 0 ? [] : [`heads of width ${headWidth} cannot be turned by pairs`]),
    ...[rope.shortFactors, rope.longFactors].flatMap((factors) =>
      factors === undefined || factors.length === headWidth / 2
        ? []
        : [`${factors.length} factors cannot divide the turns of ${headWidth / 2} pairs of a head`],
    ),
    ...(heads % keyValueHeads === 0 ? [] : [`${keyValueHeads} key heads cannot serve ${heads} heads`]),
  ],
)

/**
 * A config by its sizes; what is not given is as in Llama 7B.
 *
 * @throws PullbackError when an entry is impossible.
 * @example
 * ```ts
 * import { llamaConfig } from 'pullback/models'
 * const config = llamaConfig({ vocabularySize: 512, width: 64, layers: 2, heads: 4, keyValueHeads: 2, hidden: 160 })
 * console.log(config.rope.base, config.tied) // => 10000 false
 * ```
 */
export const llamaConfig = (entries: Partial<LlamaConfig> = {}): LlamaConfig => {
  const config = makeConfig(llamaCodec, entries)
  const { rope, maxLength } = config
  return rope.kind === 'dynamic' ? { ...config, rope: { ...rope, originalLength: maxLength } } : config
}
