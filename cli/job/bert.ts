/** Pretraining a BERT: masked words and next sentences. */
import type { taskEither as TE } from 'fp-ts'
import { add, jit, random } from '../../core/index.ts'
import type { Key } from '../../core/index.ts'
import { evaluation, training } from '../../nn/index.ts'
import type { Run as LayerRun } from '../../nn/index.ts'
import {
  BertForPreTraining,
  bertConfig,
  bertForPreTraining,
  saveModel,
  vocabularySize,
} from '../../models/index.ts'
import type { BertConfig, BertForPreTrainingParams, Tokenizer } from '../../models/index.ts'
import {
  evaluate,
  maskPredictions,
  maskedLanguageModelling,
  nextSentence,
  saveCheckpoint,
  sentencePairs,
  unigramEntropy,
} from '../../training/index.ts'
import type { MaskedPredictions, PairBatch, Portion, Split } from '../../training/index.ts'
import { steps } from '../context.ts'
import type { Context } from '../context.ts'
import { logTo, placeOf } from '../run.ts'
import type { Metric } from '../run.ts'
import type { Values } from '../setting.ts'
import { large } from '../word.ts'
import { encodeDocuments, idsOf } from './encode.ts'
import { frequencyBias, parameterCount } from './model.ts'
import { accuracyPortion, lossPortion } from './measure.ts'
import { specialId } from './special.ts'
import { recipeOf, train } from './train.ts'
import type { Resume, Trained } from './train.ts'

export type BertSetting =
  | ('seed' | 'width' | 'layers' | 'heads' | 'hidden' | 'length' | 'dropout')
  | ('steps' | 'minutes' | 'batch' | 'learningRate' | 'warmup' | 'weightDecay' | 'clip')

export interface Pretrained {
  readonly config: BertConfig
  readonly params: BertForPreTrainingParams
  readonly trained: Trained<BertForPreTrainingParams>
  /** Of the held-out tokens, in nats: what knowing each token's frequency, and no context, would reach at best. */
  readonly entropy: number
  /** What the held-out data say at the end. */
  readonly evaluation: Metric
}

type MaskedBatch = PairBatch & MaskedPredictions

/** Held-out pairs that are looked at each time, at most. */
const heldOutPairs = 1024

/** Pretrains, leaving the model in the run's folder. */
export const pretrainBert = (
  context: Context,
  values: Values<BertSetting>,
  tokenizer: Tokenizer,
  split: Split,
  folder: string,
  resume?: Resume,
): TE.TaskEither<string, Pretrained> =>
  steps(async (take) => {
    const { say } = context.terminal
    const { seed, width, length, batch: batchSize } = values
    const vocabulary = vocabularySize(tokenizer)
    const config = bertConfig({
      vocabularySize: vocabulary,
      width,
      layers: values.layers,
      heads: values.heads,
      hidden: values.hidden ?? 4 * width,
      maxLength: length,
      dropout: values.dropout,
      attentionDropout: values.dropout,
      paddingId: specialId(tokenizer, '[PAD]'),
    })
    const model = bertForPreTraining(config)
    const key = random.key(seed)
    const learnt = encodeDocuments(tokenizer, split.train)
    const held = encodeDocuments(tokenizer, split.heldOut)
    const trainIds = idsOf(learnt)
    const entropy = unigramEntropy(idsOf(held))

    const pairConfig = {
      length,
      batchSize,
      classId: specialId(tokenizer, '[CLS]'),
      separatorId: specialId(tokenizer, '[SEP]'),
      paddingId: specialId(tokenizer, '[PAD]'),
    }
    const pairs = await take(sentencePairs(learnt, { ...pairConfig, seed }))
    const heldPairs = await take(sentencePairs(held, { ...pairConfig, seed: seed + 1 }))
    const masking = {
      maskId: specialId(tokenizer, '[MASK]'),
      vocabularySize: vocabulary,
      specialIds: (['[PAD]', '[UNK]', '[CLS]', '[SEP]'] as const).map((name) => specialId(tokenizer, name)),
      predictions: Math.max(1, Math.round(0.15 * (length - 3))),
    }

    const initial = model.init(random.foldIn(key, 'init'))
    const params: BertForPreTrainingParams = {
      ...initial,
      predictions: { ...initial.predictions, bias: frequencyBias(trainIds, vocabulary) },
    }
    say(`  ${large(parameterCount(params))} parameters, ` + `${large(trainIds.length)} tokens to learn from`)

    const read = (p: BertForPreTrainingParams, batch: MaskedBatch, run: LayerRun) =>
      model.apply(p, run)(batch)
    const objective = (p: BertForPreTrainingParams, batch: PairBatch, stepKey: Key) => {
      const [maskKey, dropKey] = random.split(stepKey)
      const masked = { ...batch, ...maskPredictions(maskKey, batch.ids, masking) }
      const outputs = read(p, masked, training(dropKey))
      const maskedLoss = maskedLanguageModelling(outputs.predictionLogits, masked.labels)
      const nextSentenceLoss = nextSentence(outputs.nextSentenceLogits, batch.nextSentenceLabels)
      return [add(maskedLoss, nextSentenceLoss), { maskedLoss, nextSentenceLoss }] as const
    }

    const mask = jit((maskKey: Key, batch: PairBatch): MaskedBatch => ({
      ...batch,
      ...maskPredictions(maskKey, batch.ids, masking),
    }))
    const heldBatches = await Promise.all(
      Array.from(
        { length: Math.ceil(Math.min(heldOutPairs, heldPairs.perEpoch) / batchSize) },
        async (_, i) => mask(random.foldIn(random.foldIn(key, 'held out'), i), await heldPairs.batches(i)),
      ),
    )
    const measure = (
      p: BertForPreTrainingParams,
      batch: MaskedBatch,
    ): Readonly<Record<'evalLoss' | 'evalAccuracy' | 'evalNextSentenceAccuracy', Portion>> => {
      const { predictionLogits, nextSentenceLogits } = read(p, batch, evaluation)
      return {
        evalLoss: lossPortion(predictionLogits, batch.labels),
        evalAccuracy: accuracyPortion(predictionLogits, batch.labels),
        evalNextSentenceAccuracy: accuracyPortion(nextSentenceLogits, batch.nextSentenceLabels),
      }
    }

    const trained = await train(context, {
      phase: 'pretrain',
      label: 'pretraining',
      headline: 'maskedLoss',
      params,
      key: random.foldIn(key, 'pretrain'),
      resume,
      objective,
      batches: pairs.batches,
      recipe: recipeOf(values),
      seconds: values.minutes === undefined ? undefined : 60 * values.minutes,
      tokensPerStep: batchSize * length,
      log: logTo(folder),
      evaluations: 8,
      evaluate: (p) => evaluate(measure, p, heldBatches),
      save: async (state, wanted) => {
        await take(saveCheckpoint(placeOf(folder, 'checkpoint'), state, { steps: wanted }))
        await take(saveModel(BertForPreTraining, folder, { config, params: state.params }))
      },
    })
    const last = trained.evaluations.at(-1)?.metric ?? {}
    return { config, params: trained.params, trained, entropy, evaluation: last }
  })
