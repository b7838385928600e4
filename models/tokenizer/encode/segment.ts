/** The first steps of encoding: added tokens are cut out, the text between is normalised and split into pieces. */
import type { AddedToken } from '../added.ts'
import { aligned, slice } from '../aligned.ts'
import type { Aligned } from '../aligned.ts'
import { whole } from '../pretokenizer/piece.ts'
import type { Pieces } from '../pretokenizer/piece.ts'
import type { Tokenizer } from '../tokenizer.ts'

/** A stretch of text between added tokens, split into pieces; or an added token and the range it was found in. */
export type Segment = Pieces | { readonly token: AddedToken; readonly source: Aligned }

/** The segments of a text, in order; `splitSpecial` takes special tokens in it as plain text. */
export const segments = (tokenizer: Tokenizer, text: string, splitSpecial: boolean): readonly Segment[] => {
  const { added, normalizer, preTokenizer } = tokenizer
  const out: Segment[] = []
  const split = (source: Aligned): void => {
    if (source.text === '') return
    const pieces = whole(source)
    out.push(preTokenizer === null ? pieces : preTokenizer(pieces))
  }
  const normalize = (source: Aligned): void => {
    const normalized = normalizer === null ? source : normalizer(source)
    if (added.inNormalized === null) return split(normalized)
    added.inNormalized(normalized.text, splitSpecial, (start, end, token) => {
      const part = slice(normalized, start, end)
      if (token === null) split(part)
      else out.push({ token, source: part })
    })
  }
  if (text === '') return out
  if (added.inRaw === null) normalize(aligned(text))
  else
    added.inRaw(text, splitSpecial, (start, end, token) => {
      const part = aligned(text.slice(start, end), start)
      if (token === null) normalize(part)
      else out.push({ token, source: part })
    })
  return out
}
