/** Fine-tuning a BERT to find answers in passages, and judging it. */
import { either as E } from 'fp-ts'
import type { taskEither as TE } from 'fp-ts'
import { fromArray, jit, random, toArray } from '../../core/index.ts'
import type { Key, Tensor } from '../../core/index.ts'
import { evaluation, training } from '../../nn/index.ts'
import {
  BertForQuestionAnswering,
  answers,
  bertForQuestionAnswering,
  encodeWindows,
  saveModel,
} from '../../models/index.ts'
import type {
  BertConfig,
  BertForQuestionAnsweringParams,
  BertParams,
  Encoding,
  Tokenizer,
} from '../../models/index.ts'
import {
  answerScore,
  batchesOf,
  eachOnce,
  evaluate,
  hostKey,
  ignoreIndex,
  lossPortion,
  padIds,
  padRows,
  questionAnswering,
  shuffledIndices,
  stepsPerEpoch,
} from '../../training/index.ts'
import type { AnswerScore, IdRows, KeyMask, Portion, Question } from '../../training/index.ts'
import { steps } from '../context.ts'
import type { Context } from '../context.ts'
import { logTo } from '../run.ts'
import type { Values } from '../setting.ts'
import { count, plural } from '../word.ts'
import type { ClassifySetting } from './classify.ts'
import { train } from './train.ts'
import type { Trained } from './train.ts'

export interface AnswerTask {
  readonly train: readonly Question[]
  readonly heldOut: readonly Question[]
}

/** Questions to check with, at most. */
const checked = 500

/** A share of the passages held out with all their questions, chosen by the seed. */
export const splitQuestions = (
  questions: readonly Question[],
  heldOut: number,
  seed: number,
): E.Either<string, AnswerTask> => {
  const contexts = [...new Set(questions.map(({ context }) => context))]
  if (contexts.length < 2)
    return E.left('task: all questions are of one passage, one to learn from and one to check are needed')
  const order = [...shuffledIndices(hostKey(seed), contexts.length)].map((i) => contexts[i] as string)
  const held = new Set(order.slice(0, Math.max(1, Math.round(heldOut * contexts.length))))
  return E.right({
    train: questions.filter(({ context }) => !held.has(context)),
    heldOut: questions.filter(({ context }) => held.has(context)).slice(0, checked),
  })
}

/** A window of a passage behind its question; the first and last token of the answer, or 0 where it is not in it. */
interface Piece {
  readonly encoding: Encoding
  readonly start: number
  readonly end: number
}

const piecesOf = (
  tokenizer: Tokenizer,
  { maxLength }: BertConfig,
  { question, context, answers: [answer] }: Question,
): readonly Piece[] => {
  const cut = {
    maxLength,
    stride: Math.min(128, Math.floor(maxLength / 4)),
    strategy: 'only_second',
  } as const
  const windows = encodeWindows(tokenizer, question, cut, { offsetUnit: 'utf16' }, context)
  if (E.isLeft(windows)) return []
  return windows.right.map((encoding) => {
    const own = encoding.offsets.flatMap(([from, to], i) =>
      encoding.sequenceIds[i] === 1 ? [{ from, to, i }] : [],
    )
    const [first, last] = [own[0], own.at(-1)]
    if (answer === undefined || first === undefined || last === undefined)
      return { encoding, start: 0, end: 0 }
    const until = answer.start + answer.text.length
    if (first.from > answer.start || last.to < until) return { encoding, start: 0, end: 0 }
    const within = own.filter(({ from, to }) => to > answer.start && from < until)
    return { encoding, start: within[0]?.i ?? 0, end: within.at(-1)?.i ?? 0 }
  })
}

/** The windows with an answer, and as many of those without, chosen by the seed: of a long passage they are most. */
const balanced = (pieces: readonly Piece[], seed: number): readonly Piece[] => {
  const [answered, without] = [pieces.filter(({ end }) => end > 0), pieces.filter(({ end }) => end === 0)]
  const order = shuffledIndices(hostKey(seed), without.length).slice(0, answered.length)
  return [...answered, ...[...order].map((i) => without[i] as Piece)]
}

interface AnswerBatch {
  readonly ids: IdRows
  readonly keyMask: KeyMask
  readonly tokenTypes: IdRows
  readonly starts: Tensor
  readonly ends: Tensor
}

const collateOf =
  ({ paddingId, maxLength: length }: BertConfig) =>
  (pieces: readonly Piece[]): AnswerBatch => {
    const places = (of: (piece: Piece) => number): Tensor =>
      fromArray(Int32Array.from(pieces, of), [pieces.length])
    return {
      ...padIds(
        pieces.map(({ encoding }) => encoding.ids),
        paddingId,
        { length },
      ),
      tokenTypes: padRows(
        pieces.map(({ encoding }) => encoding.typeIds),
        0,
        { length },
      ),
      starts: places(({ start }) => start),
      ends: places(({ end }) => end),
    }
  }

