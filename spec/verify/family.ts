/** The families of models, as the original library speaks of them. */
import type { Tensor } from '../../core/index.ts'
import { add, mul, square, squeeze, sum, toArraySync } from '../../core/index.ts'
import * as models from '../../models/index.ts'
import type {
  Architecture,
  BartTextInput,
  BertInput,
  ClipInput,
  ClipTextInput,
  ClipVisionInput,
  GptInput,
  GptOutput,
  MaskedOutput,
  SourceInput,
  SpanOutput,
  TowerOutput,
  TransformerInput,
  TransformerOutput,
  VitInput,
} from '../../models/index.ts'
import type { Layer } from '../../nn/index.ts'
import {
  bertPretraining,
  binaryCrossEntropyWithLogits,
  causalLanguageModelling,
  classification,
  contrastive,
  maskedLanguageModelling,
  meanSquaredError,
  questionAnswering,
  sequenceToSequence,
  tagging,
} from '../../training/index.ts'
import { need, runnerOf, stackTaps } from './runner.ts'
import type { Named, Runner, Writer } from './runner.ts'

const bertInput = (inputs: Named): BertInput => ({
  ids: need(inputs, 'input_ids'),
  tokenTypes: inputs.get('token_type_ids'),
  keyMask: inputs.get('attention_mask'),
  positions: inputs.get('position_ids'),
})

const encoderTaps = ({ layers }: { readonly layers: number }): Readonly<Record<string, string>> =>
  stackTaps('encoder', layers, 'embeddings/output')

/** The library's choice: labels of floating point say yes or no to each class, one class is a number. */
const classificationLoss = (logits: Tensor, labels: Tensor): Tensor => {
  if (logits.shape.at(-1) === 1) return meanSquaredError(squeeze(logits, -1), labels)
  return labels.dtype === 'float32'
    ? binaryCrossEntropyWithLogits(logits, labels)
    : classification(logits, labels)
}

/** Rows of ids without padding. */
const textsOf = (ids: Tensor, mask: Tensor | undefined): readonly (readonly number[])[] => {
  const [rows, time] = ids.shape as readonly [number, number]
  const [numbers, real] = [toArraySync(ids), mask === undefined ? undefined : toArraySync(mask)]
  return Array.from({ length: rows }, (_, row) =>
    [...numbers.slice(row * time, (row + 1) * time)].filter((_, i) => real?.[row * time + i] !== 0),
  )
}

/** Prompts of a model that goes on with them; the library pads in front, with 0 here. */
const promptsOf = (inputs: Named): Omit<Writer, 'reader'> => {
  const ids = need(inputs, 'input_ids')
  return { prompts: textsOf(ids, inputs.get('attention_mask')), padding: 0, width: ids.shape[1] as number }
}

/** Images of another size than the model's have their positions interpolated. */
const imageInput = (inputs: Named): VitInput => ({ pixels: need(inputs, 'pixel_values'), interpolate: true })

type Layers = { readonly layers: number }
type Logits = { readonly logits: Tensor }

const justLogits = ({ logits }: Logits): Readonly<Record<string, Tensor>> => ({ logits })
const lastHidden = ({ hidden }: { readonly hidden: Tensor }): Readonly<Record<string, Tensor>> => ({
  last_hidden_state: hidden,
})
const withPooled = ({
  hidden,
  pooled,
}: {
  readonly hidden: Tensor
  readonly pooled: Tensor
}): Readonly<Record<string, Tensor>> => ({ last_hidden_state: hidden, pooler_output: pooled })
const classLoss = ({ logits }: Logits, inputs: Named): Tensor =>
  classificationLoss(logits, need(inputs, 'labels'))

const fillings = ({ predictionLogits }: MaskedOutput): Readonly<Record<string, Tensor>> => ({
  logits: predictionLogits,
})
const fillingLoss = ({ predictionLogits }: MaskedOutput, inputs: Named): Tensor =>
  maskedLanguageModelling(predictionLogits, need(inputs, 'labels'))

/** Of one of several texts, or of whether one follows another: classes that no config names. */
const choiceLoss = ({ logits }: Logits, inputs: Named): Tensor =>
  classification(logits, need(inputs, 'labels'))

const tagLoss = ({ logits }: Logits, inputs: Named): Tensor => tagging(logits, need(inputs, 'labels'))

const spans = ({ startLogits, endLogits }: SpanOutput): Readonly<Record<string, Tensor>> => ({
  start_logits: startLogits,
  end_logits: endLogits,
})

const spanLoss = ({ startLogits, endLogits }: SpanOutput, inputs: Named): Tensor =>
  questionAnswering(startLogits, endLogits, need(inputs, 'start_positions'), need(inputs, 'end_positions'))

