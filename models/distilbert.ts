/**
 * DistilBERT (Sanh et al. 2019): BERT with half the layers, taught by a larger one; no kinds of passage, no pooler.
 */
import { add, relu } from '../core/index.ts'
import type { Tensor } from '../core/index.ts'
import { dropout, embedding, encoder, layerNorm, linear, struct, tap, truncatedNormal } from '../nn/index.ts'
import type { EmbeddingParams, EncoderParams, Layer, LinearParams, NormParams } from '../nn/index.ts'
import type { BertInput, BodyParts } from './bert/body.ts'
import { initialisers, read } from './bert/body.ts'
import type { MaskedInput, MaskedOutput, PredictionParams } from './bert/pretraining.ts'
import { maskedLanguageModel } from './bert/pretraining.ts'
import type { SpanOutput, TaggingOutput } from './bert/task.ts'
import { chosen, classifierParts, spanFinder, texts, tokenClassifier } from './bert/task.ts'
import type { DistilBertConfig } from './config/distilbert.ts'
import { firstRow, placesOf } from './input.ts'

/** BERT's layer norms have this, and the config does not say it. */
const epsilon = 1e-12

export type DistilBertInput = Omit<BertInput, 'tokenTypes'>

export interface DistilBertParams {
  readonly embeddings: {
    readonly word: EmbeddingParams
    readonly position: EmbeddingParams
    readonly norm: NormParams
  }
  readonly encoder: EncoderParams
}

const embeddings = (
  config: DistilBertConfig,
): Layer<DistilBertParams['embeddings'], DistilBertInput, Tensor> => {
  const { vocabularySize, width, maxLength, paddingId } = config
  const initialiser = truncatedNormal(config.deviation)
  return struct(
    {
      word: embedding(vocabularySize, width, { initialiser, paddingIndex: paddingId }),
      position: embedding(maxLength, width, { initialiser }),
      norm: layerNorm(width, { epsilon }),
      dropout: dropout(config.dropout),
    },
    (parts, run) => (input: DistilBertInput) => {
      const places = parts.position(placesOf('distilBert', input, maxLength, run))
      const output = parts.dropout(parts.norm(add(parts.word(input.ids), places))) // [batch, time, width]
      tap(run, 'output', () => output)
      return output
    },
  )
}

const body = (config: DistilBertConfig): BodyParts<DistilBertParams['embeddings']> => ({
  embeddings: embeddings(config),
  encoder: encoder({
    layers: config.layers,
    width: config.width,
    heads: config.heads,
    hidden: config.hidden,
    activation: config.activation,
    // Nothing is dropped behind attention.
    dropout: 0,
    feedForwardDropout: config.dropout,
    attentionDropout: config.attentionDropout,
    hiddenDropout: 0,
    epsilon,
    ...initialisers(config),
  }),
})

/**
 * The encoder alone: [batch, time] → `hidden` [batch, time, width].
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { distilBert, distilBertConfig } from 'pullback/models'
 * const config = distilBertConfig({ vocabularySize: 100, width: 16, layers: 1, heads: 2 })
 * const model = distilBert(config)
 * const ids = tensor([[2, 40, 7, 3]], { dtype: 'int32' })
 * const { hidden } = model.apply(model.init(random.key(0)), evaluation)({ ids })
 * console.log(hidden.shape) // => [1, 4, 16]
 * ```
 */
export const distilBert = (
  config: DistilBertConfig,
): Layer<DistilBertParams, DistilBertInput, { readonly hidden: Tensor }> =>
  struct(body(config), (parts) => (input: DistilBertInput) => ({ hidden: read(parts)(input) }))

export interface DistilBertForMaskedLanguageModellingParams extends DistilBertParams {
  readonly predictions: PredictionParams
}

/**
 * DistilBERT that fills in masked words.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { distilBertConfig, distilBertForMaskedLanguageModelling } from 'pullback/models'
 * const config = distilBertConfig({ vocabularySize: 100, width: 16, layers: 1, heads: 2 })
 * const model = distilBertForMaskedLanguageModelling(config)
 * const ids = tensor([[2, 40, 7, 3]], { dtype: 'int32' })
 * const { predictionLogits } = model.apply(model.init(random.key(0)), evaluation)({ ids })
 * console.log(predictionLogits.shape) // => [1, 4, 100]
 * ```
 */
export const distilBertForMaskedLanguageModelling = (
  config: DistilBertConfig,
): Layer<DistilBertForMaskedLanguageModellingParams, MaskedInput, MaskedOutput> =>
  maskedLanguageModel(body(config), { ...config, epsilon })

