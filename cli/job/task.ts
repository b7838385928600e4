/** Labelled texts: the user's own, or what kind of file a passage is from. */
import { either as E, function as F, taskEither as TE } from 'fp-ts'
import { fewShotSplit, kindTask, readExamples } from '../../training/index.ts'
import type { Example, LabelTask, Split } from '../../training/index.ts'
import type { Values } from '../setting.ts'
import { count, plural } from '../word.ts'

export interface Task extends LabelTask {
  /** What is asked of each text, for people. */
  readonly question: string
  /** How many labelled texts there are, of which some are taken; those of a corpus are not counted. */
  readonly available?: number
}

/** Texts of each class to check with, at most. */
const checked = 100

/** The user's own labelled texts, where there are any. */
export const readTask = (path: string | undefined): TE.TaskEither<string, readonly Example[] | undefined> =>
  path === undefined ? TE.right(undefined) : readExamples(path)

/** The task of labelled texts, or of the corpus where there are none. */
export const taskOf = (
  { task: path = '', labels, seed }: Values<'task' | 'labels' | 'seed'>,
  examples: readonly Example[] | undefined,
  split: Split | undefined,
): E.Either<string, Task> => {
  const config = { seed, perClass: labels, heldOutPerClass: checked }
  if (examples !== undefined)
    return F.pipe(
      fewShotSplit(examples, config),
      E.bimap(
        (reason) => `task: ${path}: ${reason}`,
        (task) => ({ ...task, question: `the labels of ${path}`, available: examples.length }),
      ),
    )
  if (split === undefined) return E.left('task: there is neither a file nor a corpus')
  return F.pipe(
    kindTask(split, config),
    E.bimap(
      (reason) => `task: ${reason}`,
      (task) => ({ ...task, question: 'what kind of file is this passage from?' }),
    ),
  )
}

/** The task in a sentence, and in another one where there is more to learn from than is taken. */
export const taskLine = ({ train, heldOut, labels, available = 0 }: Task): string =>
  `  ${plural(train.length, 'labelled text')} to learn from, ${count(heldOut.length)} held out, ` +
  `${plural(labels.length, 'class', 'classes')}: ${labels.join(', ')}` +
  (available >= 2 * (train.length + heldOut.length)
    ? `\n  the file has ${count(available)}: --labels sets how many of each class are learnt from, and fewer --epochs do with more`
    : '')
