/** Pretraining a BERT, and looking at one with held-out text. */
import type { taskEither as TE } from 'fp-ts'
import { random } from '../../core/index.ts'
import {
  BertForPreTraining,
  bertConfig,
  bertForPreTraining,
  bertPositionalHeads,
  loadModel,
  vocabularySize,
} from '../../models/index.ts'
import type { BertConfig, BertForPreTrainingParams, Tokenizer } from '../../models/index.ts'
import { evaluate, unigramEntropy } from '../../training/index.ts'
import type { Document, Split } from '../../training/index.ts'
import { steps } from '../context.ts'
import type { Context } from '../context.ts'
import type { Metric } from '../run.ts'
import type { Values } from '../setting.ts'
import { encodeDocuments, idsOf } from './encode.ts'
import { bertObjective, heldOutBatches, measureMasked, pairsOf } from './masked.ts'
import { pretrainLanguage } from './language.ts'
import type { PretrainSetting, Pretrained } from './language.ts'
import { frequencyBias } from './model.ts'
import { specialsOf } from './special.ts'
import type { Specials } from './special.ts'
import type { Resume } from './train.ts'

/** A pretrained BERT, and how it came about. */
export type PretrainedBert = Pretrained<BertConfig, BertForPreTrainingParams>

/** The model that settings ask for. */
export const bertConfigOf = (
  values: Values<'width' | 'layers' | 'heads' | 'hidden' | 'length' | 'dropout'>,
  vocabulary: number,
  { padding }: Specials,
): BertConfig =>
  bertConfig({
    vocabularySize: vocabulary,
    width: values.width,
    layers: values.layers,
    heads: values.heads,
    hidden: values.hidden ?? 4 * values.width,
    maxLength: values.length,
    dropout: values.dropout,
    attentionDropout: values.dropout,
    paddingId: padding,
  })

/** Looks at a model with held-out documents: the same pairs, masked the same, each time. */
const heldOutLook = (
  config: BertConfig,
  specials: Specials,
  documents: readonly (readonly Int32Array[])[],
  batchSize: number,
  seed: number,
): TE.TaskEither<string, (params: BertForPreTrainingParams) => Promise<Metric>> =>
  steps(async (take) => {
    const pairs = await take(pairsOf(config, specials, documents, batchSize, seed + 1))
    const key = random.foldIn(random.key(seed), 'held out')
    const batches = await heldOutBatches(config, specials, pairs, batchSize, key)
    return (params: BertForPreTrainingParams) => evaluate(measureMasked(config), params, batches)
  })

/** Pretrains, leaving the model in the run's folder. */
export const pretrainBert = (
  context: Context,
  values: Values<PretrainSetting | 'positionalHeads'>,
  tokenizer: Tokenizer,
  split: Split,
  folder: string,
  resume?: Resume,
): TE.TaskEither<string, PretrainedBert> =>
  steps(async (take) => {
    const { seed, batch: batchSize } = values
    const specials = specialsOf(tokenizer)
    const config = bertConfigOf(values, vocabularySize(tokenizer), specials)
    const key = random.key(seed)
    const learnt = encodeDocuments(tokenizer, split.train)
    const held = encodeDocuments(tokenizer, split.heldOut)
    const pairs = await take(pairsOf(config, specials, learnt, batchSize, seed))
    const look = await take(heldOutLook(config, specials, held, batchSize, seed))
    const ids = idsOf(learnt)
    const drawn = bertForPreTraining(config).init(random.foldIn(key, 'init'))
    const bias = frequencyBias(ids, config.vocabularySize)
    const near = bertPositionalHeads(config, drawn, values.positionalHeads)
    const params = { ...near, predictions: { ...drawn.predictions, bias } }
    const job = {
      architecture: BertForPreTraining,
      config,
      params,
      objective: bertObjective(config, specials),
      headline: 'maskedLoss',
      batches: pairs.batches,
      look,
      learnt: ids,
      held: idsOf(held),
    }
    return take(pretrainLanguage(context, values, job, folder, resume))
  })

/** A pretrained BERT from a run's folder. */
export const loadBert = (
  folder: string,
): TE.TaskEither<string, { readonly config: BertConfig; readonly params: BertForPreTrainingParams }> =>
  loadModel(BertForPreTraining, folder)

/** What held-out documents say of a pretrained BERT. */
export const evaluateBert = (
  folder: string,
  tokenizer: Tokenizer,
  documents: readonly Document[],
  { seed, batchSize }: { readonly seed: number; readonly batchSize: number },
): TE.TaskEither<string, { readonly metric: Metric; readonly entropy: number }> =>
  steps(async (take) => {
    const { config, params } = await take(loadBert(folder))
    const held = encodeDocuments(tokenizer, documents)
    const look = await take(heldOutLook(config, specialsOf(tokenizer), held, batchSize, seed))
    return { metric: await look(params), entropy: unigramEntropy(idsOf(held)) }
  })
