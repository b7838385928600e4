/**
 * Added tokens: those that are found in a text as they stand, before anything else happens to it. Special ones (such
 * as [MASK]) are left out when decoding; ones to be normalised are looked for in the normalised text.
 */
import { either as E } from 'fp-ts'
import * as t from 'io-ts'
import { each, otherwise, read, text, tokenId } from './codec.ts'
import type { Reader } from './codec.ts'
import { width } from './aligned.ts'
import { isWhitespace, isWord } from './unicode.ts'

/** One entry of `added_tokens`. */
export interface AddedToken {
  readonly id: number
  readonly content: string
  /** Matches between words only. */
  readonly single_word: boolean
  /** Takes the white space on its left along. */
  readonly lstrip: boolean
  /** Takes the white space on its right along. */
  readonly rstrip: boolean
  /** Is looked for, in its normalised form, in the normalised text. */
  readonly normalized: boolean
  /** Is no part of the text: left out when decoding. */
  readonly special: boolean
}

const addedToken = t.type({
  id: tokenId,
  content: text,
  single_word: otherwise(t.boolean, false),
  lstrip: otherwise(t.boolean, false),
  rstrip: otherwise(t.boolean, false),
  normalized: otherwise(t.boolean, true),
  special: otherwise(t.boolean, false),
})

/** Reads `added_tokens`. */
export const addedTokens: Reader<readonly AddedToken[]> = (json, path) =>
  json === undefined || json === null ? E.right([]) : each(read(addedToken))(json, path)

/** Finds tokens in a text: `part` is called with consecutive ranges that cover it, with an id where a token is. */
export type Search = (
  content: string,
  skipSpecial: boolean,
  part: (start: number, end: number, token: AddedToken | null) => void,
) => void

const before = (content: string, at: number): string => {
  const start = at >= 2 && width(content, at - 2) === 2 ? at - 2 : at - 1
  return content.slice(start, at)
}

const after = (content: string, at: number): string => content.slice(at, at + width(content, at))

const stripLeft = (content: string, at: number, least: number): number => {
  while (at > least && isWhitespace(before(content, at))) at -= before(content, at).length
  return at
}

const stripRight = (content: string, at: number): number => {
  while (at < content.length && isWhitespace(after(content, at))) at += width(content, at)
  return at
}

/** A search for `tokens`, each by the text beside it; the leftmost is found, and of several there the longest. */
export const searchFor = (tokens: readonly (readonly [string, AddedToken])[]): Search | null => {
  const wanted = tokens.filter(([content]) => content !== '')
  if (wanted.length === 0) return null
  const byFirst = new Map<number, (readonly [string, AddedToken])[]>()
  for (const entry of wanted) {
    const unit = entry[0].charCodeAt(0)
    byFirst.set(unit, [...(byFirst.get(unit) ?? []), entry])
  }
  for (const list of byFirst.values()) list.sort((a, b) => b[0].length - a[0].length)
  const firsts = new RegExp(
    `[${[...byFirst.keys()].map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('')}]`,
    'g',
  )
  const next = (content: string, from: number): readonly [number, string, AddedToken] | null => {
    firsts.lastIndex = from
    while (firsts.test(content)) {
      const at = firsts.lastIndex - 1
      const found = byFirst.get(content.charCodeAt(at))?.find(([text]) => content.startsWith(text, at))
      if (found !== undefined) return [at, ...found]
    }
    return null
  }
  return (content, skipSpecial, part) => {
    let done = 0
    let from = 0
    for (;;) {
      const match = next(content, from)
      if (match === null) break
      const [at, matched, token] = match
      let start = at
      let end = at + matched.length
      from = end
      if (skipSpecial && token.special) continue
      if (token.single_word) {
        const inside =
          (start > 0 && isWord(before(content, start))) ||
          (end < content.length && isWord(after(content, end)))
        if (inside) continue
      }
      if (token.lstrip) start = stripLeft(content, start, done)
      if (token.rstrip) end = stripRight(content, end)
      if (done < start) part(done, start, null)
      part(start, end, token)
      done = end
    }
    if (done < content.length) part(done, content.length, null)
  }
}
