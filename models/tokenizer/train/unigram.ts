/**
 * Training Unigram on a corpus (Kudo, 2018, arXiv:1804.10959; `sentencepiece/src/unigram_model_trainer.cc`): from
 * many substrings pieces are dropped, those first whose loss matters least to the likelihood of the corpus, while
 * expectation maximisation keeps their probabilities.
 */
import { either as E } from 'fp-ts'
import { normalizer } from '../normalizer.ts'
import type { Normalizer } from '../normalizer.ts'
import { preTokenizer } from '../pretokenizer/kind.ts'
import type { PreTokenizer } from '../pretokenizer/piece.ts'
import type { ComponentJson, TokenizerJson } from '../tokenizer.ts'
import { alphabetOf } from './alphabet.ts'
import { countWords } from './count.ts'
import type { TrainProgress, WordCounts } from './count.ts'
import { bestPath, expectPieces, piecesOf } from './lattice.ts'
import type { Pieces } from './lattice.ts'
import { frequentSubstrings } from './seed.ts'
import { specialToken } from './special.ts'

export interface UnigramOptions {
  /** Tokens in all at most, special ones included; fewer where the corpus gives no more. */
  readonly vocabSize: number
  /** Characters of a piece at most. Default 16. */
  readonly maxPieceLength?: number
  /** Characters kept at most, the most frequent ones; others are unknown. Default 4000. */
  readonly alphabetLimit?: number
  /** What remains of the pieces each time some are dropped. Default 0.75. */
  readonly shrinkingFactor?: number
  readonly onProgress?: (progress: TrainProgress) => void
}

const special = ['<pad>', '</s>', '<unk>'] as const
const seedLimit = (size: number): number => Math.min(1_000_000, 20 * size)
const subIterations = 2
const longestWord = 256

/** The logarithmic derivative of the gamma function, for x > 0. */
const digamma = (given: number): number => {
  let x = given
  let result = 0
  for (; x < 7; x++) result -= 1 / x
  x -= 1 / 2
  const y = 1 / (x * x)
  return result + Math.log(x) + y / 24 - (7 / 960) * y * y + (31 / 8064) * y ** 3 - (127 / 30720) * y ** 4
}

interface State {
  readonly texts: readonly string[]
  readonly scores: Float64Array
}

const characters = (text: string): number => {
  let n = 0
  for (const _ of text) n++
  return n
}

/** One round of expectation maximisation; pieces that are hardly to be expected are dropped. */
const estimate = ({ texts, scores }: State, { words, counts }: WordCounts): State => {
  const expected = expectPieces(piecesOf(texts, scores), words, counts)
  const kept = [...texts.keys()].filter((id) => (expected[id] as number) >= 0.5)
  const sum = kept.reduce((total, id) => total + (expected[id] as number), 0)
  // a sparse prior (Liang and Klein, 2007): digamma in the place of the logarithm
  return {
    texts: kept.map((id) => texts[id] as string),
    scores: Float64Array.from(kept, (id) => digamma(expected[id] as number) - digamma(sum)),
  }
}

/** What dropping each piece costs: the loss of likelihood if its occurrences are broken as it would be without it. */
const losses = (pieces: Pieces, { words, counts }: WordCounts): Float64Array => {
  const n = pieces.texts.length
  const uses = new Float64Array(n)
  // how much of the corpus the words with a piece are, each word once
  const weight = new Float64Array(n)
  let corpus = 0
  words.forEach((word, w) => {
    const count = counts[w] as number
    const path = bestPath(pieces, word) ?? []
    corpus += count
    for (const id of path) if (id >= 0) uses[id] = (uses[id] as number) + count
    for (const id of new Set(path)) if (id >= 0) weight[id] = (weight[id] as number) + count
  })
  const total = uses.reduce((sum, use) => sum + use, 0)
  return Float64Array.from(pieces.texts, (text, id) => {
    const use = uses[id] as number
    const best = bestPath(pieces, text)
    const self = best !== null && best.length === 1
    if (!self) return use === 0 ? -Infinity : Infinity
    const alternative = bestPath(pieces, text, id)
    if (alternative === null || alternative.includes(-1)) return Infinity
    if (use === 0) return -Infinity
    const logTotal = Math.log(total + use * (alternative.length - 1))
    const without = alternative.reduce(
      (sum, other) => sum + Math.log((uses[other] as number) + use) - logTotal,
      0,
    )
    return ((weight[id] as number) / corpus) * (Math.log(use) - Math.log(total) - without)
  })
}

/** Keeps the `size` pieces that matter most, in their order. */
const prune = ({ texts, scores }: State, counted: WordCounts, size: number): State => {
  const cost = losses(piecesOf(texts, scores), counted)
  const kept = [...texts.keys()]
    .sort((a, b) => {
      const [x, y] = [cost[a] as number, cost[b] as number]
      return x === y ? a - b : y > x ? 1 : -1
    })
    .slice(0, size)
    .filter((id) => cost[id] !== -Infinity)
    .sort((a, b) => a - b)
  return {
    texts: kept.map((id) => texts[id] as string),
    scores: Float64Array.from(kept, (id) => scores[id] as number),
  }
}

