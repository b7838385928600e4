/** The first two steps of a tokenizer by themselves, to see what a text becomes before the model reads it. */
import { aligned, endOf, startOf } from './aligned.ts'
import { whole } from './pretokenizer/piece.ts'
import type { Tokenizer } from './tokenizer.ts'

/**
 * What a tokenizer's normalizer makes of a text; the text itself where there is none. Added tokens in it are read as
 * any other text.
 *
 * @example
 * ```ts
 * import { normalize, tokenizerFromJson, trainWordPiece } from 'pullback/models'
 * const trained = trainWordPiece(['the cat sat on the mat', 'the cat and the dog sat'], { vocabSize: 60 })
 * if (trained._tag === 'Left') throw new Error(trained.left)
 * const read = tokenizerFromJson(trained.right)
 * if (read._tag === 'Right') console.log(normalize(read.right, 'The CAFÉ')) // => the cafe
 * ```
 */
export const normalize = ({ normalizer }: Tokenizer, text: string): string =>
  normalizer === null ? text : normalizer(aligned(text.toWellFormed())).text

/** A piece of a text, and the part of it, in units, that it comes from. */
export type TextPiece = readonly [piece: string, from: number, to: number]

/**
 * The pieces into which a tokenizer's pre-tokenizer cuts a (normalised) text; null where it has none. Added tokens in
 * it are read as any other text.
 *
 * @example
 * ```ts
 * import { preTokenize, tokenizerFromJson, trainWordPiece } from 'pullback/models'
 * const trained = trainWordPiece(['the cat sat on the mat', 'the cat and the dog sat'], { vocabSize: 60 })
 * if (trained._tag === 'Left') throw new Error(trained.left)
 * const read = tokenizerFromJson(trained.right)
 * if (read._tag === 'Right') console.log(preTokenize(read.right, 'it sat.'))
 * // => [['it', 0, 2], ['sat', 3, 6], ['.', 6, 7]]
 * ```
 */
export const preTokenize = ({ preTokenizer }: Tokenizer, text: string): readonly TextPiece[] | null => {
  if (preTokenizer === null) return null
  const { source, cuts } = preTokenizer(whole(aligned(text.toWellFormed())))
  return Array.from({ length: cuts.length / 2 }, (_, i) => {
    const [start, end] = [cuts[2 * i] as number, cuts[2 * i + 1] as number]
    return [source.text.slice(start, end), startOf(source, start), endOf(source, end)] as const
  })
}
