/**
 * Byte pair encoding: the characters of a piece are joined pair by pair, the merge learnt earliest first, the
 * leftmost first among equals (Sennrich et al., 2016, arXiv:1508.07909). With byte fallback a character that the
 * vocabulary lacks becomes its bytes, written `<0xE2>`.
 */
import { either as E } from 'fp-ts'
import * as t from 'io-ts'
import { width } from './aligned.ts'
import { join, made, otherwise, refuse, show, text } from './codec.ts'
import type { Read, Reader } from './codec.ts'
import { joinPairs, merge, pair } from './merge.ts'
import type { Merges, Symbols } from './merge.ts'
import { tokensById, vocabulary } from './vocabulary.ts'
import type { Vocabulary } from './vocabulary.ts'
import { cached, single } from './word.ts'
import type { Model, Word } from './word.ts'

const config = t.type({
  vocab: t.unknown,
  merges: t.unknown,
  dropout: otherwise(t.union([t.number, t.null]), null),
  unk_token: otherwise(text, ''),
  continuing_subword_prefix: otherwise(text, ''),
  end_of_word_suffix: otherwise(text, ''),
  fuse_unk: otherwise(t.boolean, false),
  byte_fallback: otherwise(t.boolean, false),
  ignore_merges: otherwise(t.boolean, false),
})

const merges = (json: unknown, path: string, words: Vocabulary, prefix: string): Read<Merges> => {
  if (!Array.isArray(json)) return refuse(path, `expected a list of merges, got ${show(json)}`)
  const map = new Map<number, number>()
  for (let rank = 0; rank < json.length; rank++) {
    const entry: unknown = json[rank]
    // two spellings: "a b", and ["a", "b"], which also allows spaces in tokens
    const parts: unknown = typeof entry === 'string' ? entry.split(' ') : entry
    const [left, right] = Array.isArray(parts) && parts.length === 2 ? (parts as unknown[]) : []
    if (typeof left !== 'string' || typeof right !== 'string')
      return refuse(join(path, rank), `expected two tokens, got ${show(entry)}`)
    const whole = left + right.slice(prefix.length)
    const [a, b, ab] = [words.get(left), words.get(right), words.get(whole)]
    if (a === undefined || b === undefined || ab === undefined) {
      const missing = a === undefined ? left : b === undefined ? right : whole
      return refuse(join(path, rank), `the token ${show(missing)} is not in the vocabulary`)
    }
    map.set(pair(a, b), merge(rank, ab))
  }
  return E.right(map)
}

interface Bpe {
  readonly words: Vocabulary
  readonly learnt: Merges
  readonly tokenOf: (id: number) => string | undefined
  readonly unknown: number | null
  readonly options: t.TypeOf<typeof config>
}

const encoder = new TextEncoder()