/** The characters, then the best pieces, ordered by score. */
const finish = (
  { texts, scores }: State,
  alphabet: readonly string[],
  size: number,
): readonly (readonly [string, number])[] => {
  const score = new Map(texts.map((text, id) => [text, scores[id] as number]))
  const least = scores.reduce((a, b) => Math.min(a, b), 0)
  const chosen = alphabet.map((letter, i): readonly [string, number] => [
    letter,
    score.get(letter) ?? least - 0.0001 * (i + 1),
  ])
  const letters = new Set(alphabet)
  const others = [...score]
    .filter(([text]) => !letters.has(text))
    .sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
  return [...chosen, ...others.slice(0, Math.max(0, size - chosen.length))].sort(
    ([a, x], [b, y]) => y - x || (a < b ? -1 : 1),
  )
}

const normalizerJson: ComponentJson = {
  type: 'Sequence',
  normalizers: [
    { type: 'Nmt' },
    { type: 'NFKC' },
    { type: 'Replace', pattern: { Regex: ' {2,}' }, content: ' ' },
  ],
}
const metaspace: ComponentJson = {
  type: 'Metaspace',
  replacement: '\u2581',
  prepend_scheme: 'always',
  split: true,
}

const json = (pieces: readonly (readonly [string, number])[]): TokenizerJson => {
  const sequence = (id: string): object => ({ Sequence: { id, type_id: 0 } })
  const end = { SpecialToken: { id: '</s>', type_id: 0 } }
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: special.map((token, id) => specialToken(id, token)),
    normalizer: normalizerJson,
    pre_tokenizer: metaspace,
    post_processor: {
      type: 'TemplateProcessing',
      single: [sequence('A'), end],
      pair: [sequence('A'), end, sequence('B'), end],
      special_tokens: { '</s>': { id: '</s>', ids: [1], tokens: ['</s>'] } },
    },
    decoder: metaspace,
    model: {
      type: 'Unigram',
      unk_id: 2,
      vocab: [...special.map((token) => [token, 0] as const), ...pieces],
      byte_fallback: false,
    },
  }
}

/**
 * Trains a tokenizer as T5's: compatibility characters folded, spaces shown as `▁`, <pad> </s> <unk> as ids 0 to 2, then
 * pieces by probability. The same texts always give the same file. Left: why there is none.
 *
 *     trainUnigram(texts, { vocabSize: 8000 })
 *
 * @example
 * ```ts
 * import { trainUnigram } from 'pullback/models'
 * const trained = trainUnigram(['low lower lowest', 'new newer newest'], { vocabSize: 30 })
 * console.log(trained._tag === 'Right' && trained.right.model.type) // => Unigram
 * ```
 */
export const trainUnigram = (
  texts: Iterable<string>,
  options: UnigramOptions,
): E.Either<string, TokenizerJson> => {
  const { vocabSize, maxPieceLength = 16, alphabetLimit = 4000, shrinkingFactor = 0.75, onProgress } = options
  const size = vocabSize - special.length
  if (size < 2)
    return E.left(`tokenizer: a vocabulary needs more than ${special.length + 1} tokens, got ${vocabSize}`)
  const identity = <A>(a: A): A => a
  const counted = countWords(texts, {
    normalizer: E.getOrElse((): Normalizer => identity)(normalizer(normalizerJson, '')),
    preTokenizer: E.getOrElse((): PreTokenizer => identity)(preTokenizer(metaspace, '')),
    longest: longestWord,
    onProgress,
  })
  if (counted.words.length === 0) return E.left('tokenizer: the texts to train on hold no words')
  const alphabet = alphabetOf(counted, Math.min(alphabetLimit, Math.ceil(size / 2)))
  onProgress?.({ phase: 'seed', done: 0, total: 1 })
  const seeds = frequentSubstrings(counted, maxPieceLength, seedLimit(size))
  onProgress?.({ phase: 'seed', done: 1, total: 1 })
  const letters = new Map(alphabet.map((letter) => [letter, 0]))
  counted.words.forEach((word, w) => {
    for (const letter of word) {
      const n = letters.get(letter)
      if (n !== undefined) letters.set(letter, n + (counted.counts[w] as number))
    }
  })
  const known = seeds.filter(({ text }) => [...text].every((letter) => letters.has(letter)))
  const weights = [...letters.values(), ...known.map(({ text, count }) => count * characters(text))]
  const total = Math.log(weights.reduce((a, b) => a + b, 0))
  let state: State = {
    texts: [...letters.keys(), ...known.map(({ text }) => text)],
    scores: Float64Array.from(weights, (weight) => Math.log(weight) - total),
  }
  const wanted = Math.floor(size * 1.1)
  const rounds = Math.max(1, 1 + Math.ceil(Math.log(wanted / state.texts.length) / Math.log(shrinkingFactor)))
  for (let round = 1; ; round++) {
    for (let i = 0; i < subIterations; i++) state = estimate(state, counted)
    onProgress?.({ phase: 'estimate', done: Math.min(round, rounds), total: rounds })
    if (state.texts.length <= wanted) break
    state = prune(state, counted, Math.max(wanted, Math.floor(state.texts.length * shrinkingFactor)))
  }
  onProgress?.({ phase: 'estimate', done: rounds, total: rounds })
  return E.right(json(finish(state, alphabet, size)))
}
