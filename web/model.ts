/** The two models of the page, alike for whoever trains them. */
import type { Key, Tensor } from 'pullback'
import {
  bertConfig,
  bertForMaskedLanguageModelling,
  bertPositionalHeads,
  gpt,
  gptConfig,
} from 'pullback/models'
import type { Layer } from 'pullback/nn'
import { evaluation, training, withTaps } from 'pullback/nn'
import { causalLanguageModelling, maskedLanguageModelling, maskTokens } from 'pullback/training'
import type { Settings } from './message.ts'
import { maskId } from './vocabulary.ts'

export interface Model {
  readonly init: (key: Key) => unknown
  /** The mean loss of a batch of ids [batch, time]. */
  readonly loss: (params: unknown, ids: Tensor, key: Key) => Tensor
  /** [batch, time, vocabulary] */
  readonly logits: (params: unknown, ids: Tensor) => Tensor
  /** For each layer [batch, heads, time, time]. */
  readonly attention: (params: unknown, ids: Tensor) => readonly Tensor[]
}

interface Input {
  readonly ids: Tensor
}

const modelOf = <P, O>(
  layer: Layer<P, Input, O>,
  logitsOf: (output: O) => Tensor,
  lossOf: (apply: (ids: Tensor) => Tensor, ids: Tensor, key: Key) => Tensor,
): Model => {
  const tapped = withTaps(layer, (path) => path.endsWith('attention/weights'))
  return {
    init: layer.init,
    loss: (params, ids, key) =>
      lossOf((given) => logitsOf(layer.apply(params as P, training(key))({ ids: given })), ids, key),
    logits: (params, ids) => logitsOf(layer.apply(params as P, evaluation)({ ids })),
    attention: (params, ids) => Object.values(tapped.apply(params as P, evaluation)({ ids }).taps),
  }
}

export const makeModel = (settings: Settings, vocabularySize: number): Model => {
  const { width, layers, heads, length } = settings
  const sizes = { vocabularySize, width, layers, heads, maxLength: length }
  if (settings.model === 'gpt')
    return modelOf(
      gpt(gptConfig({ ...sizes, dropout: 0, embeddingDropout: 0, attentionDropout: 0 })),
      ({ logits }) => logits,
      (apply, ids) => causalLanguageModelling(apply(ids), ids),
    )
  const config = bertConfig({ ...sizes, hidden: 4 * width, dropout: 0, attentionDropout: 0 })
  const bert = bertForMaskedLanguageModelling(config)
  return modelOf(
    // Otherwise its first thousand steps find out no more than how frequent each character is.
    { ...bert, init: (key) => bertPositionalHeads(config, bert.init(key)) },
    ({ predictionLogits }) => predictionLogits,
    (apply, ids, key) => {
      const masked = maskTokens(key, ids, { maskId, vocabularySize, specialIds: [maskId] })
      return maskedLanguageModelling(apply(masked.ids), masked.labels)
    },
  )
}
