/** Documents: files (or parts of them) as passages of sentences; cutting them up and taking fair samples. */
import type { Kind } from './kind.ts'
import { proseShare } from './language.ts'
import { sentences } from './sentence.ts'
import { fairShares, groupBy } from './share.ts'

/** Consecutive sentences of one document, some hundred characters: an example to classify, or a part of one to read. */
export type Passage = readonly string[]

export interface Document {
  /** The file's path within the corpus. */
  readonly path: string
  /** What it belongs to: a package, a folder. */
  readonly group: string
  readonly kind: Kind
  readonly passages: readonly Passage[]
}

/**
 * A passage as one text.
 *
 * @example
 * ```ts
 * import { passageText } from 'pullback/training'
 * console.log(passageText(['Two.', 'Three.'])) // => Two. Three.
 * ```
 */
export const passageText = (passage: Passage): string => passage.join(' ')

/**
 * All sentences of a document in order, for sentence pairs.
 *
 * @example
 * ```ts
 * import { documentSentences } from 'pullback/training'
 * import type { Document } from 'pullback/training'
 * const passages = [['Two.', 'Three.'], ['Four.']]
 * const document: Document = { path: 'a', group: 'g', kind: 'text', passages }
 * console.log(documentSentences(document)) // => ['Two.', 'Three.', 'Four.']
 * ```
 */
export const documentSentences = (document: Document): readonly string[] => document.passages.flat()

/**
 * How many characters a passage has as one text.
 *
 * @example
 * ```ts
 * import { passageLength } from 'pullback/training'
 * console.log(passageLength(['Two.', 'Three.'])) // => 11
 * ```
 */
export const passageLength = (passage: Passage): number =>
  passage.reduce((sum, sentence) => sum + sentence.length + 1, -1)

/**
 * How many characters a document's passages have together.
 *
 * @example
 * ```ts
 * import { documentLength } from 'pullback/training'
 * import type { Document } from 'pullback/training'
 * const passages = [['Two.', 'Three.'], ['Four.']]
 * const document: Document = { path: 'a', group: 'g', kind: 'text', passages }
 * console.log(documentLength(document)) // => 16
 * ```
 */
export const documentLength = (document: Document): number =>
  document.passages.reduce((sum, passage) => sum + passageLength(passage), 0)

/**
 * Paragraphs to passages of about `target` characters: whole sentences, closed when the next would go beyond.
 * What is left at the end joins the passage before it if it is short.
 *
 * @example
 * ```ts
 * import { passagesOf } from 'pullback/training'
 * console.log(passagesOf(['The first sentence is here. A second one follows it. And a third.'], 40))
 * // => [['The first sentence is', 'here.'], ['A second one follows it.', 'And a third.']]
 * ```
 */
export const passagesOf = (paragraphs: readonly string[], target: number): readonly Passage[] => {
  const found: string[][] = []
  let open: string[] = []
  let length = 0
  for (const sentence of paragraphs.flatMap((paragraph) => sentences(paragraph, Math.ceil(target * 0.6)))) {
    if (open.length > 0 && length + sentence.length > target) {
      found.push(open)
      open = []
      length = 0
    }
    open.push(sentence)
    length += sentence.length + 1
  }
  const last = found.at(-1)
  if (last !== undefined && length < target / 4) last.push(...open)
  else if (open.length > 0) found.push(open)
  return found
}

/** So many neighbouring passages stay together, if so many stay. */
const longestRun = 8

/** About `budget` characters of a document: the runs of passages with the most prose, so that sentences keep their neighbours. */
const sampleDocument = (document: Document, budget: number): Document => {
  const { passages } = document
  const length = documentLength(document)
  if (length <= budget) return document
  const run = Math.max(1, Math.min(longestRun, Math.floor((passages.length * budget) / length)))
  const runs = Array.from({ length: Math.ceil(passages.length / run) }, (_, i) => {
    const some = passages.slice(i * run, (i + 1) * run)
    return { i, some, prose: proseShare(some.map(passageText).join(' ')) }
  })
  let left = budget
  const kept = runs
    .sort((a, b) => b.prose - a.prose || a.i - b.i)
    .filter(({ some }, rank) => {
      const size = some.reduce((sum, passage) => sum + passageLength(passage), 0)
      const fits = rank === 0 || size <= 2 * left
      if (fits) left -= size
      return fits
    })
  return { ...document, passages: kept.sort((a, b) => a.i - b.i).flatMap(({ some }) => some) }
}

/** Below this share of prose a passage is bare program text. */
const bare = 0.05

/** What goes first when there is more than enough: bare program text, and of a program only. */
const withoutBare = (documents: readonly Document[]): readonly Document[] =>
  documents
    .map((document) =>
      document.kind === 'source' || document.kind === 'declarations'
        ? {
            ...document,
            passages: document.passages.filter((passage) => proseShare(passageText(passage)) >= bare),
          }
        : document,
    )
    .filter(({ passages }) => passages.length > 0)

const kindWeight: Readonly<Record<Kind, number>> = {
  documentation: 1,
  declarations: 1,
  source: 1,
  licence: 1,
  text: 1,
  // descriptions of packages resemble one another
  data: 0.2,
}

/**
 * At most about `budget` characters of a corpus, evenly: first over the kinds, then over each kind's groups, then over
 * each group's documents.
 *
 * @example
 * ```ts
 * import { sampleEvenly } from 'pullback/training'
 * import type { Document } from 'pullback/training'
 * const document = (group: string, count: number): Document => {
 *   const passages = Array.from({ length: count }, (_, i) => [`Passage number ${i} of ${group}.`])
 *   return { path: group, group, kind: 'text', passages }
 * }
 * const sampled = sampleEvenly([document('a', 20), document('b', 300)], 1000)
 * console.log(sampled.map(({ passages }) => passages.length)) // => [8, 36]
 * ```
 */
export const sampleEvenly = (documents: readonly Document[], budget: number): readonly Document[] => {
  const total = (some: readonly Document[]): number => some.reduce((sum, one) => sum + documentLength(one), 0)
  if (total(documents) <= budget) return documents
  const parts = [...groupBy(documents, ({ kind }) => kind).values()]
  const kindBudgets = fairShares(
    parts.map(total),
    budget,
    parts.map(([first]) => (first === undefined ? 1 : kindWeight[first.kind])),
  )
  const sampled = parts.flatMap((whole, i) => {
    const kindBudget = kindBudgets[i] as number
    const lean = total(whole) > kindBudget ? withoutBare(whole) : whole
    const part = total(lean) > kindBudget ? lean : whole
    const groups = [...groupBy(part, ({ group }) => group).values()]
    // Large packages have more to say than small ones, but not in proportion.
    const groupBudgets = fairShares(
      groups.map(total),
      kindBudget,
      groups.map((group) => Math.sqrt(total(group))),
    )
    return groups.flatMap((group, j) => {
      const budgets = fairShares(group.map(documentLength), groupBudgets[j] as number)
      return group.map((document, k) => sampleDocument(document, budgets[k] as number))
    })
  })
  const place = new Map(documents.map(({ path }, i) => [path, i]))
  return sampled.sort((a, b) => (place.get(a.path) ?? 0) - (place.get(b.path) ?? 0))
}
