/**
 * Pre-tokenizers: from a normalised text to the pieces (words, as a rule) that the model then breaks into tokens,
 * each on its own. Names, options and results are those of Hugging Face tokenizers.
 */
import { either as E } from 'fp-ts'
import * as t from 'io-ts'
import { draft, endOf, prepend, relabel, slice, startOf, width } from './aligned.ts'
import type { Aligned } from './aligned.ts'
import { byteText } from './byte.ts'
import { character, component, count, each, join, made, otherwise, simply } from './codec.ts'
import type { Reader } from './codec.ts'
import { pattern } from './pattern.ts'
import type { Pattern } from './pattern.ts'
import { finder } from './regex.ts'
import { scriptOf } from './script.ts'
import { isNumeric, isPunctuation, isWhitespace } from './unicode.ts'

/** A text and where its pieces begin and end: [start, end, start, end, …], in units, in order, none of them empty. */
export interface Pieces {
  readonly source: Aligned
  readonly cuts: readonly number[]
}

export type PreTokenizer = (pieces: Pieces) => Pieces

/** The whole text as one piece. */
export const whole = (source: Aligned): Pieces => ({
  source,
  cuts: source.text === '' ? [] : [0, source.text.length],
})

/** What becomes of a delimiter: left out, a piece of its own, or joined to a neighbour or to its like. */
type Behavior = 'Removed' | 'Isolated' | 'MergedWithPrevious' | 'MergedWithNext' | 'Contiguous'

/** Calls `part(start, end, isDelimiter)` for consecutive parts that cover the text. */
type Divider = (text: string, part: (start: number, end: number, delimiter: boolean) => void) => void

const byPattern =
  (find: Pattern['find'], invert: boolean): Divider =>
  (text, part) => {
    let at = 0
    find(text, (start, end) => {
      if (at !== start) part(at, start, invert)
      part(start, end, !invert)
      at = end
    })
    if (at !== text.length) part(at, text.length, invert)
  }

const byCharacter =
  (isDelimiter: (letter: string) => boolean): Divider =>
  (text, part) => {
    let at = 0
    for (let i = 0; i < text.length;) {
      const next = i + width(text, i)
      if (isDelimiter(next - i === 1 ? (text[i] as string) : text.slice(i, next))) {
        if (at < i) part(at, i, false)
        part(i, next, true)
        at = next
      }
      i = next
    }
    if (at < text.length) part(at, text.length, false)
  }

const arrange = (text: string, divide: Divider, behavior: Behavior, base: number, cuts: number[]): void => {
  const put = (start: number, end: number): void => {
    if (end > start) cuts.push(base + start, base + end)
  }
  if (behavior === 'Isolated') return divide(text, put)
  if (behavior === 'Removed')
    return divide(text, (start, end, delimiter) => {
      if (!delimiter) put(start, end)
    })
  const parts: { start: number; end: number; delimiter: boolean }[] = []
  divide(text, (start, end, delimiter) => parts.push({ start, end, delimiter }))
  const joined: { start: number; end: number }[] = []
  let before = false
  if (behavior === 'MergedWithNext') {
    for (const { start, end, delimiter } of parts.reverse()) {
      const next = joined[joined.length - 1]
      if (delimiter && !before && next !== undefined) next.start = start
      else joined.push({ start, end })
      before = delimiter
    }
    joined.reverse()
  } else
    for (const { start, end, delimiter } of parts) {
      const previous = joined[joined.length - 1]
      const joins = behavior === 'Contiguous' ? delimiter === before : delimiter && !before
      if (joins && previous !== undefined) previous.end = end
      else joined.push({ start, end })
      before = delimiter
    }
  for (const { start, end } of joined) put(start, end)
}

const split =
  (divide: Divider, behavior: Behavior): PreTokenizer =>
  ({ source, cuts }) => {
    const out: number[] = []
    for (let i = 0; i < cuts.length; i += 2) {
      const start = cuts[i] as number
      const end = cuts[i + 1] as number
      // each piece is a text of its own: what looks ahead must not see the next one
      const text = start === 0 && end === source.text.length ? source.text : source.text.slice(start, end)
      arrange(text, divide, behavior, start, out)
    }
    return { source, cuts: out }
  }

