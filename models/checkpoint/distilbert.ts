/** DistilBERT in checkpoints. */
import type { MaskedInput, MaskedOutput, SpanOutput, TaggingOutput } from '../bert/index.ts'
import type { DistilBertConfig } from '../config/distilbert.ts'
import { distilBertCodec } from '../config/distilbert.ts'
import type {
  DistilBertForMaskedLanguageModellingParams,
  DistilBertForQuestionAnsweringParams,
  DistilBertForSequenceClassificationParams,
  DistilBertForTokenClassificationParams,
  DistilBertInput,
  DistilBertParams,
} from '../distilbert.ts'
import {
  distilBert,
  distilBertForMaskedLanguageModelling,
  distilBertForMultipleChoice,
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

/**
 * DistilBERT without a head, and its names in files: `transformers.DistilBertModel`.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { distilBertConfig, DistilBertModel } from 'pullback/models'
 * const config = distilBertConfig({ vocabularySize: 100, width: 16, layers: 1, heads: 2 })
 * const model = DistilBertModel.layer(config)
 * const ids = tensor([[2, 40, 7, 3]], { dtype: 'int32' })
 * const { hidden } = model.apply(model.init(random.key(0)), evaluation)({ ids })
 * console.log(hidden.shape) // => [1, 4, 16]
 * ```
 */
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

/**
 * DistilBERT that fills in masked words, and its names in files: `transformers.DistilBertForMaskedLM`.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { distilBertConfig, DistilBertForMaskedLM } from 'pullback/models'
 * const config = distilBertConfig({ vocabularySize: 100, width: 16, layers: 1, heads: 2 })
 * const model = DistilBertForMaskedLM.layer(config)
 * const ids = tensor([[2, 40, 7, 3]], { dtype: 'int32' })
 * const { predictionLogits } = model.apply(model.init(random.key(0)), evaluation)({ ids })
 * console.log(predictionLogits.shape) // => [1, 4, 100]
 * ```
 */
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

/**
 * DistilBERT that tells the class of a text, and its names in files: `transformers.DistilBertForSequenceClassification`.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { distilBertConfig, DistilBertForSequenceClassification } from 'pullback/models'
 * const sizes = { vocabularySize: 100, width: 16, layers: 1, heads: 2 }
 * const config = distilBertConfig({ ...sizes, labels: ['no', 'yes'] })
 * const model = DistilBertForSequenceClassification.layer(config)
 * const ids = tensor([[2, 40, 7, 3]], { dtype: 'int32' })
 * const { logits } = model.apply(model.init(random.key(0)), evaluation)({ ids })
 * console.log(logits.shape) // => [1, 2]
 * ```
 */
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

/**
 * DistilBERT that tells the class of each token, and its names in files: `transformers.DistilBertForTokenClassification`.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { distilBertConfig, DistilBertForTokenClassification } from 'pullback/models'
 * const sizes = { vocabularySize: 100, width: 16, layers: 1, heads: 2 }
 * const config = distilBertConfig({ ...sizes, labels: ['no', 'yes'] })
 * const model = DistilBertForTokenClassification.layer(config)
 * const ids = tensor([[2, 40, 7, 3]], { dtype: 'int32' })
 * const { logits } = model.apply(model.init(random.key(0)), evaluation)({ ids })
 * console.log(logits.shape) // => [1, 4, 2]
 * ```
 */
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

/**
 * DistilBERT that finds an answer in a passage, and its names in files: `transformers.DistilBertForQuestionAnswering`.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { distilBertConfig, DistilBertForQuestionAnswering } from 'pullback/models'
 * const config = distilBertConfig({ vocabularySize: 100, width: 16, layers: 1, heads: 2 })
 * const model = DistilBertForQuestionAnswering.layer(config)
 * const ids = tensor([[2, 40, 7, 3]], { dtype: 'int32' })
 * const { startLogits, endLogits } = model.apply(model.init(random.key(0)), evaluation)({ ids })
 * console.log(startLogits.shape, endLogits.shape) // => [1, 4] [1, 4]
 * ```
 */
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

/**
 * DistilBERT that chooses among texts, and its names in files: `transformers.DistilBertForMultipleChoice`.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { distilBertConfig, DistilBertForMultipleChoice } from 'pullback/models'
 * const config = distilBertConfig({ vocabularySize: 100, width: 16, layers: 1, heads: 2 })
 * const model = DistilBertForMultipleChoice.layer(config)
 * const ids = tensor([[[2, 40, 3], [2, 41, 3]]], { dtype: 'int32' }) // two choices
 * const { logits } = model.apply(model.init(random.key(0)), evaluation)({ ids })
 * console.log(logits.shape) // => [1, 2]
 * ```
 */
export const DistilBertForMultipleChoice: Architecture<
  DistilBertConfig,
  DistilBertForSequenceClassificationParams,
  DistilBertInput,
  TaggingOutput
> = {
  name: 'DistilBertForMultipleChoice',
  codec: distilBertCodec,
  layer: distilBertForMultipleChoice,
  names: () => named({ transform: dense('pre_classifier'), classifier: dense('classifier') }),
}
