/** Which architectures do which task, by what config.json calls them and their `model_type`; and how they are loaded. */
import { function as F, taskEither as TE } from 'fp-ts'
import type { Tensor } from '../../core/index.ts'
import { quantize, quantized } from '../../nn/index.ts'
import type { Layer, StoredPrecision } from '../../nn/index.ts'
import { bartEncoder } from '../bart.ts'
import { loadModel } from '../checkpoint/folder.ts'
import { architectures as all } from '../checkpoint/known.ts'
import { causalReader, sequenceReader } from '../generate/reader.ts'
import type { CausalLayer, Reader, SequenceModel } from '../generate/reader.ts'
import { marianEncoder } from '../marian.ts'
import { t5Encoder } from '../t5.ts'
import { loadEncoder } from './encoder.ts'
import type { Encoder } from './encoder.ts'

type Family = 'Bert' | 'Roberta' | 'DistilBert'
type Classifier = `${Family}ForSequenceClassification`
type Tagger = `${Family}ForTokenClassification`
type Answerer = `${Family}ForQuestionAnswering`
type Filler = `${Family}ForMaskedLM` | 'BertForPreTraining'
type Writing = 'GPT2LMHeadModel' | 'LlamaForCausalLM'
type Sequence = 'T5ForConditionalGeneration' | 'BartForConditionalGeneration' | 'MarianMTModel'
type Reading = `${Family}Model` | Classifier | Tagger | Answerer | Filler

/** The `model_type` of each architecture that does a task. */
export type Doers<N extends string> = Readonly<Record<N, string>>

export const classifiers: Doers<Classifier> = {
  BertForSequenceClassification: 'bert',
  RobertaForSequenceClassification: 'roberta',
  DistilBertForSequenceClassification: 'distilbert',
}
export const taggers: Doers<Tagger> = {
  BertForTokenClassification: 'bert',
  RobertaForTokenClassification: 'roberta',
  DistilBertForTokenClassification: 'distilbert',
}
export const answerers: Doers<Answerer> = {
  BertForQuestionAnswering: 'bert',
  RobertaForQuestionAnswering: 'roberta',
  DistilBertForQuestionAnswering: 'distilbert',
}
export const fillers: Doers<Filler> = {
  BertForMaskedLM: 'bert',
  RobertaForMaskedLM: 'roberta',
  DistilBertForMaskedLM: 'distilbert',
  BertForPreTraining: 'bert',
}
export const writers: Doers<Writing> = { GPT2LMHeadModel: 'gpt2', LlamaForCausalLM: 'llama' }
export const sequences: Doers<Sequence> = {
  T5ForConditionalGeneration: 't5',
  BartForConditionalGeneration: 'bart',
  MarianMTModel: 'marian',
}
export const imageClassifiers: Doers<'ViTForImageClassification'> = { ViTForImageClassification: 'vit' }
export const imageReaders: Doers<'ViTModel' | 'ViTForImageClassification'> = {
  ViTModel: 'vit',
  ViTForImageClassification: 'vit',
}
export const comparers: Doers<'CLIPModel'> = { CLIPModel: 'clip' }
export const readers: Doers<Reading> = {
  BertModel: 'bert',
  RobertaModel: 'roberta',
  DistilBertModel: 'distilbert',
  ...classifiers,
  ...taggers,
  ...answerers,
  ...fillers,
}

type Loading<N extends string> = TE.TaskEither<string, Encoder<N>>

const whole = { perToken: false, counted: false } as const
const each = { perToken: true, counted: false } as const
const counted = true
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

export const loadClassifier = (name: Classifier, path: string): Loading<'logits'> => {
  switch (name) {
    case 'BertForSequenceClassification':
      return loadEncoder(all[name], path, { outputs: logits, ...whole })
    case 'RobertaForSequenceClassification':
      return loadEncoder(all[name], path, { outputs: logits, ...whole, counted })
    case 'DistilBertForSequenceClassification':
      return loadEncoder(all[name], path, { outputs: logits, ...whole })
  }
}

export const loadTagger = (name: Tagger, path: string): Loading<'logits'> => {
  switch (name) {
    case 'BertForTokenClassification':
      return loadEncoder(all[name], path, { outputs: logits, ...each })
    case 'RobertaForTokenClassification':
      return loadEncoder(all[name], path, { outputs: logits, ...each, counted })
    case 'DistilBertForTokenClassification':
      return loadEncoder(all[name], path, { outputs: logits, ...each })
  }
}

export const loadAnswerer = (name: Answerer, path: string): Loading<'start' | 'end'> => {
  switch (name) {
    case 'BertForQuestionAnswering':
      return loadEncoder(all[name], path, { outputs: spans, ...each })
    case 'RobertaForQuestionAnswering':
      return loadEncoder(all[name], path, { outputs: spans, ...each, counted })
    case 'DistilBertForQuestionAnswering':
      return loadEncoder(all[name], path, { outputs: spans, ...each })
  }
}

