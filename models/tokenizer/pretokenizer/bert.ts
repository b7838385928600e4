/** BERT's basic tokenisation (`tokenization.py`), by far the most used: written out, since a corpus goes through it. */
import { isPunctuation, isWhitespace } from '../unicode.ts'
import type { PreTokenizer } from './piece.ts'

// white space, punctuation or neither, by UTF-16 unit; 0 is not known yet
const kindOf = new Uint8Array(0x10000)
const [space, mark, other] = [1, 2, 3]

const classify = (letter: string): number =>
  isWhitespace(letter) ? space : isPunctuation(letter) ? mark : other

/** Words between white space, punctuation apart: `BertPreTokenizer`. */
export const bert: PreTokenizer = ({ source, cuts }) => {
  const { text } = source
  const out: number[] = []
  for (let i = 0; i < cuts.length; i += 2) {
    const end = cuts[i + 1] as number
    let word = -1
    let at = cuts[i] as number
    while (at < end) {
      const unit = text.charCodeAt(at)
      let kind = kindOf[unit] as number
      let next = at + 1
      if (unit >= 0xd800 && unit <= 0xdbff && next < end) kind = classify(text.slice(at, ++next))
      else if (kind === 0) kind = kindOf[unit] = classify(text[at] as string)
      if (kind === other) {
        if (word < 0) word = at
      } else {
        if (word >= 0) out.push(word, at)
        word = -1
        if (kind === mark) out.push(at, next)
      }
      at = next
    }
    if (word >= 0) out.push(word, end)
  }
  return { source, cuts: out }
}
