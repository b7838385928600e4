/** Pretraining a BERT, and looking at one with held-out text. */
import type { taskEither as TE } from 'fp-ts'
import { random } from '../../core/index.ts'
import {
  BertForPreTraining,
  bertConfig,
  bertForPreTraining,
  loadModel,
  saveModel,
  vocabularySize,
} from '../../models/index.ts'
import type { BertConfig, BertForPreTrainingParams, Tokenizer } from '../../models/index.ts'
import { evaluate, saveCheckpoint, unigramEntropy } from '../../training/index.ts'
import type { Document, Split } from '../../training/index.ts'
import { steps } from '../context.ts'
import type { Context } from '../context.ts'
import { logTo, placeOf } from '../run.ts'
import type { Metric } from '../run.ts'
import type { Values } from '../setting.ts'
import { large } from '../word.ts'
import { encodeDocuments, idsOf } from './encode.ts'
import { bertObjective, heldOutBatches, measureMasked, pairsOf } from './masked.ts'
import { frequencyBias, parameterCount } from './model.ts'
import { specialsOf } from './special.ts'
import type { Specials } from './special.ts'
import { recipeOf, train } from './train.ts'
import type { Resume, Trained } from './train.ts'

/** What pretraining any model asks for. */
export type PretrainSetting =
  | ('seed' | 'width' | 'layers' | 'heads' | 'hidden' | 'length' | 'dropout')
  | ('steps' | 'minutes' | 'batch' | 'learningRate' | 'optimizer' | 'warmup' | 'weightDecay' | 'clip')

export interface Pretrained {
  readonly config: BertConfig
  readonly params: BertForPreTrainingParams
  readonly trained: Trained<BertForPreTrainingParams>
  /** Of the held-out tokens, in nats: what knowing each token's frequency, and no context, would reach at best. */
  readonly entropy: number
  /** What the held-out data say at the end. */
  readonly evaluation: Metric
}

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
  values: Values<PretrainSetting>,
  tokenizer: Tokenizer,
  split: Split,
  folder: string,
  resume?: Resume,
): TE.TaskEither<string, Pretrained> =>
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
    const params = { ...drawn, predictions: { ...drawn.predictions, bias } }
    context.terminal.say(
      `  ${large(parameterCount(params))} parameters, ${large(ids.length)} tokens to learn from`,
    )
    const trained = await train(context, {
      phase: 'pretrain',
      label: 'pretraining',
      headline: 'maskedLoss',
      params,
      key: random.foldIn(key, 'pretrain'),
      resume,
      objective: bertObjective(config, specials),
      batches: pairs.batches,
      recipe: recipeOf(values),
      seconds: values.minutes === undefined ? undefined : 60 * values.minutes,
      tokens: ids.length,
      tokensPerStep: batchSize * config.maxLength,
      log: logTo(folder),
      evaluations: 6,
      evaluate: look,
      save: async (state, notes) => {
        await take(saveCheckpoint(placeOf(folder, 'checkpoint'), state, notes))
        await take(saveModel(BertForPreTraining, folder, { config, params: state.params }))
      },
    })
    return {
      config,
      params: trained.params,
      trained,
      entropy: unigramEntropy(idsOf(held)),
      evaluation: trained.evaluations.at(-1)?.metric ?? {},
    }
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
  seed: number,
  batchSize: number,
): TE.TaskEither<string, { readonly metric: Metric; readonly entropy: number }> =>
  steps(async (take) => {
    const { config, params } = await take(loadBert(folder))
    const held = encodeDocuments(tokenizer, documents)
    const look = await take(heldOutLook(config, specialsOf(tokenizer), held, batchSize, seed))
    return { metric: await look(params), entropy: unigramEntropy(idsOf(held)) }
  })
