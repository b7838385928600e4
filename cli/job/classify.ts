/** Fine-tuning a BERT to tell classes of texts apart, and judging it. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { function as F, taskEither as TE } from 'fp-ts'
import { jit, random, softmax, toArray } from '../../core/index.ts'
import type { Key, Tensor } from '../../core/index.ts'
import { evaluation, training } from '../../nn/index.ts'
import {
  BertForSequenceClassification,
  bertConfig,
  bertForSequenceClassification,
  loadModel,
  saveModel,
} from '../../models/index.ts'
import type {
  BertConfig,
  BertForSequenceClassificationParams,
  BertParams,
  Tokenizer,
} from '../../models/index.ts'
import {
  accuracy,
  accuracyPortion,
  averageScore,
  batchesOf,
  classification,
  classificationBatch,
  confusionMatrix,
  eachOnce,
  evaluate,
  ignoreIndex,
  lossPortion,
  stepsPerEpoch,
} from '../../training/index.ts'
import type {
  ClassificationBatch,
  ConfusionMatrix,
  Example,
  LabelledIds,
  LabelTask,
  Portion,
} from '../../training/index.ts'
import { steps } from '../context.ts'
import type { Context } from '../context.ts'
import { copyFile } from '../file.ts'
import { logTo, placeOf, places } from '../run.ts'
import type { Values } from '../setting.ts'
import { encodeWithin } from './encode.ts'
import { train } from './train.ts'
import type { Trained } from './train.ts'

export type ClassifySetting = 'seed' | 'epochs' | 'taskBatch' | 'taskRate' | 'warmup' | 'weightDecay' | 'clip'

/** A classifier with its parameters. */
export interface Classifier {
  readonly config: BertConfig
  readonly params: BertForSequenceClassificationParams
}

/** What a classifier made of texts whose classes are known. */
export interface Judgement {
  readonly accuracy: number
  /** The mean over the classes of their F1. */
  readonly macroF1: number
  /** [true][predicted] */
  readonly confusion: ConfusionMatrix
}

export interface Classified extends Classifier {
  readonly trained: Trained<BertForSequenceClassificationParams>
  readonly judgement: Judgement
}

/** Texts as ids, cut where the model's positions end. */
const encodeExamples = (
  tokenizer: Tokenizer,
  { maxLength, labels }: BertConfig,
  examples: readonly Example[],
): readonly LabelledIds[] =>
  examples.map(({ text, label }) => ({
    ids: encodeWithin(tokenizer, text, maxLength).ids,
    label: labels.indexOf(label),
  }))

/** Probabilities of the classes, for any number of texts. */
export const classifyTexts = async (
  { config, params }: Classifier,
  tokenizer: Tokenizer,
  texts: readonly string[],
): Promise<readonly Float32Array[]> => {
  const model = bertForSequenceClassification(config)
  const batchSize = Math.min(32, texts.length)
  const collate = classificationBatch({ paddingId: config.paddingId, length: config.maxLength })
  const encoded = encodeExamples(
    tokenizer,
    config,
    texts.map((text) => ({ text, label: '' })),
  )
  const run = jit((p: BertForSequenceClassificationParams, batch: ClassificationBatch): Tensor =>
    softmax(model.apply(p, evaluation)(batch).logits),
  )
  const found: Float32Array[] = []
  for (const batch of eachOnce(encoded, collate, batchSize, { ids: [], label: ignoreIndex })) {
    const probabilities = (await toArray(run(params, batch))) as Float32Array
    for (let i = 0; i < batchSize; i++)
      found.push(probabilities.slice(i * config.labels.length, (i + 1) * config.labels.length))
  }
  return found.slice(0, texts.length)
}

const likeliest = (probabilities: Float32Array): number =>
  probabilities.reduce((best, p, i) => (p > (probabilities[best] as number) ? i : best), 0)

