/** Fine-tuning a BERT to tag words (entities, parts of speech), and judging it. */
import { either as E } from 'fp-ts'
import type { taskEither as TE } from 'fp-ts'
import { argMax, jit, random, toArray } from '../../core/index.ts'
import type { Key, Tensor } from '../../core/index.ts'
import { evaluation, training } from '../../nn/index.ts'
import {
  BertForTokenClassification,
  bertConfig,
  bertForTokenClassification,
  saveModel,
} from '../../models/index.ts'
import type {
  BertConfig,
  BertForTokenClassificationParams,
  BertParams,
  Tokenizer,
} from '../../models/index.ts'
import {
  accuracyPortion,
  batchesOf,
  eachOnce,
  entityScore,
  evaluate,
  hostKey,
  ignoreIndex,
  lossPortion,
  shuffledIndices,
  stepsPerEpoch,
  tagging,
  taggingBatch,
} from '../../training/index.ts'
import type { EntityScore, Portion, TaggedIds, TaggedWords, TaggingBatch } from '../../training/index.ts'
import { steps } from '../context.ts'
import type { Context } from '../context.ts'
import { logTo } from '../run.ts'
import type { Values } from '../setting.ts'
import { plural } from '../word.ts'
import type { ClassifySetting } from './classify.ts'
import { encodeWithin } from './encode.ts'
import { train } from './train.ts'
import type { Trained } from './train.ts'

export interface TagTask {
  /** In alphabetical order; a class is its index here. */
  readonly labels: readonly string[]
  readonly train: readonly TaggedWords[]
  readonly heldOut: readonly TaggedWords[]
}

/** Texts to check with, at most. */
const checked = 1000

/** A share of the texts held out, at least one, chosen by the seed. */
export const splitTagged = (
  texts: readonly TaggedWords[],
  heldOut: number,
  seed: number,
): E.Either<string, TagTask> => {
  if (texts.length < 10)
    return E.left(`task: ${plural(texts.length, 'text')} are too few to learn from, 10 at least`)
  const order = [...shuffledIndices(hostKey(seed), texts.length)].map((i) => texts[i] as TaggedWords)
  const held = Math.max(1, Math.min(checked, Math.round(heldOut * texts.length)))
  const labels = [...new Set(texts.flatMap(({ tags }) => tags))].sort()
  return E.right({ labels, train: order.slice(held), heldOut: order.slice(0, held) })
}

interface Encoded extends TaggedIds {
  /** Where each word's first token stands; undefined where the text was cut before it. */
  readonly places: readonly (number | undefined)[]
}

/** Words as one text; a word's tag stands at its first token, and the others do not count. */
const encodeWords = (
  tokenizer: Tokenizer,
  { maxLength, labels: names }: BertConfig,
  { words, tags }: TaggedWords,
): Encoded => {
  const { ids, offsets, specialTokensMask } = encodeWithin(tokenizer, words.join(' '), maxLength)
  const places: (number | undefined)[] = words.map(() => undefined)
  const labels = ids.map(() => ignoreIndex)
  let [word, end] = [0, (words[0] ?? '').length]
  offsets.forEach(([from, to], i) => {
    if (specialTokensMask[i] === 1 || to <= from) return
    while (to > end && word + 1 < words.length) end += 1 + (words[++word] as string).length
    if (places[word] !== undefined) return
    places[word] = i
    labels[i] = names.indexOf(tags[word] as string)
  })
  return { ids, labels, places }
}

export interface Tagger {
  readonly config: BertConfig
  readonly params: BertForTokenClassificationParams
}

export interface TaggerTrained extends Tagger {
  readonly trained: Trained<BertForTokenClassificationParams>
  readonly score: EntityScore
}

const atOnce = 32

