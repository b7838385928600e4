/** Checkpoints: config.json and model.safetensors, as Hugging Face's libraries write and read them. */
export type { Architecture } from './architecture.ts'
export {
  BartForConditionalGeneration,
  BartForQuestionAnswering,
  BartForSequenceClassification,
  BartModel,
  MarianMTModel,
} from './bart.ts'
export {
  BertForMaskedLM,
  BertForMultipleChoice,
  BertForNextSentencePrediction,
  BertForPreTraining,
  BertForQuestionAnswering,
  BertForSequenceClassification,
  BertForTokenClassification,
  BertModel,
} from './bert.ts'
export {
  CLIPModel,
  CLIPTextModel,
  CLIPTextModelWithProjection,
  CLIPVisionModel,
  CLIPVisionModelWithProjection,
} from './clip.ts'
export {
  DistilBertForMaskedLM,
  DistilBertForMultipleChoice,
  DistilBertForQuestionAnswering,
  DistilBertForSequenceClassification,
  DistilBertForTokenClassification,
  DistilBertModel,
} from './distilbert.ts'
export { sourceOf } from './file.ts'
export type { Loaded, SaveOptions } from './folder.ts'
export { folderSource, loadModel, readConfigFile, saveModel } from './folder.ts'
export { GPT2ForSequenceClassification, GPT2LMHeadModel, GPT2Model } from './gpt.ts'
export type { HeldOptions } from './held.ts'
export { loadQuantized } from './held.ts'
export type { Architectures } from './known.ts'
export { architectures } from './known.ts'
export { LlamaForCausalLM, LlamaForSequenceClassification, LlamaModel } from './llama.ts'
export type { Names, Rule, Rules } from './name.ts'
export type { Precision, ReadOptions, ReadParams, Source } from './params.ts'
export { paramEntries, readParams } from './params.ts'
export {
  RobertaForMaskedLM,
  RobertaForMultipleChoice,
  RobertaForQuestionAnswering,
  RobertaForSequenceClassification,
  RobertaForTokenClassification,
  RobertaModel,
} from './roberta.ts'
export { T5EncoderModel, T5ForConditionalGeneration } from './t5.ts'
export { Transformer } from './transformer.ts'
export { ViTForImageClassification, ViTModel } from './vit.ts'
