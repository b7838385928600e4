/**
 * token-classification: what tokens are, and how neighbours of one kind are put together. Tags begin with B- (a new
 * entity) or I- (within one); a tag without either is within one.
 */
import type { Encoding } from '../tokenizer/encoding.ts'
import { idToToken } from '../tokenizer/tokenizer.ts'
import { roleId } from './words.ts'
import type { Words } from './words.ts'
import { bestOf, rowsOf, softmax } from './score.ts'

export type Aggregation = 'none' | 'simple' | 'first' | 'average' | 'max'

export interface TaggingOptions {
  /**
   * `none`: every token by itself. `simple`: neighbours of one tag together. `first`, `average`, `max`: the same, but a
   * word has one tag: its first token's, that of the average of its tokens, or the surest token's. `none` by default.
   */
  readonly aggregationStrategy?: Aggregation | undefined
  /** Tags that are not told; ['O'] by default. */
  readonly ignoreLabels?: readonly string[] | undefined
  /**
   * Where given, a text may have any length: it is read in windows that share so many tokens, and of entities that
   * overlap the longer one stays. Not with `none`.
   */
  readonly stride?: number | undefined
}

/** A token, or several of one kind. `text.slice(start, end)` is what it stands for. */
export interface Entity {
  /** The tag of a token, where nothing is aggregated. */
  readonly entity?: string
  /** The tag without B- and I- of what was put together. */
  readonly entity_group?: string
  readonly score: number
  /** Which of the tokens it is, where nothing is aggregated. */
  readonly index?: number
  readonly word: string
  readonly start: number
  readonly end: number
}

interface Piece {
  readonly word: string
  readonly scores: readonly number[]
  readonly start: number
  readonly end: number
  readonly index: number
  /** Whether it goes on with the word before it. */
  readonly inWord: boolean
}

interface Tagged extends Omit<Piece, 'scores' | 'inWord'> {
  readonly tag: string
  readonly score: number
}

const characters = (text: string): number => [...text].length

const pieces = (
  words: Words,
  text: string,
  { ids, offsets, specialTokensMask }: Encoding,
  logits: Float32Array,
  labels: number,
): readonly Piece[] => {
  const { tokenizer } = words
  const unknown = roleId(words, 'unk')
  // Tokens of WordPiece say themselves that they go on with a word.
  const marked = tokenizer.json.model['continuing_subword_prefix']
  const rows = rowsOf(logits, labels)
  return ids.flatMap((id, index) => {
    if (specialTokensMask[index] === 1) return []
    const [start, end] = offsets[index] as readonly [number, number]
    const token = idToToken(tokenizer, id) ?? ''
    const own = text.slice(start, end)
    const inWord =
      typeof marked === 'string' && marked !== ''
        ? characters(token) !== characters(own)
        : start > 0 && !text.slice(start - 1, start + 1).includes(' ')
    const isUnknown = id === unknown
    return [
      {
        word: isUnknown ? own : token,
        scores: softmax(rows[index] as Float32Array),
        start,
        end,
        index,
        inWord: inWord && !isUnknown,
      },
    ]
  })
}

/** What runs of a list are in which each but the first belongs to the one before it. */
const runs = <A>(list: readonly A[], belongs: (one: A, before: A) => boolean): readonly (readonly A[])[] => {
  const out: A[][] = []
  for (const one of list) {
    const last = out.at(-1)
    if (last !== undefined && belongs(one, last.at(-1) as A)) last.push(one)
    else out.push([one])
  }
  return out
}

/** Tokens as text, as the tokenizer's decoder has it. */
const written = ({ tokenizer }: Words, tokens: readonly string[]): string =>
  tokenizer.decoder === null ? tokens.join(' ') : tokenizer.decoder([...tokens]).join('')

const mean = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0) / list.length

/** The scores that a word has by its pieces. */
const wordScores = (group: readonly Piece[], strategy: Aggregation): readonly number[] => {
  const [first] = group as readonly [Piece]
  if (strategy === 'first') return first.scores
  if (strategy === 'average')
    return first.scores.map((_, i) => mean(group.map(({ scores }) => scores[i] as number)))
  const sure = ({ scores }: Piece): number => Math.max(...scores)
  return group.reduce((best, one) => (sure(one) > sure(best) ? one : best)).scores
}

