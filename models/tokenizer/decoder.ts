/**
 * Decoders: from tokens back to text. Names, options and results are those of Hugging Face tokenizers.
 */
import { either as E } from 'fp-ts'
import * as t from 'io-ts'
import { fromByteText } from './byte.ts'
import { character, component, count, each, join, made, otherwise, simply, text } from './codec.ts'
import type { Reader } from './codec.ts'
import { pattern } from './pattern.ts'
import type { Pattern } from './pattern.ts'
import { metaspaceConfig, schemeOf } from './pretokenizer/metaspace.ts'
import type { MetaspaceConfig } from './pretokenizer/metaspace.ts'

/** From tokens to pieces of text, which are then joined. */
export type Decoder = (tokens: readonly string[]) => readonly string[]

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })
const strictUtf8 = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true })

const byteLevel: Decoder = (tokens) => {
  const parts = tokens.map(fromByteText)
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return [utf8.decode(bytes)]
}

const byteToken = /^<0x([0-9A-Fa-f]{2})>$/

/** Runs of `<0x…>` become the text they spell, or a replacement character for each where they spell none. */
const byteFallback: Decoder = (tokens) => {
  const out: string[] = []
  let run: number[] = []
  const flush = (): void => {
    if (run.length === 0) return
    try {
      out.push(strictUtf8.decode(Uint8Array.from(run)))
    } catch {
      for (const _ of run) out.push('\ufffd')
    }
    run = []
  }
  for (const token of tokens) {
    const byte = byteToken.exec(token)
    if (byte === null) {
      flush()
      out.push(token)
    } else run.push(parseInt(byte[1] ?? '', 16))
  }
  flush()
  return out
}

const cleanups: readonly (readonly [string, string])[] = [
  [' .', '.'],
  [' ?', '?'],
  [' !', '!'],
  [' ,', ','],
  [" ' ", "'"],
  [" n't", "n't"],
  [" 'm", "'m"],
  [' do not', " don't"],
  [" 's", "'s"],
  [" 've", "'ve"],
  [" 're", "'re"],
]

/** Takes back the spaces that tokenisation put before punctuation and English contractions. */
const cleanUp = (token: string): string =>
  token.includes(' ') ? cleanups.reduce((result, [from, to]) => result.replaceAll(from, to), token) : token

const wordPiece =
  (config: { readonly prefix: string; readonly cleanup: boolean }): Decoder =>
  (tokens) =>
    tokens.map((token, i) => {
      const spaced =
        i === 0 ? token : token.startsWith(config.prefix) ? token.slice(config.prefix.length) : ` ${token}`
      return config.cleanup ? cleanUp(spaced) : spaced
    })

const metaspace = (config: MetaspaceConfig): Decoder => {
  const drop = schemeOf(config) !== 'never'
  return (tokens) =>
    tokens.map((token, i) => token.replaceAll(config.replacement, i === 0 && drop ? '' : ' '))
}

/** Connectionist temporal classification: repeated tokens count once. */
const ctc =
  (config: {
    readonly pad_token: string
    readonly word_delimiter_token: string
    readonly cleanup: boolean
  }): Decoder =>
  (tokens) =>
    tokens
      .filter((token, i) => i === 0 || token !== tokens[i - 1])
      .map((token) => {
        const bare = token.replaceAll(config.pad_token, '')
        return config.cleanup ? cleanUp(bare).replaceAll(config.word_delimiter_token, ' ') : bare
      })
      .filter((token) => token !== '')

const bpe =
  ({ suffix }: { readonly suffix: string }): Decoder =>
  (tokens) =>
    tokens.map((token, i) => token.replaceAll(suffix, i === tokens.length - 1 ? '' : ' '))

const strip =
  ({
    content,
    start,
    stop,
  }: {
    readonly content: string
    readonly start: number
    readonly stop: number
  }): Decoder =>
  (tokens) =>
    tokens.map((token) => {
      const letters = [...token]
      let from = 0
      while (from < start && letters[from] === content) from++
      let to = letters.length
      while (to > from && letters.length - to < stop && letters[to - 1] === content) to--
      return letters.slice(from, to).join('')
    })

const replace =
  (find: Pattern, content: string): Decoder =>
  (tokens) =>
    tokens.map((token) => {
      if (find.literal !== null && find.literal !== '') return token.replaceAll(find.literal, () => content)
      let out = ''
      let at = 0
      find.find(token, (start, end) => {
        out += token.slice(at, start) + content
        at = end
      })
      return out + token.slice(at)
    })

const kinds: Readonly<Record<string, Reader<Decoder>>> = {
  ByteLevel: () => E.right(byteLevel),
  ByteFallback: () => E.right(byteFallback),
  WordPiece: simply(
    t.type({ prefix: otherwise(text, '##'), cleanup: otherwise(t.boolean, true) }),
    wordPiece,
  ),
  Metaspace: simply(metaspaceConfig, metaspace),
  CTC: simply(
    t.type({
      pad_token: otherwise(text, '<pad>'),
      word_delimiter_token: otherwise(text, '|'),
      cleanup: otherwise(t.boolean, true),
    }),
    ctc,
  ),
  BPEDecoder: simply(t.type({ suffix: otherwise(text, '</w>') }), bpe),
  Fuse: () => E.right((tokens) => [tokens.join('')]),
  Strip: simply(t.type({ content: character, start: count, stop: count }), strip),
  Replace: made(t.type({ pattern: t.unknown, content: text }), (config, path) =>
    E.map((find: Pattern) => replace(find, config.content))(pattern(config.pattern, join(path, 'pattern'))),
  ),
  Sequence: made(t.type({ decoders: t.unknown }), (config, path) =>
    E.map(
      (steps: readonly Decoder[]): Decoder =>
        (tokens) =>
          steps.reduce((result, step) => step(result), tokens),
    )(each(decoder)(config.decoders, join(path, 'decoders'))),
  ),
}

/** Reads a decoder. */
export const decoder: Reader<Decoder> = component('decoder', () => kinds)
