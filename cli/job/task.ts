/** What shall be learnt: examples out of a file of the user's or out of the corpus, and others to check with. */
import { either as E, function as F, taskEither as TE } from 'fp-ts'
import type { BertBodyParams } from '../../models/index.ts'
import { hostKey, shuffledIndices } from '../../training/index.ts'
import type { Split } from '../../training/index.ts'
import type { Values } from '../setting.ts'
import { count, plural } from '../word.ts'
import type { FineTuning, Kind } from './finetune.ts'

export type TaskSetting = 'task' | 'labels' | 'heldOut' | 'seed'

export interface Task<X> {
  /** What is asked of each example, for people. */
  readonly question: string
  /** In alphabetical order; a class is its index here. None where answers are no labels. */
  readonly labels: readonly string[]
  readonly train: readonly X[]
  readonly heldOut: readonly X[]
  /** How many examples there are, where only some are taken. */
  readonly available?: number
}

/** A share of things held out, at least one and at most so many, chosen by the seed. Left: there are too few. */
export const holdOut = <A>(
  all: readonly A[],
  unit: string,
  { heldOut, seed }: Values<'heldOut' | 'seed'>,
  { least = 10, most = 1000 }: { readonly least?: number; readonly most?: number } = {},
): E.Either<string, { readonly train: readonly A[]; readonly heldOut: readonly A[] }> => {
  if (all.length < least)
    return E.left(`${plural(all.length, unit)}, too few to learn from: ${least} at least are needed`)
  const order = [...shuffledIndices(hostKey(seed), all.length)].map((i) => all[i] as A)
  const held = Math.max(1, Math.min(most, all.length - 1, Math.round(heldOut * all.length)))
  return E.right({ train: order.slice(held), heldOut: order.slice(0, held) })
}

/** A reason with the file that it is about. */
export const inFile =
  (path?: string) =>
  <A>(made: E.Either<string, A>): E.Either<string, A> =>
    E.mapLeft((reason: string) => `task: ${path === undefined ? '' : `${path}: `}${reason}`)(made)

/** The user's own task; undefined where no file is named and the corpus may stand in. */
export const ownTask = <X, R, P extends BertBodyParams, O>(
  of: FineTuning<X, R, P, O>,
  values: Values<TaskSetting>,
): TE.TaskEither<string, Task<X> | undefined> =>
  values.task === undefined
    ? of.fromCorpus === undefined
      ? TE.left(`--task names ${of.file}; there is none to take instead`)
      : TE.right(undefined)
    : F.pipe(
        of.read(values.task),
        TE.flatMapEither((examples) => inFile(values.task)(of.split(examples, values))),
      )

/** The task that a corpus gives. */
export const corpusTask = <X, R, P extends BertBodyParams, O>(
  of: FineTuning<X, R, P, O>,
  split: Split | undefined,
  values: Values<TaskSetting>,
): E.Either<string, Task<X>> =>
  inFile()(
    split === undefined || of.fromCorpus === undefined
      ? E.left('there is neither a file nor a corpus')
      : of.fromCorpus(split, values),
  )

/** The task in a sentence, and in another one where there is more to learn from than is taken. */
export const taskLine = ({ units }: Kind, { train, heldOut, labels, available = 0 }: Task<unknown>): string =>
  `  ${plural(train.length, units.example)} to learn from, ${count(heldOut.length)} held out` +
  (labels.length === 0 ? '' : `, ${plural(labels.length, units.label, units.labels)}: ${labels.join(', ')}`) +
  (available >= 2 * (train.length + heldOut.length)
    ? `\n  the file has ${count(available)}: --labels sets how many of each class are learnt from, and fewer --epochs do with more`
    : '')
