/** Pieces become tokens: the model breaks each of them, as many as the limit asks for. */
import type { AddedToken } from '../added.ts'
import type { Aligned } from '../aligned.ts'
import type { Pieces } from '../pretokenizer/piece.ts'
import type { Tokenizer } from '../tokenizer.ts'
import type { Word } from '../word.ts'
import type { Segment } from './segment.ts'

/** Takes a word of the text, or an added token; `again`: it is of the same piece as the one before. */
export type Put = (source: Aligned, start: number, word: Word, again: boolean) => void

const addedWord = ({ id }: AddedToken, { text }: Aligned): Word => ({
  ids: [id],
  tokens: [text],
  starts: [0],
  ends: [text.length],
})

/** Puts down what a segment's piece becomes, and tells how many tokens that is. */
const breakPiece = ({ model }: Tokenizer, { source, cuts }: Pieces, piece: number, put: Put): number => {
  const start = cuts[2 * piece] as number
  const text = source.text.slice(start, cuts[2 * piece + 1])
  if (model.words === undefined) {
    const word = model.tokenize(text)
    put(source, start, word, false)
    return word.ids.length
  }
  let tokens = 0
  model.words(text, (word, from) => {
    put(source, start + from, word, from > 0)
    tokens += word.ids.length
  })
  return tokens
}

/**
 * The pieces of a text, tokenised. With a limit only as many as it takes to reach it, as the reference does: overflow is
 * then counted from there, and so are words.
 */
export const tokenise = (tokenizer: Tokenizer, parts: readonly Segment[], limit: number, put: Put): void => {
  let tokens = 0
  for (const segment of parts) {
    if ('token' in segment) {
      put(segment.source, 0, addedWord(segment.token, segment.source), false)
      tokens += 1
      continue
    }
    const n = segment.cuts.length / 2
    for (let piece = 0; piece < n; piece++) {
      tokens += breakPiece(tokenizer, segment, piece, put)
      if (tokens >= limit) return
    }
  }
}

/** The same where the right side is kept: the last pieces, as many as it takes. */
export const tokeniseFromRight = (
  tokenizer: Tokenizer,
  parts: readonly Segment[],
  limit: number,
  put: Put,
): void => {
  const pieces: Parameters<Put>[][] = []
  let tokens = 0
  // added tokens alone do not reach the limit
  let reached = false
  for (let s = parts.length - 1; s >= 0 && !reached; s--) {
    const segment = parts[s] as Segment
    if ('token' in segment) {
      pieces.push([[segment.source, 0, addedWord(segment.token, segment.source), false]])
      tokens += 1
      continue
    }
    for (let piece = segment.cuts.length / 2 - 1; piece >= 0 && !reached; piece--) {
      const words: Parameters<Put>[] = []
      tokens += breakPiece(tokenizer, segment, piece, (...word) => void words.push(word))
      pieces.push(words)
      reached = tokens >= limit
    }
  }
  for (const words of pieces.reverse()) for (const word of words) put(...word)
}
