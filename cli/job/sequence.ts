/** Training the encoder-decoder Transformer to write a target for a source, and looking at what it writes. */
import { join } from 'node:path'
import { either as E, function as F } from 'fp-ts'
import type { taskEither as TE } from 'fp-ts'
import { random } from '../../core/index.ts'
import type { Key } from '../../core/index.ts'
import { evaluation, training } from '../../nn/index.ts'
import {
  Transformer,
  decode,
  generate,
  loadModel,
  saveModel,
  sequenceReader,
  tokenToId,
  tokenizerFromJson,
  trainByteLevelBpe,
  transformer,
  transformerConfig,
  transformerEncoder,
  vocabularySize,
} from '../../models/index.ts'
import type { Tokenizer, TransformerConfig, TransformerParams } from '../../models/index.ts'
import {
  accuracyPortion,
  batchesOf,
  eachOnce,
  evaluate,
  exactMatch,
  lossPortion,
  saveCheckpoint,
  sequenceBatch,
  sequenceToSequence,
} from '../../training/index.ts'
import type { Example, Portion, SequenceBatch, SequencePair } from '../../training/index.ts'
import { steps } from '../context.ts'
import type { Context } from '../context.ts'
import { writeJson } from '../file.ts'
import { logTo, placeOf, places } from '../run.ts'
import type { Metric } from '../run.ts'
import type { Values } from '../setting.ts'
import { count, large, plural } from '../word.ts'
import type { PretrainSetting } from './language.ts'
import { encodeText } from './encode.ts'
import { parameterCount } from './model.ts'
import { recipeOf, train } from './train.ts'
import type { Trained } from './train.ts'

/** A source and what shall be written for it. */
export interface TextPair {
  readonly source: string
  readonly target: string
}

export interface Translator {
  readonly config: TransformerConfig
  readonly params: TransformerParams
}

const special = { padding: '<pad>', start: '<s>', end: '</s>' } as const

/** A label is what shall be written. */
export const pairsFrom = (examples: readonly Example[]): readonly TextPair[] =>
  examples.map(({ text, label }) => ({ source: text, target: label }))

/** One byte-level vocabulary for sources and targets. */
export const makePairTokenizer = (
  { terminal: { say } }: Context,
  pairs: readonly TextPair[],
  vocabulary: number,
  folder: string,
): TE.TaskEither<string, Tokenizer> =>
  steps(async (take) => {
    const json = await take(
      trainByteLevelBpe(
        pairs.flatMap(({ source, target }) => [source, target]),
        { vocabSize: vocabulary, specialTokens: Object.values(special) },
      ),
    )
    const tokenizer = await take(
      F.pipe(
        tokenizerFromJson(json),
        E.mapLeft((errors) => errors.join('; ')),
      ),
    )
    await take(writeJson(join(folder, places.tokenizer), json))
    say(
      `  byte-level BPE with ${count(vocabularySize(tokenizer))} tokens, in ${join(folder, places.tokenizer)}`,
    )
    return tokenizer
  })

const idOf = (tokenizer: Tokenizer, name: keyof typeof special): number =>
  tokenToId(tokenizer, special[name]) ?? 0

interface Encoded {
  readonly pairs: readonly SequencePair[]
  readonly tooLong: number
}

/** Pairs as ids, without those that are longer than the model reads or writes. */
const encodePairs = (tokenizer: Tokenizer, pairs: readonly TextPair[], length: number): Encoded => {
  const end = idOf(tokenizer, 'end')
  const all = pairs.map(({ source, target }) => ({
    source: [...encodeText(tokenizer, source), end],
    target: [...encodeText(tokenizer, target), end],
  }))
  const fitting = all.filter(({ source, target }) => source.length <= length && target.length <= length)
  return { pairs: fitting, tooLong: all.length - fitting.length }
}

/** Writes targets, the likeliest token each time. */
export const translate = (
  { config, params }: Translator,
  tokenizer: Tokenizer,
  maxTokens: number,
): ((sources: readonly string[]) => Promise<readonly string[]>) => {
  const reader = sequenceReader({ encoder: transformerEncoder(config), decoder: transformer(config) }, params)
  const [start, end] = [idOf(tokenizer, 'start'), idOf(tokenizer, 'end')]
  return async (sources) => {
    const ids = sources.map((source) => [...encodeText(tokenizer, source), end])
    const written = await generate(
      reader(ids),
      ids.map(() => [start]),
      { maxTokens, endIds: [end] },
    )
    return written.map((one) => decode(tokenizer, one.ids, { skipSpecialTokens: true }))
  }
}

/** Held-out pairs of which the targets are written, at most; and how many side by side. */
const written = 200
const atOnce = 20

