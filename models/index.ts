/** Transformer models, as functions from their configs to layers; their checkpoints; tokenizers. */
export * from './bart/index.ts'
export * from './bert/index.ts'
export * from './checkpoint/index.ts'
export type {
  ClipConfig,
  ClipEntries,
  ClipInput,
  ClipOutput,
  ClipParams,
  ClipTextConfig,
  ClipTextInput,
  ClipTextModelConfig,
  ClipTextModelParams,
  ClipTextModelWithProjectionParams,
  ClipTextParams,
  ClipVisionConfig,
  ClipVisionInput,
  ClipVisionModelConfig,
  ClipVisionModelParams,
  ClipVisionModelWithProjectionParams,
  ClipVisionParams,
  ProjectedOutput,
  TowerOutput,
} from './clip.ts'
export {
  clip,
  clipCodec,
  clipConfig,
  clipImageEmbeddings,
  clipText,
  clipTextCodec,
  clipTextEmbeddings,
  clipTextModel,
  clipTextModelWithProjection,
  clipVision,
  clipVisionCodec,
  clipVisionModel,
  clipVisionModelWithProjection,
} from './clip.ts'
export type { ConfigFile } from './config.ts'
export { decodeConfig } from './config.ts'
export type {
  DistilBertConfig,
  DistilBertForMaskedLanguageModellingParams,
  DistilBertForQuestionAnsweringParams,
  DistilBertForSequenceClassificationParams,
  DistilBertForTokenClassificationParams,
  DistilBertInput,
  DistilBertParams,
} from './distilbert.ts'
export {
  distilBert,
  distilBertCodec,
  distilBertConfig,
  distilBertForMaskedLanguageModelling,
  distilBertForMultipleChoice,
  distilBertForQuestionAnswering,
  distilBertForSequenceClassification,
  distilBertForTokenClassification,
} from './distilbert.ts'
export * from './generate/index.ts'
export type {
  GptBodyParams,
  GptClassificationOutput,
  GptConfig,
  GptForSequenceClassificationParams,
  GptInput,
  GptOutput,
  GptParams,
  GptRead,
} from './gpt.ts'
export { gpt, gptCodec, gptConfig, gptForSequenceClassification, gptModel } from './gpt.ts'
export * from './hub/index.ts'
export type {
  LlamaBodyParams,
  LlamaConfig,
  LlamaForSequenceClassificationParams,
  LlamaInput,
  LlamaLayerParams,
  LlamaOutput,
  LlamaParams,
} from './llama.ts'
export { llama, llamaCodec, llamaConfig, llamaForSequenceClassification, llamaModel } from './llama.ts'
export type { Rope } from './rope/index.ts'
export { ropeAmplitude, ropeScaling } from './rope/index.ts'
export type { MarianConfig, MarianInput, MarianOutput, MarianParams } from './marian.ts'
export { marian, marianCodec, marianConfig, marianEncoder } from './marian.ts'
export * from './image/index.ts'
export type { RobertaConfig, RobertaForSequenceClassificationParams } from './roberta.ts'
export {
  roberta,
  robertaCodec,
  robertaConfig,
  robertaForMaskedLanguageModelling,
  robertaForMultipleChoice,
  robertaForQuestionAnswering,
  robertaForSequenceClassification,
  robertaForTokenClassification,
} from './roberta.ts'
export type { T5Config, T5EncoderParams, T5FeedForward, T5Input, T5Output, T5Params } from './t5.ts'
export { distanceBuckets, t5, t5Codec, t5Config, t5Encoder, t5EncoderModel } from './t5.ts'
export * from './task/index.ts'
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
export type {
  ImageClassificationOutput,
  VitBodyParams,
  VitConfig,
  VitForImageClassificationParams,
  VitInput,
  VitOutput,
  VitParams,
} from './vit.ts'
export { vit, vitCodec, vitConfig, vitForImageClassification } from './vit.ts'
