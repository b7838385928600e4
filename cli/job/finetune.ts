/** Fine-tuning a BERT, beside the same network from scratch: one run for everything that it may be taught. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { either as E, function as F, taskEither as TE } from 'fp-ts'
import { jit, random, toArray } from '../../core/index.ts'
import type { Key, Tensor } from '../../core/index.ts'
import { evaluation, training } from '../../nn/index.ts'
import { bert, bertConfig, bertPositionalHeads, loadModel, saveModel } from '../../models/index.ts'
import type {
  Architecture,
  BertBodyParams,
  BertConfig,
  BertInput,
  BertParams,
  Tokenizer,
} from '../../models/index.ts'
import {
  accuracyPortion,
  batchesOf,
  crossEntropy,
  eachOnce,
  evaluate,
  lossPortion,
  stepsPerEpoch,
} from '../../training/index.ts'
import type { Portion, Split } from '../../training/index.ts'
import { steps } from '../context.ts'
import type { Context } from '../context.ts'
import { copyFile } from '../file.ts'
import type { Confusion, Table } from '../report/report.ts'
import { logTo, placeOf, places } from '../run.ts'
import type { Values } from '../setting.ts'
import { count, plural } from '../word.ts'
import { interrupted } from './interrupted.ts'
import type { Task, TaskSetting } from './task.ts'
import { train } from './train.ts'
import type { Trained } from './train.ts'

export type FineTuneSetting =
  'seed' | 'epochs' | 'taskBatch' | 'taskRate' | 'warmup' | 'weightDecay' | 'clip' | 'positionalHeads'

export interface Batch extends BertInput {
  /** A class for each row of scores; -100 where none counts. */
  readonly labels: Tensor
}

/** A row that a model read, and what it gave for it: the row's part of the scores. */
export interface Answered<R> {
  readonly row: R
  readonly scores: Float32Array
}

/** What a model made of examples whose answers are known. */
export interface Judgement {
  /** By the field's names, for summary.json. */
  readonly score: Readonly<Record<string, number>>
  /** The same for people, a column each. */
  readonly columns: readonly (readonly [name: string, value: string])[]
  /** The one number of them that tells most, in words. */
  readonly headline: string
  readonly samples?: Table
  readonly confusion?: Confusion
}

/** What a BERT may be taught, in words. */
export interface Kind {
  /** What summary.json calls it. */
  readonly name: 'classification' | 'tagging' | 'questionAnswering'
  /** What it makes, and where in a run's folder that stands. */
  readonly makes: 'classifier' | 'tagger' | 'answerer'
  readonly place: 'classifier' | 'model'
  /** What `--task` names. */
  readonly file: string
  /** What an example, a label, and several labels are called. */
  readonly units: { readonly example: string; readonly label: string; readonly labels: string }
}

/**
 * All that is different about what a BERT may be taught: X are examples as people have them, R the rows of tokens that a
 * model reads, P and O the parameters and outputs of its head. Whatever it is, the loss is the cross entropy of scores
 * and labels.
 */
export interface FineTuning<X, R, P extends BertBodyParams, O> extends Kind {
  readonly architecture: Architecture<BertConfig, P, BertInput, O>

  readonly read: (path: string) => TE.TaskEither<string, readonly X[]>
  readonly split: (examples: readonly X[], values: Values<TaskSetting>) => E.Either<string, Task<X>>
  /** The task where there is no file. */
  readonly fromCorpus?: (split: Split, values: Values<TaskSetting>) => E.Either<string, Task<X>>
  /** The labels of an example, all of which a model must know. */
  readonly labelsOf: (example: X) => readonly string[]

  /** The rows of an example: one, or a window after the other; none where it does not fit. */
  readonly rows: (tokenizer: Tokenizer, config: BertConfig, example: X) => readonly R[]
  /** Of all rows those to learn from; all, unless given. */
  readonly learnt?: (rows: readonly R[], seed: number) => readonly R[]
  readonly collate: (config: BertConfig) => (rows: readonly R[]) => Batch
  /** A row that counts for nothing, to fill a batch with. */
  readonly filler: R
  /** [batch, ..., classes] */
  readonly scores: (outputs: O) => Tensor

