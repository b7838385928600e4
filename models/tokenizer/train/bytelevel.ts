/**
 * Training byte-level byte pair encoding on a corpus, as GPT-2's (Radford et al., 2019): the alphabet is the 256
 * bytes, so that no text is ever unknown.
 */
import { either as E } from 'fp-ts'
import { byteCharacters } from '../byte.ts'
import { preTokenizer } from '../pretokenizer/kind.ts'
import type { PreTokenizer } from '../pretokenizer/piece.ts'
import type { TokenizerJson } from '../tokenizer.ts'
import { inOrder } from '../vocabulary.ts'
import { spellWords } from './alphabet.ts'
import { countWords } from './count.ts'
import type { TrainProgress } from './count.ts'
import { learnMerges } from './merge.ts'
import { specialToken } from './special.ts'

export interface ByteLevelBpeOptions {
  /** Tokens in all at most, special ones and the 256 bytes included; fewer where the corpus gives no more. */
  readonly vocabSize: number
  /** Pairs that occur less often are not merged. Default 2. */
  readonly minFrequency?: number
  /** Default <|endoftext|> alone. */
  readonly specialTokens?: readonly string[]
  /** Whether a text is taken as if a space stood before it. Default false, as GPT-2. */
  readonly addPrefixSpace?: boolean
  readonly onProgress?: (progress: TrainProgress) => void
}

/** Longer stretches without a break are data, not words. */
const longestWord = 512

/**
 * Trains a tokenizer as GPT-2's: special tokens first, then the bytes, then merges as they were found. The same texts
 * always give the same file. Left: why there is none.
 *
 *     trainByteLevelBpe(texts, { vocabSize: 8000 })
 *
 * @example
 * ```ts
 * import { trainByteLevelBpe } from 'pullback/models'
 * const trained = trainByteLevelBpe(['low lower lowest', 'new newer newest'], { vocabSize: 270 })
 * console.log(trained._tag === 'Right' && trained.right.model.type) // => BPE
 * ```
 */
export const trainByteLevelBpe = (
  texts: Iterable<string>,
  options: ByteLevelBpeOptions,
): E.Either<string, TokenizerJson> => {
  const { vocabSize, minFrequency = 2, specialTokens = ['<|endoftext|>'], addPrefixSpace = false } = options
  const tokens: string[] = [...new Set([...specialTokens, ...[...byteCharacters].sort()])]
  if (vocabSize < tokens.length)
    return E.left(
      `tokenizer: ${tokens.length - 256} special tokens and 256 bytes need a vocabulary of ${tokens.length}, got ${vocabSize}`,
    )
  const byteLevel = {
    type: 'ByteLevel',
    add_prefix_space: addPrefixSpace,
    trim_offsets: true,
    use_regex: true,
  }
  const split = E.getOrElse((): PreTokenizer => (pieces) => pieces)(preTokenizer(byteLevel, ''))
  const counted = countWords(texts, {
    normalizer: null,
    preTokenizer: split,
    longest: longestWord,
    onProgress: options.onProgress,
  })
  if (counted.words.length === 0) return E.left('tokenizer: the texts to train on hold no words')
  const ids = new Map(tokens.map((token, id) => [token, id]))
  const merges: string[] = []
  const total = vocabSize - tokens.length
  if (total > 0)
    learnMerges(
      spellWords(counted, (letter) => ids.get(letter) ?? -1),
      {
        most: Infinity,
        minFrequency,
        join: (left, right) => {
          const [a, b] = [tokens[left] as string, tokens[right] as string]
          merges.push(`${a} ${b}`)
          const known = ids.get(a + b)
          if (known !== undefined) return known
          ids.set(a + b, tokens.length)
          tokens.push(a + b)
          return tokens.length - 1
        },
        merged: (done) => {
          if (done % 64 === 0) options.onProgress?.({ phase: 'merge', done: Math.min(done, total), total })
          return tokens.length < vocabSize
        },
      },
    )
  options.onProgress?.({ phase: 'merge', done: total, total })
  return E.right({
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [...new Set(specialTokens)].map((token, id) => specialToken(id, token)),
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: { ...byteLevel, add_prefix_space: true, trim_offsets: false },
    decoder: { ...byteLevel, add_prefix_space: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: inOrder(ids),
      // the spelling that every version of the libraries reads; no token of the alphabet holds a space
      merges,
    },
  })
}
