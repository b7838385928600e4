/** What a model makes of one piece of text, and what every model can say of its vocabulary. */
import { owned } from './owned.ts'

/** The tokens of one piece: `starts[i]` to `ends[i]` are the units of the piece that token i stands for. */
export interface Word {
  readonly ids: readonly number[]
  readonly tokens: readonly string[]
  readonly starts: readonly number[]
  readonly ends: readonly number[]
}

export interface Model {
  /** Breaks one piece of text into tokens. Total: what the vocabulary lacks becomes the unknown token. */
  readonly tokenize: (piece: string) => Word
  /** The same word by word, each with where it begins, for models that cut pieces into words that come again. */
  readonly words?: (piece: string, put: (word: Word, start: number) => void) => void
  readonly idOf: (token: string) => number | undefined
  readonly tokenOf: (id: number) => string | undefined
  /** Token to id, without added tokens. */
  readonly vocabulary: ReadonlyMap<string, number>
}

/** One token for the whole piece. */
export const single = (piece: string, id: number, token: string): Word => ({
  ids: [id],
  tokens: [token],
  starts: [0],
  ends: [piece.length],
})

const longest = 64
const capacity = 2 ** 15

/** Remembers the words met lately: a full generation is dropped when the next is full. */
export const cached = (tokenize: (piece: string) => Word): ((piece: string) => Word) => {
  let recent = new Map<string, Word>()
  let older = new Map<string, Word>()
  return (piece) => {
    if (piece.length > longest) return tokenize(piece)
    const found = recent.get(piece)
    if (found !== undefined) return found
    const word = older.get(piece) ?? tokenize(piece)
    if (recent.size >= capacity) {
      older = recent
      recent = new Map()
    }
    recent.set(owned(piece), word)
    return word
  }
}
