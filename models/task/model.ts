/** Which architectures do which task with texts; where a folder names none, the first of its `model_type` is taken. */
import { function as F, taskEither as TE } from 'fp-ts'
import type { Tensor } from '../../core/index.ts'
import { quantized } from '../../nn/index.ts'
import type { Layer } from '../../nn/index.ts'
import { bartEncoder } from '../bart/index.ts'
import { bartEnd } from '../bart/task.ts'
import type { BertInput } from '../bert/index.ts'
import type { Architecture } from '../checkpoint/architecture.ts'
import { loadQuantized } from '../checkpoint/held.ts'
import { architectures as all } from '../checkpoint/known.ts'
import { causalReader } from '../generate/reader.ts'
import type { Reader } from '../generate/reader.ts'
import { sequenceReader } from '../generate/sequence.ts'
import type { SequenceModel } from '../generate/sequence.ts'
import type { GptInput, GptOutput } from '../gpt.ts'
import { marianEncoder } from '../marian.ts'
import { t5Encoder } from '../t5.ts'
import type { SourceInput, TransformerInput, TransformerOutput } from '../transformer.ts'
import { loadEncoder } from './encoder.ts'
import type { Encoder, EncoderConfig, EncoderOptions } from './encoder.ts'
import type { Doer } from './open.ts'

/** An encoder with what a task takes of its output: a row a token, or one for the whole. */
const encoder = <C extends EncoderConfig, P, O, N extends string>(
  type: string,
  architecture: Architecture<C, P, BertInput, O>,
  outputs: (output: O) => Readonly<Record<N, Tensor>>,
  rows: 'each' | 'whole' = 'each',
  further: Pick<EncoderOptions<C, O, N>, 'summedUpAt'> = {},
): Doer<Encoder<N>> => ({
  name: architecture.name,
  type,
  load: (path) =>
    loadEncoder(architecture, path, {
      outputs,
      perToken: rows === 'each',
      counted: type === 'roberta',
      ...further,
    }),
})

const logits = ({ logits }: { readonly logits: Tensor }): { readonly logits: Tensor } => ({ logits })
const hidden = ({ hidden }: { readonly hidden: Tensor }): { readonly hidden: Tensor } => ({ hidden })
const words = ({ predictionLogits }: { readonly predictionLogits: Tensor }): { readonly logits: Tensor } => ({
  logits: predictionLogits,
})
const spans = (output: {
  readonly startLogits: Tensor
  readonly endLogits: Tensor
}): { readonly start: Tensor; readonly end: Tensor } => ({
  start: output.startLogits,
  end: output.endLogits,
})

export const classifiers: readonly Doer<Encoder<'logits'>>[] = [
  encoder('bert', all.BertForSequenceClassification, logits, 'whole'),
  encoder('roberta', all.RobertaForSequenceClassification, logits, 'whole'),
  encoder('distilbert', all.DistilBertForSequenceClassification, logits, 'whole'),
  encoder('bart', all.BartForSequenceClassification, logits, 'whole', { summedUpAt: bartEnd }),
  encoder('gpt2', all.GPT2ForSequenceClassification, logits, 'whole'),
  encoder('llama', all.LlamaForSequenceClassification, logits, 'whole'),
]
export const taggers: readonly Doer<Encoder<'logits'>>[] = [
  encoder('bert', all.BertForTokenClassification, logits),
  encoder('roberta', all.RobertaForTokenClassification, logits),
  encoder('distilbert', all.DistilBertForTokenClassification, logits),
]
export const answerers: readonly Doer<Encoder<'start' | 'end'>>[] = [
  encoder('bert', all.BertForQuestionAnswering, spans),
  encoder('roberta', all.RobertaForQuestionAnswering, spans),
  encoder('distilbert', all.DistilBertForQuestionAnswering, spans),
  encoder('bart', all.BartForQuestionAnswering, spans),
]
export const fillers: readonly Doer<Encoder<'logits'>>[] = [
  encoder('bert', all.BertForMaskedLM, words),
  encoder('roberta', all.RobertaForMaskedLM, words),
  encoder('distilbert', all.DistilBertForMaskedLM, words),
  encoder('bert', all.BertForPreTraining, words),
]
export const readers: readonly Doer<Encoder<'hidden'>>[] = [
  encoder('bert', all.BertModel, hidden),
  encoder('roberta', all.RobertaModel, hidden),
  encoder('distilbert', all.DistilBertModel, hidden),
  encoder('t5', all.T5EncoderModel, hidden),
  encoder('bart', all.BartModel, hidden),
  encoder('gpt2', all.GPT2Model, hidden),
  encoder('llama', all.LlamaModel, hidden),
  encoder('clip_text_model', all.CLIPTextModel, hidden),
  encoder('clip_text_model', all.CLIPTextModelWithProjection, hidden),
  encoder('bert', all.BertForSequenceClassification, hidden),
  encoder('roberta', all.RobertaForSequenceClassification, hidden),
  encoder('distilbert', all.DistilBertForSequenceClassification, hidden),
  encoder('bert', all.BertForTokenClassification, hidden),
  encoder('roberta', all.RobertaForTokenClassification, hidden),
  encoder('distilbert', all.DistilBertForTokenClassification, hidden),
  encoder('bert', all.BertForQuestionAnswering, hidden),
  encoder('roberta', all.RobertaForQuestionAnswering, hidden),
  encoder('distilbert', all.DistilBertForQuestionAnswering, hidden),
  encoder('bert', all.BertForMaskedLM, hidden),
  encoder('roberta', all.RobertaForMaskedLM, hidden),
  encoder('distilbert', all.DistilBertForMaskedLM, hidden),
  encoder('bert', all.BertForPreTraining, hidden),
  encoder('gpt2', all.GPT2LMHeadModel, hidden),
  encoder('llama', all.LlamaForCausalLM, hidden),
]

