/** RoBERTa in checkpoints. */
import type {
  BertForMaskedLanguageModellingParams,
  BertForQuestionAnsweringParams,
  BertForTokenClassificationParams,
  BertInput,
  BertOutput,
  BertParams,
  MaskedInput,
  MaskedOutput,
  SpanOutput,
  TaggingOutput,
} from '../bert/index.ts'
import type { RobertaConfig, RobertaForSequenceClassificationParams } from '../roberta.ts'
import {
  roberta,
  robertaCodec,
  robertaForMaskedLanguageModelling,
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

export const RobertaModel: Architecture<RobertaConfig, BertParams, BertInput, BertOutput> = {
  name: 'RobertaModel',
  codec: robertaCodec,
  layer: roberta,
  names: () => ({ ...named({}), prefix: '', otherPrefix: 'roberta.' }),
}

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
