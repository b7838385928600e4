/**
 * Tokenizers as values: the pipeline of a tokenizer.json (normalizer, pre-tokenizer, model, post-processor, decoder),
 * read once, and the functions that run it. The format and every result are those of Hugging Face tokenizers.
 */
import { isRecord } from '../record.ts'
import { either as E } from 'fp-ts'
import * as t from 'io-ts'
import { addedTokens, searchFor } from './added.ts'
import type { AddedToken, Search } from './added.ts'
import { aligned } from './aligned.ts'
import { count, nullable, otherwise, refuse, shallow, show, simply, text, tokenId } from './codec.ts'
import type { Read, Reader } from './codec.ts'
import { decoder } from './decoder.ts'
import type { Decoder } from './decoder.ts'
import type { Padding, Truncation } from './encoding.ts'
import { model } from './model.ts'
import { normalizer } from './normalizer.ts'
import type { Normalizer } from './normalizer.ts'
import { postProcessor } from './postprocessor.ts'
import type { PostProcessor } from './postprocessor.ts'
import { preTokenizer } from './pretokenizer/kind.ts'
import type { PreTokenizer } from './pretokenizer/piece.ts'
import type { Model } from './word.ts'

/** A part of a tokenizer.json: a record told from others by its `type`. */
export type ComponentJson = Readonly<Record<string, unknown>> & { readonly type: string }

/** The contents of a tokenizer.json. */
export interface TokenizerJson {
  readonly version: '1.0'
  readonly truncation: unknown
  readonly padding: unknown
  readonly added_tokens: readonly AddedToken[]
  readonly normalizer: ComponentJson | null
  readonly pre_tokenizer: ComponentJson | null
  readonly post_processor: ComponentJson | null
  readonly decoder: ComponentJson | null
  readonly model: ComponentJson
}

/** A tokenizer that is ready to encode and decode. Immutable; words met lately are remembered inside the model. */
export interface Tokenizer {
  readonly json: TokenizerJson
  readonly normalizer: Normalizer | null
  readonly preTokenizer: PreTokenizer | null
  readonly model: Model
  readonly postProcessor: PostProcessor | null
  readonly decoder: Decoder | null
  readonly added: Added
  /** The file's own settings, used where a call gives none. */
  readonly truncation: Truncation | null
  readonly padding: Padding | null
}

interface Added {
  readonly tokens: readonly AddedToken[]
  readonly byContent: ReadonlyMap<string, AddedToken>
  /** What a token reads as when decoding: its normalised form, where it is one to be normalised. */
  readonly written: ReadonlyMap<number, string>
  readonly inRaw: Search | null
  readonly inNormalized: Search | null
}

const added = (tokens: readonly AddedToken[], words: Model, normalize: Normalizer | null): Added => {
  const placed = tokens
    .filter(({ content }) => content !== '')
    .map((token) => ({ ...token, id: words.idOf(token.content) ?? token.id }))
  const form = (token: AddedToken): string =>
    token.normalized && normalize !== null ? normalize(aligned(token.content)).text : token.content
  return {
    tokens: placed,
    byContent: new Map(placed.map((token) => [token.content, token])),
    written: new Map(placed.map((token) => [token.id, form(token)])),
    inRaw: searchFor(placed.filter((token) => !token.normalized).map((token) => [token.content, token])),
    inNormalized: searchFor(placed.filter((token) => token.normalized).map((token) => [form(token), token])),
  }
}

const side = t.keyof({ Left: null, Right: null })

const truncation: Reader<Truncation> = simply(
  t.type({
    direction: otherwise(side, 'Right'),
    max_length: count,
    strategy: t.keyof({ LongestFirst: null, OnlyFirst: null, OnlySecond: null }),
    stride: count,
  }),
  (config) => ({
    maxLength: config.max_length,
    stride: config.stride,
    strategy: (
      { LongestFirst: 'longest_first', OnlyFirst: 'only_first', OnlySecond: 'only_second' } as const
    )[config.strategy],
    direction: config.direction === 'Left' ? 'left' : 'right',
  }),
)

