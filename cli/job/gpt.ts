/** Pretraining a GPT: what comes next. */
import type { taskEither as TE } from 'fp-ts'
import { random, sliceAxis } from '../../core/index.ts'
import type { Key, Tensor } from '../../core/index.ts'
import { evaluation, training } from '../../nn/index.ts'
import { GPT2LMHeadModel, gpt, gptConfig, loadModel, tokenToId, vocabularySize } from '../../models/index.ts'
import type { GptConfig, GptParams, Tokenizer } from '../../models/index.ts'
import {
  accuracyPortion,
  causalBatches,
  causalBlocks,
  causalLanguageModelling,
  documentSentences,
  evaluate,
  joinTexts,
  lossPortion,
  unigramEntropy,
} from '../../training/index.ts'
import type { CausalBatch, Document, Portion, Split } from '../../training/index.ts'
import { steps } from '../context.ts'
import type { Context } from '../context.ts'
import type { Metric } from '../run.ts'
import type { Values } from '../setting.ts'
import { encodeText } from './encode.ts'
import { pretrainLanguage } from './language.ts'
import type { PretrainSetting, Pretrained } from './language.ts'
import type { Resume } from './train.ts'

/** A pretrained GPT, and how it came about. */
export type PretrainedGpt = Pretrained<GptConfig, GptParams>

/** The token that ends a text. */
export const endOfText = '<|endoftext|>'

/** Each document as the text it is, with a line for each sentence. */
const streamOf = (tokenizer: Tokenizer, documents: readonly Document[], endId: number): Int32Array =>
  joinTexts(
    documents.map((document) => encodeText(tokenizer, documentSentences(document).join('\n'))),
    endId,
  )

/** The model that settings ask for. */
export const gptConfigOf = (
  values: Values<'width' | 'layers' | 'heads' | 'hidden' | 'length' | 'dropout'>,
  vocabulary: number,
  endId: number,
): GptConfig =>
  gptConfig({
    vocabularySize: vocabulary,
    width: values.width,
    layers: values.layers,
    heads: values.heads,
    hidden: values.hidden ?? 4 * values.width,
    maxLength: values.length,
    dropout: values.dropout,
    embeddingDropout: values.dropout,
    attentionDropout: values.dropout,
    startId: endId,
    endId,
  })

/** The objective of pretraining: each place tells what comes next. */
export const gptObjective = (
  config: GptConfig,
): ((params: GptParams, batch: CausalBatch, key: Key) => Tensor) => {
  const model = gpt(config)
  return (params, { ids }, key) =>
    causalLanguageModelling(model.apply(params, training(key))({ ids }).logits, ids)
}

/** Held-out windows that are looked at each time, at most. */
const heldOutWindows = 512

type GptMeasure = Readonly<Record<'evalLoss' | 'evalAccuracy', Portion>>

/** What is measured of held-out windows: how well each place tells the next token. */
const measureOf = (config: GptConfig): ((params: GptParams, batch: CausalBatch) => GptMeasure) => {
  const model = gpt(config)
  return (params, { ids }) => {
    const logits = sliceAxis(model.apply(params, evaluation)({ ids }).logits, 1, 0, -1)
    const next = sliceAxis(ids, 1, 1)
    return { evalLoss: lossPortion(logits, next), evalAccuracy: accuracyPortion(logits, next) }
  }
}

const heldOutLook = (
  config: GptConfig,
  held: Int32Array,
  batchSize: number,
): TE.TaskEither<string, (params: GptParams) => Promise<Metric>> =>
  steps(async (take) => {
    const windows = await take(causalBlocks(held, { length: config.maxLength, batchSize }))
    const batches = [...windows].slice(0, Math.ceil(heldOutWindows / batchSize))
    return (params: GptParams) => evaluate(measureOf(config), params, batches)
  })

/** Pretrains, leaving the model in the run's folder. */
export const pretrainGpt = (
  context: Context,
  values: Values<PretrainSetting>,
  tokenizer: Tokenizer,
  split: Split,
  folder: string,
  resume?: Resume,
): TE.TaskEither<string, PretrainedGpt> =>
  steps(async (take) => {
    const { seed, length, batch: batchSize } = values
    const endId = tokenToId(tokenizer, endOfText) ?? 0
    const config = gptConfigOf(values, vocabularySize(tokenizer), endId)
    const model = gpt(config)
    const key = random.key(seed)
    const learnt = streamOf(tokenizer, split.train, endId)
    const held = streamOf(tokenizer, split.heldOut, endId)
    const batches = await take(causalBatches(learnt, { length, batchSize, seed }))
    const look = await take(heldOutLook(config, held, batchSize))
    const params = model.init(random.foldIn(key, 'init'))
    const job = {
      architecture: GPT2LMHeadModel,
      config,
      params,
      objective: gptObjective(config),
      batches,
      look,
      learnt,
      held,
    }
    return take(pretrainLanguage(context, values, job, folder, resume))
  })

/** A pretrained GPT from a run's folder. */
export const loadGpt = (
  folder: string,
): TE.TaskEither<string, { readonly config: GptConfig; readonly params: GptParams }> =>
  loadModel(GPT2LMHeadModel, folder)

/** What held-out documents say of a pretrained GPT. */
export const evaluateGpt = (
  folder: string,
  tokenizer: Tokenizer,
  documents: readonly Document[],
  { batchSize }: { readonly batchSize: number },
): TE.TaskEither<string, { readonly metric: Metric; readonly entropy: number }> =>
  steps(async (take) => {
    const { config, params } = await take(loadGpt(folder))
    const held = streamOf(tokenizer, documents, tokenToId(tokenizer, endOfText) ?? 0)
    const look = await take(heldOutLook(config, held, batchSize))
    return { metric: await look(params), entropy: unigramEntropy(held) }
  })
