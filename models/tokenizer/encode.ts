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

/** One piece of the text, or an added token, and what became of it. */
interface Found {
  readonly source: Aligned
  readonly start: number
  readonly word: Word
}

const found = (tokenizer: Tokenizer, segment: Segment, i: number): Found => {
  const { source } = segment
  if ('token' in segment) {
    const { token } = segment
    return {
      source,
      start: 0,
      word: { ids: [token.id], tokens: [source.text], starts: [0], ends: [source.text.length] },
    }
  }
  const start = segment.cuts[2 * i] as number
  const end = segment.cuts[2 * i + 1] as number
  return { source, start, word: tokenizer.model.tokenize(source.text.slice(start, end)) }
}

/**
 * The pieces of a text, tokenised. With a limit only as many as it takes to reach it, from the side that is kept, as
 * the reference does: overflow is then counted from there, and so are words.
 */
const tokenised = (
  tokenizer: Tokenizer,
  parts: readonly Segment[],
  limit: number,
  fromRight: boolean,
): readonly Found[] => {
  const out: Found[] = []
  let tokens = 0
  const order = fromRight ? [...parts].reverse() : parts
  for (const segment of order) {
    const n = 'token' in segment ? 1 : segment.cuts.length / 2
    for (let k = 0; k < n; k++) {
      const one = found(tokenizer, segment, fromRight ? n - 1 - k : k)
      out.push(one)
      tokens += one.word.ids.length
      if (tokens >= limit && !('token' in segment)) return fromRight ? out.reverse() : out
    }
  }
  return fromRight ? out.reverse() : out
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
  const words = tokenised(tokenizer, parts, scope.limit, scope.fromRight)
  for (let w = 0; w < words.length; w++) {
    const { source, start, word } = words[w] as Found
    for (let i = 0; i < word.ids.length; i++) {
      const from = startOf(source, start + (word.starts[i] as number))
      const to = endOf(source, start + (word.ends[i] as number))
      ids.push(word.ids[i] as number)
      tokens.push(word.tokens[i] as string)
      offsets.push(index === null ? [from, to] : [index[from] as number, index[to] as number])
      wordIds.push(wordId ?? w)
    }
  }
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
  const ids: number[] = []
  for (const segment of segments(tokenizer, text, options.splitSpecialTokens ?? false)) {
    if ('token' in segment) {
      ids.push(segment.token.id)
      continue
    }
    const { source, cuts } = segment
    for (let i = 0; i < cuts.length; i += 2) {
      const word = tokenizer.model.tokenize(source.text.slice(cuts[i], cuts[i + 1]))
      for (let k = 0; k < word.ids.length; k++) ids.push(word.ids[k] as number)
    }
  }
  if (tokenizer.postProcessor === null || options.addSpecialTokens === false) return ids
  return mergeEncodings(tokenizer.postProcessor.process([bare(ids)], true)).ids
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
