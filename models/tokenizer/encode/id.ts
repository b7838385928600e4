/** Ids alone. */
import { emptyEncoding, mergeEncodings } from '../encoding.ts'
import type { PostProcessor } from '../postprocessor.ts'
import type { Tokenizer } from '../tokenizer.ts'
import type { Word } from '../word.ts'
import type { EncodeOptions } from './encode.ts'
import { segments } from './segment.ts'

/** What post-processors put around the ids of a text, which are at the mark. */
const frames = new WeakMap<PostProcessor, readonly number[]>()
const mark = -1

/** Ids with special tokens. */
const framed = (postProcessor: PostProcessor, ids: readonly number[]): readonly number[] => {
  const frame =
    frames.get(postProcessor) ??
    mergeEncodings(postProcessor.process([{ ...emptyEncoding, ids: [mark] }], true)).ids
  frames.set(postProcessor, frame)
  return frame.flatMap((id) => (id === mark ? ids : id))
}

/**
 * The ids of a text alone, without truncation or padding: the fast way through a corpus.
 *
 *     encodeIds(tokenizer, 'Hello, world!', { addSpecialTokens: false })
 *
 * @example
 * ```ts
 * import { encodeIds, tokenizerFromJson, trainWordPiece } from 'pullback/models'
 * const trained = trainWordPiece(['the cat sat on the mat', 'the cat and the dog sat'], { vocabSize: 60 })
 * if (trained._tag === 'Left') throw new Error(trained.left)
 * const read = tokenizerFromJson(trained.right)
 * if (read._tag === 'Left') throw new Error(read.left.join())
 * const tokenizer = read.right
 * console.log(encodeIds(tokenizer, 'the cat', { addSpecialTokens: false }).length) // => 2
 * ```
 */
export const encodeIds = (
  tokenizer: Tokenizer,
  given: string,
  options: Pick<EncodeOptions, 'addSpecialTokens' | 'splitSpecialTokens'> = {},
): readonly number[] => {
  const text = given.isWellFormed() ? given : given.toWellFormed()
  const { model, postProcessor } = tokenizer
  const ids: number[] = []
  const put = (word: Word): void => {
    for (let k = 0; k < word.ids.length; k++) ids.push(word.ids[k] as number)
  }
  for (const segment of segments(tokenizer, text, options.splitSpecialTokens ?? false)) {
    if ('token' in segment) {
      ids.push(segment.token.id)
      continue
    }
    const { source, cuts } = segment
    for (let i = 0; i < cuts.length; i += 2) {
      const piece = source.text.slice(cuts[i], cuts[i + 1])
      if (model.words === undefined) put(model.tokenize(piece))
      else model.words(piece, put)
    }
  }
  return postProcessor === null || options.addSpecialTokens === false ? ids : framed(postProcessor, ids)
}
