/** Splitting at delimiters: what is one, and what becomes of it. */
import { width } from '../aligned.ts'
import type { Pattern } from '../pattern.ts'
import type { PreTokenizer } from './piece.ts'

/** What becomes of a delimiter: left out, a piece of its own, or joined to a neighbour or to its like. */
export type Behavior = 'Removed' | 'Isolated' | 'MergedWithPrevious' | 'MergedWithNext' | 'Contiguous'

/** Calls `part(start, end, isDelimiter)` for consecutive parts that cover the text. */
export type Divider = (text: string, part: (start: number, end: number, delimiter: boolean) => void) => void

/** What a pattern matches is a delimiter, or with `invert` what it does not match. */
export const byPattern =
  (find: Pattern['find'], invert: boolean): Divider =>
  (text, part) => {
    let at = 0
    find(text, (start, end) => {
      if (at !== start) part(at, start, invert)
      part(start, end, !invert)
      at = end
    })
    if (at !== text.length) part(at, text.length, invert)
  }

/** Each character of a kind is a delimiter. */
export const byCharacter =
  (isDelimiter: (letter: string) => boolean): Divider =>
  (text, part) => {
    let at = 0
    for (let i = 0; i < text.length;) {
      const next = i + width(text, i)
      if (isDelimiter(next - i === 1 ? (text[i] as string) : text.slice(i, next))) {
        if (at < i) part(at, i, false)
        part(i, next, true)
        at = next
      }
      i = next
    }
    if (at < text.length) part(at, text.length, false)
  }

/** Puts down in `cuts` the pieces of a text that begins at `base`. */
const arrange = (text: string, divide: Divider, behavior: Behavior, base: number, cuts: number[]): void => {
  const put = (start: number, end: number): void => {
    if (end > start) cuts.push(base + start, base + end)
  }
  if (behavior === 'Isolated') return divide(text, put)
  if (behavior === 'Removed')
    return divide(text, (start, end, delimiter) => {
      if (!delimiter) put(start, end)
    })
  const parts: { start: number; end: number; delimiter: boolean }[] = []
  divide(text, (start, end, delimiter) => parts.push({ start, end, delimiter }))
  const joined: { start: number; end: number }[] = []
  let before = false
  if (behavior === 'MergedWithNext') {
    for (const { start, end, delimiter } of parts.reverse()) {
      const next = joined[joined.length - 1]
      if (delimiter && !before && next !== undefined) next.start = start
      else joined.push({ start, end })
      before = delimiter
    }
    joined.reverse()
  } else
    for (const { start, end, delimiter } of parts) {
      const previous = joined[joined.length - 1]
      const joins = behavior === 'Contiguous' ? delimiter === before : delimiter && !before
      if (joins && previous !== undefined) previous.end = end
      else joined.push({ start, end })
      before = delimiter
    }
  for (const { start, end } of joined) put(start, end)
}

/** Splits every piece at its delimiters. */
export const split =
  (divide: Divider, behavior: Behavior): PreTokenizer =>
  ({ source, cuts }) => {
    const out: number[] = []
    for (let i = 0; i < cuts.length; i += 2) {
      const start = cuts[i] as number
      const end = cuts[i + 1] as number
      // each piece is a text of its own: what looks ahead must not see the next one
      const text = start === 0 && end === source.text.length ? source.text : source.text.slice(start, end)
      arrange(text, divide, behavior, start, out)
    }
    return { source, cuts: out }
  }
