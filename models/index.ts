/** Transformer models, as functions from their configs to layers; their checkpoints; tokenizers. */
export * from './bart/index.ts'
export * from './bert/index.ts'
export * from './checkpoint/index.ts'
export type {
  ClipInput,
  ClipOutput,
  ClipParams,
  ClipTextInput,
  ClipTextParams,
  ClipVisionInput,
  ClipVisionParams,
  TowerOutput,
} from './clip.ts'
export { clip, clipImageEmbeddings, clipText, clipTextEmbeddings, clipVision } from './clip.ts'
export type {
  DistilBertForMaskedLanguageModellingParams,
  DistilBertForQuestionAnsweringParams,
  DistilBertForSequenceClassificationParams,
  DistilBertForTokenClassificationParams,
  DistilBertInput,
  DistilBertParams,
} from './distilbert.ts'
export {
  distilBert,
  distilBertForMaskedLanguageModelling,
  distilBertForMultipleChoice,
  distilBertForQuestionAnswering,
  distilBertForSequenceClassification,
  distilBertForTokenClassification,
} from './distilbert.ts'
export * from './config/index.ts'
export * from './generate/index.ts'
export type {
  GptBodyParams,
  GptClassificationOutput,
  GptForSequenceClassificationParams,
  GptInput,
  GptOutput,
  GptParams,
  GptRead,
} from './gpt.ts'
export { gpt, gptForSequenceClassification, gptModel } from './gpt.ts'
export * from './hub/index.ts'
export type {
  LlamaBodyParams,
  LlamaForSequenceClassificationParams,
  LlamaInput,
  LlamaLayerParams,
  LlamaOutput,
  LlamaParams,
} from './llama.ts'
export { llama, llamaForSequenceClassification, llamaModel } from './llama.ts'
export type { Rope } from './rope/index.ts'
export { ropeAmplitude, ropeScaling } from './rope/index.ts'
export type { MarianInput, MarianOutput, MarianParams } from './marian.ts'
export { marian, marianEncoder } from './marian.ts'
export * from './image/index.ts'
export type { RobertaForSequenceClassificationParams } from './roberta.ts'
export {
  roberta,
  robertaForMaskedLanguageModelling,
  robertaForMultipleChoice,
  robertaForQuestionAnswering,
  robertaForSequenceClassification,
  robertaForTokenClassification,
} from './roberta.ts'
export type { T5EncoderParams, T5Input, T5Output, T5Params } from './t5.ts'
export { distanceBuckets, t5, t5Encoder, t5EncoderModel } from './t5.ts'
export * from './task/index.ts'
export * from './tokenizer/index.ts'
export type { SourceInput, TransformerInput, TransformerOutput, TransformerParams } from './transformer.ts'
export { shiftRight, transformer, transformerEncoder } from './transformer.ts'
export type {
  ClipTextModelParams,
  ClipTextModelWithProjectionParams,
  ClipVisionModelParams,
  ClipVisionModelWithProjectionParams,
  ProjectedOutput,
} from './tower.ts'
export {
  clipTextModel,
  clipTextModelWithProjection,
  clipVisionModel,
  clipVisionModelWithProjection,
} from './tower.ts'
export type {
  ImageClassificationOutput,
  VitBodyParams,
  VitForImageClassificationParams,
  VitInput,
  VitOutput,
  VitParams,
} from './vit.ts'
export { vit, vitForImageClassification } from './vit.ts'
