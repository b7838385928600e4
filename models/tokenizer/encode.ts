/**
 * From text to tokens. The steps: added tokens are cut out, the text between is normalised and split into pieces,
 * the model breaks each piece, the result is truncated, completed with special tokens and padded.
 */
import { either as E } from 'fp-ts'
import { aligned, endOf, slice, startOf } from './aligned.ts'
import type { Aligned } from './aligned.ts'
import type { AddedToken } from './added.ts'
import { mergeEncodings, padEncodings, truncateEncodings } from './encoding.ts'
import type { Encoding, Padding, Truncation } from './encoding.ts'
import type { PostProcessor } from './postprocessor.ts'
import { whole } from './pretokenizer.ts'
import type { Pieces } from './pretokenizer.ts'
import type { Tokenizer } from './tokenizer.ts'
import type { Word } from './word.ts'

/** A text, or its words where something else has split it already. */
export type Input = string | readonly string[]

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

/** A stretch of text between added tokens, split into pieces; or an added token and the range it was found in. */
type Segment = Pieces | { readonly token: AddedToken; readonly source: Aligned }

const segments = (tokenizer: Tokenizer, text: string, splitSpecial: boolean): readonly Segment[] => {
  const { added, normalizer, preTokenizer } = tokenizer
  const out: Segment[] = []
  const split = (source: Aligned): void => {
    if (source.text === '') return
    const pieces = whole(source)
    out.push(preTokenizer === null ? pieces : preTokenizer(pieces))
  }
  const normalize = (source: Aligned): void => {
    const normalized = normalizer === null ? source : normalizer(source)
    if (added.inNormalized === null) return split(normalized)
    added.inNormalized(normalized.text, splitSpecial, (start, end, token) => {
      const part = slice(normalized, start, end)
      if (token === null) split(part)
      else out.push({ token, source: part })
    })
  }
  if (text === '') return out
  if (added.inRaw === null) normalize(aligned(text))
  else
    added.inRaw(text, splitSpecial, (start, end, token) => {
      const part = aligned(text.slice(start, end), start)
      if (token === null) normalize(part)
      else out.push({ token, source: part })
    })
  return out
}

/** For each unit of a text the number of characters before it; null where units and characters agree. */
const characterIndex = (text: string): Int32Array | null => {
  if (!/[\ud800-\udbff]/.test(text)) return null
  const index = new Int32Array(text.length + 1)
  let characters = 0
  for (let i = 0; i < text.length; i++) {
    index[i] = characters
    const unit = text.charCodeAt(i)
    if (unit < 0xd800 || unit > 0xdbff) characters++
  }
  index[text.length] = characters
  return index
}

/** Takes a word of the text, or an added token; `again`: it is of the same piece as the one before. */
type Put = (source: Aligned, start: number, word: Word, again: boolean) => void

const addedWord = ({ id }: AddedToken, { text }: Aligned): Word => ({
  ids: [id],
  tokens: [text],
  starts: [0],
  ends: [text.length],
})

/** Puts down what a segment's piece becomes, and tells how many tokens that is. */
const breakPiece = ({ model }: Tokenizer, { source, cuts }: Pieces, piece: number, put: Put): number => {
  const start = cuts[2 * piece] as number
  const text = source.text.slice(start, cuts[2 * piece + 1])
  if (model.words === undefined) {
    const word = model.tokenize(text)
    put(source, start, word, false)
    return word.ids.length
  }
  let tokens = 0
  model.words(text, (word, from) => {
    put(source, start + from, word, from > 0)
    tokens += word.ids.length
  })
  return tokens
}

/**
 * The pieces of a text, tokenised. With a limit only as many as it takes to reach it, as the reference does: overflow is
 * then counted from there, and so are words.
 */
const tokenise = (tokenizer: Tokenizer, parts: readonly Segment[], limit: number, put: Put): void => {
  let tokens = 0
  for (const segment of parts) {
    if ('token' in segment) {
      put(segment.source, 0, addedWord(segment.token, segment.source), false)
      tokens += 1
      continue
    }
    const n = segment.cuts.length / 2
    for (let piece = 0; piece < n; piece++) {
      tokens += breakPiece(tokenizer, segment, piece, put)
      if (tokens >= limit) return
    }
  }
}