const parted = (tag: string): readonly [begins: boolean, kind: string] =>
  tag.startsWith('B-') || tag.startsWith('I-') ? [tag.startsWith('B-'), tag.slice(2)] : [false, tag]

/**
 * The entities of a text, or of a window of it; `logits` are [time, labels].
 *
 * @example
 * ```ts
 * import { emptyConfig, encode, entities, tokenizerFromJson, tokenToId, trainWordPiece } from 'pullback/models'
 * const trained = trainWordPiece(['the cat sat on the mat', 'the cat and the dog sat'], { vocabSize: 60 })
 * if (trained._tag === 'Left') throw new Error(trained.left)
 * const read = tokenizerFromJson(trained.right)
 * if (read._tag === 'Left') throw new Error(read.left.join())
 * const tokenizer = read.right
 * const text = 'the cat sat'
 * const encoding = encode(tokenizer, text, { addSpecialTokens: false })
 * if (encoding._tag === 'Left') throw new Error(encoding.left)
 * const labels = ['O', 'B-ANIMAL']
 * const animal = tokenToId(tokenizer, 'cat')
 * const { ids } = encoding.right
 * const logits = Float32Array.from(ids.flatMap((id) => (id === animal ? [0, 9] : [9, 0])))
 * const found = entities({ tokenizer, config: emptyConfig }, text, encoding.right, logits, labels)
 * console.log(found.map(({ word, start, end }) => [word, start, end])) // => [['cat', 4, 7]]
 * ```
 */
export const entities = (
  words: Words,
  text: string,
  encoding: Encoding,
  logits: Float32Array,
  labels: readonly string[],
  { aggregationStrategy = 'none', ignoreLabels = ['O'] }: TaggingOptions = {},
): readonly Entity[] => {
  const tagged = (piece: Piece, scores: readonly number[]): Tagged => {
    const best = bestOf(scores)
    return { ...piece, tag: labels[best] as string, score: scores[best] as number }
  }
  const all = pieces(words, text, encoding, logits, labels.length)
  const byWord = aggregationStrategy !== 'none' && aggregationStrategy !== 'simple'
  const found = byWord
    ? runs(all, ({ inWord }) => inWord).map((group): Tagged => {
        const [first] = group as readonly [Piece]
        return {
          ...tagged(first, wordScores(group, aggregationStrategy)),
          word: written(
            words,
            group.map(({ word }) => word),
          ),
          end: group.at(-1)?.end as number,
        }
      })
    : all.map((piece) => tagged(piece, piece.scores))
  if (aggregationStrategy === 'none')
    return found
      .filter(({ tag }) => !ignoreLabels.includes(tag))
      .map(({ tag, score, index, word, start, end }) => ({ entity: tag, score, index, word, start, end }))
  const groups = runs(found, (one, before) => {
    const [begins, kind] = parted(one.tag)
    return !begins && kind === parted(before.tag)[1]
  })
  return groups
    .map((group) => {
      const [first] = group as readonly [Tagged]
      return {
        entity_group: first.tag.slice(first.tag.indexOf('-') + 1),
        score: mean(group.map(({ score }) => score)),
        word: written(
          words,
          group.map(({ word }) => word),
        ),
        start: first.start,
        end: group.at(-1)?.end as number,
      }
    })
    .filter(({ entity_group: kind }) => !ignoreLabels.includes(kind))
}

/**
 * Of entities of several windows that overlap, the longest, or the surest of equals.
 *
 * @example
 * ```ts
 * import { joinEntities } from 'pullback/models'
 * const word = { entity_group: 'PER', score: 0.9, word: 'Ada', start: 0, end: 3 }
 * console.log(joinEntities([word, { ...word, word: 'Ada Lovelace', end: 12 }]).map(({ word }) => word))
 * // => ['Ada Lovelace']
 * ```
 */
export const joinEntities = (all: readonly Entity[]): readonly Entity[] => {
  const kept: Entity[] = []
  for (const one of [...all].sort((a, b) => a.start - b.start)) {
    const last = kept.at(-1)
    if (last === undefined || one.start >= last.end || one.start < last.start) kept.push(one)
    else {
      const longer = one.end - one.start - (last.end - last.start)
      if (longer > 0 || (longer === 0 && one.score > last.score)) kept[kept.length - 1] = one
    }
  }
  return kept
}