/** Changes each piece on its own and puts them together again. */
const mapPieces = ({ source, cuts }: Pieces, change: (piece: Aligned) => Aligned): Pieces => {
  if (cuts.length === 2 && cuts[0] === 0 && cuts[1] === source.text.length) return whole(change(source))
  let text = ''
  const starts: number[] = []
  const ends: number[] = []
  const out: number[] = []
  for (let i = 0; i < cuts.length; i += 2) {
    const piece = change(slice(source, cuts[i] as number, cuts[i + 1] as number))
    if (piece.text !== '') out.push(text.length, text.length + piece.text.length)
    text += piece.text
    for (let at = 0; at < piece.text.length; at++) {
      starts.push(startOf(piece, at))
      ends.push(endOf(piece, at + 1))
    }
  }
  return {
    source: {
      text,
      origin: source.origin,
      lead: 0,
      first: 0,
      starts: Int32Array.from(starts),
      ends: Int32Array.from(ends),
    },
    cuts: out,
  }
}

// white space, punctuation or neither, by UTF-16 unit; 0 is not known yet
const kindOf = new Uint8Array(0x10000)
const [space, mark, other] = [1, 2, 3]

const classify = (letter: string): number =>
  isWhitespace(letter) ? space : isPunctuation(letter) ? mark : other

/** Words between white space, punctuation apart: `BertPreTokenizer`. */
const bert: PreTokenizer = ({ source, cuts }) => {
  const { text } = source
  const out: number[] = []
  for (let i = 0; i < cuts.length; i += 2) {
    const end = cuts[i + 1] as number
    let word = -1
    let at = cuts[i] as number
    while (at < end) {
      const unit = text.charCodeAt(at)
      let kind = kindOf[unit] as number
      let next = at + 1
      if (unit >= 0xd800 && unit <= 0xdbff && next < end) kind = classify(text.slice(at, ++next))
      else if (kind === 0) kind = kindOf[unit] = classify(text[at] as string)
      if (kind === other) {
        if (word < 0) word = at
      } else {
        if (word >= 0) out.push(word, at)
        word = -1
        if (kind === mark) out.push(at, next)
      }
      at = next
    }
    if (word >= 0) out.push(word, end)
  }
  return { source, cuts: out }
}

/** GPT-2's pattern (`encoder.py`), white space as Rust means it. */
const gpt2 = finder(
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\p{White_Space}\\p{L}\\p{N}]+|" +
    '\\p{White_Space}+(?!\\P{White_Space})|\\p{White_Space}+',
)

const splitGpt2 = split(byPattern(gpt2, false), 'Isolated')

const ascii = /^[\0-\x7f]*$/

const bytesOf: PreTokenizer = (pieces) => {
  // one unit stays one unit, so that the cuts stay too
  if (ascii.test(pieces.source.text)) return { source: byteText(pieces.source), cuts: pieces.cuts }
  const { source, cuts } = pieces
  const out = draft(source)
  const moved: number[] = []
  for (let i = 0; i < cuts.length; i += 2) {
    const start = cuts[i] as number
    const end = cuts[i + 1] as number
    out.drop(start - out.at())
    moved.push(out.length())
    for (let at = start; at < end;) {
      const next = at + width(source.text, at)
      const [first = '', ...more] = byteText({
        text: source.text.slice(at, next),
        origin: 0,
        lead: 0,
        first: 0,
        starts: null,
        ends: null,
      }).text
      out.replace(first)
      for (const extra of more) out.insert(extra)
      at = next
    }
    moved.push(out.length())
  }
  return { source: out.done(), cuts: moved }
}

export interface ByteLevelConfig {
  readonly add_prefix_space: boolean
  readonly trim_offsets: boolean
  readonly use_regex: boolean
}

export const byteLevelConfig: t.Decoder<unknown, ByteLevelConfig> = t.type({
  add_prefix_space: otherwise(t.boolean, true),
  trim_offsets: otherwise(t.boolean, true),
  use_regex: otherwise(t.boolean, true),
})

/** GPT-2's: words with the space before them, spelled in bytes. */
const byteLevel = (config: ByteLevelConfig): PreTokenizer => {
  const prefix = (piece: Aligned): Aligned => (piece.text.startsWith(' ') ? piece : prepend(piece, ' '))
  return (pieces) => {
    const prefixed = config.add_prefix_space ? mapPieces(pieces, prefix) : pieces
    return bytesOf(config.use_regex ? splitGpt2(prefixed) : prefixed)
  }
}

const scheme = t.keyof({ always: null, first: null, never: null })

/** The options of Metaspace, in the older spelling (`add_prefix_space`) too. */
export interface MetaspaceConfig {
  readonly replacement: string
  readonly add_prefix_space: boolean | null
  readonly prepend_scheme: 'always' | 'first' | 'never' | null
  readonly split: boolean
}

export const metaspaceConfig: t.Decoder<unknown, MetaspaceConfig> = t.type({
  replacement: character,
  add_prefix_space: otherwise(t.union([t.boolean, t.null]), null),
  prepend_scheme: otherwise(t.union([scheme, t.null]), null),
  split: otherwise(t.boolean, true),
})

