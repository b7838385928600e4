/**
 * Marian (Junczys-Dowmunt et al. 2018), the translators of OPUS-MT: BART's encoder-decoder with sinusoidal positions,
 * embeddings multiplied by √width, and no norm behind them.
 */
import type * as t from 'io-ts'
import type { Tensor } from '../core/index.ts'
import type { Layer } from '../nn/index.ts'
import type { BartConfig, BartInput, BartKind, BartOutput, BartParams } from './bart.ts'
import { bartComplaints, bartEntries, encoderLike, modelLike } from './bart.ts'
import type { ConfigFile } from './config.ts'
import { configCodec, makeConfig, refined, unsupported } from './config.ts'
import type { SourceInput } from './transformer.ts'

export type MarianConfig = BartConfig
export type MarianInput = BartInput
export type MarianOutput = BartOutput
export type MarianParams = BartParams

/** The config.json of a Marian whose source and target have one vocabulary. */
export const marianCodec: t.Type<MarianConfig, ConfigFile, unknown> = refined(
  configCodec(
    'marian',
    bartEntries({ vocabularySize: 58101, paddingId: 58100, startId: 58100, scaled: false }),
  ),
  (config) => [
    ...bartComplaints(config),
    ...unsupported(config.extra, { share_encoder_decoder_embeddings: true, normalize_before: false }),
    ...unsupported(config.extra, { decoder_vocab_size: config.vocabularySize, normalize_embedding: false }),
    ...(config.width % 2 === 0 ? [] : [`d_model ${config.width} is odd, sines and cosines need pairs`]),
  ],
)

/**
 * A config by its sizes.
 *
 * @throws PullbackError when an entry is impossible.
 */
export const marianConfig = (entries: Partial<MarianConfig> = {}): MarianConfig =>
  makeConfig(marianCodec, entries)

const kind: BartKind = { operation: 'marian', positions: 'sinusoidal', embeddingNorm: false }

/** The encoder alone, with the parameters of the whole: the `memory` of `marian`. */
export const marianEncoder = (config: MarianConfig): Layer<MarianParams, SourceInput, Tensor> =>
  encoderLike(config, kind)

/**
 * Scores of what comes next in the translation at each place.
 *
 * @throws PullbackError when a text is longer than `maxLength`, or shapes do not fit.
 */
export const marian = (config: MarianConfig): Layer<MarianParams, MarianInput, MarianOutput> =>
  modelLike(config, kind)