export const loadFiller = (name: Filler, path: string): Loading<'logits'> => {
  switch (name) {
    case 'BertForMaskedLM':
      return loadEncoder(all[name], path, { outputs: words, ...each })
    case 'RobertaForMaskedLM':
      return loadEncoder(all[name], path, { outputs: words, ...each, counted })
    case 'DistilBertForMaskedLM':
      return loadEncoder(all[name], path, { outputs: words, ...each })
    case 'BertForPreTraining':
      return loadEncoder(all[name], path, { outputs: words, ...each })
  }
}

export const loadReader = (name: Reading, path: string): Loading<'hidden'> => {
  switch (name) {
    case 'BertModel':
      return loadEncoder(all[name], path, { outputs: hidden, ...each })
    case 'BertForSequenceClassification':
      return loadEncoder(all[name], path, { outputs: hidden, ...each })
    case 'BertForTokenClassification':
      return loadEncoder(all[name], path, { outputs: hidden, ...each })
    case 'BertForQuestionAnswering':
      return loadEncoder(all[name], path, { outputs: hidden, ...each })
    case 'BertForMaskedLM':
      return loadEncoder(all[name], path, { outputs: hidden, ...each })
    case 'BertForPreTraining':
      return loadEncoder(all[name], path, { outputs: hidden, ...each })
    case 'RobertaModel':
      return loadEncoder(all[name], path, { outputs: hidden, ...each, counted })
    case 'RobertaForSequenceClassification':
      return loadEncoder(all[name], path, { outputs: hidden, ...each, counted })
    case 'RobertaForTokenClassification':
      return loadEncoder(all[name], path, { outputs: hidden, ...each, counted })
    case 'RobertaForQuestionAnswering':
      return loadEncoder(all[name], path, { outputs: hidden, ...each, counted })
    case 'RobertaForMaskedLM':
      return loadEncoder(all[name], path, { outputs: hidden, ...each, counted })
    case 'DistilBertModel':
      return loadEncoder(all[name], path, { outputs: hidden, ...each })
    case 'DistilBertForSequenceClassification':
      return loadEncoder(all[name], path, { outputs: hidden, ...each })
    case 'DistilBertForTokenClassification':
      return loadEncoder(all[name], path, { outputs: hidden, ...each })
    case 'DistilBertForQuestionAnswering':
      return loadEncoder(all[name], path, { outputs: hidden, ...each })
    case 'DistilBertForMaskedLM':
      return loadEncoder(all[name], path, { outputs: hidden, ...each })
  }
}

export interface Writer {
  readonly vocabularySize: number
  readonly maxLength: number
  readonly reader: Reader
}

/** The weights are stored as they are read fastest; see `quantize`. */
export const loadWriter = (
  name: Writing,
  path: string,
  precision: StoredPrecision = 'float32',
): TE.TaskEither<string, Writer> => {
  const opened = <P>(
    config: { readonly vocabularySize: number; readonly maxLength: number },
    layer: CausalLayer<P>,
    params: P,
  ): Writer => ({
    vocabularySize: config.vocabularySize,
    maxLength: config.maxLength,
    reader: causalReader(quantized(layer), quantize(layer, params, { precision }), {
      maxLength: config.maxLength,
    }),
  })
  return name === 'GPT2LMHeadModel'
    ? F.pipe(
        loadModel(all[name], path),
        TE.map(({ config, layer, params }) => opened(config, layer, params)),
      )
    : F.pipe(
        loadModel(all[name], path),
        TE.map(({ config, layer, params }) => opened(config, layer, params)),
      )
}

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

export const loadSequence = (
  name: Sequence,
  path: string,
  precision: StoredPrecision = 'float32',
): TE.TaskEither<string, Sequencer> => {
  const read = <P>(
    { encoder, decoder }: SequenceModel<P>,
    params: P,
    limit: { readonly maxLength?: number } = {},
  ): Sequencer['read'] =>
    sequenceReader(
      { encoder: quantized(encoder), decoder: quantized(decoder) },
      quantize(both({ encoder, decoder }), params, { precision }),
      limit,
    )
  switch (name) {
    case 'T5ForConditionalGeneration':
      return F.pipe(
        loadModel(all[name], path),
        TE.map(({ config, layer, params }) => ({
          vocabularySize: config.vocabularySize,
          maxLength: undefined,
          startId: config.startId,
          read: read({ encoder: t5Encoder(config), decoder: layer }, params),
        })),
      )
    case 'BartForConditionalGeneration':
    case 'MarianMTModel': {
      const encoder = name === 'MarianMTModel' ? marianEncoder : bartEncoder
      return F.pipe(
        loadModel(all[name], path),
        TE.map(({ config, layer, params }) => ({
          vocabularySize: config.vocabularySize,
          maxLength: config.maxLength,
          startId: config.startId,
          read: read({ encoder: encoder(config), decoder: layer }, params, { maxLength: config.maxLength }),
        })),
      )
    }
  }
}
