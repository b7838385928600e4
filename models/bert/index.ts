/** BERT and its tasks. */
export { bertPositionalHeads } from './beginning.ts'
export type { BertBodyParams, BertEmbeddingsParams, BertInput, BertOutput, BertParams } from './body.ts'
export { bert } from './body.ts'
export type {
  BertForMaskedLanguageModellingParams,
  BertForNextSentencePredictionParams,
  BertForPreTrainingOutput,
  BertForPreTrainingParams,
  MaskedInput,
  MaskedOutput,
  NextSentenceOutput,
  PredictionParams,
} from './pretraining.ts'
export {
  bertForMaskedLanguageModelling,
  bertForNextSentencePrediction,
  bertForPreTraining,
} from './pretraining.ts'
export type {
  BertForQuestionAnsweringParams,
  BertForSequenceClassificationParams,
  BertForTokenClassificationParams,
  ClassificationOutput,
  SpanOutput,
  TaggingOutput,
} from './task.ts'
export {
  bertForMultipleChoice,
  bertForQuestionAnswering,
  bertForSequenceClassification,
  bertForTokenClassification,
} from './task.ts'
