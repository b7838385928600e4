/**
 * WordPiece: each word is broken greedily, the longest token of the vocabulary first; what stands within a word
 * carries a prefix (Wu et al., 2016, arXiv:1609.08144; as in BERT's `tokenization.py`). A word that cannot be broken
 * whole is one unknown token.
 */
import { either as E } from 'fp-ts'
import * as t from 'io-ts'
import { count, join, made, otherwise, refuse, show, text } from './codec.ts'
import type { Reader } from './codec.ts'
import { tokensById, vocabulary } from './vocabulary.ts'
import type { Vocabulary } from './vocabulary.ts'
import { cached, single } from './word.ts'
import type { Model, Word } from './word.ts'

const config = t.type({
  vocab: t.unknown,
  unk_token: otherwise(text, '[UNK]'),
  continuing_subword_prefix: otherwise(text, '##'),
  max_input_chars_per_word: otherwise(count, 100),
})

interface WordPiece {
  readonly words: Vocabulary
  readonly unknown: { readonly id: number; readonly token: string }
  readonly prefix: string
  readonly most: number
}

/** Splits the vocabulary by what may begin a word and what may go on with it, the prefix taken off. */
const tokenizer = ({ words, unknown, prefix, most }: WordPiece): ((piece: string) => Word) => {
  const following = new Map<string, number>()
  let longest = 1
  for (const [token, id] of words) {
    if (token.startsWith(prefix)) following.set(token.slice(prefix.length), id)
    longest = Math.max(longest, token.length)
  }
  const tooLong = (piece: string): boolean => {
    if (piece.length <= most) return false
    let characters = 0
    for (const _ of piece) characters++
    return characters > most
  }
  return (piece) => {
    if (tooLong(piece)) return single(piece, unknown.id, unknown.token)
    const ids: number[] = []
    const tokens: string[] = []
    const starts: number[] = []
    const ends: number[] = []
    for (let start = 0; start < piece.length;) {
      const known = start === 0 ? words : following
      let end = Math.min(piece.length, start + longest)
      let id: number | undefined
      for (; end > start; end--) {
        id = known.get(piece.slice(start, end))
        if (id !== undefined) break
      }
      if (id === undefined) return single(piece, unknown.id, unknown.token)
      ids.push(id)
      tokens.push(start === 0 ? piece.slice(0, end) : prefix + piece.slice(start, end))
      starts.push(start)
      ends.push(end)
      start = end
    }
    return { ids, tokens, starts, ends }
  }
}

/** Reads the model `WordPiece`; refuses one whose unknown token is not in its vocabulary. */
export const wordPiece: Reader<Model> = made(config, (options, path) => {
  const words = vocabulary(options.vocab, join(path, 'vocab'))
  if (E.isLeft(words)) return words
  const id = words.right.get(options.unk_token)
  if (id === undefined)
    return refuse(
      join(path, 'unk_token'),
      `expected a token of the vocabulary, got ${show(options.unk_token)}`,
    )
  return E.right({
    tokenize: cached(
      tokenizer({
        words: words.right,
        unknown: { id, token: options.unk_token },
        prefix: options.continuing_subword_prefix,
        most: options.max_input_chars_per_word,
      }),
    ),
    idOf: (token) => words.right.get(token),
    tokenOf: tokensById(words.right),
    vocabulary: words.right,
  })
})
