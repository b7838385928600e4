/** GPT-2's words, spelled in bytes (Radford et al., 2019; `encoder.py`). */
import * as t from 'io-ts'
import { aligned, draft, prepend, width } from '../aligned.ts'
import type { Aligned } from '../aligned.ts'
import { byteText } from '../byte.ts'
import { otherwise } from '../codec.ts'
import { finder } from '../finder.ts'
import { mapPieces } from './piece.ts'
import type { PreTokenizer } from './piece.ts'
import { byPattern, split } from './split.ts'

/** GPT-2's pattern (`encoder.py`), white space as Rust means it. */
const gpt2 = finder(
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\p{White_Space}\\p{L}\\p{N}]+|" +
    '\\p{White_Space}+(?!\\P{White_Space})|\\p{White_Space}+',
)

const splitGpt2 = split(byPattern(gpt2, false), 'Isolated')

const ascii = /^[\0-\x7f]*$/

const bytesOf: PreTokenizer = (pieces) => {
  // one unit stays one unit, so that the cuts stay too
  if (ascii.test(pieces.source.text)) return { source: byteText(pieces.source), cuts: pieces.cuts }
  const { source, cuts } = pieces
  const out = draft(source)
  const moved: number[] = []
  for (let i = 0; i < cuts.length; i += 2) {
    const start = cuts[i] as number
    const end = cuts[i + 1] as number
    out.drop(start - out.at())
    moved.push(out.length())
    for (let at = start; at < end;) {
      const next = at + width(source.text, at)
      const [first = '', ...more] = byteText(aligned(source.text.slice(at, next))).text
      out.replace(first)
      for (const extra of more) out.insert(extra)
      at = next
    }
    moved.push(out.length())
  }
  return { source: out.done(), cuts: moved }
}

export interface ByteLevelConfig {
  readonly add_prefix_space: boolean
  readonly trim_offsets: boolean
  readonly use_regex: boolean
}

export const byteLevelConfig: t.Decoder<unknown, ByteLevelConfig> = t.type({
  add_prefix_space: otherwise(t.boolean, true),
  trim_offsets: otherwise(t.boolean, true),
  use_regex: otherwise(t.boolean, true),
})

/** GPT-2's: words with the space before them, spelled in bytes. */
export const byteLevel = (config: ByteLevelConfig): PreTokenizer => {
  const prefix = (piece: Aligned): Aligned => (piece.text.startsWith(' ') ? piece : prepend(piece, ' '))
  return (pieces) => {
    const prefixed = config.add_prefix_space ? mapPieces(pieces, prefix) : pieces
    return bytesOf(config.use_regex ? splitGpt2(prefixed) : prefixed)
  }
}
