/** Labelled texts: the user's own, from a table, and the default task, which kind of file a passage comes from. */
import { either as E, function as F, taskEither as TE } from 'fp-ts'
import { passageText, type Document } from './document.ts'
import { readText } from './file.ts'
import { hash32 } from './hash.ts'
import { groupBy } from './share.ts'
import type { Split } from './split.ts'
import { readTable, type Format } from './table.ts'

export interface Example {
  readonly text: string
  readonly label: string
}

/** A classification task: which labels there are, few examples to learn from, and others to check. */
export interface LabelTask {
  /** In alphabetical order; a class is its index here. */
  readonly labels: readonly string[]
  readonly train: readonly Example[]
  readonly heldOut: readonly Example[]
}

export interface FewShotConfig {
  readonly seed: number
  /** How many examples of each class to learn from, at most. */
  readonly perClass: number
  /** How many examples of each class to check, at most; the default task's classes are then of one size. */
  readonly heldOutPerClass: number
}

const quoted = (text: string): string => JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** In an order that depends on the seed and the texts alone, not on how they came. */
const shuffled = (examples: readonly Example[], seed: number): readonly Example[] =>
  examples
    .map((example) => ({ example, rank: hash32(example.text, seed) }))
    .sort((a, b) => a.rank - b.rank || compare(a.example.text, b.example.text))
    .map(({ example }) => example)

const labelsOf = (examples: readonly Example[]): readonly string[] =>
  [...new Set(examples.map(({ label }) => label))].sort(compare)

/** Examples with each text once. */
const distinct = (examples: readonly Example[]): readonly Example[] => [
  ...new Map([...examples].reverse().map((example) => [example.text, example])).values(),
]

/**
 * Divides examples into few to learn from and others to check, each class on its own: `perClass` of them, but never
 * more than half of a class. A text is on one side only.
 *
 * @returns Left: that there are not two classes, or a class has a single example.
 * @example
 * ```ts
 * import { fewShotSplit } from 'pullback/training'
 * const of = (label: string) => (text: string) => ({ text, label })
 * const examples = [...['good', 'great', 'fine'].map(of('+')), ...['bad', 'poor', 'awful'].map(of('-'))]
 * const task = fewShotSplit(examples, { seed: 0, perClass: 1, heldOutPerClass: 2 })
 * if (task._tag === 'Right') console.log(task.right.labels, task.right.train.length) // => ['+', '-'] 2
 * ```
 */
export const fewShotSplit = (
  examples: readonly Example[],
  config: FewShotConfig,
): E.Either<string, LabelTask> => {
  const labels = labelsOf(examples)
  if (labels.length < 2)
    return E.left(`every example has the label ${quoted(labels[0] ?? '')}, at least two classes are needed`)
  const classes = groupBy(distinct(examples), ({ label }) => label)
  const sides = labels.map((label) => {
    const all = shuffled(classes.get(label) ?? [], config.seed)
    const learnt = Math.min(config.perClass, Math.floor(all.length / 2))
    return { label, train: all.slice(0, learnt), heldOut: all.slice(learnt, learnt + config.heldOutPerClass) }
  })
  const single = sides.find(({ train }) => train.length === 0)
  if (single !== undefined)
    return E.left(
      `class ${quoted(single.label)} has too few different texts, one to learn from and one to check are needed`,
    )
  return E.right({
    labels,
    train: shuffled(
      sides.flatMap((side) => side.train),
      config.seed,
    ),
    heldOut: shuffled(
      sides.flatMap((side) => side.heldOut),
      config.seed,
    ),
  })
}

/**
 * Every passage of the documents as an example, under a label of its document.
 *
 * @example
 * ```ts
 * import { passageExamples } from 'pullback/training'
 * import type { Document } from 'pullback/training'
 * const passages = [['Two.', 'Three.'], ['Four.']]
 * const document: Document = { path: 'a', group: 'g', kind: 'text', passages }
 * console.log(passageExamples([document], ({ group }) => group))
 * // => [{ text: 'Two. Three.', label: 'g' }, { text: 'Four.', label: 'g' }]
 * ```
 */
export const passageExamples = (
  documents: readonly Document[],
  labelOf: (document: Document) => string = ({ kind }) => kind,
): readonly Example[] =>
  documents.flatMap((document) =>
    document.passages.map((passage) => ({ text: passageText(passage), label: labelOf(document) })),
  )

/** A class with fewer passages to check than this would say little. */
const fewestChecked = 10