/** Judges a classifier by texts it has not seen. */
export const judge = async (
  classifier: Classifier,
  tokenizer: Tokenizer,
  examples: readonly Example[],
): Promise<Judgement> => {
  const { labels } = classifier.config
  const found = await classifyTexts(
    classifier,
    tokenizer,
    examples.map(({ text }) => text),
  )
  const truth = examples.map(({ label }) => labels.indexOf(label))
  const confusion = confusionMatrix(truth, found.map(likeliest), labels.length)
  return {
    accuracy: accuracy(truth, found.map(likeliest)),
    macroF1: averageScore(confusion, 'macro').f1,
    confusion,
  }
}

/**
 * Trains a classifier on labelled texts, from the network given, and judges it. The best classifier is the last one: nothing is chosen by looking at the held-out texts.
 */
export const fineTune = (
  context: Context,
  values: Values<ClassifySetting>,
  tokenizer: Tokenizer,
  { config: base, params: body }: { readonly config: BertConfig; readonly params: BertParams },
  task: LabelTask,
  { phase, label, folder }: { readonly phase: string; readonly label: string; readonly folder: string },
): TE.TaskEither<string, Classified> =>
  steps(async () => {
    const config = bertConfig({ ...base, labels: task.labels })
    const model = bertForSequenceClassification(config)
    const key = random.foldIn(random.key(values.seed), 'fine-tune')
    const fresh = model.init(random.foldIn(key, 'init'))
    const { embeddings, encoder, pooler } = body
    const params: BertForSequenceClassificationParams = { ...fresh, embeddings, encoder, pooler }
    const collate = classificationBatch({ paddingId: config.paddingId, length: config.maxLength })
    const examples = encodeExamples(tokenizer, config, task.train)
    const held = encodeExamples(tokenizer, config, task.heldOut)
    const batchSize = Math.min(values.taskBatch, examples.length)
    const objective = (p: BertForSequenceClassificationParams, batch: ClassificationBatch, stepKey: Key) =>
      classification(model.apply(p, training(stepKey))(batch).logits, batch.labels)
    const measure = (
      p: BertForSequenceClassificationParams,
      batch: ClassificationBatch,
    ): Readonly<Record<'evalLoss' | 'accuracy', Portion>> => {
      const { logits } = model.apply(p, evaluation)(batch)
      return {
        evalLoss: lossPortion(logits, batch.labels),
        accuracy: accuracyPortion(logits, batch.labels),
      }
    }
    const heldBatches = [...eachOnce(held, collate, 32, { ids: [], label: ignoreIndex })]
    const trained = await train(context, {
      phase,
      label,
      params,
      key: random.foldIn(key, phase),
      objective,
      batches: batchesOf(examples, collate, { batchSize, seed: values.seed }),
      recipe: {
        steps: values.epochs * stepsPerEpoch(examples.length, batchSize),
        learningRate: values.taskRate,
        warmup: values.warmup,
        weightDecay: values.weightDecay,
        clip: values.clip,
        optimizer: 'adamw',
      },
      tokens: examples.length * config.maxLength,
      tokensPerStep: batchSize * config.maxLength,
      log: logTo(folder),
      evaluations: Math.min(values.epochs, 6),
      evaluate: (p) => evaluate(measure, p, heldBatches),
      save: () => Promise.resolve(),
    })
    const judgement = await judge({ config, params: trained.params }, tokenizer, task.heldOut)
    return { config, params: trained.params, trained, judgement }
  })

/** Writes a classifier into its place in a run's folder, with the run's tokenizer: a folder that stands by itself. */
export const saveClassifier = (folder: string, { config, params }: Classifier): TE.TaskEither<string, void> =>
  F.pipe(
    saveModel(BertForSequenceClassification, placeOf(folder, 'classifier'), { config, params }),
    TE.flatMap(() =>
      copyFile(placeOf(folder, 'tokenizer'), join(placeOf(folder, 'classifier'), places.tokenizer)),
    ),
  )

/** The classifier of a run. Left: it has none, or the files are not right. */
export const loadClassifier = (folder: string): TE.TaskEither<string, Classifier> =>
  existsSync(placeOf(folder, 'classifier'))
    ? loadModel(BertForSequenceClassification, placeOf(folder, 'classifier'))
    : TE.left(`${folder} has no classifier; pullback finetune ${folder} makes one`)