/** The same where the right side is kept: the last pieces, as many as it takes. */
const tokeniseFromRight = (
  tokenizer: Tokenizer,
  parts: readonly Segment[],
  limit: number,
  put: Put,
): void => {
  const pieces: Parameters<Put>[][] = []
  let tokens = 0
  // added tokens alone do not reach the limit
  let reached = false
  for (let s = parts.length - 1; s >= 0 && !reached; s--) {
    const segment = parts[s] as Segment
    if ('token' in segment) {
      pieces.push([[segment.source, 0, addedWord(segment.token, segment.source), false]])
      tokens += 1
      continue
    }
    for (let piece = segment.cuts.length / 2 - 1; piece >= 0 && !reached; piece--) {
      const words: Parameters<Put>[] = []
      tokens += breakPiece(tokenizer, segment, piece, (...word) => void words.push(word))
      pieces.push(words)
      reached = tokens >= limit
    }
  }
  for (const words of pieces.reverse()) for (const word of words) put(...word)
}

interface Scope {
  readonly splitSpecial: boolean
  readonly inCharacters: boolean
  readonly limit: number
  readonly fromRight: boolean
}

/** Encodes one text without special tokens. `typeId` is also which text of a pair it is. */
const encodeText = (
  tokenizer: Tokenizer,
  given: string,
  typeId: 0 | 1,
  wordId: number | null,
  scope: Scope,
): Encoding => {
  const text = given.isWellFormed() ? given : given.toWellFormed()
  const parts = segments(tokenizer, text, scope.splitSpecial)
  const index = scope.inCharacters ? characterIndex(text) : null
  const ids: number[] = []
  const tokens: string[] = []
  const offsets: (readonly [number, number])[] = []
  const wordIds: number[] = []
  let piece = -1
  const put: Put = (source, start, word, again) => {
    if (!again) piece++
    for (let i = 0; i < word.ids.length; i++) {
      const from = startOf(source, start + (word.starts[i] as number))
      const to = endOf(source, start + (word.ends[i] as number))
      ids.push(word.ids[i] as number)
      tokens.push(word.tokens[i] as string)
      offsets.push(index === null ? [from, to] : [index[from] as number, index[to] as number])
      wordIds.push(wordId ?? piece)
    }
  }
  ;(scope.fromRight ? tokeniseFromRight : tokenise)(tokenizer, parts, scope.limit, put)
  const n = ids.length
  return {
    ids,
    tokens,
    offsets,
    typeIds: new Array<number>(n).fill(typeId),
    attentionMask: new Array<number>(n).fill(1),
    specialTokensMask: new Array<number>(n).fill(0),
    wordIds,
    sequenceIds: new Array<number>(n).fill(typeId),
    overflowing: [],
  }
}

const encodeInput = (tokenizer: Tokenizer, input: Input, typeId: 0 | 1, scope: Scope): Encoding =>
  typeof input === 'string'
    ? encodeText(tokenizer, input, typeId, null, scope)
    : mergeEncodings(input.map((word, i) => encodeText(tokenizer, word, typeId, i, scope)))

const finish = (
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

/** What post-processors put around the ids of a text, which are at the mark. */
const frames = new WeakMap<PostProcessor, readonly number[]>()
const mark = -1

/** Ids with special tokens. */
const framed = (postProcessor: PostProcessor, ids: readonly number[]): readonly number[] => {
  const frame = frames.get(postProcessor) ?? mergeEncodings(postProcessor.process([bare([mark])], true)).ids
  frames.set(postProcessor, frame)
  return frame.flatMap((id) => (id === mark ? ids : id))
}

/** An encoding of which only the ids matter. */
const bare = (ids: readonly number[]): Encoding => ({
  ids,
  tokens: [],
  offsets: [],
  typeIds: [],
  attentionMask: [],
  specialTokensMask: [],
  wordIds: [],
  sequenceIds: [],
  overflowing: [],
})
