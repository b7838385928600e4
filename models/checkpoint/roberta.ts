/** RoBERTa in checkpoints. */
import type {
  BertForMaskedLanguageModellingParams,
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
import type { RobertaConfig } from '../config/roberta.ts'
import { robertaCodec } from '../config/roberta.ts'
import type { RobertaForSequenceClassificationParams } from '../roberta.ts'
import {
  roberta,
  robertaForMaskedLanguageModelling,
  robertaForMultipleChoice,
  robertaForQuestionAnswering,
  robertaForSequenceClassification,
  robertaForTokenClassification,
} from '../roberta.ts'
import type { Architecture } from './architecture.ts'
import { bertBody, bertIgnored } from './bert.ts'
import type { Names, Rules } from './name.ts'
import { dense, plain } from './name.ts'

const named = (head: Rules, tied: Names['tied'] = {}, copies: Names['tied'] = {}): Names => ({
  body: bertBody,
  prefix: 'roberta.',
  otherPrefix: '',
  head,
  tied,
  copies,
  ignored: bertIgnored,
})

const [bias, decoderBias] = ['lm_head.bias', 'lm_head.decoder.bias']

const words = (tied: boolean): Rules => ({
  'predictions/transform': dense('lm_head.dense'),
  'predictions/norm': plain('lm_head.layer_norm'),
  'predictions/bias': plain(tied ? bias : decoderBias),
  'predictions/decoder': dense('lm_head.decoder'),
})

/**
 * RoBERTa without a head, and its names in files: `transformers.RobertaModel`.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { robertaConfig, RobertaModel } from 'pullback/models'
 * const config = robertaConfig({ vocabularySize: 100, width: 16, layers: 1, heads: 2 })
 * const model = RobertaModel.layer(config)
 * const ids = tensor([[2, 40, 7, 3]], { dtype: 'int32' })
 * const { hidden, pooled } = model.apply(model.init(random.key(0)), evaluation)({ ids })
 * console.log(hidden.shape, pooled.shape) // => [1, 4, 16] [1, 16]
 * ```
 */
export const RobertaModel: Architecture<RobertaConfig, BertParams, BertInput, BertOutput> = {
  name: 'RobertaModel',
  codec: robertaCodec,
  layer: roberta,
  names: () => ({ ...named({}), prefix: '', otherPrefix: 'roberta.' }),
}

/**
 * RoBERTa that fills in masked words, and its names in files: `transformers.RobertaForMaskedLM`.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { robertaConfig, RobertaForMaskedLM } from 'pullback/models'
 * const config = robertaConfig({ vocabularySize: 100, width: 16, layers: 1, heads: 2 })
 * const model = RobertaForMaskedLM.layer(config)
 * const ids = tensor([[2, 40, 7, 3]], { dtype: 'int32' })
 * const { predictionLogits } = model.apply(model.init(random.key(0)), evaluation)({ ids })
 * console.log(predictionLogits.shape) // => [1, 4, 100]
 * ```
 */
export const RobertaForMaskedLM: Architecture<
  RobertaConfig,
  BertForMaskedLanguageModellingParams,
  MaskedInput,
  MaskedOutput
> = {
  name: 'RobertaForMaskedLM',
  codec: robertaCodec,
  layer: robertaForMaskedLanguageModelling,
  untied: (config) => ({ ...config, tied: false }),
  names: ({ tied }) =>
    tied
      ? named(words(tied), {
          [decoderBias]: bias,
          'lm_head.decoder.weight': 'roberta.embeddings.word_embeddings.weight',
        })
      : named(words(tied), {}, { [bias]: decoderBias }),
}

/**
 * RoBERTa that tells the class of a text, and its names in files: `transformers.RobertaForSequenceClassification`.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { robertaConfig, RobertaForSequenceClassification } from 'pullback/models'
 * const sizes = { vocabularySize: 100, width: 16, layers: 1, heads: 2 }
 * const config = robertaConfig({ ...sizes, labels: ['no', 'yes'] })
 * const model = RobertaForSequenceClassification.layer(config)
 * const ids = tensor([[2, 40, 7, 3]], { dtype: 'int32' })
 * const { logits } = model.apply(model.init(random.key(0)), evaluation)({ ids })
 * console.log(logits.shape) // => [1, 2]
 * ```
 */
export const RobertaForSequenceClassification: Architecture<
  RobertaConfig,
  RobertaForSequenceClassificationParams,
  BertInput,
  TaggingOutput
> = {
  name: 'RobertaForSequenceClassification',
  codec: robertaCodec,
  layer: robertaForSequenceClassification,
  names: () => named({ transform: dense('classifier.dense'), classifier: dense('classifier.out_proj') }),
}

/**
 * RoBERTa that tells the class of each token, and its names in files: `transformers.RobertaForTokenClassification`.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { robertaConfig, RobertaForTokenClassification } from 'pullback/models'
 * const sizes = { vocabularySize: 100, width: 16, layers: 1, heads: 2 }
 * const config = robertaConfig({ ...sizes, labels: ['no', 'yes'] })
 * const model = RobertaForTokenClassification.layer(config)
 * const ids = tensor([[2, 40, 7, 3]], { dtype: 'int32' })
 * const { logits } = model.apply(model.init(random.key(0)), evaluation)({ ids })
 * console.log(logits.shape) // => [1, 4, 2]
 * ```
 */
export const RobertaForTokenClassification: Architecture<
  RobertaConfig,
  BertForTokenClassificationParams,
  BertInput,
  TaggingOutput
> = {
  name: 'RobertaForTokenClassification',
  codec: robertaCodec,
  layer: robertaForTokenClassification,
  names: () => named({ classifier: dense('classifier') }),
}

/**
 * RoBERTa that finds an answer in a passage, and its names in files: `transformers.RobertaForQuestionAnswering`.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { robertaConfig, RobertaForQuestionAnswering } from 'pullback/models'
 * const config = robertaConfig({ vocabularySize: 100, width: 16, layers: 1, heads: 2 })
 * const model = RobertaForQuestionAnswering.layer(config)
 * const ids = tensor([[2, 40, 7, 3]], { dtype: 'int32' })
 * const { startLogits, endLogits } = model.apply(model.init(random.key(0)), evaluation)({ ids })
 * console.log(startLogits.shape, endLogits.shape) // => [1, 4] [1, 4]
 * ```
 */
export const RobertaForQuestionAnswering: Architecture<
  RobertaConfig,
  BertForQuestionAnsweringParams,
  BertInput,
  SpanOutput
> = {
  name: 'RobertaForQuestionAnswering',
  codec: robertaCodec,
  layer: robertaForQuestionAnswering,
  names: () => named({ span: dense('qa_outputs') }),
}

/**
 * RoBERTa that chooses among texts, and its names in files: `transformers.RobertaForMultipleChoice`.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { robertaConfig, RobertaForMultipleChoice } from 'pullback/models'
 * const config = robertaConfig({ vocabularySize: 100, width: 16, layers: 1, heads: 2 })
 * const model = RobertaForMultipleChoice.layer(config)
 * const ids = tensor([[[2, 40, 3], [2, 41, 3]]], { dtype: 'int32' }) // two choices
 * const { logits } = model.apply(model.init(random.key(0)), evaluation)({ ids })
 * console.log(logits.shape) // => [1, 2]
 * ```
 */
export const RobertaForMultipleChoice: Architecture<
  RobertaConfig,
  BertForSequenceClassificationParams,
  BertInput,
  ClassificationOutput
> = {
  name: 'RobertaForMultipleChoice',
  codec: robertaCodec,
  layer: robertaForMultipleChoice,
  names: () => named({ classifier: dense('classifier') }),
}