export const schemeOf = (config: MetaspaceConfig): 'always' | 'first' | 'never' =>
  config.prepend_scheme ?? (config.add_prefix_space === false ? 'never' : 'always')

/** SentencePiece's: spaces become visible and stand before their word. */
const metaspace = (config: MetaspaceConfig): PreTokenizer => {
  const { replacement } = config
  const when = schemeOf(config)
  const change = (piece: Aligned): Aligned => {
    const shown = relabel(piece, piece.text.replaceAll(' ', replacement))
    const wanted = when === 'always' || (when === 'first' && startOf(piece, 0) === 0)
    return wanted && !shown.text.startsWith(replacement) ? prepend(shown, replacement) : shown
  }
  const words = split(
    byCharacter((letter) => letter === replacement),
    'MergedWithNext',
  )
  return (pieces) => {
    const shown = mapPieces(pieces, change)
    return config.split ? words(shown) : shown
  }
}

const fixedLength =
  (length: number): PreTokenizer =>
  ({ source, cuts }) => {
    const out: number[] = []
    for (let i = 0; i < cuts.length; i += 2) {
      const end = cuts[i + 1] as number
      for (let at = cuts[i] as number; at < end;) {
        const start = at
        for (let n = 0; n < length && at < end; n++) at += width(source.text, at)
        out.push(start, at)
      }
    }
    return { source, cuts: out }
  }

/** Cuts where the script changes; characters of no script of their own go with what is before them. */
const unicodeScripts: PreTokenizer = ({ source, cuts }) => {
  const out: number[] = []
  for (let i = 0; i < cuts.length; i += 2) {
    const end = cuts[i + 1] as number
    let start = -1
    let last: string | null = null
    for (let at = cuts[i] as number; at < end;) {
      const next = at + width(source.text, at)
      const script = scriptOf(source.text.slice(at, next))
      if (script !== 'Any') {
        if (last !== script) {
          if (start >= 0) out.push(start, at)
          start = at
        }
        last = script
      }
      at = next
    }
    if (start >= 0) out.push(start, end)
  }
  return { source, cuts: out }
}

const behavior = t.keyof({
  Removed: null,
  Isolated: null,
  MergedWithPrevious: null,
  MergedWithNext: null,
  Contiguous: null,
})

const kinds: Readonly<Record<string, Reader<PreTokenizer>>> = {
  BertPreTokenizer: () => E.right(bert),
  ByteLevel: simply(byteLevelConfig, byteLevel),
  Metaspace: simply(metaspaceConfig, metaspace),
  Whitespace: () =>
    E.right(
      split(
        byPattern(
          finder(
            '[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]+|' +
              '[^\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}\\p{White_Space}]+',
          ),
          true,
        ),
        'Removed',
      ),
    ),
  WhitespaceSplit: () => E.right(split(byCharacter(isWhitespace), 'Removed')),
  CharDelimiterSplit: simply(t.type({ delimiter: character }), ({ delimiter }) =>
    split(
      byCharacter((letter) => letter === delimiter),
      'Removed',
    ),
  ),
  Split: made(t.type({ pattern: t.unknown, behavior, invert: otherwise(t.boolean, false) }), (config, path) =>
    E.map((find: Pattern) => split(byPattern(find.find, config.invert), config.behavior))(
      pattern(config.pattern, join(path, 'pattern')),
    ),
  ),
  Punctuation: simply(t.type({ behavior: otherwise(behavior, 'Isolated') }), (config) =>
    split(byCharacter(isPunctuation), config.behavior),
  ),
  Digits: simply(t.type({ individual_digits: otherwise(t.boolean, false) }), (config) =>
    split(byCharacter(isNumeric), config.individual_digits ? 'Isolated' : 'Contiguous'),
  ),
  UnicodeScripts: () => E.right(unicodeScripts),
  FixedLength: simply(t.type({ length: otherwise(count, 5) }), (config) =>
    fixedLength(Math.max(1, config.length)),
  ),
  Sequence: made(t.type({ pretokenizers: t.unknown }), (config, path) =>
    E.map(
      (steps: readonly PreTokenizer[]): PreTokenizer =>
        (pieces) =>
          steps.reduce((result, step) => step(result), pieces),
    )(each(preTokenizer)(config.pretokenizers, join(path, 'pretokenizers'))),
  ),
}

/** Reads a pre-tokenizer. */
export const preTokenizer: Reader<PreTokenizer> = component('pre-tokenizer', () => kinds)