/**
 * The default task: what kind of file is this passage from? Learnt from few passages of training files and checked
 * with held-out files. Where all files are of one kind, the folders they lie in take the place of the kinds.
 *
 * @returns Left: that there are not two classes with enough passages on both sides.
 * @example
 * ```ts
 * import { kindTask } from 'pullback/training'
 * import type { Document } from 'pullback/training'
 * const document = (i: number): Document => ({
 *   path: `${i}`,
 *   group: 'g',
 *   kind: i % 2 === 0 ? 'text' : 'source',
 *   passages: [[`Passage ${i} of a document.`]],
 * })
 * const documents = Array.from({ length: 60 }, (_, i) => document(i))
 * const split = { train: documents.slice(0, 30), heldOut: documents.slice(30), leaking: 0 }
 * const task = kindTask(split, { seed: 0, perClass: 5, heldOutPerClass: 10 })
 * console.log(task._tag === 'Right' && task.right.labels) // => ['source', 'text']
 * ```
 */
export const kindTask = (split: Split, config: FewShotConfig): E.Either<string, LabelTask> => {
  const task = (labelOf: (document: Document) => string): LabelTask => {
    const side = (
      documents: readonly Document[],
      most: number,
      fewest: number,
    ): ReadonlyMap<string, readonly Example[]> =>
      new Map(
        [...groupBy(distinct(passageExamples(documents, labelOf)), ({ label }) => label)]
          .filter(([, some]) => some.length >= fewest)
          .map(([label, some]) => [label, shuffled(some, config.seed).slice(0, most)]),
      )
    const train = side(split.train, config.perClass, Math.min(config.perClass, 2))
    const heldOut = side(
      split.heldOut,
      config.heldOutPerClass,
      Math.min(config.heldOutPerClass, fewestChecked),
    )
    const labels = [...train.keys()].filter((label) => heldOut.has(label)).sort(compare)
    const join = (sides: ReadonlyMap<string, readonly Example[]>): readonly Example[] =>
      shuffled(
        labels.flatMap((label) => sides.get(label) ?? []),
        config.seed,
      )
    return { labels, train: join(train), heldOut: join(heldOut) }
  }
  const byKind = task(({ kind }) => kind)
  if (byKind.labels.length >= 2) return E.right(byKind)
  const byFolder = task(({ group }) => group)
  return byFolder.labels.length >= 2
    ? E.right(byFolder)
    : E.left(
        'the corpus is of one kind only, so there is nothing to tell apart; give labelled texts with --task',
      )
}

/**
 * Labelled examples out of a table's text. Columns are found by their names (`text`, `sentence`, `review`, …;
 * `label`, `category`, `class`, …), or there are two of them. `name` stands in messages.
 *
 * @returns Left: one sentence, with the line it is about.
 * @example
 * ```ts
 * import { parseExamples } from 'pullback/training'
 * const examples = parseExamples('text,label\nwell done,good\n"no, thanks",bad\n', 'csv', 'reviews.csv')
 * console.log(examples._tag === 'Right' && examples.right)
 * // => [{ text: 'well done', label: 'good' }, { text: 'no, thanks', label: 'bad' }]
 * ```
 */
export const parseExamples = (
  text: string,
  format: Format,
  name: string,
): E.Either<string, readonly Example[]> =>
  F.pipe(
    readTable(text, format),
    E.flatMap((rows): E.Either<string, readonly Example[]> => {
      const empty = rows.find((row) => row.text.trim() === '' || row.label.trim() === '')
      if (empty !== undefined)
        return E.left(`line ${empty.line} has no ${empty.text.trim() === '' ? 'text' : 'label'}`)
      const examples = rows.map((row) => ({ text: row.text.trim(), label: row.label.trim() }))
      const labels = labelsOf(examples)
      if (labels.length >= 2) return E.right(examples)
      return E.left(
        labels.length === 0
          ? 'there are no examples in it'
          : `every example has the label ${quoted(labels[0] as string)}, at least two classes are needed`,
      )
    }),
    E.mapLeft((reason) => `task: ${name}: ${reason}`),
  )

const formats: Readonly<Record<string, Format>> = {
  tsv: 'tsv',
  tab: 'tsv',
  csv: 'csv',
  jsonl: 'jsonl',
  ndjson: 'jsonl',
}

/**
 * Reads labelled examples from a .tsv, .csv or .jsonl file. Left: one sentence.
 *
 * @example
 * ```ts
 * import { readExamples } from 'pullback/training'
 * const examples = await readExamples('reviews.xlsx')()
 * console.log(examples._tag === 'Left' && examples.left)
 * // => task: reviews.xlsx is neither .tsv, .csv nor .jsonl
 * ```
 */
export const readExamples = (path: string): TE.TaskEither<string, readonly Example[]> => {
  const format = formats[path.split('.').at(-1)?.toLowerCase() ?? '']
  return format === undefined
    ? TE.left(`task: ${path} is neither .tsv, .csv nor .jsonl`)
    : F.pipe(
        readText(path),
        TE.mapLeft((reason) => `task: ${path} ${reason}`),
        TE.flatMapEither((text) => parseExamples(text, format, path)),
      )
}
