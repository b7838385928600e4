/** All architectures, by what config.json calls them. */
import * as bert from './bert.ts'
import * as bart from './bart.ts'
import * as clip from './clip.ts'
import * as distilbert from './distilbert.ts'
import * as gpt from './gpt.ts'
import * as llama from './llama.ts'
import * as roberta from './roberta.ts'
import * as t5 from './t5.ts'
import * as transformer from './transformer.ts'
import * as vit from './vit.ts'

export interface Architectures {
  readonly BertModel: typeof bert.BertModel
  readonly BertForPreTraining: typeof bert.BertForPreTraining
  readonly BertForMaskedLM: typeof bert.BertForMaskedLM
  readonly BertForSequenceClassification: typeof bert.BertForSequenceClassification
  readonly BertForTokenClassification: typeof bert.BertForTokenClassification
  readonly BertForQuestionAnswering: typeof bert.BertForQuestionAnswering
  readonly BertForMultipleChoice: typeof bert.BertForMultipleChoice
  readonly BertForNextSentencePrediction: typeof bert.BertForNextSentencePrediction
  readonly RobertaModel: typeof roberta.RobertaModel
  readonly RobertaForMaskedLM: typeof roberta.RobertaForMaskedLM
  readonly RobertaForSequenceClassification: typeof roberta.RobertaForSequenceClassification
  readonly RobertaForTokenClassification: typeof roberta.RobertaForTokenClassification
  readonly RobertaForQuestionAnswering: typeof roberta.RobertaForQuestionAnswering
  readonly RobertaForMultipleChoice: typeof roberta.RobertaForMultipleChoice
  readonly DistilBertModel: typeof distilbert.DistilBertModel
  readonly DistilBertForMaskedLM: typeof distilbert.DistilBertForMaskedLM
  readonly DistilBertForSequenceClassification: typeof distilbert.DistilBertForSequenceClassification
  readonly DistilBertForTokenClassification: typeof distilbert.DistilBertForTokenClassification
  readonly DistilBertForQuestionAnswering: typeof distilbert.DistilBertForQuestionAnswering
  readonly DistilBertForMultipleChoice: typeof distilbert.DistilBertForMultipleChoice
  readonly GPT2LMHeadModel: typeof gpt.GPT2LMHeadModel
  readonly GPT2Model: typeof gpt.GPT2Model
  readonly GPT2ForSequenceClassification: typeof gpt.GPT2ForSequenceClassification
  readonly LlamaForCausalLM: typeof llama.LlamaForCausalLM
  readonly LlamaModel: typeof llama.LlamaModel
  readonly LlamaForSequenceClassification: typeof llama.LlamaForSequenceClassification
  readonly T5ForConditionalGeneration: typeof t5.T5ForConditionalGeneration
  readonly T5EncoderModel: typeof t5.T5EncoderModel
  readonly BartForConditionalGeneration: typeof bart.BartForConditionalGeneration
  readonly BartModel: typeof bart.BartModel
  readonly BartForSequenceClassification: typeof bart.BartForSequenceClassification
  readonly BartForQuestionAnswering: typeof bart.BartForQuestionAnswering
  readonly MarianMTModel: typeof bart.MarianMTModel
  readonly ViTModel: typeof vit.ViTModel
  readonly ViTForImageClassification: typeof vit.ViTForImageClassification
  readonly CLIPModel: typeof clip.CLIPModel
  readonly CLIPTextModel: typeof clip.CLIPTextModel
  readonly CLIPTextModelWithProjection: typeof clip.CLIPTextModelWithProjection
  readonly CLIPVisionModel: typeof clip.CLIPVisionModel
  readonly CLIPVisionModelWithProjection: typeof clip.CLIPVisionModelWithProjection
  readonly Transformer: typeof transformer.Transformer
}

/**
 * The architectures that checkpoints are read and written for.
 *
 * @example
 * ```ts
 * const { layer, codec } = architectures.GPT2LMHeadModel
 * console.log(Object.keys(architectures).length, typeof layer, codec.name) // => 41 function gpt2 config
 * ```
 */
export const architectures: Architectures = {
  BertModel: bert.BertModel,
  BertForPreTraining: bert.BertForPreTraining,
  BertForMaskedLM: bert.BertForMaskedLM,
  BertForSequenceClassification: bert.BertForSequenceClassification,
  BertForTokenClassification: bert.BertForTokenClassification,
  BertForQuestionAnswering: bert.BertForQuestionAnswering,
  BertForMultipleChoice: bert.BertForMultipleChoice,
  BertForNextSentencePrediction: bert.BertForNextSentencePrediction,
  RobertaModel: roberta.RobertaModel,
  RobertaForMaskedLM: roberta.RobertaForMaskedLM,
  RobertaForSequenceClassification: roberta.RobertaForSequenceClassification,
  RobertaForTokenClassification: roberta.RobertaForTokenClassification,
  RobertaForQuestionAnswering: roberta.RobertaForQuestionAnswering,
  RobertaForMultipleChoice: roberta.RobertaForMultipleChoice,
  DistilBertModel: distilbert.DistilBertModel,
  DistilBertForMaskedLM: distilbert.DistilBertForMaskedLM,
  DistilBertForSequenceClassification: distilbert.DistilBertForSequenceClassification,
  DistilBertForTokenClassification: distilbert.DistilBertForTokenClassification,
  DistilBertForQuestionAnswering: distilbert.DistilBertForQuestionAnswering,
  DistilBertForMultipleChoice: distilbert.DistilBertForMultipleChoice,
  GPT2LMHeadModel: gpt.GPT2LMHeadModel,
  GPT2Model: gpt.GPT2Model,
  GPT2ForSequenceClassification: gpt.GPT2ForSequenceClassification,
  LlamaForCausalLM: llama.LlamaForCausalLM,
  LlamaModel: llama.LlamaModel,
  LlamaForSequenceClassification: llama.LlamaForSequenceClassification,
  T5ForConditionalGeneration: t5.T5ForConditionalGeneration,
  T5EncoderModel: t5.T5EncoderModel,
  BartForConditionalGeneration: bart.BartForConditionalGeneration,
  BartModel: bart.BartModel,
  BartForSequenceClassification: bart.BartForSequenceClassification,
  BartForQuestionAnswering: bart.BartForQuestionAnswering,
  MarianMTModel: bart.MarianMTModel,
  ViTModel: vit.ViTModel,
  ViTForImageClassification: vit.ViTForImageClassification,
  CLIPModel: clip.CLIPModel,
  CLIPTextModel: clip.CLIPTextModel,
  CLIPTextModelWithProjection: clip.CLIPTextModelWithProjection,
  CLIPVisionModel: clip.CLIPVisionModel,
  CLIPVisionModelWithProjection: clip.CLIPVisionModelWithProjection,
  Transformer: transformer.Transformer,
}

/** The architectures of a `model_type`. */
export const architecturesOf = (type: unknown): readonly string[] =>
  Object.values(architectures).flatMap(({ name, codec }: { name: string; codec: { name: string } }) =>
    codec.name === `${String(type)} config` ? [name] : [],
  )
