/** Transformer models, as functions from their configs to layers; their checkpoints; tokenizers. */
export type {
  BertBodyParams,
  BertConfig,
  BertEmbeddingsParams,
  BertForMaskedLanguageModellingParams,
  BertForPreTrainingOutput,
  BertForPreTrainingParams,
  BertForSequenceClassificationParams,
  BertInput,
  BertOutput,
  BertParams,
  ClassificationOutput,
  MaskedInput,
  MaskedOutput,
  PredictionParams,
} from './bert.ts'
export {
  bert,
  bertCodec,
  bertConfig,
  bertForMaskedLanguageModelling,
  bertForPreTraining,
  bertForSequenceClassification,
} from './bert.ts'
export type { ConfigFile } from './config.ts'
export { decodeConfig } from './config.ts'
export * from './tokenizer/index.ts'