  readonly judge: (
    config: BertConfig,
    examples: readonly X[],
    answered: readonly (readonly Answered<R>[])[],
  ) => Judgement
  /** The accuracy of always giving the most frequent label. */
  readonly majority?: (task: Task<X>) => number
  /** What to try with a run's folder. */
  readonly example: (folder: string, task: Task<X>) => string
}

/** A model with its parameters. */
export interface Tuned<P> {
  readonly config: BertConfig
  readonly params: P
}

/** Rows at once where nothing is learnt. */
const atOnce = 32

/** What a model gives for each row of each example. */
export const answer = async <X, R, P extends BertBodyParams, O>(
  of: FineTuning<X, R, P, O>,
  { config, params }: Tuned<P>,
  tokenizer: Tokenizer,
  examples: readonly X[],
): Promise<readonly (readonly Answered<R>[])[]> => {
  const model = of.architecture.layer(config)
  const run = jit((p: P, batch: Batch): Tensor => of.scores(model.apply(p, evaluation)(batch)))
  const rows = examples.map((example) => of.rows(tokenizer, config, example))
  const all = rows.flat()
  const size = Math.min(atOnce, all.length)
  const found: Float32Array[] = []
  for (const batch of eachOnce(all, of.collate(config), size, of.filler)) {
    const scores = (await toArray(run(params, batch))) as Float32Array
    const each = scores.length / size
    for (let i = 0; i < size; i++) found.push(scores.slice(i * each, (i + 1) * each))
  }
  let next = 0
  return rows.map((own) => own.map((row) => ({ row, scores: found[next++] as Float32Array })))
}

/** Judges a model by examples it has not seen. */
export const judge = async <X, R, P extends BertBodyParams, O>(
  of: FineTuning<X, R, P, O>,
  tuned: Tuned<P>,
  tokenizer: Tokenizer,
  examples: readonly X[],
): Promise<Judgement> => of.judge(tuned.config, examples, await answer(of, tuned, tokenizer, examples))

/** What came of learning the same from one beginning. */
export interface Side {
  readonly trained: Trained<unknown>
  readonly judgement: Judgement
}

/** What pretraining is worth: what came of the pretrained network, and of the same one afresh. */
export interface Comparison {
  readonly kind: Kind
  readonly labels: readonly string[]
  readonly learntFrom: number
  readonly heldOut: number
  readonly pretrained: Side
  readonly fromScratch: Side
  /** The accuracy of always giving the most frequent label. */
  readonly majority?: number
}

