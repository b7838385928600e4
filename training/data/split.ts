/** Splitting a corpus into training and held-out documents, by file, so that nothing held out has been read before. */
import { either as E } from 'fp-ts'
import { documentLength, passageText, type Document } from './document.ts'
import { runSet } from './duplicate.ts'
import { hash32 } from './hash.ts'
import { groupBy } from './share.ts'

export interface SplitConfig {
  /** Decides which documents are held out. */
  readonly seed: number
  /** The share of each kind's text to hold out, about; in (0, 1). */
  readonly heldOut: number
}

export interface Split {
  readonly train: readonly Document[]
  readonly heldOut: readonly Document[]
  /** Passages left out of the held-out documents because training has nearly the same text. */
  readonly leaking: number
}

/** Of one kind's documents, those to hold out: in an order that the seed decides, as many as fit. */
const chooseHeldOut = (
  documents: readonly Document[],
  { seed, heldOut }: SplitConfig,
): readonly Document[] => {
  if (documents.length < 2) return []
  const length = documents.reduce((sum, document) => sum + documentLength(document), 0)
  const ordered = [...documents].sort(
    (a, b) => hash32(a.path, seed) - hash32(b.path, seed) || (a.path < b.path ? -1 : 1),
  )
  let held = 0
  const chosen = ordered.filter((document) => {
    const size = documentLength(document)
    // A large document may go a little beyond, but not take what training needs.
    const fits = held < heldOut * length && held + size <= Math.min(1.5 * heldOut, 0.5) * length
    if (fits) held += size
    return fits
  })
  const shortest = ordered.reduce((a, b) => (documentLength(b) < documentLength(a) ? b : a))
  return chosen.length === 0 ? [shortest] : chosen
}

/** More of a passage's runs of words than this in training, and it has been read before. */
const mostSeen = 0.3

/**
 * Holds out about a share of each kind's documents, whole, and takes out of them the passages that training nearly
 * repeats. The same documents and seed give the same split, in whatever order they come.
 *
 * @returns Left: that nothing can be held out.
 * @example
 * ```ts
 * import { splitDocuments } from 'pullback/training'
 * import type { Document } from 'pullback/training'
 * const words = ['oak', 'elm', 'ash', 'fir', 'yew', 'box', 'lime', 'pine', 'plum', 'pear']
 * const document = (path: string): Document => ({
 *   path,
 *   group: 'g',
 *   kind: 'text',
 *   passages: [[`The ${path}.`]],
 * })
 * const documents = words.map(document)
 * const split = splitDocuments(documents, { heldOut: 0.2, seed: 0 })
 * console.log(split._tag === 'Right' && [split.right.train.length, split.right.heldOut.length]) // => [7, 3]
 * ```
 */
export const splitDocuments = (
  documents: readonly Document[],
  config: SplitConfig,
): E.Either<string, Split> => {
  const chosen = new Set(
    [...groupBy(documents, ({ kind }) => kind).values()].flatMap((part) => chooseHeldOut(part, config)),
  )
  const train = documents.filter((document) => !chosen.has(document))
  const read = runSet()
  for (const { passages } of train) for (const passage of passages) read.add(passageText(passage))
  let leaking = 0
  const heldOut = [...chosen].flatMap((document) => {
    const passages = document.passages.filter((passage) => {
      const seen = read.share(passageText(passage)) > mostSeen
      if (seen) leaking++
      return !seen
    })
    return passages.length === 0 ? [] : [{ ...document, passages }]
  })
  if (heldOut.length === 0 || train.length === 0)
    return E.left('corpus: too little text, or too much alike, to hold some of it out; give more of it')
  return E.right({ train, heldOut: heldOut.sort((a, b) => (a.path < b.path ? -1 : 1)), leaking })
}
