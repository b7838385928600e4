/**
 * Normalizers: the first step of a tokenizer, text to text, with the places kept. Names, options and results are
 * those of Hugging Face tokenizers.
 */
import { either as E } from 'fp-ts'
import * as t from 'io-ts'
import { draft, filter, prepend, relabel, slice } from './aligned.ts'
import type { Aligned } from './aligned.ts'
import { byteText } from './byte.ts'
import { component, each, join, made, otherwise, simply, text } from './codec.ts'
import type { Reader } from './codec.ts'
import { normalForm } from './normalform.ts'
import { pattern } from './pattern.ts'
import type { Pattern } from './pattern.ts'
import { precompiled } from './precompiled.ts'
import {
  holdsMarks,
  holdsNonspacing,
  isCjk,
  isControl,
  isMark,
  isNonspacingMark,
  isWhitespace,
  lowerOf,
} from './unicode.ts'

/** A pure function from a text to a text. */
export type Normalizer = (source: Aligned) => Aligned

const plain = /^[\t\n\r\x20-\x7e]*$/

/** Lower case, character by character. */
export const lowercase: Normalizer = (source) => {
  // only the dotted capital I grows, and only the final sigma depends on what surrounds it
  if (!/[\u0130\u03a3]/.test(source.text)) return relabel(source, source.text.toLowerCase())
  const out = draft(source)
  for (const letter of source.text) {
    const [first = '', ...more] = lowerOf(letter)
    out.replace(first)
    for (const extra of more) out.insert(extra)
  }
  return out.done()
}

const dirt = /[\ufffd\p{Cf}\p{Co}]|(?![\t\n\r])\p{Cc}/u

const cleanText: Normalizer = (source) => {
  const cleaned = dirt.test(source.text)
    ? filter(source, (letter) => letter !== '\0' && letter !== '\ufffd' && !isControl(letter))
    : source
  return relabel(cleaned, cleaned.text.replace(/\p{White_Space}/gu, ' '))
}

const cjk = /[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\ud840-\ud87e]/

const spaceCjk: Normalizer = (source) => {
  if (!cjk.test(source.text)) return source
  const out = draft(source)
  for (const letter of source.text) {
    if (isCjk(letter)) {
      out.replace(' ')
      out.insert(letter)
      out.insert(' ')
    } else out.replace(letter)
  }
  return out.done()
}

const stripNonspacing: Normalizer = (source) =>
  holdsNonspacing(source.text) ? filter(source, (letter) => !isNonspacingMark(letter)) : source

interface BertConfig {
  readonly clean_text: boolean
  readonly handle_chinese_chars: boolean
  readonly strip_accents: boolean | null
  readonly lowercase: boolean
}

const bertConfig: t.Decoder<unknown, BertConfig> = t.type({
  clean_text: otherwise(t.boolean, true),
  handle_chinese_chars: otherwise(t.boolean, true),
  strip_accents: otherwise(t.union([t.boolean, t.null]), null),
  lowercase: otherwise(t.boolean, true),
})

/** BERT's: clean, space out CJK, strip accents (by default where lower case is asked for), lower case. */
export const bertNormalizer = (config: BertConfig): Normalizer => {
  const stripAccents = config.strip_accents ?? config.lowercase
  return (source) => {
    if (plain.test(source.text)) {
      const spaced = config.clean_text ? source.text.replace(/[\t\n\r]/g, ' ') : source.text
      return relabel(source, config.lowercase ? spaced.toLowerCase() : spaced)
    }
    let result = config.clean_text ? cleanText(source) : source
    if (config.handle_chinese_chars) result = spaceCjk(result)
    if (stripAccents) result = stripNonspacing(normalForm(result, 'NFD'))
    return config.lowercase ? lowercase(result) : result
  }
}

const strip =
  ({
    strip_left,
    strip_right,
  }: {
    readonly strip_left: boolean
    readonly strip_right: boolean
  }): Normalizer =>
  (source) => {
    const letters = [...source.text]
    let from = 0
    let to = letters.length
    while (strip_left && from < to && isWhitespace(letters[from] as string)) from++
    while (strip_right && to > from && isWhitespace(letters[to - 1] as string)) to--
    const units = (part: readonly string[]): number => part.reduce((n, letter) => n + letter.length, 0)
    const start = units(letters.slice(0, from))
    return slice(source, start, start + units(letters.slice(from, to)))
  }

const replace = (find: Pattern, content: string): Normalizer => {
  const swap =
    find.literal !== null &&
    find.literal.length === content.length &&
    [...find.literal].length === 1 &&
    [...content].length === 1
      ? find.literal
      : null
  return (source) => {
    if (swap !== null) return relabel(source, source.text.replaceAll(swap, content))
    if (source.text === '') return source
    let out: ReturnType<typeof draft> | null = null
    find.find(source.text, (start, end) => {
      out ??= draft(source)
      out.copy(start - out.at())
      out.drop(end - start)
      for (const letter of content) out.insert(letter)
    })
    const edited = out as ReturnType<typeof draft> | null
    if (edited === null) return source
    edited.copy(source.text.length - edited.at())
    return edited.done()
  }
}

const nmtRemoved = /[\x01-\x08\x0b\x0e-\x1f\x7f\x8f\x9f]/
const nmtSpaces = /[\t\n\f\r\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]/g

/** What the Neural Machine Translation project's normaliser does to control characters and odd spaces. */
const nmt: Normalizer = (source) => {
  const kept = nmtRemoved.test(source.text) ? filter(source, (letter) => !nmtRemoved.test(letter)) : source
  return relabel(kept, kept.text.replace(nmtSpaces, ' '))
}

const stripAccents: Normalizer = (source) =>
  holdsMarks(source.text) ? filter(source, (letter) => !isMark(letter)) : source

const sequence = (steps: readonly Normalizer[]): Normalizer => {
  const [first, second] = steps
  if (steps.length === 1 && first !== undefined) return first
  if (steps.length === 2 && first !== undefined && second !== undefined)
    return (source) => second(first(source))
  return (source) => steps.reduce((result, step) => step(result), source)
}

const kinds: Readonly<Record<string, Reader<Normalizer>>> = {
  BertNormalizer: simply(bertConfig, bertNormalizer),
  Strip: simply(t.type({ strip_left: t.boolean, strip_right: t.boolean }), strip),
  StripAccents: () => E.right(stripAccents),
  NFC: () => E.right((source) => normalForm(source, 'NFC')),
  NFD: () => E.right((source) => normalForm(source, 'NFD')),
  NFKC: () => E.right((source) => normalForm(source, 'NFKC')),
  NFKD: () => E.right((source) => normalForm(source, 'NFKD')),
  Lowercase: () => E.right(lowercase),
  Nmt: () => E.right(nmt),
  Precompiled: precompiled,
  Replace: made(t.type({ pattern: t.unknown, content: text }), (config, path) =>
    E.map((find: Pattern) => replace(find, config.content))(pattern(config.pattern, join(path, 'pattern'))),
  ),
  Prepend: simply(t.type({ prepend: text }), (config) => (source) => prepend(source, config.prepend)),
  ByteLevel: () => E.right(byteText),
  Sequence: made(t.type({ normalizers: t.unknown }), (config, path) =>
    E.map(sequence)(each(normalizer)(config.normalizers, join(path, 'normalizers'))),
  ),
}

/** Reads a normalizer. */
export const normalizer: Reader<Normalizer> = component('normalizer', () => kinds)
