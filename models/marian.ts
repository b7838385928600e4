/**
 * Marian (Junczys-Dowmunt et al. 2018), the translators of OPUS-MT: BART's encoder-decoder with sinusoidal positions,
 * embeddings multiplied by √width, and no norm behind them.
 */
import type { Tensor } from '../core/index.ts'
import type { Layer } from '../nn/index.ts'
import type { BartInput, BartKind, BartOutput, BartParams } from './bart/body.ts'
import { encoderLike, modelLike } from './bart/body.ts'
import type { MarianConfig } from './config/marian.ts'
import type { SourceInput } from './transformer.ts'

export type MarianInput = BartInput
export type MarianOutput = BartOutput
export type MarianParams = BartParams

const kind: BartKind = {
  operation: 'marian',
  positions: 'sinusoidal',
  embeddingNorm: false,
  keepsTable: false,
}

/**
 * The encoder alone, with the parameters of the whole: the `memory` of `marian`.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { marian, marianConfig, marianEncoder } from 'pullback/models'
 * const config = marianConfig({
 *   vocabularySize: 50, paddingId: 0, startId: 0, width: 16, encoderLayers: 1,
 *   decoderLayers: 1, encoderHeads: 2, decoderHeads: 2,
 * })
 * const params = marian(config).init(random.key(0))
 * const ids = tensor([[4, 5, 6, 1]], { dtype: 'int32' })
 * console.log(marianEncoder(config).apply(params, evaluation)({ ids }).shape) // => [1, 4, 16]
 * ```
 */
export const marianEncoder = (config: MarianConfig): Layer<MarianParams, SourceInput, Tensor> =>
  encoderLike(config, kind)

/**
 * Scores of what comes next in the translation at each place.
 *
 * @throws PullbackError when a text is longer than `maxLength`, or shapes do not fit.
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { marian, marianConfig } from 'pullback/models'
 * const config = marianConfig({
 *   vocabularySize: 50, paddingId: 0, startId: 0, width: 16, encoderLayers: 1,
 *   decoderLayers: 1, encoderHeads: 2, decoderHeads: 2,
 * })
 * const model = marian(config)
 * const ids = tensor([[4, 5, 6, 1]], { dtype: 'int32' })
 * const decoderIds = tensor([[0, 7, 8]], { dtype: 'int32' })
 * const { logits } = model.apply(model.init(random.key(0)), evaluation)({ ids, decoderIds })
 * console.log(logits.shape) // => [1, 3, 50]
 * ```
 */
export const marian = (config: MarianConfig): Layer<MarianParams, MarianInput, MarianOutput> =>
  modelLike(config, kind)
