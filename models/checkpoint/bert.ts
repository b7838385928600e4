/** BERT in checkpoints. */
import type { BertConfig } from '../config/bert.ts'
import { bertCodec } from '../config/bert.ts'
import type {
  BertForMaskedLanguageModellingParams,
  BertForNextSentencePredictionParams,
  BertForPreTrainingOutput,
  BertForPreTrainingParams,
  BertForQuestionAnsweringParams,
  BertForSequenceClassificationParams,
  BertForTokenClassificationParams,
  BertInput,
  BertOutput,
  BertParams,
  ClassificationOutput,
  MaskedInput,
  MaskedOutput,
  NextSentenceOutput,
  SpanOutput,
  TaggingOutput,
} from '../bert/index.ts'
import {
  bert,
  bertForMaskedLanguageModelling,
  bertForMultipleChoice,
  bertForNextSentencePrediction,
  bertForPreTraining,
  bertForQuestionAnswering,
  bertForSequenceClassification,
  bertForTokenClassification,
} from '../bert/index.ts'
import type { Architecture } from './architecture.ts'
import type { Names, Rules } from './name.ts'
import { dense, plain } from './name.ts'

const layer = 'encoder.layer.*'

export const bertBody: Rules = {
  'embeddings/word': plain('embeddings.word_embeddings'),
  'embeddings/position': plain('embeddings.position_embeddings'),
  'embeddings/tokenType': plain('embeddings.token_type_embeddings'),
  'embeddings/norm': plain('embeddings.LayerNorm'),
  'encoder/block/*/attention/query': dense(`${layer}.attention.self.query`),
  'encoder/block/*/attention/key': dense(`${layer}.attention.self.key`),
  'encoder/block/*/attention/value': dense(`${layer}.attention.self.value`),
  'encoder/block/*/attention/output': dense(`${layer}.attention.output.dense`),
  'encoder/block/*/attentionNorm': plain(`${layer}.attention.output.LayerNorm`),
  'encoder/block/*/feedForward/up': dense(`${layer}.intermediate.dense`),
  'encoder/block/*/feedForward/down': dense(`${layer}.output.dense`),
  'encoder/block/*/feedForwardNorm': plain(`${layer}.output.LayerNorm`),
  pooler: dense('pooler.dense'),
}

const words = 'bert.embeddings.word_embeddings.weight'

const head: Rules = {
  'predictions/transform': dense('cls.predictions.transform.dense'),
  'predictions/norm': plain('cls.predictions.transform.LayerNorm'),
  'predictions/bias': plain('cls.predictions.bias'),
  'predictions/decoder': dense('cls.predictions.decoder'),
  nextSentence: dense('cls.seq_relationship'),
  classifier: dense('classifier'),
  span: dense('qa_outputs'),
}

export const bertIgnored: readonly RegExp[] = [/(^|\.)embeddings\.position_ids$/]

const [bias, decoderBias] = ['cls.predictions.bias', 'cls.predictions.decoder.bias']

/** Where weights are tied, biases are; where they are not, the library has two of which it uses the decoder's. */
const named = ({ tied }: BertConfig): Names => ({
  body: bertBody,
  prefix: 'bert.',
  otherPrefix: '',
  head: tied ? head : { ...head, 'predictions/bias': plain(decoderBias) },
  tied: tied ? { [decoderBias]: bias, 'cls.predictions.decoder.weight': words } : {},
  ...(tied ? {} : { copies: { [bias]: decoderBias } }),
  ignored: bertIgnored,
})

/**
 * BERT without a head, and its names in files: `transformers.BertModel`.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { bertConfig, BertModel } from 'pullback/models'
 * const config = bertConfig({ vocabularySize: 100, width: 16, layers: 1, heads: 2 })
 * const model = BertModel.layer(config)
 * const ids = tensor([[2, 40, 7, 3]], { dtype: 'int32' })
 * const { hidden, pooled } = model.apply(model.init(random.key(0)), evaluation)({ ids })
 * console.log(hidden.shape, pooled.shape) // => [1, 4, 16] [1, 16]
 * ```
 */
export const BertModel: Architecture<BertConfig, BertParams, BertInput, BertOutput> = {
  name: 'BertModel',
  codec: bertCodec,
  layer: bert,
  names: () => ({
    body: bertBody,
    prefix: '',
    otherPrefix: 'bert.',
    head: {},
    tied: {},
    ignored: bertIgnored,
  }),
}

/**
 * BERT with both heads that it is pretrained with, and its names in files: `transformers.BertForPreTraining`.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { bertConfig, BertForPreTraining } from 'pullback/models'
 * const config = bertConfig({ vocabularySize: 100, width: 16, layers: 1, heads: 2 })
 * const model = BertForPreTraining.layer(config)
 * const ids = tensor([[2, 40, 7, 3]], { dtype: 'int32' })
 * const params = model.init(random.key(0))
 * const { predictionLogits, nextSentenceLogits } = model.apply(params, evaluation)({ ids })
 * console.log(predictionLogits.shape, nextSentenceLogits.shape) // => [1, 4, 100] [1, 2]
 * ```
 */
export const BertForPreTraining: Architecture<
  BertConfig,
  BertForPreTrainingParams,
  MaskedInput,
  BertForPreTrainingOutput
> = {
  name: 'BertForPreTraining',
  codec: bertCodec,
  layer: bertForPreTraining,
  untied: (config) => ({ ...config, tied: false }),
  names: named,
}

