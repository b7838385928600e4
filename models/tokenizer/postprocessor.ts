/**
 * Post-processors: from the encodings of one or two texts to the parts of the result, special tokens included.
 * Names, options and results are those of Hugging Face tokenizers.
 */
import { either as E } from 'fp-ts'
import * as t from 'io-ts'
import { byteLevelConfig } from './pretokenizer/bytelevel.ts'
import type { ByteLevelConfig } from './pretokenizer/bytelevel.ts'
import { isRecord } from '../record.ts'
import { component, each, join, made, otherwise, refuse, simply, text, tokenId } from './codec.ts'
import type { Read, Reader } from './codec.ts'
import { specialEncoding } from './encoding.ts'
import type { Encoding } from './encoding.ts'
import { isWhitespace } from './unicode.ts'

export interface PostProcessor {
  /** Special tokens that are added to one text or to a pair. */
  readonly added: (pair: boolean) => number
  /** `special` says whether special tokens are wanted. */
  readonly process: (encodings: readonly Encoding[], special: boolean) => readonly Encoding[]
}

const withTypes = (encoding: Encoding, typeId: number): Encoding => ({
  ...encoding,
  typeIds: encoding.ids.map(() => typeId),
})

const withOverflow = (encoding: Encoding, change: (one: Encoding) => Encoding): Encoding => ({
  ...change(encoding),
  overflowing: encoding.overflowing.map(change),
})

const byteSpace = '\u0120'

const isBlank = (letter: string): boolean => letter === byteSpace || isWhitespace(letter)

/** Takes white space out of the offsets of byte-level tokens. */
const trimOffsets =
  (prefixed: boolean) =>
  (encoding: Encoding): Encoding => ({
    ...encoding,
    offsets: encoding.offsets.map(([start, end], i) => {
      const letters = [...(encoding.tokens[i] ?? '')]
      const spaces = letters.findIndex((letter) => !isBlank(letter))
      let leading = spaces < 0 ? letters.length : spaces
      const trailing = spaces < 0 ? letters.length : letters.reverse().findIndex((letter) => !isBlank(letter))
      if (leading === 0 && trailing === 0) return [start, end] as const
      // a single space at the beginning may be the one that the pre-tokenizer put there
      if (prefixed && leading === 1 && (i === 0 || start === 0)) leading = 0
      const from = Math.min(start + leading, end)
      return [from, trailing > 0 && end >= trailing ? Math.max(end - trailing, from) : end] as const
    }),
  })

const byteLevel = (config: ByteLevelConfig): PostProcessor => ({
  added: () => 0,
  process: (encodings) =>
    config.trim_offsets
      ? encodings.map((encoding) => withOverflow(encoding, trimOffsets(config.add_prefix_space)))
      : encodings,
})

const named = t.tuple([text, tokenId])
const bertConfig = t.type({ sep: named, cls: named })

type Named = readonly [string, number]

const surround = (
  encoding: Encoding,
  before: Named | null,
  after: Named,
  typeId: number,
): readonly Encoding[] => [
  ...(before === null ? [] : [specialEncoding([before[1]], [before[0]], typeId)]),
  encoding,
  specialEncoding([after[1]], [after[0]], typeId),
]

/** [CLS] A [SEP] B [SEP]. */
const bert = ({ sep, cls }: t.TypeOf<typeof bertConfig>): PostProcessor => ({
  added: (pair) => (pair ? 3 : 2),
  process: (encodings, special) =>
    special
      ? encodings.flatMap((encoding, i) => surround(encoding, i === 0 ? cls : null, sep, i === 0 ? 0 : 1))
      : encodings,
})

const robertaConfig = t.type({
  sep: named,
  cls: named,
  trim_offsets: otherwise(t.boolean, true),
  add_prefix_space: otherwise(t.boolean, true),
})

/** <s> A </s></s> B </s>, all of type 0. */
const roberta = ({ sep, cls, ...config }: t.TypeOf<typeof robertaConfig>): PostProcessor => ({
  added: (pair) => (pair ? 4 : 2),
  process: (encodings, special) => {
    const trim = config.trim_offsets ? trimOffsets(config.add_prefix_space) : (one: Encoding) => one
    // the overflow is given type 0 only where special tokens are wanted, as the reference does
    const typed = encodings.map((encoding) => {
      const trimmed = withOverflow(encoding, trim)
      return special
        ? withOverflow(trimmed, (one) => withTypes(one, 0))
        : { ...withTypes(trimmed, 0), overflowing: trimmed.overflowing }
    })
    return special ? typed.flatMap((encoding, i) => surround(encoding, i === 0 ? cls : sep, sep, 0)) : typed
  },
})

