/** Entities: what tags of words mark together, and how many of them are found. */
import { argumentError } from '../core/error.ts'

/** Words `start` to `end`, the latter not included, of one kind. */
export interface EntitySpan {
  readonly kind: string
  readonly start: number
  readonly end: number
}

/**
 * The entities that tags mark: one begins at `B-kind`, or at an `I-kind` that does not go on with its kind, and
 * ends where that ends; as conlleval and seqeval count. Any other tag is outside.
 *
 * @example
 * ```ts
 * import { entitySpans } from 'pullback/training'
 * console.log(entitySpans(['B-person', 'I-person', 'O', 'I-place']))
 * // => [{ kind: 'person', start: 0, end: 2 }, { kind: 'place', start: 3, end: 4 }]
 * ```
 */
export const entitySpans = (tags: readonly string[]): readonly EntitySpan[] => {
  const spans: EntitySpan[] = []
  tags.forEach((tag, i) => {
    const [, mark, kind] = /^([BI])-(.+)$/.exec(tag) ?? []
    if (kind === undefined) return
    const open = spans.at(-1)
    if (mark === 'I' && open?.kind === kind && open.end === i)
      spans[spans.length - 1] = { ...open, end: i + 1 }
    else spans.push({ kind, start: i, end: i + 1 })
  })
  return spans
}

export interface EntityScore {
  /** Of the entities that were found, the share that is right: kind, beginning and end. */
  readonly precision: number
  /** Of the entities that are there, the share that was found. */
  readonly recall: number
  /** The harmonic mean of both. */
  readonly f1: number
  /** How many entities there are. */
  readonly support: number
}

/**
 * Precision, recall and F1 of entities over texts, each entity counted once (seqeval's micro average). A quotient
 * without a denominator is 0.
 *
 * @param truth the tags of each text's words
 * @param predicted as many texts, with as many tags
 * @example
 * ```ts
 * import { entityScore } from 'pullback/training'
 * const truth = [['B-person', 'I-person', 'O', 'B-place']]
 * console.log(entityScore(truth, [['B-person', 'O', 'O', 'B-place']]))
 * // => { precision: 0.5, recall: 0.5, f1: 0.5, support: 2 }
 * ```
 */
export const entityScore = (
  truth: readonly (readonly string[])[],
  predicted: readonly (readonly string[])[],
): EntityScore => {
  if (truth.length !== predicted.length)
    throw argumentError('entityScore', `${truth.length} texts, but ${predicted.length} predicted`)
  let [there, found, right] = [0, 0, 0]
  truth.forEach((tags, i) => {
    const guess = predicted[i] as readonly string[]
    if (guess.length !== tags.length)
      throw argumentError('entityScore', `text ${i} has ${tags.length} tags, but ${guess.length} predicted`)
    const name = ({ kind, start, end }: EntitySpan): string => `${start} ${end} ${kind}`
    const wanted = new Set(entitySpans(tags).map(name))
    const guessed = entitySpans(guess).map(name)
    there += wanted.size
    found += guessed.length
    right += guessed.filter((one) => wanted.has(one)).length
  })
  const ratio = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole)
  const [precision, recall] = [ratio(right, found), ratio(right, there)]
  return { precision, recall, f1: ratio(2 * right, found + there), support: there }
}
