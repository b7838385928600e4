/**
 * SentencePiece's precompiled normaliser: a double-array trie from byte strings to places in a blob of replacements
 * (`sentencepiece/src/normalizer.cc`; Darts-clone's array layout). Applied as Hugging Face tokenizers apply it:
 * to whole grapheme clusters shorter than six bytes, else character by character, and the shortest match counts.
 */
import { either as E } from 'fp-ts'
import * as t from 'io-ts'
import { draft } from './aligned.ts'
import type { Aligned, Draft } from './aligned.ts'
import { join, made, refuse } from './codec.ts'
import type { Reader } from './codec.ts'

const encoder = new TextEncoder()

interface Charsmap {
  readonly trie: Uint32Array
  readonly blob: Uint8Array
}

/** The bytes of a base64 text, or null. */
const fromBase64 = (text: string): Uint8Array | null => {
  try {
    return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))
  } catch {
    return null
  }
}

const parse = (bytes: Uint8Array): Charsmap | null => {
  if (bytes.length < 4) return null
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const size = view.getUint32(0, true)
  const units = Math.floor(size / 4)
  if (units === 0 || 4 + units * 4 > bytes.length) return null
  const blob = bytes.subarray(4 + units * 4)
  try {
    new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(blob)
  } catch {
    return null
  }
  return { trie: Uint32Array.from({ length: units }, (_, i) => view.getUint32(4 + i * 4, true)), blob }
}

const leaf = (unit: number): boolean => ((unit >>> 8) & 1) === 1
const label = (unit: number): number => (unit & 0x800000ff) >>> 0
const offset = (unit: number): number => ((unit >>> 10) << ((unit & 0x200) >>> 6)) >>> 0

/** Where in the blob the replacement of the shortest prefix of `key` that has one begins, or -1. */
const lookup = (trie: Uint32Array, key: Uint8Array): number => {
  let at = offset(trie[0] as number)
  for (const byte of key) {
    if (byte === 0) return -1
    at = (at ^ byte) >>> 0
    const unit = trie[at]
    if (unit === undefined || label(unit) !== byte) return -1
    at = (at ^ offset(unit)) >>> 0
    if (leaf(unit)) return (trie[at] ?? 0x7fffffff) & 0x7fffffff
  }
  return -1
}

const replacement = ({ trie, blob }: Charsmap, part: string): string | null => {
  const start = lookup(trie, encoder.encode(part))
  if (start < 0 || start > blob.length) return null
  const end = blob.indexOf(0, start)
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(
    blob.subarray(start, end < 0 ? blob.length : end),
  )
}

/** Puts `to` in the place of `from`: character for character as far as both go. */
const put = (out: Draft, from: string, to: string): void => {
  const olds = [...from]
  const news = [...to]
  news.forEach((letter, i) => {
    if (i < olds.length) out.replace(letter)
    else out.insert(letter)
  })
  olds.slice(news.length).forEach((letter) => out.drop(letter.length))
}

const segmenter = new Intl.Segmenter('und', { granularity: 'grapheme' })

const normalize = (charsmap: Charsmap): ((source: Aligned) => Aligned) => {
  const known = new Map<string, string | null>()
  const look = (part: string): string | null => {
    let found = known.get(part)
    if (found === undefined) {
      found = replacement(charsmap, part)
      if (known.size < 2 ** 16) known.set(part, found)
    }
    return found
  }
  const asciiIsItself = Array.from({ length: 0x5f }, (_, i) => String.fromCharCode(0x20 + i)).every(
    (letter) => look(letter) === null,
  )
  return (source) => {
    if (asciiIsItself && /^[\x20-\x7e]*$/.test(source.text)) return source
    const out = draft(source)
    let modified = false
    const one = (part: string): boolean => {
      const found = look(part)
      if (found === null) return false
      modified = true
      put(out, part, found)
      return true
    }
    for (const { segment } of segmenter.segment(source.text)) {
      if (segment.length < 6 && encoder.encode(segment).length < 6 && one(segment)) continue
      for (const letter of segment) if (!one(letter)) out.replace(letter)
    }
    return modified ? out.done() : source
  }
}

/** Reads `{"type": "Precompiled", "precompiled_charsmap": base64}`. */
export const precompiled: Reader<(source: Aligned) => Aligned> = made(
  t.type({ precompiled_charsmap: t.string }),
  (config, path) => {
    const bytes = fromBase64(config.precompiled_charsmap)
    const charsmap = bytes === null ? null : parse(bytes)
    return charsmap === null
      ? refuse(join(path, 'precompiled_charsmap'), 'not a precompiled character map in base64')
      : E.right(normalize(charsmap))
  },
)