/** Teaches one network. The best model is the last one: nothing is chosen by looking at the held-out examples. */
const fineTune = <X, R, P extends BertBodyParams, O>(
  of: FineTuning<X, R, P, O>,
  context: Context,
  values: Values<FineTuneSetting>,
  tokenizer: Tokenizer,
  { config: base, params: body }: Tuned<BertParams>,
  task: Task<X>,
  { phase, label, folder }: { readonly phase: string; readonly label: string; readonly folder: string },
): TE.TaskEither<string, Tuned<P> & Side> =>
  steps(async (take) => {
    const config = task.labels.length === 0 ? base : bertConfig({ ...base, labels: task.labels })
    const model = of.architecture.layer(config)
    const key = random.foldIn(random.key(values.seed), 'fine-tune')
    const fresh = model.init(random.foldIn(key, 'init'))
    const { embeddings, encoder, pooler } = body
    const params: P = { ...fresh, embeddings, encoder, ...('pooler' in fresh ? { pooler } : {}) }
    const encode = (examples: readonly X[]): readonly R[] =>
      examples.flatMap((example) => of.rows(tokenizer, config, example))
    const [rows, held] = [encode(task.train), encode(task.heldOut)]
    const learnt = of.learnt?.(rows, values.seed) ?? rows
    if (learnt.length === 0 || held.length === 0)
      return take(E.left(`task: no ${of.units.example} is left within ${config.maxLength} tokens`))
    if (phase === 'finetune' && rows.length !== task.train.length)
      context.terminal.say(
        `  ${plural(rows.length, 'window')} of ${config.maxLength} tokens, ${count(learnt.length)} of them to learn from`,
      )
    const collate = of.collate(config)
    const batchSize = Math.min(values.taskBatch, learnt.length)
    const measure = (p: P, batch: Batch): Readonly<Record<'evalLoss' | 'evalAccuracy', Portion>> => {
      const scores = of.scores(model.apply(p, evaluation)(batch))
      return {
        evalLoss: lossPortion(scores, batch.labels),
        evalAccuracy: accuracyPortion(scores, batch.labels),
      }
    }
    const heldBatches = [...eachOnce(held, collate, atOnce, of.filler)]
    const trained = await train(context, {
      phase,
      label,
      params,
      key: random.foldIn(key, phase),
      objective: (p: P, batch: Batch, stepKey: Key) =>
        crossEntropy(of.scores(model.apply(p, training(stepKey))(batch)), batch.labels),
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
    const tuned = { config, params: trained.params }
    return { ...tuned, trained, judgement: await judge(of, tuned, tokenizer, task.heldOut) }
  })

/** Writes a model into its place in a run's folder, with the run's tokenizer: a folder that stands by itself. */
const save = <X, R, P extends BertBodyParams, O>(
  of: FineTuning<X, R, P, O>,
  folder: string,
  { config, params }: Tuned<P>,
): TE.TaskEither<string, void> => {
  const to = placeOf(folder, of.place)
  return F.pipe(
    saveModel(of.architecture, to, { config, params }),
    TE.flatMap(() =>
      of.place === 'model'
        ? TE.right(undefined)
        : copyFile(placeOf(folder, 'tokenizer'), join(to, places.tokenizer)),
    ),
  )
}

/** Whether a run has such a model. */
export const isThere = ({ place }: Kind, folder: string): boolean =>
  existsSync(join(placeOf(folder, place), 'model.safetensors'))

/** The model of a run. Left: it has none, or the files are not right. */
export const load = <X, R, P extends BertBodyParams, O>(
  of: FineTuning<X, R, P, O>,
  folder: string,
): TE.TaskEither<string, Tuned<P>> =>
  isThere(of, folder)
    ? loadModel(of.architecture, placeOf(folder, of.place))
    : TE.left(`${folder} has no ${of.makes}; pullback finetune ${folder} makes one`)

/** Teaches both the same; what came of the pretrained one is kept in the run's folder. Left also after Ctrl-C. */
export const compareWithScratch = <X, R, P extends BertBodyParams, O>(
  of: FineTuning<X, R, P, O>,
  context: Context,
  values: Values<FineTuneSetting>,
  tokenizer: Tokenizer,
  { config, params }: Tuned<BertParams>,
  task: Task<X>,
  folder: string,
): TE.TaskEither<string, Comparison> =>
  steps(async (take) => {
    const tune = (body: BertParams, phase: string, label: string): Promise<Tuned<P> & Side> =>
      take(fineTune(of, context, values, tokenizer, { config, params: body }, task, { phase, label, folder }))
    const pretrained = await tune(params, 'finetune', 'fine-tuning')
    await take(save(of, folder, pretrained))
    if (context.signal.aborted) return take(interrupted(folder, 'fine-tuning'))
    const drawn = bert(config).init(random.foldIn(random.key(values.seed), 'scratch'))
    const fresh = bertPositionalHeads(config, drawn, values.positionalHeads)
    const fromScratch = await tune(fresh, 'scratch', 'the same from scratch')
    if (context.signal.aborted) return take(interrupted(folder, 'the comparison'))
    const majority = of.majority?.(task)
    return {
      kind: of,
      labels: task.labels,
      learntFrom: task.train.length,
      heldOut: task.heldOut.length,
      pretrained,
      fromScratch,
      ...(majority === undefined ? {} : { majority }),
    }
  })