type Piece = { readonly sequence: 0 | 1; readonly typeId: number } | { readonly special: Encoding }

interface Special {
  readonly ids: readonly number[]
  readonly tokens: readonly string[]
}

const specialCodec = t.type({ ids: t.array(tokenId), tokens: t.array(text) })
const sequenceCodec = t.type({ Sequence: t.type({ id: t.keyof({ A: null, B: null }), type_id: tokenId }) })
const tokenCodec = t.type({ SpecialToken: t.type({ id: text, type_id: tokenId }) })

const specials: Reader<ReadonlyMap<string, Special>> = (json, path) => {
  if (!isRecord(json)) return refuse(path, 'expected a record of special tokens')
  const map = new Map<string, Special>()
  for (const [name, value] of Object.entries(json)) {
    if (!specialCodec.is(value) || value.ids.length !== value.tokens.length)
      return refuse(join(path, name), 'expected "ids" and "tokens" of one length')
    map.set(name, value)
  }
  return E.right(map)
}

const piece =
  (known: ReadonlyMap<string, Special>): Reader<Piece> =>
  (json, path) => {
    if (sequenceCodec.is(json))
      return E.right({ sequence: json.Sequence.id === 'A' ? 0 : 1, typeId: json.Sequence.type_id })
    if (!tokenCodec.is(json))
      return refuse(path, 'expected {"Sequence": {"id", "type_id"}} or {"SpecialToken": {"id", "type_id"}}')
    const special = known.get(json.SpecialToken.id)
    return special === undefined
      ? refuse(path, `the special token ${JSON.stringify(json.SpecialToken.id)} is not among special_tokens`)
      : E.right({ special: specialEncoding(special.ids, special.tokens, json.SpecialToken.type_id) })
  }

const template = (single: readonly Piece[], pair: readonly Piece[]): PostProcessor => {
  const count = (pieces: readonly Piece[]): number =>
    pieces.reduce((sum, one) => sum + ('special' in one ? one.special.ids.length : 0), 0)
  const added = { single: count(single), pair: count(pair) }
  return {
    added: (isPair) => (isPair ? added.pair : added.single),
    process: (encodings, special) =>
      (encodings.length === 1 ? single : pair).flatMap((one, i, pieces) => {
        if ('special' in one) return special ? [one.special] : []
        const encoding = encodings[one.sequence]
        if (encoding === undefined) return []
        const typed = withTypes(encoding, one.typeId)
        // Of a text that stands there twice, the reference knows the last place alone.
        const again = pieces
          .slice(i + 1)
          .some((later) => 'sequence' in later && later.sequence === one.sequence)
        return [again ? { ...typed, sequenceIds: typed.sequenceIds.map(() => null) } : typed]
      }),
  }
}

const templateProcessing: Reader<PostProcessor> = made(
  t.type({ single: t.unknown, pair: t.unknown, special_tokens: t.unknown }),
  (config, path): Read<PostProcessor> => {
    const known = specials(config.special_tokens, join(path, 'special_tokens'))
    if (E.isLeft(known)) return known
    const pieces = each(piece(known.right))
    const single = pieces(config.single, join(path, 'single'))
    const pair = pieces(config.pair, join(path, 'pair'))
    if (E.isLeft(single)) return single
    if (E.isLeft(pair)) return pair
    if (single.right.some((one) => 'sequence' in one && one.sequence === 1))
      return refuse(join(path, 'single'), 'names sequence B, which a single text has not')
    return E.right(template(single.right, pair.right))
  },
)

/** One after another. */
const sequence = (steps: readonly PostProcessor[]): PostProcessor => ({
  added: (pair) => steps.reduce((sum, step) => sum + step.added(pair), 0),
  process: (encodings, special) => steps.reduce((result, step) => step.process(result, special), encodings),
})

const kinds: Readonly<Record<string, Reader<PostProcessor>>> = {
  ByteLevel: simply(byteLevelConfig, byteLevel),
  BertProcessing: simply(bertConfig, bert),
  RobertaProcessing: simply(robertaConfig, roberta),
  TemplateProcessing: templateProcessing,
  Sequence: made(t.type({ processors: t.unknown }), (config, path) =>
    E.map(sequence)(each(postProcessor)(config.processors, join(path, 'processors'))),
  ),
}

/** Reads a post-processor. */
export const postProcessor: Reader<PostProcessor> = component('post-processor', () => kinds)