/** The tag of each word; `O` of those that were cut off. */
const tagWords = async (
  { config, params }: Tagger,
  encoded: readonly Encoded[],
): Promise<readonly (readonly string[])[]> => {
  const model = bertForTokenClassification(config)
  const run = jit(
    (p: BertForTokenClassificationParams, batch: TaggingBatch): Tensor =>
      argMax(model.apply(p, evaluation)(batch).logits, { axis: -1 }) as Tensor,
  )
  const collate = taggingBatch({ paddingId: config.paddingId, length: config.maxLength })
  const found: (readonly string[])[] = []
  for (const batch of eachOnce(encoded, collate, atOnce, { ids: [], labels: [], places: [] })) {
    const classes = await toArray(run(params, batch))
    for (let row = 0; row < atOnce && found.length < encoded.length; row++) {
      const { places } = encoded[found.length] as Encoded
      const tagOf = (place: number): string =>
        config.labels[classes[row * config.maxLength + place] as number] as string
      found.push(places.map((place) => (place === undefined ? 'O' : tagOf(place))))
    }
  }
  return found
}

/** Trains a tagger on tagged texts, from the network given, and judges it by entities of held-out ones. */
export const trainTagger = (
  context: Context,
  values: Values<ClassifySetting>,
  tokenizer: Tokenizer,
  { config: base, params: body }: { readonly config: BertConfig; readonly params: BertParams },
  task: TagTask,
  { phase, label, folder }: { readonly phase: string; readonly label: string; readonly folder: string },
): TE.TaskEither<string, TaggerTrained> =>
  steps(async () => {
    const config = bertConfig({ ...base, labels: task.labels })
    const model = bertForTokenClassification(config)
    const key = random.foldIn(random.key(values.seed), 'fine-tune')
    const { embeddings, encoder } = body
    const params = { ...model.init(random.foldIn(key, 'init')), embeddings, encoder }
    const encode = (texts: readonly TaggedWords[]): readonly Encoded[] =>
      texts.map((text) => encodeWords(tokenizer, config, text))
    const [learnt, held] = [encode(task.train), encode(task.heldOut)]
    const collate = taggingBatch({ paddingId: config.paddingId, length: config.maxLength })
    const batchSize = Math.min(values.taskBatch, learnt.length)
    const measure = (
      p: BertForTokenClassificationParams,
      batch: TaggingBatch,
    ): Readonly<Record<'evalLoss' | 'evalAccuracy', Portion>> => {
      const { logits } = model.apply(p, evaluation)(batch)
      return {
        evalLoss: lossPortion(logits, batch.labels),
        evalAccuracy: accuracyPortion(logits, batch.labels),
      }
    }
    const heldBatches = [...eachOnce(held, collate, atOnce, { ids: [], labels: [], places: [] })]
    const trained = await train(context, {
      phase,
      label,
      params,
      key: random.foldIn(key, phase),
      objective: (p: BertForTokenClassificationParams, batch: TaggingBatch, stepKey: Key) =>
        tagging(model.apply(p, training(stepKey))(batch).logits, batch.labels),
      batches: batchesOf(learnt, collate, { batchSize, seed: values.seed }),
      recipe: {
        steps: values.epochs * stepsPerEpoch(learnt.length, batchSize),
        learningRate: values.taskRate,
        warmup: values.warmup,
        weightDecay: values.weightDecay,
        clip: values.clip,
        optimizer: 'adamw',
      },
      tokens: learnt.length * config.maxLength,
      tokensPerStep: batchSize * config.maxLength,
      log: logTo(folder),
      evaluations: Math.min(values.epochs, 6),
      evaluate: (p) => evaluate(measure, p, heldBatches),
      save: () => Promise.resolve(),
    })
    const found = await tagWords({ config, params: trained.params }, held)
    const truth = task.heldOut.map(({ tags }) => tags)
    return { config, params: trained.params, trained, score: entityScore(truth, found) }
  })

/** Writes a tagger into a run's folder, where its tokenizer is. */
export const saveTagger = (folder: string, { config, params }: Tagger): TE.TaskEither<string, void> =>
  saveModel(BertForTokenClassification, folder, { config, params })
