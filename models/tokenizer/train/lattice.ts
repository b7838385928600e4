/**
 * All ways to break a word into the pieces of a vocabulary, and what follows from their scores: the best one (Viterbi)
 * and how often each piece is to be expected (the forward-backward algorithm).
 */
import { width } from '../aligned.ts'
import { trieOf } from '../trie.ts'
import type { Trie } from '../trie.ts'

/** Pieces and their log probabilities; `unknown` is the score of a character that no piece is. */
export interface Pieces {
  readonly texts: readonly string[]
  readonly scores: Float64Array
  readonly unknown: number
  readonly trie: Trie
}

export const piecesOf = (texts: readonly string[], scores: Float64Array): Pieces => ({
  texts,
  scores,
  unknown: scores.reduce((least, score) => Math.min(least, score), 0) - 10,
  trie: trieOf(texts.map((text, id) => [text, id])),
})

/** Calls `edge(start, end, id, score)` for every piece in the word, id -1 where a character is none, by start. */
const edges = (
  { trie, scores, unknown }: Pieces,
  word: string,
  edge: (start: number, end: number, id: number, score: number) => void,
): void => {
  for (let start = 0; start < word.length;) {
    const next = start + width(word, start)
    let covered = false
    let node = trie.root
    for (let end = start; end < word.length;) {
      node = trie.step(node, word.charCodeAt(end++))
      if (node < 0) break
      const id = trie.value(node)
      if (id < 0) continue
      if (end === next) covered = true
      edge(start, end, id, scores[id] as number)
    }
    if (!covered) edge(start, next, -1, unknown)
    start = next
  }
}

/** The ids of the best way to break the word, without the piece `except`; null where there is none. */
export const bestPath = (pieces: Pieces, word: string, except = -2): readonly number[] | null => {
  const best = new Float64Array(word.length + 1).fill(-Infinity)
  const from = new Int32Array(word.length + 1)
  const last = new Int32Array(word.length + 1)
  best[0] = 0
  edges(pieces, word, (start, end, id, score) => {
    const total = (best[start] as number) + score
    if (id === except || total <= (best[end] as number)) return
    best[end] = total
    from[end] = start
    last[end] = id
  })
  if (best[word.length] === -Infinity) return null
  const path: number[] = []
  for (let end = word.length; end > 0; end = from[end] as number) path.push(last[end] as number)
  return path.reverse()
}

/** Buffers for the pieces of one word, grown as needed and used again for the next. */
const buffers = (): { starts: Int32Array; ends: Int32Array; ids: Int32Array } => ({
  starts: new Int32Array(1024),
  ends: new Int32Array(1024),
  ids: new Int32Array(1024),
})

const grown = (old: Int32Array): Int32Array => {
  const next = new Int32Array(old.length * 2)
  next.set(old)
  return next
}

/** How often each piece is to be expected in the words, each as often as `counts` says. */
export const expectPieces = (
  pieces: Pieces,
  words: readonly string[],
  counts: Float64Array,
): Float64Array => {
  const expected = new Float64Array(pieces.texts.length)
  const probabilities = pieces.scores.map(Math.exp)
  const unknown = Math.exp(pieces.unknown)
  const edge = buffers()
  const most = words.reduce((longest, word) => Math.max(longest, word.length), 0)
  // the summed probability of all ways to a place, and of all ways on from it
  const forward = new Float64Array(most + 1)
  const backward = new Float64Array(most + 1)
  words.forEach((word, w) => {
    const n = word.length
    let size = 0
    edges(pieces, word, (start, end, id) => {
      if (size === edge.ids.length) {
        edge.starts = grown(edge.starts)
        edge.ends = grown(edge.ends)
        edge.ids = grown(edge.ids)
      }
      edge.starts[size] = start
      edge.ends[size] = end
      edge.ids[size] = id
      size++
    })
    const { starts, ends, ids } = edge
    forward.fill(0, 0, n + 1)
    backward.fill(0, 0, n + 1)
    forward[0] = 1
    backward[n] = 1
    const probability = (i: number): number =>
      (ids[i] as number) < 0 ? unknown : (probabilities[ids[i] as number] as number)
    for (let i = 0; i < size; i++)
      forward[ends[i] as number] =
        (forward[ends[i] as number] as number) + (forward[starts[i] as number] as number) * probability(i)
    const all = forward[n] as number
    // a word so long and so unlikely that its probability is nothing to a double says nothing about pieces either
    if (!(all > 1e-300)) return
    for (let i = size - 1; i >= 0; i--)
      backward[starts[i] as number] =
        (backward[starts[i] as number] as number) + (backward[ends[i] as number] as number) * probability(i)
    const scale = (counts[w] as number) / all
    for (let i = 0; i < size; i++) {
      const id = ids[i] as number
      if (id < 0) continue
      const way =
        (forward[starts[i] as number] as number) *
        (probabilities[id] as number) *
        (backward[ends[i] as number] as number)
      expected[id] = (expected[id] as number) + scale * way
    }
  })
  return expected
}