export interface Writer {
  readonly vocabularySize: number
  readonly maxLength: number
  readonly reader: Reader
}

/** A model that writes on; its weights are stored as they are read fastest (see `quantize`). */
const writer = <C extends Pick<Writer, 'vocabularySize' | 'maxLength'>, P>(
  type: string,
  architecture: Architecture<C, P, GptInput, GptOutput>,
  longest: (config: C) => number = ({ maxLength }) => maxLength,
): Doer<Writer> => ({
  name: architecture.name,
  type,
  load: (path, precision = 'float32') =>
    F.pipe(
      loadQuantized(architecture, path, { precision }),
      TE.map(({ config, layer, params }) => {
        const { vocabularySize } = config
        const maxLength = longest(config)
        return { vocabularySize, maxLength, reader: causalReader(layer, params, { maxLength }) }
      }),
    ),
})

export const writers: readonly Doer<Writer>[] = [
  writer('gpt2', all.GPT2LMHeadModel),
  // Dynamic positions are stretched beyond the model's own longest text.
  writer('llama', all.LlamaForCausalLM, ({ maxLength, rope }) =>
    rope.kind === 'dynamic' ? Math.floor(maxLength * rope.factor) : maxLength,
  ),
]

export interface Sequencer {
  readonly vocabularySize: number
  /** How many tokens a source may have, where there is a limit. */
  readonly maxLength: number | undefined
  readonly startId: number
  readonly read: (sources: readonly (readonly number[])[]) => Reader
}

/** A layer that applies both sides, so that each tells of its matrices. */
const both = <P>({ encoder, decoder }: SequenceModel<P>): Layer<P, never, unknown> => ({
  init: decoder.init,
  apply: (params, run) => {
    encoder.apply(params, run)
    return decoder.apply(params, run)
  },
})

interface SequenceConfig {
  readonly vocabularySize: number
  readonly maxLength?: number
  readonly startId: number
}

/** A model that writes a target for a source, and its encoder alone. */
const sequencer = <C extends SequenceConfig, P>(
  type: string,
  architecture: Architecture<C, P, TransformerInput, TransformerOutput>,
  encoderOf: (config: C) => Layer<P, SourceInput, Tensor>,
): Doer<Sequencer> => ({
  name: architecture.name,
  type,
  load: (path, precision = 'float32') =>
    F.pipe(
      loadQuantized(architecture, path, {
        precision,
        tells: (config) => both({ encoder: encoderOf(config), decoder: architecture.layer(config) }),
      }),
      TE.map(({ config, layer: decoder, params }) => {
        const { vocabularySize, maxLength, startId } = config
        const read = sequenceReader(
          { encoder: quantized(encoderOf(config)), decoder },
          params,
          maxLength === undefined ? {} : { maxLength },
        )
        return { vocabularySize, maxLength, startId, read }
      }),
    ),
})

export const sequences: readonly Doer<Sequencer>[] = [
  sequencer('t5', all.T5ForConditionalGeneration, t5Encoder),
  sequencer('bart', all.BartForConditionalGeneration, bartEncoder),
  sequencer('marian', all.MarianMTModel, marianEncoder),
]