export interface Answerer {
  readonly config: BertConfig
  readonly params: BertForQuestionAnsweringParams
}

export interface AnswererTrained extends Answerer {
  readonly trained: Trained<BertForQuestionAnsweringParams>
  readonly score: AnswerScore
}

const atOnce = 32
const filler: Piece = {
  encoding: { ids: [], typeIds: [] } as unknown as Encoding,
  start: ignoreIndex,
  end: ignoreIndex,
}

/** The answer to each question, the likeliest over all windows of its passage. */
const answerAll = async (
  { config, params }: Answerer,
  tokenizer: Tokenizer,
  questions: readonly Question[],
): Promise<readonly string[]> => {
  const model = bertForQuestionAnswering(config)
  const run = jit((p: BertForQuestionAnsweringParams, batch: AnswerBatch) => {
    const { startLogits, endLogits } = model.apply(p, evaluation)(batch)
    return { startLogits, endLogits }
  })
  const pieces = questions.map((question) => piecesOf(tokenizer, config, question))
  const all = pieces.flat()
  const starts: Float32Array[] = []
  const ends: Float32Array[] = []
  for (const batch of eachOnce(all, collateOf(config), atOnce, filler)) {
    const { startLogits, endLogits } = run(params, batch)
    for (const [rows, into] of [
      [(await toArray(startLogits)) as Float32Array, starts],
      [(await toArray(endLogits)) as Float32Array, ends],
    ] as const)
      for (let i = 0; i < atOnce; i++) into.push(rows.slice(i * config.maxLength, (i + 1) * config.maxLength))
  }
  let next = 0
  return pieces.map((own, i) => {
    const windows = own.map(({ encoding }) => {
      const of = (rows: readonly Float32Array[]): Float32Array =>
        (rows[next] as Float32Array).slice(0, encoding.ids.length)
      const window = { encoding, startScores: of(starts), endScores: of(ends) }
      next++
      return window
    })
    return answers((questions[i] as Question).context, windows, undefined)[0]?.answer ?? ''
  })
}

/** Trains on questions, from the network given, and judges by held-out passages. */
export const trainAnswerer = (
  context: Context,
  values: Values<ClassifySetting>,
  tokenizer: Tokenizer,
  { config, params: body }: { readonly config: BertConfig; readonly params: BertParams },
  task: AnswerTask,
  { phase, label, folder }: { readonly phase: string; readonly label: string; readonly folder: string },
): TE.TaskEither<string, AnswererTrained> =>
  steps(async (take) => {
    const model = bertForQuestionAnswering(config)
    const key = random.foldIn(random.key(values.seed), 'fine-tune')
    const { embeddings, encoder } = body
    const params = { ...model.init(random.foldIn(key, 'init')), embeddings, encoder }
    const encode = (questions: readonly Question[]): readonly Piece[] =>
      questions.flatMap((question) => piecesOf(tokenizer, config, question))
    const [windows, held] = [encode(task.train), encode(task.heldOut)]
    const learnt = balanced(windows, values.seed)
    if (learnt.length === 0 || held.length === 0)
      return take(E.left(`task: no answer is left within ${config.maxLength} tokens of question and passage`))
    if (phase === 'finetune')
      context.terminal.say(
        `  ${plural(windows.length, 'window')} of ${config.maxLength} tokens; to learn from ` +
          `${count(learnt.filter(({ end }) => end > 0).length)} with an answer, and as many without at most`,
      )
    const collate = collateOf(config)
    const batchSize = Math.min(values.taskBatch, learnt.length)
    const measure = (
      p: BertForQuestionAnsweringParams,
      batch: AnswerBatch,
    ): Readonly<Record<'evalLoss', Portion>> => ({
      evalLoss: lossPortion(model.apply(p, evaluation)(batch).startLogits, batch.starts),
    })
    const heldBatches = [...eachOnce(held, collate, atOnce, filler)]
    const trained = await train(context, {
      phase,
      label,
      params,
      key: random.foldIn(key, phase),
      objective: (p: BertForQuestionAnsweringParams, batch: AnswerBatch, stepKey: Key) => {
        const { startLogits, endLogits } = model.apply(p, training(stepKey))(batch)
        return questionAnswering(startLogits, endLogits, batch.starts, batch.ends)
      },
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
    const found = await answerAll({ config, params: trained.params }, tokenizer, task.heldOut)
    const right = task.heldOut.map((question) => question.answers.map(({ text }) => text))
    return { config, params: trained.params, trained, score: answerScore(right, found) }
  })

/** Writes the model into a run's folder, where its tokenizer is. */
export const saveAnswerer = (folder: string, { config, params }: Answerer): TE.TaskEither<string, void> =>
  saveModel(BertForQuestionAnswering, folder, { config, params })