/** The ids of `<0x00>` to `<0xFF>`; undefined where the vocabulary lacks one. */
const byteIds = (words: Vocabulary): readonly (number | undefined)[] =>
  Array.from({ length: 256 }, (_, byte) =>
    words.get(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`),
  )

/** Breaks a piece into the symbols that merging begins with. */
const spell = ({ words, unknown, options }: Bpe): ((piece: string) => Symbols) => {
  const { continuing_subword_prefix: prefix, end_of_word_suffix: suffix } = options
  const bytes = byteIds(words)
  return (piece) => {
    const ids: number[] = []
    const starts: number[] = []
    const ends: number[] = []
    const add = (id: number, start: number, end: number): void => {
      ids.push(id)
      starts.push(start)
      ends.push(end)
    }
    // where an unknown stretch begins that is not yet put down, and where it ends
    let from = -1
    let to = -1
    const flush = (): void => {
      if (from >= 0 && unknown !== null) add(unknown, from, to)
      from = -1
    }
    for (let at = 0; at < piece.length;) {
      const end = at + width(piece, at)
      let symbol = piece.slice(at, end)
      if (at > 0) symbol = prefix + symbol
      if (end === piece.length) symbol += suffix
      const id = words.get(symbol)
      const fallback =
        id === undefined && options.byte_fallback
          ? Array.from(encoder.encode(symbol), (byte) => bytes[byte])
          : null
      if (id !== undefined) {
        flush()
        add(id, at, end)
      } else if (fallback !== null && fallback.every((byte) => byte !== undefined)) {
        // as the reference does: an unknown stretch before bytes is put down after them
        for (const byte of fallback) add(byte as number, at, end)
      } else if (unknown !== null) {
        if (from >= 0 && !options.fuse_unk) flush()
        if (from < 0) from = at
        to = end
      }
      at = end
    }
    flush()
    return { ids, starts, ends }
  }
}

const tokenizer = (bpe: Bpe): ((piece: string) => Word) => {
  const symbols = spell(bpe)
  return (piece) => {
    if (bpe.options.ignore_merges) {
      const id = bpe.words.get(piece)
      if (id !== undefined) return single(piece, id, piece)
    }
    const word = symbols(piece)
    joinPairs(word, bpe.learnt)
    return { ...word, tokens: word.ids.map((id) => bpe.tokenOf(id) ?? '') }
  }
}

const space = '\u2581'

/**
 * Where nothing splits a text before the model, as in Llama's tokenizers, it is one piece, and no piece comes twice.
 * But if no token has the mark of a space behind anything else, no merge ever crosses the place before such a mark,
 * and the text can be cut there into words that do come again.
 */
const splitsAtSpace = ({ words, options }: Bpe): boolean => {
  if (options.ignore_merges || options.continuing_subword_prefix !== '' || options.end_of_word_suffix !== '')
    return false
  if (!words.has(space)) return false
  for (const token of words.keys()) if (/[^\u2581]\u2581/.test(token)) return false
  return true
}

/** The words of a piece that is cut before marks of spaces. */
const byWord =
  (tokenize: (piece: string) => Word): NonNullable<Model['words']> =>
  (piece, put) => {
    for (let from = 0; from < piece.length;) {
      let to = piece.indexOf(space, from + 1)
      while (to > 0 && piece[to - 1] === space) to = piece.indexOf(space, to + 1)
      if (to < 0) to = piece.length
      put(tokenize(piece.slice(from, to)), from)
      from = to
    }
  }

/** Words as one. */
const together =
  (words: NonNullable<Model['words']>): Model['tokenize'] =>
  (piece) => {
    const [ids, tokens, starts, ends]: [number[], string[], number[], number[]] = [[], [], [], []]
    words(piece, (word, from) => {
      for (let i = 0; i < word.ids.length; i++) {
        ids.push(word.ids[i] as number)
        tokens.push(word.tokens[i] as string)
        starts.push(from + (word.starts[i] as number))
        ends.push(from + (word.ends[i] as number))
      }
    })
    return { ids, tokens, starts, ends }
  }

/**
 * Reads the model `BPE`. Refused: merges of tokens that the vocabulary lacks, an unknown token that it lacks, and
 * dropout, which would make encoding random.
 */
export const bpe: Reader<Model> = made(config, (options, path) => {
  if (options.dropout !== null && options.dropout !== 0)
    return refuse(
      join(path, 'dropout'),
      `expected null, since encoding is not random, got ${options.dropout}`,
    )
  const words = vocabulary(options.vocab, join(path, 'vocab'))
  if (E.isLeft(words)) return words
  const learnt = merges(options.merges, join(path, 'merges'), words.right, options.continuing_subword_prefix)
  if (E.isLeft(learnt)) return learnt
  const unknown = options.unk_token === '' ? null : words.right.get(options.unk_token)
  if (unknown === undefined)
    return refuse(
      join(path, 'unk_token'),
      `expected a token of the vocabulary, got ${show(options.unk_token)}`,
    )
  const tokenOf = tokensById(words.right)
  const model: Bpe = { words: words.right, learnt: learnt.right, tokenOf, unknown, options }
  const tokenize = cached(tokenizer(model))
  const cut = splitsAtSpace(model) ? byWord(tokenize) : undefined
  return E.right({
    ...(cut === undefined ? { tokenize } : { tokenize: together(cut), words: cut }),
    idOf: (token) => words.right.get(token),
    tokenOf,
    vocabulary: words.right,
  })
})