const padding: Reader<Padding> = simply(
  t.type({
    strategy: t.union([t.literal('BatchLongest'), t.type({ Fixed: count })]),
    direction: side,
    pad_to_multiple_of: otherwise(t.union([count, t.null]), null),
    pad_id: tokenId,
    pad_type_id: tokenId,
    pad_token: text,
  }),
  (config) => ({
    ...(config.strategy === 'BatchLongest' ? {} : { length: config.strategy.Fixed }),
    ...(config.pad_to_multiple_of === null ? {} : { multipleOf: config.pad_to_multiple_of }),
    direction: config.direction === 'Left' ? 'left' : 'right',
    id: config.pad_id,
    typeId: config.pad_type_id,
    token: config.pad_token,
  }),
)

/** `reader`, on JSON that is not nested beyond reason. */
const shallowly =
  <A>(reader: Reader<A>): Reader<A> =>
  (json, path) =>
    E.flatMap(() => reader(json, path))(shallow(json, path))

/**
 * Reads the parsed contents of a tokenizer.json. Left: every complaint, as `path: expected …, got …`.
 *
 *     const tokenizer = tokenizerFromJson(JSON.parse(await readFile('tokenizer.json', 'utf8')))
 *
 * @example
 * ```ts
 * import { tokenizerFromJson } from 'pullback/models'
 * const wrong = tokenizerFromJson({ version: '1.0', model: { type: 'Cake' } })
 * console.log(wrong._tag) // => Left
 * ```
 */
export const tokenizerFromJson = (json: unknown): E.Either<readonly string[], Tokenizer> => {
  if (!isRecord(json)) return refuse('', `expected the contents of a tokenizer.json, got ${show(json)}`)
  if (json['version'] !== undefined && json['version'] !== '1.0')
    return refuse('version', `expected "1.0", got ${show(json['version'])}`)
  const parts = {
    truncation: shallowly(nullable(truncation))(json['truncation'], 'truncation'),
    padding: shallowly(nullable(padding))(json['padding'], 'padding'),
    added: addedTokens(json['added_tokens'], 'added_tokens'),
    normalizer: shallowly(nullable(normalizer))(json['normalizer'], 'normalizer'),
    preTokenizer: shallowly(nullable(preTokenizer))(json['pre_tokenizer'], 'pre_tokenizer'),
    postProcessor: shallowly(nullable(postProcessor))(json['post_processor'], 'post_processor'),
    decoder: shallowly(nullable(decoder))(json['decoder'], 'decoder'),
    model: model(legacy(json['model']), 'model'),
  }
  const complaints = Object.values(parts).flatMap((part: Read<unknown>) => (E.isLeft(part) ? part.left : []))
  const { normalizer: first, preTokenizer: second, model: third } = parts
  const { postProcessor: fourth, decoder: fifth } = parts
  if (
    E.isLeft(parts.truncation) ||
    E.isLeft(parts.padding) ||
    E.isLeft(parts.added) ||
    E.isLeft(first) ||
    E.isLeft(second) ||
    E.isLeft(third) ||
    E.isLeft(fourth) ||
    E.isLeft(fifth)
  )
    return E.left(complaints)
  return E.right({
    json: {
      version: '1.0',
      truncation: json['truncation'] ?? null,
      padding: json['padding'] ?? null,
      added_tokens: parts.added.right,
      normalizer: (json['normalizer'] ?? null) as ComponentJson | null,
      pre_tokenizer: (json['pre_tokenizer'] ?? null) as ComponentJson | null,
      post_processor: (json['post_processor'] ?? null) as ComponentJson | null,
      decoder: (json['decoder'] ?? null) as ComponentJson | null,
      model: legacy(json['model']) as ComponentJson,
    },
    normalizer: first.right,
    preTokenizer: second.right,
    model: third.right,
    postProcessor: fourth.right,
    decoder: fifth.right,
    added: added(parts.added.right, third.right, first.right),
    truncation: parts.truncation.right,
    padding: parts.padding.right,
  })
}

