/** Texts and their pieces: what pre-tokenizers take and give. */
import { endOf, slice, startOf } from '../aligned.ts'
import type { Aligned } from '../aligned.ts'

/** A text and where its pieces begin and end: [start, end, start, end, …], in units, in order, none of them empty. */
export interface Pieces {
  readonly source: Aligned
  readonly cuts: readonly number[]
}

export type PreTokenizer = (pieces: Pieces) => Pieces

/** The whole text as one piece. */
export const whole = (source: Aligned): Pieces => ({
  source,
  cuts: source.text === '' ? [] : [0, source.text.length],
})

/** Changes each piece on its own and puts them together again. */
export const mapPieces = ({ source, cuts }: Pieces, change: (piece: Aligned) => Aligned): Pieces => {
  if (cuts.length === 2 && cuts[0] === 0 && cuts[1] === source.text.length) return whole(change(source))
  let text = ''
  const starts: number[] = []
  const ends: number[] = []
  const out: number[] = []
  for (let i = 0; i < cuts.length; i += 2) {
    const piece = change(slice(source, cuts[i] as number, cuts[i + 1] as number))
    if (piece.text !== '') out.push(text.length, text.length + piece.text.length)
    text += piece.text
    for (let at = 0; at < piece.text.length; at++) {
      starts.push(startOf(piece, at))
      ends.push(endOf(piece, at + 1))
    }
  }
  return {
    source: {
      text,
      origin: source.origin,
      lead: 0,
      first: 0,
      starts: Int32Array.from(starts),
      ends: Int32Array.from(ends),
    },
    cuts: out,
  }
}