/**
 * BERT that fills in masked words, and its names in files: `transformers.BertForMaskedLM`.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { bertConfig, BertForMaskedLM } from 'pullback/models'
 * const config = bertConfig({ vocabularySize: 100, width: 16, layers: 1, heads: 2 })
 * const model = BertForMaskedLM.layer(config)
 * const ids = tensor([[2, 40, 7, 3]], { dtype: 'int32' })
 * const { predictionLogits } = model.apply(model.init(random.key(0)), evaluation)({ ids })
 * console.log(predictionLogits.shape) // => [1, 4, 100]
 * ```
 */
export const BertForMaskedLM: Architecture<
  BertConfig,
  BertForMaskedLanguageModellingParams,
  MaskedInput,
  MaskedOutput
> = {
  name: 'BertForMaskedLM',
  codec: bertCodec,
  layer: bertForMaskedLanguageModelling,
  untied: (config) => ({ ...config, tied: false }),
  names: named,
}

/**
 * BERT that tells the class of a text, and its names in files: `transformers.BertForSequenceClassification`.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { bertConfig, BertForSequenceClassification } from 'pullback/models'
 * const sizes = { vocabularySize: 100, width: 16, layers: 1, heads: 2 }
 * const config = bertConfig({ ...sizes, labels: ['no', 'yes'] })
 * const model = BertForSequenceClassification.layer(config)
 * const ids = tensor([[2, 40, 7, 3]], { dtype: 'int32' })
 * const { logits } = model.apply(model.init(random.key(0)), evaluation)({ ids })
 * console.log(logits.shape) // => [1, 2]
 * ```
 */
export const BertForSequenceClassification: Architecture<
  BertConfig,
  BertForSequenceClassificationParams,
  BertInput,
  ClassificationOutput
> = {
  name: 'BertForSequenceClassification',
  codec: bertCodec,
  layer: bertForSequenceClassification,
  names: named,
}

/**
 * BERT that tells the class of each token, and its names in files: `transformers.BertForTokenClassification`.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { bertConfig, BertForTokenClassification } from 'pullback/models'
 * const sizes = { vocabularySize: 100, width: 16, layers: 1, heads: 2 }
 * const config = bertConfig({ ...sizes, labels: ['no', 'yes'] })
 * const model = BertForTokenClassification.layer(config)
 * const ids = tensor([[2, 40, 7, 3]], { dtype: 'int32' })
 * const { logits } = model.apply(model.init(random.key(0)), evaluation)({ ids })
 * console.log(logits.shape) // => [1, 4, 2]
 * ```
 */
export const BertForTokenClassification: Architecture<
  BertConfig,
  BertForTokenClassificationParams,
  BertInput,
  TaggingOutput
> = {
  name: 'BertForTokenClassification',
  codec: bertCodec,
  layer: bertForTokenClassification,
  names: named,
}

/**
 * BERT that finds an answer in a passage, and its names in files: `transformers.BertForQuestionAnswering`.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { bertConfig, BertForQuestionAnswering } from 'pullback/models'
 * const config = bertConfig({ vocabularySize: 100, width: 16, layers: 1, heads: 2 })
 * const model = BertForQuestionAnswering.layer(config)
 * const ids = tensor([[2, 40, 7, 3]], { dtype: 'int32' })
 * const { startLogits, endLogits } = model.apply(model.init(random.key(0)), evaluation)({ ids })
 * console.log(startLogits.shape, endLogits.shape) // => [1, 4] [1, 4]
 * ```
 */
export const BertForQuestionAnswering: Architecture<
  BertConfig,
  BertForQuestionAnsweringParams,
  BertInput,
  SpanOutput
> = { name: 'BertForQuestionAnswering', codec: bertCodec, layer: bertForQuestionAnswering, names: named }

/**
 * BERT that chooses among texts, and its names in files: `transformers.BertForMultipleChoice`.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { bertConfig, BertForMultipleChoice } from 'pullback/models'
 * const config = bertConfig({ vocabularySize: 100, width: 16, layers: 1, heads: 2 })
 * const model = BertForMultipleChoice.layer(config)
 * const ids = tensor([[[2, 40, 3], [2, 41, 3]]], { dtype: 'int32' }) // two choices
 * const { logits } = model.apply(model.init(random.key(0)), evaluation)({ ids })
 * console.log(logits.shape) // => [1, 2]
 * ```
 */
export const BertForMultipleChoice: Architecture<
  BertConfig,
  BertForSequenceClassificationParams,
  BertInput,
  ClassificationOutput
> = { name: 'BertForMultipleChoice', codec: bertCodec, layer: bertForMultipleChoice, names: named }

/**
 * BERT that tells whether one passage follows another, and its names in files:
 * `transformers.BertForNextSentencePrediction`.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { bertConfig, BertForNextSentencePrediction } from 'pullback/models'
 * const config = bertConfig({ vocabularySize: 100, width: 16, layers: 1, heads: 2 })
 * const model = BertForNextSentencePrediction.layer(config)
 * const ids = tensor([[2, 40, 3, 7, 3]], { dtype: 'int32' })
 * const { logits } = model.apply(model.init(random.key(0)), evaluation)({ ids })
 * console.log(logits.shape) // => [1, 2]
 * ```
 */
export const BertForNextSentencePrediction: Architecture<
  BertConfig,
  BertForNextSentencePredictionParams,
  BertInput,
  NextSentenceOutput
> = {
  name: 'BertForNextSentencePrediction',
  codec: bertCodec,
  layer: bertForNextSentencePrediction,
  names: named,
}
