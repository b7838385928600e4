/** Labelled texts: the user's own, or what kind of file a passage is from. */
import type { taskEither as TE } from 'fp-ts'
import { fewShotSplit, kindTask, readExamples } from '../../training/index.ts'
import type { LabelTask, Split } from '../../training/index.ts'
import { steps } from '../context.ts'
import type { Values } from '../setting.ts'
import { count, plural } from '../word.ts'

export interface Task extends LabelTask {
  /** What is asked of each text, for people. */
  readonly question: string
}

/** Texts of each class to check with, at most. */
const checked = 100

export const gatherTask = (
  { task: path, labels, seed }: Values<'task' | 'labels' | 'seed'>,
  split: Split,
): TE.TaskEither<string, Task> =>
  steps(async (take) => {
    const config = { seed, perClass: labels, heldOutPerClass: checked }
    if (path === undefined)
      return { ...(await take(kindTask(split, config))), question: 'what kind of file is this passage from?' }
    const examples = await take(readExamples(path))
    return { ...(await take(fewShotSplit(examples, config))), question: `the labels of ${path}` }
  })

/** The task in a sentence. */
export const taskLine = ({ train, heldOut, labels }: Task): string =>
  `  ${plural(train.length, 'labelled text')} to learn from, ${count(heldOut.length)} held out, ` +
  `${plural(labels.length, 'class', 'classes')}: ${labels.join(', ')}`