/** A model that reads in both directions: BERT and its kin. */
const bothWays = <C extends Layers, P, O>(
  architecture: Architecture<C, P, BertInput, O>,
  outputs: (output: O) => Readonly<Record<string, Tensor>>,
  loss: (output: O, inputs: Named) => Tensor,
): Runner => runnerOf(architecture, { input: bertInput, outputs, inner: encoderTaps, loss })

const gptInput = (inputs: Named): GptInput => ({
  ids: need(inputs, 'input_ids'),
  keyMask: inputs.get('attention_mask'),
  positions: inputs.get('position_ids'),
})

const decoderTaps =
  (embedded: string) =>
  ({ layers }: Layers): Readonly<Record<string, string>> =>
    stackTaps('decoder', layers, embedded, { last: false })

/** A language model that reads from left to right. */
const speaker = <C extends Layers & { readonly maxLength: number }, P>(
  architecture: Architecture<C, P, GptInput, GptOutput>,
  embedded: string,
): Runner =>
  runnerOf(architecture, {
    input: gptInput,
    outputs: ({ logits, hidden }, { layers }) => ({ logits, [`hidden_states.${layers}`]: hidden }),
    inner: decoderTaps(embedded),
    loss: ({ logits }, inputs) => causalLanguageModelling(logits, need(inputs, 'labels')),
    keeps: true,
    write: ({ config, layer, params }, inputs) => ({
      reader: models.causalReader(layer, params, { maxLength: config.maxLength }),
      ...promptsOf(inputs),
    }),
  })

interface SequenceLayers {
  readonly encoderLayers: number
  readonly decoderLayers: number | undefined
}

/** Inner values of an encoder and its decoder; `last`: hidden states end with the blocks', and no norm's. */
const sequenceTaps = (
  { encoderLayers, decoderLayers = encoderLayers }: SequenceLayers,
  last: boolean,
): Readonly<Record<string, string>> => ({
  ...stackTaps('encoder', encoderLayers, 'sourceEmbedded', {
    hidden: 'encoder_hidden_states',
    attentions: 'encoder_attentions',
    last,
  }),
  ...stackTaps('decoder', decoderLayers, 'targetEmbedded', {
    hidden: 'decoder_hidden_states',
    attentions: 'decoder_attentions',
    last,
  }),
  ...stackTaps('decoder', decoderLayers, 'targetEmbedded', {
    hidden: 'decoder_hidden_states',
    attentions: 'cross_attentions',
    part: 'crossAttention',
    last,
  }),
})

interface SequenceConfig extends SequenceLayers {
  readonly startId: number
  readonly paddingId: number
}

/** A model that writes a target for a source; `last` as for its inner values. */
const writer = <C extends SequenceConfig, P>(
  architecture: Architecture<C, P, TransformerInput, TransformerOutput>,
  encoderOf: (config: C) => Layer<P, SourceInput, Tensor>,
  last: boolean,
): Runner => {
  /** The decoder reads the labels one place later, unless it is told what to read. */
  const read = (inputs: Named, { startId, paddingId }: SequenceConfig): Tensor =>
    inputs.get('decoder_input_ids') ??
    models.shiftRight(need(inputs, 'labels'), { start: startId, padding: paddingId })
  return runnerOf(architecture, {
    input: (inputs, config): TransformerInput => ({
      ids: need(inputs, 'input_ids'),
      keyMask: inputs.get('attention_mask'),
      decoderIds: read(inputs, config),
      decoderMask: inputs.get('decoder_attention_mask'),
    }),
    outputs: ({ logits, memory, hidden }, { encoderLayers, decoderLayers = encoderLayers }) => ({
      logits,
      encoder_last_hidden_state: memory,
      [`encoder_hidden_states.${encoderLayers}`]: memory,
      [`decoder_hidden_states.${decoderLayers}`]: hidden,
    }),
    inner: (config) => sequenceTaps(config, last),
    loss: ({ logits }, inputs) => sequenceToSequence(logits, need(inputs, 'labels')),
    write: ({ config, layer, params }, inputs) => {
      const sources = textsOf(need(inputs, 'input_ids'), inputs.get('attention_mask'))
      const reader = models.sequenceReader({ encoder: encoderOf(config), decoder: layer }, params)
      return {
        reader: reader(sources),
        prompts: sources.map(() => [config.startId]),
        padding: config.paddingId,
        width: 1,
      }
    },
  })
}

