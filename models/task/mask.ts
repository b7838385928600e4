/** fill-mask: what may stand where a text has a mask token. */
import { PullbackError } from '../../core/error.ts'
import type { Encoding } from '../tokenizer/encoding.ts'
import { encodeIds } from '../tokenizer/encode/index.ts'
import { tokenToId } from '../tokenizer/tokenizer.ts'
import { textOf } from './folder.ts'
import { roleId } from './words.ts'
import type { Words } from './words.ts'
import { rowsOf, softmax } from './score.ts'

export interface FillingOptions {
  /** How many tokens are told for each mask. 5 by default. */
  readonly topK?: number | undefined
  /** Only these are considered; of one that is no token, its first token. */
  readonly targets?: readonly string[] | undefined
}

export interface Filling {
  readonly score: number
  readonly token: number
  readonly token_str: string
  /** The text with the token in the mask's place; where there are several masks, with its special tokens. */
  readonly sequence: string
}

/** A list for one mask, a list of lists for several. */
export type Fillings = readonly Filling[] | readonly (readonly Filling[])[]

/** Where masks are. */
export const masksIn = ({ ids }: Encoding, maskId: number): readonly number[] =>
  ids.flatMap((id, i) => (id === maskId ? [i] : []))

const targetIds = ({ tokenizer }: Words, targets: readonly string[]): readonly number[] => {
  const ids = targets.flatMap((target) => {
    const id = tokenToId(tokenizer, target) ?? encodeIds(tokenizer, target, { addSpecialTokens: false })[0]
    return id === undefined ? [] : [id]
  })
  if (ids.length === 0)
    throw new PullbackError({
      tag: 'argument',
      operation: 'fill-mask',
      detail: 'none of the targets is a token',
    })
  return [...new Set(ids)]
}

/**
 * What may stand at each mask; `logits` are [time, vocabulary].
 *
 * @example
 * ```ts
 * import {
 *   emptyConfig,
 *   encode,
 *   fillings,
 *   tokenizerFromJson,
 *   tokenToId,
 *   trainWordPiece,
 *   vocabularySize,
 * } from 'pullback/models'
 * const trained = trainWordPiece(['the cat sat on the mat', 'the cat and the dog sat'], { vocabSize: 60 })
 * if (trained._tag === 'Left') throw new Error(trained.left)
 * const read = tokenizerFromJson(trained.right)
 * if (read._tag === 'Left') throw new Error(read.left.join())
 * const tokenizer = read.right
 * const maskId = tokenToId(tokenizer, '[MASK]') as number
 * const encoding = encode(tokenizer, 'the [MASK]')
 * if (encoding._tag === 'Left') throw new Error(encoding.left)
 * const size = vocabularySize(tokenizer)
 * const logits = new Float32Array(encoding.right.ids.length * size)
 * logits[2 * size + (tokenToId(tokenizer, 'cat') as number)] = 9
 * const words = { tokenizer, config: emptyConfig }
 * const found = fillings(words, encoding.right, logits, maskId, { topK: 1 })
 * console.log(found.flat().map(({ token_str }) => token_str)) // => ['cat']
 * ```
 */
export const fillings = (
  words: Words,
  encoding: Encoding,
  logits: Float32Array,
  maskId: number,
  { topK = 5, targets }: FillingOptions = {},
): Fillings => {
  const masks = masksIn(encoding, maskId)
  const rows = rowsOf(logits, logits.length / encoding.ids.length)
  const padding = roleId(words, 'pad')
  const wanted = targets === undefined ? undefined : targetIds(words, targets)
  const lists = masks.map((mask) => {
    const scores = softmax(rows[mask] as Float32Array)
    return [...(wanted ?? scores.keys())]
      .sort((a, b) => (scores[b] as number) - (scores[a] as number))
      .slice(0, topK)
      .map((token): Filling => {
        const whole = encoding.ids.with(mask, token).filter((id) => id !== padding)
        return {
          score: scores[token] as number,
          token,
          token_str: textOf(words, [token], false),
          sequence: textOf(words, whole, masks.length === 1),
        }
      })
  })
  return lists.length === 1 ? (lists[0] as readonly Filling[]) : lists
}
