/** Checks a tokenizer against every case of its folder, exactly. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { either as E } from 'fp-ts'
import {
  decode,
  encode,
  encodeBatch,
  normalize,
  preTokenize,
  tokenizerFromJson,
  vocabularySize,
} from '../../models/index.ts'
import type { EncodeOptions, Encoding, Padding, Tokenizer, Truncation } from '../../models/index.ts'
import type { Check } from './check.ts'
import { holds } from './check.ts'

interface Row {
  readonly ids: readonly number[]
  readonly tokens: readonly string[]
  readonly offsets: readonly (readonly [number, number])[]
  readonly special_tokens_mask: readonly number[]
  readonly attention_mask: readonly number[]
  readonly type_ids: readonly number[]
  readonly word_ids: readonly (number | null)[]
  readonly sequence_ids?: readonly (number | null)[]
  readonly overflowing?: readonly Row[]
  readonly error?: string
}

interface Cut {
  readonly truncation?: {
    readonly max_length: number
    readonly stride?: number
    readonly strategy?: 'longest_first' | 'only_first' | 'only_second'
    readonly direction?: 'left' | 'right'
  } | null
  readonly padding?: {
    readonly direction?: 'left' | 'right'
    readonly length?: number | null
    readonly pad_id?: number
    readonly pad_type_id?: number
    readonly pad_token?: string
    readonly pad_to_multiple_of?: number | null
  } | null
}

interface Cases {
  readonly cases?: readonly (Row & {
    readonly text: string
    readonly ids_without_special: readonly number[]
    readonly decoded: string
    readonly decoded_with_special: string
    readonly normalized?: string
    readonly pre_tokens?: readonly (readonly [string, readonly [number, number]])[] | null
  })[]
  readonly pairs?: readonly (Row & Cut & { readonly a: string; readonly b: string })[]
  readonly truncated_singles?: readonly (Row & Cut & { readonly text: string })[]
  readonly pretokenized?: readonly (Row & { readonly words: readonly string[] })[]
  readonly batches?: readonly (Cut & {
    readonly texts: readonly string[]
    readonly ids: readonly (readonly number[])[]
    readonly attention_mask: readonly (readonly number[])[]
  })[]
  readonly decode_ids?: readonly {
    readonly ids: readonly number[]
    readonly decoded?: string
    readonly decoded_with_special?: string
  }[]
}

/** What a case says; the file's own settings where it says nothing. */
const cutOf = (one: Cut): EncodeOptions => ({
  ...(one.truncation === undefined ? {} : { truncation: truncationOf(one.truncation) }),
  ...(one.padding === undefined ? {} : { padding: paddingOf(one.padding) }),
})

const truncationOf = (truncation: Cut['truncation']): Truncation | null =>
  truncation === undefined || truncation === null
    ? null
    : {
        maxLength: truncation.max_length,
        stride: truncation.stride ?? 0,
        strategy: truncation.strategy ?? 'longest_first',
        direction: truncation.direction ?? 'right',
      }

const paddingOf = (padding: Cut['padding']): Padding | null =>
  padding === undefined || padding === null
    ? null
    : {
        ...(padding.length === undefined || padding.length === null ? {} : { length: padding.length }),
        ...(padding.pad_to_multiple_of === undefined || padding.pad_to_multiple_of === null
          ? {}
          : { multipleOf: padding.pad_to_multiple_of }),
        direction: padding.direction ?? 'right',
        id: padding.pad_id ?? 0,
        typeId: padding.pad_type_id ?? 0,
        token: padding.pad_token ?? '[PAD]',
      }

/** Fields of an encoding that differ from a case's. */
const differences = (own: Encoding, wanted: Row): readonly string[] => {
  const pairs: readonly (readonly [string, unknown, unknown])[] = [
    ['ids', own.ids, wanted.ids],
    ['tokens', own.tokens, wanted.tokens],
    ['offsets', own.offsets, wanted.offsets],
    ['special_tokens_mask', own.specialTokensMask, wanted.special_tokens_mask],
    ['attention_mask', own.attentionMask, wanted.attention_mask],
    ['type_ids', own.typeIds, wanted.type_ids],
    ['word_ids', own.wordIds, wanted.word_ids],
    ['sequence_ids', own.sequenceIds, wanted.sequence_ids],
  ]
  return pairs.flatMap(([name, a, b]) =>
    b === undefined || JSON.stringify(a) === JSON.stringify(b) ? [] : [name],
  )
}

/** What was cut off, as many parts as there should be. */
const overflow = (own: Encoding, { overflowing }: Row): readonly string[] => {
  if (overflowing === undefined) return []
  if (own.overflowing.length !== overflowing.length)
    return [`${own.overflowing.length} overflows, expected ${overflowing.length}`]
  return overflowing.flatMap((wanted, i) =>
    differences(own.overflowing[i] as Encoding, wanted).map((field) => `overflow ${i}: ${field}`),
  )
}

/** Units before each character of a text, and the other way round. */
const charactersBefore = (text: string, unit: number): number => [...text.slice(0, unit)].length

