/** The last steps of encoding: cutting to a length, and special tokens around what is left. */
import { either as E } from 'fp-ts'
import { mergeEncodings, truncateEncodings } from '../encoding.ts'
import type { Encoding, Truncation } from '../encoding.ts'
import type { Tokenizer } from '../tokenizer.ts'

/** One or two encodings as one, cut where that is asked for, with special tokens where `special` says so. */
export const finish = (
  tokenizer: Tokenizer,
  encodings: readonly Encoding[],
  truncation: Truncation | null,
  special: boolean,
): E.Either<string, Encoding> => {
  const { postProcessor } = tokenizer
  const added = special && postProcessor !== null ? postProcessor.added(encodings.length === 2) : 0
  if (truncation !== null && truncation.maxLength < added)
    return E.left(
      `truncation: maxLength must be at least the ${added} special tokens, got ${truncation.maxLength}`,
    )
  const kept =
    truncation === null
      ? E.right(encodings)
      : truncateEncodings(encodings, { ...truncation, maxLength: truncation.maxLength - added })
  return E.map((parts: readonly Encoding[]) =>
    mergeEncodings(postProcessor === null ? parts : postProcessor.process(parts, special)),
  )(kept)
}