export interface DistilBertForSequenceClassificationParams extends DistilBertParams {
  readonly transform: LinearParams
  readonly classifier: LinearParams
}

/**
 * DistilBERT that tells which of `config.labels` a text is: the first token's row through two layers.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { distilBertConfig, distilBertForSequenceClassification } from 'pullback/models'
 * const sizes = { vocabularySize: 100, width: 16, layers: 1, heads: 2 }
 * const config = distilBertConfig({ ...sizes, labels: ['no', 'yes'] })
 * const model = distilBertForSequenceClassification(config)
 * const ids = tensor([[2, 40, 7, 3]], { dtype: 'int32' })
 * const { logits } = model.apply(model.init(random.key(0)), evaluation)({ ids })
 * console.log(logits.shape) // => [1, 2]
 * ```
 */
export const distilBertForSequenceClassification = (
  config: DistilBertConfig,
): Layer<DistilBertForSequenceClassificationParams, DistilBertInput, TaggingOutput> =>
  struct(
    {
      ...body(config),
      transform: linear(config.width, config.width, initialisers(config)),
      ...classifierParts(config, config.labels.length, config.classifierDropout),
    },
    (parts) => (input: DistilBertInput) => {
      const hidden = read(parts)(input)
      const summary = relu(parts.transform(firstRow(hidden)))
      return { logits: parts.classifier(parts.dropout(summary)), hidden }
    },
  )

export interface DistilBertForTokenClassificationParams extends DistilBertParams {
  readonly classifier: LinearParams
}

/**
 * DistilBERT that tells which of `config.labels` each token is.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { distilBertConfig, distilBertForTokenClassification } from 'pullback/models'
 * const sizes = { vocabularySize: 100, width: 16, layers: 1, heads: 2 }
 * const config = distilBertConfig({ ...sizes, labels: ['no', 'yes'] })
 * const model = distilBertForTokenClassification(config)
 * const ids = tensor([[2, 40, 7, 3]], { dtype: 'int32' })
 * const { logits } = model.apply(model.init(random.key(0)), evaluation)({ ids })
 * console.log(logits.shape) // => [1, 4, 2]
 * ```
 */
export const distilBertForTokenClassification = (
  config: DistilBertConfig,
): Layer<DistilBertForTokenClassificationParams, DistilBertInput, TaggingOutput> =>
  tokenClassifier(body(config), config, config.dropout)

export interface DistilBertForQuestionAnsweringParams extends DistilBertParams {
  readonly span: LinearParams
}

/**
 * DistilBERT that finds the answer to a question in a passage.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { distilBertConfig, distilBertForQuestionAnswering } from 'pullback/models'
 * const config = distilBertConfig({ vocabularySize: 100, width: 16, layers: 1, heads: 2 })
 * const model = distilBertForQuestionAnswering(config)
 * const ids = tensor([[2, 40, 7, 3]], { dtype: 'int32' })
 * const { startLogits, endLogits } = model.apply(model.init(random.key(0)), evaluation)({ ids })
 * console.log(startLogits.shape, endLogits.shape) // => [1, 4] [1, 4]
 * ```
 */
export const distilBertForQuestionAnswering = (
  config: DistilBertConfig,
): Layer<DistilBertForQuestionAnsweringParams, DistilBertInput, SpanOutput> =>
  spanFinder(body(config), config, config.answerDropout)

/**
 * DistilBERT that tells which of several texts fits best: inputs are [batch, choices, time], `logits` [batch, choices].
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { distilBertConfig, distilBertForMultipleChoice } from 'pullback/models'
 * const config = distilBertConfig({ vocabularySize: 100, width: 16, layers: 1, heads: 2 })
 * const model = distilBertForMultipleChoice(config)
 * const ids = tensor([[[2, 40, 3], [2, 41, 3]]], { dtype: 'int32' }) // two choices
 * const { logits } = model.apply(model.init(random.key(0)), evaluation)({ ids })
 * console.log(logits.shape) // => [1, 2]
 * ```
 */
export const distilBertForMultipleChoice = (
  config: DistilBertConfig,
): Layer<DistilBertForSequenceClassificationParams, DistilBertInput, TaggingOutput> => {
  const classifier = distilBertForSequenceClassification({ ...config, labels: ['fits'] })
  return {
    init: classifier.init,
    apply: (params, run) => {
      const score = classifier.apply(params, run)
      return (input) => {
        const { logits, hidden } = score(texts('distilBertForMultipleChoice', input))
        return { logits: chosen(logits, input), hidden }
      }
    },
  }
}
