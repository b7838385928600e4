/** DistilBERT in checkpoints. */
import type { MaskedInput, MaskedOutput, SpanOutput, TaggingOutput } from '../bert/index.ts'
import type {
  DistilBertConfig,
  DistilBertForMaskedLanguageModellingParams,
  DistilBertForQuestionAnsweringParams,
  DistilBertForSequenceClassificationParams,
  DistilBertForTokenClassificationParams,
  DistilBertInput,
  DistilBertParams,
} from '../distilbert.ts'
import {
  distilBert,
  distilBertCodec,
  distilBertForMaskedLanguageModelling,
  distilBertForQuestionAnswering,
  distilBertForSequenceClassification,
  distilBertForTokenClassification,
} from '../distilbert.ts'
import type { Tensor } from '../../core/index.ts'
import type { Architecture } from './architecture.ts'
import type { Names, Rules } from './name.ts'
import { dense, plain } from './name.ts'

const layer = 'transformer.layer.*'

const body: Rules = {
  'embeddings/word': plain('embeddings.word_embeddings'),
  'embeddings/position': plain('embeddings.position_embeddings'),
  'embeddings/norm': plain('embeddings.LayerNorm'),
  'encoder/block/*/attention/query': dense(`${layer}.attention.q_lin`),
  'encoder/block/*/attention/key': dense(`${layer}.attention.k_lin`),
  'encoder/block/*/attention/value': dense(`${layer}.attention.v_lin`),
  'encoder/block/*/attention/output': dense(`${layer}.attention.out_lin`),
  'encoder/block/*/attentionNorm': plain(`${layer}.sa_layer_norm`),
  'encoder/block/*/feedForward/up': dense(`${layer}.ffn.lin1`),
  'encoder/block/*/feedForward/down': dense(`${layer}.ffn.lin2`),
  'encoder/block/*/feedForwardNorm': plain(`${layer}.output_layer_norm`),
}

const named = (head: Rules, tied: Names['tied'] = {}): Names => ({
  body,
  prefix: 'distilbert.',
  otherPrefix: '',
  head,
  tied,
  ignored: [/(^|\.)embeddings\.position_ids$/],
})

export const DistilBertModel: Architecture<
  DistilBertConfig,
  DistilBertParams,
  DistilBertInput,
  { readonly hidden: Tensor }
> = {
  name: 'DistilBertModel',
  codec: distilBertCodec,
  layer: distilBert,
  names: () => ({ ...named({}), prefix: '', otherPrefix: 'distilbert.' }),
}

export const DistilBertForMaskedLM: Architecture<
  DistilBertConfig,
  DistilBertForMaskedLanguageModellingParams,
  MaskedInput,
  MaskedOutput
> = {
  name: 'DistilBertForMaskedLM',
  codec: distilBertCodec,
  layer: distilBertForMaskedLanguageModelling,
  untied: (config) => ({ ...config, tied: false }),
  names: ({ tied }) =>
    named(
      {
        'predictions/transform': dense('vocab_transform'),
        'predictions/norm': plain('vocab_layer_norm'),
        'predictions/bias': plain('vocab_projector.bias'),
        'predictions/decoder': dense('vocab_projector'),
      },
      tied ? { 'vocab_projector.weight': 'distilbert.embeddings.word_embeddings.weight' } : {},
    ),
}

export const DistilBertForSequenceClassification: Architecture<
  DistilBertConfig,
  DistilBertForSequenceClassificationParams,
  DistilBertInput,
  TaggingOutput
> = {
  name: 'DistilBertForSequenceClassification',
  codec: distilBertCodec,
  layer: distilBertForSequenceClassification,
  names: () => named({ transform: dense('pre_classifier'), classifier: dense('classifier') }),
}

export const DistilBertForTokenClassification: Architecture<
  DistilBertConfig,
  DistilBertForTokenClassificationParams,
  DistilBertInput,
  TaggingOutput
> = {
  name: 'DistilBertForTokenClassification',
  codec: distilBertCodec,
  layer: distilBertForTokenClassification,
  names: () => named({ classifier: dense('classifier') }),
}

export const DistilBertForQuestionAnswering: Architecture<
  DistilBertConfig,
  DistilBertForQuestionAnsweringParams,
  DistilBertInput,
  SpanOutput
> = {
  name: 'DistilBertForQuestionAnswering',
  codec: distilBertCodec,
  layer: distilBertForQuestionAnswering,
  names: () => named({ span: dense('qa_outputs') }),
}