/** A model that reads from left to right, without scores of words. */
const leftToRight = <C extends Layers, P, O extends { readonly hidden: Tensor }>(
  architecture: Architecture<C, P, GptInput, O>,
  embedded: string,
  outputs: (output: O) => Readonly<Record<string, Tensor>>,
  loss: (output: O, inputs: Named) => Tensor,
): Runner =>
  runnerOf(architecture, {
    input: gptInput,
    outputs: (output, { layers }) => ({
      ...outputs(output),
      [`hidden_states.${layers}`]: output.hidden,
    }),
    inner: decoderTaps(embedded),
    loss,
  })

/** A BART that reads a text twice. */
const twice = <C extends SequenceLayers, P, O extends { readonly memory: Tensor }>(
  architecture: Architecture<C, P, BartTextInput, O>,
  outputs: (output: O) => Readonly<Record<string, Tensor>>,
  loss: (output: O, inputs: Named) => Tensor,
): Runner =>
  runnerOf(architecture, {
    input: (inputs): BartTextInput => ({
      ids: need(inputs, 'input_ids'),
      keyMask: inputs.get('attention_mask'),
      decoderIds: inputs.get('decoder_input_ids'),
      decoderMask: inputs.get('decoder_attention_mask'),
    }),
    outputs: (output) => ({ ...outputs(output), encoder_last_hidden_state: output.memory }),
    inner: (config) => sequenceTaps(config, true),
    loss,
  })

/** The tower of a CLIP. */
const tower = <C extends Layers, P, I, O extends TowerOutput & { readonly projected?: Tensor }>(
  architecture: Architecture<C, P, I, O>,
  side: 'text' | 'vision',
  input: (inputs: Named) => I,
): Runner =>
  runnerOf(architecture, {
    input,
    outputs: ({ hidden, pooled, projected }) => ({
      last_hidden_state: hidden,
      pooler_output: pooled,
      ...(projected === undefined ? {} : { [side === 'text' ? 'text_embeds' : 'image_embeds']: projected }),
    }),
    inner: ({ layers }) =>
      stackTaps(`${side}/encoder`, layers, side === 'text' ? 'text/embeddings/output' : 'vision/embedded'),
    loss: ({ hidden, pooled, projected }) => headless({ hidden, pooled: projected ?? pooled }),
  })

const towerText = (inputs: Named): ClipTextInput => ({
  ids: need(inputs, 'input_ids'),
  keyMask: inputs.get('attention_mask'),
  positions: inputs.get('position_ids'),
})

const towerImage = (inputs: Named): ClipVisionInput => ({ pixels: need(inputs, 'pixel_values') })

/** A model without a head has no loss of its own; references are differentiated in this one. */
const headless = ({ hidden, pooled }: { readonly hidden: Tensor; readonly pooled?: Tensor }): Tensor => {
  const size = mul(sum(square(hidden)), 0.5)
  return pooled === undefined ? size : add(size, sum(pooled))
}

