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
export * from './checkpoint/index.ts'
export type { ConfigFile } from './config.ts'
export { decodeConfig } from './config.ts'
export * from './generate/index.ts'
export type { GptConfig, GptInput, GptOutput, GptParams } from './gpt.ts'
export { gpt, gptCodec, gptConfig } from './gpt.ts'
export * from './tokenizer/index.ts'
export type {
  Sharing,
  SourceInput,
  TransformerConfig,
  TransformerInput,
  TransformerOutput,
  TransformerParams,
} from './transformer.ts'
export {
  shiftRight,
  transformer,
  transformerCodec,
  transformerConfig,
  transformerEncoder,
} from './transformer.ts'