/** Older files do not say which model they hold; it shows in its fields. */
const legacy = (json: unknown): unknown => {
  if (!isRecord(json) || json['type'] !== undefined) return json
  const type =
    json['merges'] !== undefined
      ? 'BPE'
      : json['continuing_subword_prefix'] !== undefined
        ? 'WordPiece'
        : Array.isArray(json['vocab'])
          ? 'Unigram'
          : 'WordLevel'
  return { type, ...json }
}

/**
 * The contents of a tokenizer.json that gives this tokenizer.
 *
 * @example
 * ```ts
 * import { tokenizerFromJson, tokenizerToJson, trainWordPiece } from 'pullback/models'
 * const trained = trainWordPiece(['the cat sat on the mat', 'the cat and the dog sat'], { vocabSize: 60 })
 * if (trained._tag === 'Left') throw new Error(trained.left)
 * const read = tokenizerFromJson(trained.right)
 * if (read._tag === 'Left') throw new Error(read.left.join())
 * const tokenizer = read.right
 * console.log(tokenizerToJson(tokenizer).model.type) // => WordPiece
 * ```
 */
export const tokenizerToJson = (tokenizer: Tokenizer): TokenizerJson => tokenizer.json

/**
 * The id of a token, added ones included.
 *
 * @example
 * ```ts
 * import { tokenizerFromJson, tokenToId, trainWordPiece } from 'pullback/models'
 * const trained = trainWordPiece(['the cat sat on the mat', 'the cat and the dog sat'], { vocabSize: 60 })
 * if (trained._tag === 'Left') throw new Error(trained.left)
 * const read = tokenizerFromJson(trained.right)
 * if (read._tag === 'Left') throw new Error(read.left.join())
 * const tokenizer = read.right
 * console.log(tokenToId(tokenizer, '[MASK]'), tokenToId(tokenizer, 'unheard of')) // => 4 undefined
 * ```
 */
export const tokenToId = (tokenizer: Tokenizer, token: string): number | undefined =>
  tokenizer.added.byContent.get(token)?.id ?? tokenizer.model.idOf(token)

/**
 * The token of an id, added ones included.
 *
 * @example
 * ```ts
 * import { idToToken, tokenizerFromJson, trainWordPiece } from 'pullback/models'
 * const trained = trainWordPiece(['the cat sat on the mat', 'the cat and the dog sat'], { vocabSize: 60 })
 * if (trained._tag === 'Left') throw new Error(trained.left)
 * const read = tokenizerFromJson(trained.right)
 * if (read._tag === 'Left') throw new Error(read.left.join())
 * const tokenizer = read.right
 * console.log(idToToken(tokenizer, 4), idToToken(tokenizer, 1e6)) // => [MASK] undefined
 * ```
 */
export const idToToken = (tokenizer: Tokenizer, id: number): string | undefined =>
  tokenizer.added.written.get(id) ?? tokenizer.model.tokenOf(id)

/**
 * How many ids a model must know: one more than the greatest, so that gaps count too.
 *
 * @example
 * ```ts
 * import { tokenizerFromJson, trainWordPiece, vocabularySize } from 'pullback/models'
 * const trained = trainWordPiece(['the cat sat on the mat', 'the cat and the dog sat'], { vocabSize: 60 })
 * if (trained._tag === 'Left') throw new Error(trained.left)
 * const read = tokenizerFromJson(trained.right)
 * if (read._tag === 'Left') throw new Error(read.left.join())
 * const tokenizer = read.right
 * console.log(vocabularySize(tokenizer) <= 60) // => true
 * ```
 */
export const vocabularySize = (tokenizer: Tokenizer): number => {
  let size = 0
  for (const id of tokenizer.model.vocabulary.values()) size = Math.max(size, id + 1)
  for (const { id } of tokenizer.added.tokens) size = Math.max(size, id + 1)
  return size
}
