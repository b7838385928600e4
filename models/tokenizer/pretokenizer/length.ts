/** Pieces of one length. */
import { width } from '../aligned.ts'
import type { PreTokenizer } from './piece.ts'

/** Cuts every `length` characters. */
export const fixedLength =
  (length: number): PreTokenizer =>
  ({ source, cuts }) => {
    const out: number[] = []
    for (let i = 0; i < cuts.length; i += 2) {
      const end = cuts[i + 1] as number
      for (let at = cuts[i] as number; at < end;) {
        const start = at
        for (let n = 0; n < length && at < end; n++) at += width(source.text, at)
        out.push(start, at)
      }
    }
    return { source, cuts: out }
  }