/** The normaliser's and the pre-tokeniser's own results, where a case has them. */
const steps = (tokenizer: Tokenizer, one: NonNullable<Cases['cases']>[number]): readonly string[] => {
  const normalized = normalize(tokenizer, one.text)
  const pieces = preTokenize(tokenizer, normalized)
  const own =
    pieces === null
      ? null
      : pieces.map(([piece, from, to]) => [
          piece,
          [charactersBefore(normalized, from), charactersBefore(normalized, to)],
        ])
  return [
    ...(one.normalized === undefined || one.normalized === normalized ? [] : ['normalized']),
    ...(one.pre_tokens === undefined || JSON.stringify(own) === JSON.stringify(one.pre_tokens)
      ? []
      : ['pre_tokens']),
  ]
}

const named = (what: string, found: readonly string[]): readonly string[] =>
  found.length === 0 ? [] : [`${JSON.stringify(what.slice(0, 40))}: ${found.join(', ')}`]

export const checkTokenizer = (folder: string): readonly Check[] => {
  const read = (name: string): unknown => JSON.parse(readFileSync(join(folder, name), 'utf8'))
  const loaded = tokenizerFromJson(read('tokenizer.json'))
  if (E.isLeft(loaded)) return [holds('tokenizer', 0, loaded.left)]
  const tokenizer = loaded.right
  const all = read('cases.json') as Cases
  const { cases = [], pairs = [], truncated_singles: cut = [], pretokenized: words = [], batches = [] } = all
  const { decode_ids: decoded = [] } = all
  const texts = cases.flatMap((one) => {
    const own = encode(tokenizer, one.text)
    if (E.isLeft(own)) return named(one.text, [own.left])
    const plain = encode(tokenizer, one.text, { addSpecialTokens: false })
    return named(one.text, [
      ...differences(own.right, one),
      ...steps(tokenizer, one),
      ...(E.isRight(plain) && plain.right.ids.join() === one.ids_without_special.join()
        ? []
        : ['without special']),
      ...(decode(tokenizer, one.ids, { skipSpecialTokens: true }) === one.decoded ? [] : ['decoded']),
      ...(decode(tokenizer, one.ids) === one.decoded_with_special ? [] : ['decoded with special']),
    ])
  })
  const doubles = pairs.flatMap((one) => {
    const own = encode(tokenizer, one.a, cutOf(one), one.b)
    if (one.error !== undefined) return E.isLeft(own) ? [] : named(one.a, ['should have been refused'])
    if (E.isLeft(own)) return named(one.a, [own.left])
    return named(one.a, [...differences(own.right, one), ...overflow(own.right, one)])
  })
  const short = cut.flatMap((one) => {
    const own = encode(tokenizer, one.text, cutOf(one))
    if (one.error !== undefined) return E.isLeft(own) ? [] : named(one.text, ['should have been refused'])
    return named(
      one.text,
      E.isLeft(own) ? [own.left] : [...differences(own.right, one), ...overflow(own.right, one)],
    )
  })
  const split = words.flatMap((one) => {
    const own = encode(tokenizer, one.words)
    return named(one.words.join(' '), E.isLeft(own) ? [own.left] : differences(own.right, one))
  })
  const together = batches.flatMap((one) => {
    const own = encodeBatch(tokenizer, one.texts, cutOf(one))
    if (E.isLeft(own)) return named(one.texts.join(' '), [own.left])
    const same =
      JSON.stringify(own.right.map(({ ids, attentionMask }) => [ids, attentionMask])) ===
      JSON.stringify(one.ids.map((ids, i) => [ids, one.attention_mask[i]]))
    return named(one.texts.join(' '), same ? [] : ['ids or attention_mask'])
  })
  const back = decoded.flatMap((one) =>
    named(one.ids.join(' '), [
      ...(one.decoded === undefined || decode(tokenizer, one.ids, { skipSpecialTokens: true }) === one.decoded
        ? []
        : ['decoded']),
      ...(one.decoded_with_special === undefined || decode(tokenizer, one.ids) === one.decoded_with_special
        ? []
        : ['decoded with special']),
    ]),
  )
  const known = ['cases', 'pairs', 'truncated_singles', 'pretokenized', 'batches', 'decode_ids']
  const describing = ['kind', 'tokenizers_version', 'transformers_version', 'offsets', 'notes', 'title']
  const size = (all as { readonly vocab_size?: number }).vocab_size
  const strange = Object.keys(all).filter((name) => ![...known, ...describing, 'vocab_size'].includes(name))
  const counts = [cases, pairs, cut, words, batches, decoded].map(({ length }) => length)
  return [
    ...(counts.every((n) => n === 0) ? [holds('cases', 0, ['there is nothing to compare'])] : []),
    ...(strange.length === 0 ? [] : [holds('entries not read', strange.length, strange)]),
    ...(size === undefined
      ? []
      : [
          holds(
            'vocabulary',
            1,
            vocabularySize(tokenizer) === size ? [] : [`${vocabularySize(tokenizer)}, expected ${size}`],
          ),
        ]),
    holds('texts', cases.length, texts),
    holds('pairs', pairs.length, doubles),
    holds('cut texts', cut.length, short),
    holds('words', words.length, split),
    holds('batches', batches.length, together),
    holds('decoding', decoded.length, back),
  ].filter(({ count, passed }) => count > 0 || !passed)
}
