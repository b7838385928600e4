/** A long text as windows that overlap. */
import { either as E } from 'fp-ts'
import type { Encoding, Truncation } from '../encoding.ts'
import type { Tokenizer } from '../tokenizer.ts'
import type { EncodeOptions } from './encode.ts'
import { finish } from './special.ts'
import { encodeInput } from './text.ts'
import type { Input } from './text.ts'

/**
 * A text, or a pair of texts, as windows of `truncation.maxLength` tokens with special tokens, each beginning
 * `truncation.stride` tokens before the end of the one before: together they have all of the text, as long as it may be.
 * Left: why it cannot be cut so.
 *
 *     encodeWindows(tokenizer, question, { maxLength: 384, stride: 128, strategy: 'only_second' }, {}, context)
 *
 * @example
 * ```ts
 * import { encodeWindows, tokenizerFromJson, trainWordPiece } from 'pullback/models'
 * const trained = trainWordPiece(['the cat sat on the mat', 'the cat and the dog sat'], { vocabSize: 60 })
 * if (trained._tag === 'Left') throw new Error(trained.left)
 * const read = tokenizerFromJson(trained.right)
 * if (read._tag === 'Left') throw new Error(read.left.join())
 * const tokenizer = read.right
 * const windows = encodeWindows(tokenizer, 'the cat sat on the mat', { maxLength: 5, stride: 1 })
 * if (windows._tag === 'Right') console.log(windows.right.map(({ tokens }) => tokens.slice(1, -1)))
 * // => [['the', 'cat', 'sat'], ['sat', 'o', '##n'], ['##n', 'the', 'm'], ['m', '##at']]
 * ```
 */
export const encodeWindows = (
  tokenizer: Tokenizer,
  input: Input,
  truncation: Truncation,
  options: Pick<EncodeOptions, 'offsetUnit'> = {},
  pair: Input | null = null,
): E.Either<string, readonly Encoding[]> => {
  const scope = {
    splitSpecial: false,
    inCharacters: options.offsetUnit !== 'utf16',
    limit: Infinity,
    fromRight: truncation.direction === 'left',
  }
  const encodings = [
    encodeInput(tokenizer, input, 0, scope),
    ...(pair === null ? [] : [encodeInput(tokenizer, pair, 1, scope)]),
  ]
  return E.map((first: Encoding) => [{ ...first, overflowing: [] }, ...first.overflowing])(
    finish(tokenizer, encodings, truncation, true),
  )
}
