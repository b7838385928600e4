/**
 * Unigram: of all ways to break a piece into tokens the one whose scores, the tokens' log probabilities, sum to the
 * most (Kudo, 2018, arXiv:1804.10959; Viterbi as in `sentencepiece/src/unigram_model.cc`). Characters that no token
 * covers are unknown, ten below the lowest score; neighbouring ones are one token, or bytes with byte fallback.
 */
import { either as E } from 'fp-ts'
import * as t from 'io-ts'
import { width } from './aligned.ts'
import { join, made, otherwise, refuse, show, tokenId } from './codec.ts'
import type { Read, Reader } from './codec.ts'
import { trieOf } from './trie.ts'
import { tokensById } from './vocabulary.ts'
import { cached } from './word.ts'
import type { Model, Word } from './word.ts'

const unknownPenalty = 10

/** Numbers of so many characters have digits that are a whole number below 2⁵³. */
const exactly = 16

/**
 * A score as the reference reads it: its digits as one number, which is divided by a power of ten, both rounded. The
 * last bit may be another than the nearest number's, and of two ways with the same tokens in another order it decides.
 */
const asRead = (score: number): number => {
  const written = String(score)
  if (written.length <= exactly) return score
  const [, whole = '', fraction = '', exponent = '0'] =
    /^-?(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(written) ?? []
  const places = Number(exponent) - fraction.length
  const digits = Number(whole + fraction)
  return Math.sign(score) * (places < 0 ? digits / Number(`1e${-places}`) : digits * Number(`1e${places}`))
}

const pieces = (json: unknown, path: string): Read<readonly (readonly [string, number])[]> => {
  if (!Array.isArray(json)) return refuse(path, `expected a list of [token, score], got ${show(json)}`)
  for (let i = 0; i < json.length; i++) {
    const entry: unknown = json[i]
    if (
      !Array.isArray(entry) ||
      entry.length !== 2 ||
      typeof entry[0] !== 'string' ||
      !entry[0].isWellFormed() ||
      !Number.isFinite(entry[1])
    )
      return refuse(join(path, i), 'expected [token, score], a text and a finite number')
  }
  return E.right(json as (readonly [string, number])[])
}

interface Unigram {
  readonly entries: readonly (readonly [string, number])[]
  readonly ids: ReadonlyMap<string, number>
  readonly unknown: number
  readonly byteFallback: boolean
}

const encoder = new TextEncoder()

const tokenizer = ({ entries, ids, unknown, byteFallback }: Unigram): ((piece: string) => Word) => {
  const scores = Float64Array.from(entries, ([, score]) => asRead(score))
  const unknownScore = scores.reduce((least, score) => Math.min(least, score), Infinity) - unknownPenalty
  const trie = trieOf([...ids])
  const bytesOf = (text: string): readonly string[] | null => {
    const tokens = Array.from(
      encoder.encode(text),
      (byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`,
    )
    return tokens.every((token) => ids.has(token)) ? tokens : null
  }
  return (piece) => {
    const n = piece.length
    // the best way to each place: its score, where its last token begins, and which that is
    const best = new Float64Array(n + 1)
    const from = new Int32Array(n + 1).fill(-1)
    const last = new Int32Array(n + 1)
    for (let start = 0; start < n;) {
      const till = best[start] as number
      const next = start + width(piece, start)
      let covered = false
      let node = trie.root
      for (let end = start; end < n;) {
        node = trie.step(node, piece.charCodeAt(end++))
        if (node < 0) break
        const id = trie.value(node)
        if (id < 0) continue
        if (end === next) covered = true
        const score = (scores[id] as number) + till
        if ((from[end] as number) < 0 || score > (best[end] as number)) {
          best[end] = score
          from[end] = start
          last[end] = id
        }
      }
      if (!covered) {
        const score = unknownScore + till
        if ((from[next] as number) < 0 || score > (best[next] as number)) {
          best[next] = score
          from[next] = start
          last[next] = unknown
        }
      }
      start = next
    }
    const found: { start: number; end: number; id: number }[] = []
    for (let end = n; end > 0;) {
      const start = from[end] as number
      const id = last[end] as number
      const after = found[found.length - 1]
      if (id === unknown && after !== undefined && after.id === unknown) after.start = start
      else found.push({ start, end, id })
      end = start
    }
    const word = { ids: [] as number[], tokens: [] as string[], starts: [] as number[], ends: [] as number[] }
    const add = (id: number, token: string, start: number, end: number): void => {
      word.ids.push(id)
      word.tokens.push(token)
      word.starts.push(start)
      word.ends.push(end)
    }
    for (const { start, end } of found.reverse()) {
      const token = piece.slice(start, end)
      // unknown characters taken together may spell a token after all
      const id = ids.get(token)
      const bytes = id === undefined && byteFallback ? bytesOf(token) : null
      if (bytes !== null) for (const byte of bytes) add(ids.get(byte) as number, byte, start, end)
      else add(id ?? unknown, token, start, end)
    }
    return word
  }
}

const config = t.type({
  vocab: t.unknown,
  unk_id: otherwise(t.union([tokenId, t.null]), null),
  byte_fallback: otherwise(t.boolean, false),
})

/** Reads the model `Unigram`; refuses one without an unknown token. */
export const unigram: Reader<Model> = made(config, (options, path) => {
  const entries = pieces(options.vocab, join(path, 'vocab'))
  if (E.isLeft(entries)) return entries
  const unknown = options.unk_id
  if (unknown === null || unknown >= entries.right.length)
    return refuse(
      join(path, 'unk_id'),
      `expected the place of the unknown token among ${entries.right.length}, got ${show(unknown)}`,
    )
  const ids = new Map(entries.right.map(([token], id) => [token, id]))
  const tokenize = tokenizer({
    entries: entries.right,
    ids,
    unknown,
    byteFallback: options.byte_fallback,
  })
  return E.right({
    tokenize: cached(tokenize),
    idOf: (token) => ids.get(token),
    tokenOf: tokensById(entries.right.map(([token], id) => [token, id] as const)),
    vocabulary: ids,
  })
})
