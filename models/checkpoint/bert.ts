/** BERT in checkpoints. */
import type {
  BertConfig,
  BertForMaskedLanguageModellingParams,
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
  SpanOutput,
  TaggingOutput,
} from '../bert/index.ts'
import {
  bert,
  bertCodec,
  bertForMaskedLanguageModelling,
  bertForMultipleChoice,
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

export const BertForQuestionAnswering: Architecture<
  BertConfig,
  BertForQuestionAnsweringParams,
  BertInput,
  SpanOutput
> = { name: 'BertForQuestionAnswering', codec: bertCodec, layer: bertForQuestionAnswering, names: named }

export const BertForMultipleChoice: Architecture<
  BertConfig,
  BertForSequenceClassificationParams,
  BertInput,
  ClassificationOutput
> = { name: 'BertForMultipleChoice', codec: bertCodec, layer: bertForMultipleChoice, names: named }
