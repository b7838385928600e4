/**
 * Training WordPiece on a corpus. As Hugging Face's trainer does, pieces are found by merging the most frequent
 * pair, with `##` before what stands within a word; the original training procedure was never published.
 */
import { either as E } from 'fp-ts'
import { bertNormalizer } from '../normalizer.ts'
import { preTokenizer } from '../pretokenizer/kind.ts'
import type { PreTokenizer } from '../pretokenizer/piece.ts'
import type { TokenizerJson } from '../tokenizer.ts'
import { inOrder } from '../vocabulary.ts'
import { alphabetOf, spellWords } from './alphabet.ts'
import { countWords } from './count.ts'
import type { TrainProgress } from './count.ts'
import { learnMerges } from './merge.ts'
import { specialToken } from './special.ts'

export interface WordPieceOptions {
  /** Tokens in all at most, special ones included; fewer where the corpus gives no more. */
  readonly vocabSize: number
  /** Pairs that occur less often are not merged. Default 2. */
  readonly minFrequency?: number
  /** Lower case, accents stripped. Default true. */
  readonly lowercase?: boolean
  /** Characters kept at most, the most frequent ones; words with others are unknown. Default 1000. */
  readonly alphabetLimit?: number
  readonly onProgress?: (progress: TrainProgress) => void
}

const special = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'] as const
const prefix = '##'
const longestWord = 100

const bertPreTokenizer: PreTokenizer = E.getOrElse((): PreTokenizer => (pieces) => pieces)(
  preTokenizer({ type: 'BertPreTokenizer' }, ''),
)

/** The file of a BERT tokenizer with the given vocabulary, special tokens at its head. */
const bertJson = (tokens: readonly string[], lowercase: boolean): TokenizerJson => {
  const vocabulary = tokens.map((token, id) => [token, id] as const)
  const idOf = new Map(vocabulary)
  const piece = (kind: 'Sequence' | 'SpecialToken', id: string, type_id: number): object => ({
    [kind]: { id, type_id },
  })
  const named = (token: string): object => ({ id: token, ids: [idOf.get(token)], tokens: [token] })
  const single = [
    piece('SpecialToken', '[CLS]', 0),
    piece('Sequence', 'A', 0),
    piece('SpecialToken', '[SEP]', 0),
  ]
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: special.map((token) => specialToken(idOf.get(token) ?? 0, token)),
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: {
      type: 'TemplateProcessing',
      single,
      pair: [...single, piece('Sequence', 'B', 1), piece('SpecialToken', '[SEP]', 1)],
      special_tokens: { '[CLS]': named('[CLS]'), '[SEP]': named('[SEP]') },
    },
    decoder: { type: 'WordPiece', prefix, cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: prefix,
      max_input_chars_per_word: longestWord,
      vocab: inOrder(vocabulary),
    },
  }
}

/**
 * Trains a BERT tokenizer: BERT's normaliser and pre-tokenizer, [PAD] [UNK] [CLS] [SEP] [MASK] as ids 0 to 4, then the
 * characters, then pieces as they were found. The same texts always give the same file. Left: why there is none.
 *
 *     trainWordPiece(texts, { vocabSize: 4000 })
 *
 * @example
 * ```ts
 * import { trainWordPiece } from 'pullback/models'
 * const trained = trainWordPiece(['low lower lowest', 'new newer newest'], { vocabSize: 40 })
 * console.log(trained._tag === 'Right' && trained.right.model.type) // => WordPiece
 * ```
 */
export const trainWordPiece = (
  texts: Iterable<string>,
  options: WordPieceOptions,
): E.Either<string, TokenizerJson> => {
  const { vocabSize, minFrequency = 2, lowercase = true, alphabetLimit = 1000, onProgress } = options
  const room = Math.floor((vocabSize - special.length) / 2)
  if (room < 1)
    return E.left(`tokenizer: a vocabulary needs more than ${special.length + 1} tokens, got ${vocabSize}`)
  const counted = countWords(texts, {
    normalizer: bertNormalizer({
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase,
    }),
    preTokenizer: bertPreTokenizer,
    longest: 2 * longestWord,
    onProgress,
  })
  if (counted.words.length === 0) return E.left('tokenizer: the texts to train on hold no words')
  const alphabet = alphabetOf(counted, Math.min(alphabetLimit, room))
  const tokens: string[] = [...special, ...alphabet]
  const ids = new Map(tokens.map((token, id) => [token, id]))
  const add = (token: string): number => {
    let id = ids.get(token)
    if (id === undefined) {
      id = tokens.length
      tokens.push(token)
      ids.set(token, id)
    }
    return id
  }
  const within = new Set<string>()
  for (const word of counted.words) {
    let first = true
    for (const letter of word) {
      if (!first) within.add(letter)
      first = false
    }
  }
  const following = new Map(alphabet.filter((letter) => within.has(letter)).map((l) => [l, add(prefix + l)]))
  const words = spellWords(counted, (letter, first) =>
    first ? (ids.get(letter) ?? -1) : (following.get(letter) ?? -1),
  )
  const total = vocabSize - tokens.length
  learnMerges(words, {
    most: Infinity,
    minFrequency,
    join: (left, right) => add((tokens[left] as string) + (tokens[right] as string).slice(prefix.length)),
    merged: (done) => {
      if (done % 64 === 0) onProgress?.({ phase: 'merge', done: Math.min(done, total), total })
      return tokens.length < vocabSize
    },
  })
  onProgress?.({ phase: 'merge', done: total, total })
  return E.right(bertJson(tokens, lowercase))
}