/** Runners by the library's class. */
export const runners: Readonly<Record<string, Runner>> = {
  BertModel: bothWays(models.BertModel, withPooled, headless),
  BertForPreTraining: runnerOf(models.BertForPreTraining, {
    input: bertInput,
    outputs: ({ predictionLogits, nextSentenceLogits }) => ({
      prediction_logits: predictionLogits,
      seq_relationship_logits: nextSentenceLogits,
    }),
    inner: encoderTaps,
    loss: (output, inputs) =>
      bertPretraining(output, {
        labels: need(inputs, 'labels'),
        nextSentenceLabels: need(inputs, 'next_sentence_label'),
      }),
  }),
  BertForMaskedLM: bothWays(models.BertForMaskedLM, fillings, fillingLoss),
  BertForSequenceClassification: bothWays(models.BertForSequenceClassification, justLogits, classLoss),
  BertForTokenClassification: bothWays(models.BertForTokenClassification, justLogits, tagLoss),
  BertForQuestionAnswering: bothWays(models.BertForQuestionAnswering, spans, spanLoss),
  BertForMultipleChoice: bothWays(models.BertForMultipleChoice, justLogits, choiceLoss),
  BertForNextSentencePrediction: bothWays(models.BertForNextSentencePrediction, justLogits, choiceLoss),
  RobertaModel: bothWays(models.RobertaModel, withPooled, headless),
  RobertaForMaskedLM: bothWays(models.RobertaForMaskedLM, fillings, fillingLoss),
  RobertaForSequenceClassification: bothWays(models.RobertaForSequenceClassification, justLogits, classLoss),
  RobertaForTokenClassification: bothWays(models.RobertaForTokenClassification, justLogits, tagLoss),
  RobertaForQuestionAnswering: bothWays(models.RobertaForQuestionAnswering, spans, spanLoss),
  RobertaForMultipleChoice: bothWays(models.RobertaForMultipleChoice, justLogits, choiceLoss),
  DistilBertModel: bothWays(models.DistilBertModel, lastHidden, headless),
  DistilBertForMaskedLM: bothWays(models.DistilBertForMaskedLM, fillings, fillingLoss),
  DistilBertForSequenceClassification: bothWays(
    models.DistilBertForSequenceClassification,
    justLogits,
    classLoss,
  ),
  DistilBertForTokenClassification: bothWays(models.DistilBertForTokenClassification, justLogits, tagLoss),
  DistilBertForQuestionAnswering: bothWays(models.DistilBertForQuestionAnswering, spans, spanLoss),
  DistilBertForMultipleChoice: bothWays(models.DistilBertForMultipleChoice, justLogits, choiceLoss),
  GPT2LMHeadModel: speaker(models.GPT2LMHeadModel, 'embeddings/output'),
  GPT2Model: leftToRight(models.GPT2Model, 'embeddings/output', lastHidden, headless),
  GPT2ForSequenceClassification: leftToRight(
    models.GPT2ForSequenceClassification,
    'embeddings/output',
    justLogits,
    classLoss,
  ),
  T5ForConditionalGeneration: writer(models.T5ForConditionalGeneration, models.t5Encoder, false),
  T5EncoderModel: runnerOf(models.T5EncoderModel, {
    input: (inputs): SourceInput => ({
      ids: need(inputs, 'input_ids'),
      keyMask: inputs.get('attention_mask'),
    }),
    outputs: ({ hidden }, { encoderLayers }) => ({
      last_hidden_state: hidden,
      [`hidden_states.${encoderLayers}`]: hidden,
    }),
    inner: ({ encoderLayers }) => stackTaps('encoder', encoderLayers, 'sourceEmbedded', { last: false }),
    loss: headless,
  }),
  BartModel: twice(models.BartModel, lastHidden, headless),
  BartForSequenceClassification: twice(models.BartForSequenceClassification, justLogits, classLoss),
  BartForQuestionAnswering: twice(models.BartForQuestionAnswering, spans, spanLoss),
  BartForConditionalGeneration: writer(models.BartForConditionalGeneration, models.bartEncoder, true),
  MarianMTModel: writer(models.MarianMTModel, models.marianEncoder, true),
  ViTModel: runnerOf(models.ViTModel, {
    input: imageInput,
    outputs: withPooled,
    inner: encoderTaps,
    loss: headless,
  }),
  ViTForImageClassification: runnerOf(models.ViTForImageClassification, {
    input: imageInput,
    outputs: justLogits,
    inner: encoderTaps,
    loss: classLoss,
  }),
  CLIPModel: runnerOf(models.CLIPModel, {
    input: (inputs): ClipInput => ({
      ids: need(inputs, 'input_ids'),
      keyMask: inputs.get('attention_mask'),
      pixels: need(inputs, 'pixel_values'),
    }),
    outputs: ({ logitsPerImage, logitsPerText, textEmbeddings, imageEmbeddings, text, vision }) => ({
      logits_per_image: logitsPerImage,
      logits_per_text: logitsPerText,
      text_embeds: textEmbeddings,
      image_embeds: imageEmbeddings,
      'text_model.last_hidden_state': text.hidden,
      'text_model.pooler_output': text.pooled,
      'vision_model.last_hidden_state': vision.hidden,
      'vision_model.pooler_output': vision.pooled,
    }),
    inner: ({ text, vision }) => ({
      ...stackTaps('text/encoder', text.layers, 'text/embeddings/output', {
        hidden: 'text_model.hidden_states',
        attentions: 'text_model.attentions',
      }),
      ...stackTaps('vision/encoder', vision.layers, 'vision/embedded', {
        hidden: 'vision_model.hidden_states',
        attentions: 'vision_model.attentions',
      }),
    }),
    loss: ({ logitsPerText }) => contrastive(logitsPerText),
  }),
  CLIPTextModel: tower(models.CLIPTextModel, 'text', towerText),
  CLIPTextModelWithProjection: tower(models.CLIPTextModelWithProjection, 'text', towerText),
  CLIPVisionModel: tower(models.CLIPVisionModel, 'vision', towerImage),
  CLIPVisionModelWithProjection: tower(models.CLIPVisionModelWithProjection, 'vision', towerImage),
  LlamaForCausalLM: speaker(models.LlamaForCausalLM, 'embedded'),
  LlamaModel: leftToRight(models.LlamaModel, 'embedded', lastHidden, headless),
  LlamaForSequenceClassification: leftToRight(
    models.LlamaForSequenceClassification,
    'embedded',
    justLogits,
    classLoss,
  ),
}
