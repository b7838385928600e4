/** Texts, pairs of them and batches, as encodings. */
import { either as E } from 'fp-ts'
import { padEncodings } from '../encoding.ts'
import type { Encoding, Padding, Truncation } from '../encoding.ts'
import type { Tokenizer } from '../tokenizer.ts'
import { finish } from './special.ts'
import { encodeInput } from './text.ts'
import type { Input, Scope } from './text.ts'

export interface EncodeOptions {
  /** Whether to add special tokens such as [CLS]. Default true. */
  readonly addSpecialTokens?: boolean
  /** Whether special tokens that a text contains are taken as plain text. Default false. */
  readonly splitSpecialTokens?: boolean
  /** Null for none; by default what the tokenizer's file says. */
  readonly truncation?: Truncation | null
  /** Null for none; by default what the tokenizer's file says. */
  readonly padding?: Padding | null
  /** What offsets count: Unicode code points (default) or the UTF-16 units that `String.slice` counts. */
  readonly offsetUnit?: 'codePoint' | 'utf16'
}

/**
 * Encodes a text, or a pair of texts given as `pair`. Left: why truncation cannot do what is asked.
 *
 *     encode(tokenizer, 'Hello, world!')
 *     encode(tokenizer, question, { truncation: { maxLength: 384, stride: 128, strategy: 'only_second' } }, context)
 *
 * @example
 * ```ts
 * import { encode, tokenizerFromJson, trainWordPiece } from 'pullback/models'
 * const trained = trainWordPiece(['the cat sat on the mat', 'the cat and the dog sat'], { vocabSize: 60 })
 * if (trained._tag === 'Left') throw new Error(trained.left)
 * const read = tokenizerFromJson(trained.right)
 * if (read._tag === 'Left') throw new Error(read.left.join())
 * const tokenizer = read.right
 * const encoding = encode(tokenizer, 'The cat', {}, 'the dog')
 * if (encoding._tag === 'Right') console.log(encoding.right.tokens)
 * // => ['[CLS]', 'the', 'cat',   '[SEP]', 'the',   'd', '##o',   '##g', '[SEP]']
 * ```
 */
export const encode = (
  tokenizer: Tokenizer,
  input: Input,
  options: EncodeOptions = {},
  pair: Input | null = null,
): E.Either<string, Encoding> => {
  const truncation = options.truncation === undefined ? tokenizer.truncation : options.truncation
  const padding = options.padding === undefined ? tokenizer.padding : options.padding
  const scope = (typeId: 0 | 1): Scope => ({
    splitSpecial: options.splitSpecialTokens ?? false,
    inCharacters: options.offsetUnit !== 'utf16',
    limit:
      truncation === null || (truncation.strategy === 'only_second' && typeId === 0)
        ? Infinity
        : truncation.maxLength,
    fromRight: truncation?.direction === 'left',
  })
  const encodings = [
    encodeInput(tokenizer, input, 0, scope(0)),
    ...(pair === null ? [] : [encodeInput(tokenizer, pair, 1, scope(1))]),
  ]
  const result = finish(tokenizer, encodings, truncation, options.addSpecialTokens ?? true)
  return padding === null || E.isLeft(result)
    ? result
    : E.right(padEncodings([result.right], padding)[0] as Encoding)
}

/** A text, or a pair of them. */
export type BatchInput = Input | { readonly text: Input; readonly pair: Input }

/**
 * Encodes many texts and pads them together. Left: the first that cannot be encoded, by its place.
 *
 * @example
 * ```ts
 * import { encodeBatch, tokenizerFromJson, trainWordPiece } from 'pullback/models'
 * const trained = trainWordPiece(['the cat sat on the mat', 'the cat and the dog sat'], { vocabSize: 60 })
 * if (trained._tag === 'Left') throw new Error(trained.left)
 * const read = tokenizerFromJson(trained.right)
 * if (read._tag === 'Left') throw new Error(read.left.join())
 * const tokenizer = read.right
 * const batch = encodeBatch(tokenizer, ['the cat sat', 'the dog'], { padding: {} })
 * if (batch._tag === 'Right') console.log(batch.right.map(({ attentionMask }) => attentionMask))
 * // => [[1, 1, 1, 1, 1, 0], [1, 1, 1, 1, 1, 1]]
 * ```
 */
export const encodeBatch = (
  tokenizer: Tokenizer,
  inputs: readonly BatchInput[],
  options: EncodeOptions = {},
): E.Either<string, readonly Encoding[]> => {
  const out: Encoding[] = []
  for (const [i, input] of inputs.entries()) {
    const result =
      typeof input === 'object' && 'pair' in input
        ? encode(tokenizer, input.text, options, input.pair)
        : encode(tokenizer, input, options)
    if (E.isLeft(result)) return E.left(`text ${i}: ${result.left}`)
    out.push(result.right)
  }
  const padding = options.padding === undefined ? tokenizer.padding : options.padding
  return E.right(padding === null ? out : padEncodings(out, padding))
}
