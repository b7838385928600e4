/** What a BERT learns by: masked words and next sentences, in training and on held-out text. */
import type { either as E } from 'fp-ts'
import { add, jit, random } from '../../core/index.ts'
import type { Key } from '../../core/index.ts'
import { evaluation, training } from '../../nn/index.ts'
import { bertForPreTraining } from '../../models/index.ts'
import type { BertConfig, BertForPreTrainingParams } from '../../models/index.ts'
import {
  accuracyPortion,
  lossPortion,
  maskPredictions,
  maskedLanguageModelling,
  nextSentence,
  sentencePairs,
} from '../../training/index.ts'
import type {
  MaskedPredictions,
  MaskingConfig,
  Objective,
  PairBatch,
  Pairs,
  Portion,
} from '../../training/index.ts'
import type { Specials } from './special.ts'

export type MaskedBatch = PairBatch & MaskedPredictions

/** The share of tokens that are asked for (Devlin et al. 2019, 3.1). */
const probability = 0.15

const maskingOf = (
  config: BertConfig,
  specials: Specials,
): MaskingConfig & { readonly predictions: number } => ({
  probability,
  maskId: specials.mask,
  vocabularySize: config.vocabularySize,
  specialIds: [specials.padding, specials.unknown, specials.first, specials.separator],
  predictions: Math.max(1, Math.round(probability * (config.maxLength - 3))),
})

/** A single document as two: sentences that do not follow must come from somewhere. */
const atLeastTwo = (documents: readonly (readonly Int32Array[])[]): readonly (readonly Int32Array[])[] => {
  const [only, ...others] = documents
  if (only === undefined || others.length > 0) return documents
  const middle = Math.ceil(only.length / 2)
  return [only.slice(0, middle), only.slice(middle)]
}

/** Pairs of sentences of documents' ids, as long as the model's positions go. */
export const pairsOf = (
  { maxLength }: BertConfig,
  specials: Specials,
  documents: readonly (readonly Int32Array[])[],
  batchSize: number,
  seed: number,
): E.Either<string, Pairs> =>
  sentencePairs(atLeastTwo(documents), {
    length: maxLength,
    batchSize,
    seed,
    classId: specials.first,
    separatorId: specials.separator,
    paddingId: specials.padding,
  })

type PartLosses = {
  readonly maskedLoss: ReturnType<typeof add>
  readonly nextSentenceLoss: ReturnType<typeof add>
}

/** The objective of pretraining: each step masks afresh. */
export const bertObjective = (
  config: BertConfig,
  specials: Specials,
): Objective<BertForPreTrainingParams, PairBatch, PartLosses> => {
  const model = bertForPreTraining(config)
  const masking = maskingOf(config, specials)
  return (params, batch, key) => {
    const [maskKey, dropKey] = random.split(key)
    const masked = { ...batch, ...maskPredictions(maskKey, batch.ids, masking) }
    const outputs = model.apply(params, training(dropKey))(masked)
    const maskedLoss = maskedLanguageModelling(outputs.predictionLogits, masked.labels)
    const nextSentenceLoss = nextSentence(outputs.nextSentenceLogits, batch.nextSentenceLabels)
    return [add(maskedLoss, nextSentenceLoss), { maskedLoss, nextSentenceLoss }]
  }
}

/** Held-out pairs that are looked at each time, at most. */
const heldOutPairs = 512

/** Held-out pairs, masked once and for all, so that every look at them sees the same. */
export const heldOutBatches = async (
  config: BertConfig,
  specials: Specials,
  pairs: Pairs,
  batchSize: number,
  key: Key,
): Promise<readonly MaskedBatch[]> => {
  const masking = maskingOf(config, specials)
  const mask = jit((maskKey: Key, batch: PairBatch): MaskedBatch => ({
    ...batch,
    ...maskPredictions(maskKey, batch.ids, masking),
  }))
  const count = Math.ceil(Math.min(heldOutPairs, pairs.perEpoch) / batchSize)
  return Promise.all(
    Array.from({ length: count }, async (_, i) => mask(random.foldIn(key, i), await pairs.batches(i))),
  )
}

export type MaskedMeasure = Readonly<
  Record<'evalLoss' | 'evalAccuracy' | 'evalNextSentenceAccuracy', Portion>
>

/** What is measured of a held-out batch. */
export const measureMasked = (
  config: BertConfig,
): ((params: BertForPreTrainingParams, batch: MaskedBatch) => MaskedMeasure) => {
  const model = bertForPreTraining(config)
  return (params, batch) => {
    const { predictionLogits, nextSentenceLogits } = model.apply(params, evaluation)(batch)
    return {
      evalLoss: lossPortion(predictionLogits, batch.labels),
      evalAccuracy: accuracyPortion(predictionLogits, batch.labels),
      evalNextSentenceAccuracy: accuracyPortion(nextSentenceLogits, batch.nextSentenceLabels),
    }
  }
}
