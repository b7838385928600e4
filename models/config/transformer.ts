/** The config of a Transformer of ours. */
import * as t from 'io-ts'
import type { ActivationName } from '../../nn/index.ts'
import type { ConfigFile } from './codec.ts'
import {
  activationName,
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
  unsplit,
  usualHidden,
  word,
} from './codec.ts'

/**
 * Which tables of embeddings are one: none; the target's and that of the scores (`output`); or the source's too
 * (`all`, as in the paper, 3.4), for which both sides have one vocabulary.
 */
export type Sharing = 'none' | 'output' | 'all'

export interface TransformerConfig {
  readonly sourceVocabularySize: number
  readonly targetVocabularySize: number
  readonly width: number
  readonly heads: number
  /** The width inside the feed-forward parts. */
  readonly hidden: number
  readonly encoderLayers: number
  readonly decoderLayers: number
  readonly activation: ActivationName
  readonly dropout: number
  /** Of attention weights; 0 in the paper. */
  readonly attentionDropout: number
  /** Norms in front of each part instead of behind, and one behind each stack. */
  readonly preNorm: boolean
  readonly epsilon: number
  readonly sharing: Sharing
  /** The id of padding, which is not trained by being read. */
  readonly paddingId: number
  /** The id that the decoder starts with. */
  readonly startId: number
  /** The id that ends a target. */
  readonly endId: number | undefined
  readonly extra: Readonly<Record<string, unknown>>
}

/**
 * The config.json of a Transformer of ours; its defaults are the paper's base model.
 *
 * @example
 * ```ts
 * import { decodeConfig, transformerCodec } from 'pullback/models'
 * const config = decodeConfig(transformerCodec, { d_model: 64, num_heads: 2 })
 * console.log(config._tag === 'Right' && config.right.width) // => 64
 * ```
 */
export const transformerCodec: t.Type<TransformerConfig, ConfigFile, unknown> = refined(
  configCodec('transformer', {
    sourceVocabularySize: field('source_vocab_size', size, 37000, ['vocab_size']),
    targetVocabularySize: field('target_vocab_size', size, 37000, ['vocab_size']),
    width: field('d_model', size, 512),
    heads: field('num_heads', size, 8),
    hidden: field('d_ff', size, 2048),
    encoderLayers: field('encoder_layers', depth, 6),
    decoderLayers: field('decoder_layers', depth, 6),
    activation: field('activation_function', activationName, 'relu'),
    dropout: field('dropout', rate, 0.1),
    attentionDropout: field('attention_dropout', rate, 0),
    preNorm: field('pre_norm', t.boolean, false),
    epsilon: field('layer_norm_eps', real, 1e-5),
    sharing: field(
      'embedding_sharing',
      word<Sharing>({ none: 'none', output: 'output', all: 'all' }),
      'output',
    ),
    paddingId: field('pad_token_id', natural, 0),
    startId: field('decoder_start_token_id', natural, 1),
    endId: optionalField('eos_token_id', natural),
  }),
  ({ width, heads, sharing, sourceVocabularySize, targetVocabularySize, ...config }) => [
    ...unsplit('d_model', width, heads),
    ...(width % 2 === 0 ? [] : [`d_model ${width} is odd, sines and cosines need pairs`]),
    ...(sharing !== 'all' || sourceVocabularySize === targetVocabularySize
      ? []
      : [
          `${sourceVocabularySize} source ids and ${targetVocabularySize} target ids cannot share embeddings`,
        ]),
    ...(config.paddingId < Math.min(sourceVocabularySize, targetVocabularySize)
      ? []
      : [`pad_token_id ${config.paddingId} is none of the ids`]),
  ],
)

/**
 * A config by its sizes; what is not given is as in the paper's base model, `hidden` four times the width.
 *
 * @throws PullbackError when an entry is impossible.
 * @example
 * ```ts
 * import { transformerConfig } from 'pullback/models'
 * const config = transformerConfig({ width: 64, heads: 2 })
 * console.log(config.width) // => 64
 * ```
 */
export const transformerConfig = (entries: Partial<TransformerConfig> = {}): TransformerConfig =>
  makeConfig(transformerCodec, {
    ...usualHidden(entries),
    ...entries,
  })
