/**
 * The byte-level alphabet of GPT-2 (Radford et al., 2019; `encoder.py`): every byte is a visible character, so that
 * any text is made of 256 symbols. Printable Latin-1 bytes stand for themselves, the others for U+0100 and up.
 */
import { draft, relabel } from './aligned.ts'
import type { Aligned } from './aligned.ts'

const isItself = (byte: number): boolean =>
  (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff)

/** The character of each byte. */
export const byteCharacters: readonly string[] = (() => {
  let next = 0x100
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(isItself(byte) ? byte : next++))
})()

/** The byte of each character's code unit, -1 where there is none. */
const bytes = new Int16Array(0x200).fill(-1)
byteCharacters.forEach((letter, byte) => (bytes[letter.charCodeAt(0)] = byte))

const encoder = new TextEncoder()
const known = new Map<string, string>()

/** The bytes of one character in UTF-8, as characters of the alphabet. */
const spelled = (letter: string): string => {
  let text = known.get(letter)
  if (text === undefined) {
    text = Array.from(encoder.encode(letter), (byte) => byteCharacters[byte]).join('')
    known.set(letter, text)
  }
  return text
}

const ascii = /^[\0-\x7f]*$/

/** The text in the byte-level alphabet; all bytes of a character belong to its place. */
export const byteText = (source: Aligned): Aligned => {
  if (ascii.test(source.text)) return relabel(source, source.text.replace(/[^!-~]/g, spelled))
  const out = draft(source)
  for (const letter of source.text) {
    const [first = '', ...more] = spelled(letter)
    out.replace(first)
    for (const extra of more) out.insert(extra)
  }
  return out.done()
}

/** The bytes that a token of the alphabet spells, or its own UTF-8 where it is not of the alphabet. */
export const fromByteText = (token: string): Uint8Array => {
  const out = new Uint8Array(token.length)
  for (let i = 0; i < token.length; i++) {
    const byte = bytes[token.charCodeAt(i)] ?? -1
    if (byte < 0) return encoder.encode(token)
    out[i] = byte
  }
  return out
}