export interface TranslatorTrained extends Translator {
  readonly trained: Trained<TransformerParams>
  readonly evaluation: Metric
  /** The share of held-out targets written exactly, and of how many. */
  readonly exact: number
  readonly judged: number
  readonly samples: readonly (TextPair & { readonly written: string })[]
}

/** The share of held-out targets that are written exactly, and some of what was written. */
export const judgeTranslator = async (
  translator: Translator,
  tokenizer: Tokenizer,
  pairs: readonly TextPair[],
  length: number,
): Promise<Pick<TranslatorTrained, 'exact' | 'judged' | 'samples'>> => {
  const write = translate(translator, tokenizer, length)
  const some = pairs.slice(0, written)
  const answers: string[] = []
  for (let i = 0; i < some.length; i += atOnce)
    answers.push(...(await write(some.slice(i, i + atOnce).map(({ source }) => source))))
  return {
    exact: exactMatch(
      some.map(({ target }) => target),
      answers,
    ),
    judged: some.length,
    samples: some.slice(0, 5).map((pair, i) => ({ ...pair, written: answers[i] ?? '' })),
  }
}

type SequenceMeasure = Readonly<Record<'evalLoss' | 'evalAccuracy', Portion>>

export const trainTranslator = (
  context: Context,
  values: Values<PretrainSetting>,
  tokenizer: Tokenizer,
  split: { readonly train: readonly TextPair[]; readonly heldOut: readonly TextPair[] },
  folder: string,
): TE.TaskEither<string, TranslatorTrained> =>
  steps(async (take) => {
    const { say } = context.terminal
    const { seed, width, length, batch: batchSize } = values
    const paddingId = idOf(tokenizer, 'padding')
    const startId = idOf(tokenizer, 'start')
    const config = transformerConfig({
      sourceVocabularySize: vocabularySize(tokenizer),
      targetVocabularySize: vocabularySize(tokenizer),
      sharing: 'all',
      width,
      heads: values.heads,
      hidden: values.hidden ?? 4 * width,
      encoderLayers: values.layers,
      decoderLayers: values.layers,
      dropout: values.dropout,
      preNorm: true,
      paddingId,
      startId,
      endId: idOf(tokenizer, 'end'),
    })
    const model = transformer(config)
    const key = random.key(seed)
    const learnt = encodePairs(tokenizer, split.train, length)
    const held = encodePairs(tokenizer, split.heldOut, length)
    const tooLong = learnt.tooLong + held.tooLong
    if (tooLong > 0) say(`  ${plural(tooLong, 'pair')} left out, longer than --length ${length} tokens`)
    if (learnt.pairs.length === 0 || held.pairs.length === 0)
      return take(E.left(`task: every pair is longer than --length ${length} tokens`))
    const params = model.init(random.foldIn(key, 'init'))
    say(`  ${large(parameterCount(params))} parameters, ${plural(learnt.pairs.length, 'pair')} to learn from`)
    const collate = sequenceBatch({ paddingId, startId, sourceLength: length, targetLength: length })
    const read = (p: TransformerParams, batch: SequenceBatch, run: Parameters<typeof model.apply>[1]) =>
      model.apply(p, run)(batch).logits
    const measure = (p: TransformerParams, batch: SequenceBatch): SequenceMeasure => {
      const logits = read(p, batch, evaluation)
      return {
        evalLoss: lossPortion(logits, batch.labels),
        evalAccuracy: accuracyPortion(logits, batch.labels),
      }
    }
    const heldBatches = [...eachOnce(held.pairs, collate, batchSize)]
    const trained = await train(context, {
      phase: 'train',
      label: 'training',
      params,
      key: random.foldIn(key, 'train'),
      objective: (p: TransformerParams, batch: SequenceBatch, stepKey: Key) =>
        sequenceToSequence(read(p, batch, training(stepKey)), batch.labels),
      batches: batchesOf(learnt.pairs, collate, { batchSize, seed }),
      recipe: recipeOf(values),
      seconds: values.minutes === undefined ? undefined : 60 * values.minutes,
      tokens: learnt.pairs.length,
      tokensPerStep: 2 * batchSize * length,
      log: logTo(folder),
      evaluations: 8,
      evaluate: (p) => evaluate(measure, p, heldBatches),
      save: async (state, notes) => {
        await take(saveCheckpoint(placeOf(folder, 'checkpoint'), state, notes))
        await take(saveModel(Transformer, folder, { config, params: state.params }))
      },
    })
    const translator = { config, params: trained.params }
    const judged = trained.interrupted
      ? { exact: NaN, judged: 0, samples: [] }
      : await judgeTranslator(translator, tokenizer, split.heldOut, length)
    return { ...translator, trained, evaluation: trained.evaluations.at(-1)?.metric ?? {}, ...judged }
  })

/** The encoder-decoder of a run's folder. */
export const loadTranslator = (folder: string): TE.TaskEither<string, Translator> =>
  loadModel(Transformer, folder)
