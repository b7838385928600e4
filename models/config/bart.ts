/** The config of a BART, and of Marian, which has most of its entries. */
import * as t from 'io-ts'
import type { ActivationName } from '../../nn/index.ts'
import type { ConfigFile, Field } from './codec.ts'
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
  unnamed,
} from './codec.ts'

/** What BART's and Marian's configs both have. */
export interface BartBodyConfig {
  readonly vocabularySize: number
  readonly width: number
  readonly encoderLayers: number
  readonly decoderLayers: number
  readonly encoderHeads: number
  readonly decoderHeads: number
  /** The widths inside the feed-forward parts. */
  readonly encoderHidden: number
  readonly decoderHidden: number
  readonly activation: ActivationName
  readonly dropout: number
  readonly attentionDropout: number
  /** Inside the feed-forward parts. */
  readonly hiddenDropout: number
  readonly maxLength: number
  /** The standard deviation of initial weights. */
  readonly deviation: number
  /** Whether embeddings are multiplied by √width when they are read. */
  readonly scaled: boolean
  /** Whether scores of words are taken with the words' embeddings. */
  readonly tied: boolean
  /** Whether source and target have one table of embeddings. */
  readonly shared: boolean
  /** How many words the target has, where they are others than the source's. */
  readonly targetVocabularySize: number | undefined
  readonly paddingId: number
  readonly startId: number
  readonly endId: number | undefined
  readonly extra: Readonly<Record<string, unknown>>
}

export interface BartConfig extends BartBodyConfig {
  /** In front of a classifier. */
  readonly classifierDropout: number
  /** The names of a classifier's classes. */
  readonly labels: readonly string[]
}

type Entries = { readonly [K in keyof Omit<BartBodyConfig, 'extra'>]: Field<BartBodyConfig[K]> }

/** The entries of BART's config and of those that have them too, with what they are where left out. */
export const bartEntries = (
  defaults: Pick<BartBodyConfig, 'vocabularySize' | 'paddingId' | 'startId' | 'scaled'>,
): Entries => ({
  vocabularySize: field('vocab_size', size, defaults.vocabularySize),
  width: field('d_model', size, 1024, ['hidden_size']),
  encoderLayers: field('encoder_layers', depth, 12, ['num_hidden_layers']),
  decoderLayers: field('decoder_layers', depth, 12),
  encoderHeads: field('encoder_attention_heads', size, 16, ['num_attention_heads']),
  decoderHeads: field('decoder_attention_heads', size, 16),
  encoderHidden: field('encoder_ffn_dim', size, 4096),
  decoderHidden: field('decoder_ffn_dim', size, 4096),
  activation: field('activation_function', activationName, 'gelu'),
  dropout: field('dropout', rate, 0.1),
  attentionDropout: field('attention_dropout', rate, 0),
  hiddenDropout: field('activation_dropout', rate, 0),
  maxLength: field('max_position_embeddings', size, 1024),
  deviation: field('init_std', real, 0.02),
  scaled: field('scale_embedding', t.boolean, defaults.scaled),
  tied: field('tie_word_embeddings', t.boolean, true),
  shared: field('share_encoder_decoder_embeddings', t.boolean, true),
  targetVocabularySize: {
    ...optionalField('decoder_vocab_size', size),
    // BART has no such entry, and cannot be read where it is null.
    write: (count) => (count === undefined ? {} : { decoder_vocab_size: count }),
  },
  paddingId: field('pad_token_id', natural, defaults.paddingId),
  startId: field('decoder_start_token_id', natural, defaults.startId),
  endId: optionalField('eos_token_id', natural),
})

/** What is wrong with a config whose entries are each right. */
export const bartComplaints = ({
  width,
  encoderHeads,
  decoderHeads,
  paddingId,
  vocabularySize,
  targetVocabularySize = vocabularySize,
  shared,
}: BartBodyConfig): readonly string[] => [
  ...(shared && targetVocabularySize !== vocabularySize
    ? [`one table of embeddings cannot have ${vocabularySize} words and ${targetVocabularySize}`]
    : []),
  ...(width % encoderHeads === 0 && width % decoderHeads === 0
    ? []
    : [`d_model ${width} cannot be split into ${encoderHeads} and ${decoderHeads} heads`]),
  ...strangePadding(paddingId, vocabularySize),
]

/**
 * The config.json of a BART.
 *
 * @example
 * ```ts
 * import { bartCodec, decodeConfig } from 'pullback/models'
 * const config = decodeConfig(bartCodec, { d_model: 64 })
 * console.log(config._tag === 'Right' && config.right.width) // => 64
 * ```
 */
export const bartCodec: t.Type<BartConfig, ConfigFile, unknown> = refined(
  configCodec('bart', {
    ...bartEntries({ vocabularySize: 50265, paddingId: 1, startId: 2, scaled: false }),
    classifierDropout: field('classifier_dropout', rate, 0),
    labels: { ...labelsField, fallback: unnamed(3) },
  }),
  bartComplaints,
)

/**
 * A config by its sizes; what is not given is as in the large BART.
 *
 * @throws PullbackError when an entry is impossible.
 * @example
 * ```ts
 * import { bartConfig } from 'pullback/models'
 * const config = bartConfig({ vocabularySize: 50, width: 16 })
 * console.log([config.vocabularySize, config.width]) // => [50, 16]
 * ```
 */
export const bartConfig = (entries: Partial<BartConfig> = {}): BartConfig => makeConfig(bartCodec, entries)
