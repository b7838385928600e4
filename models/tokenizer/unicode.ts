/**
 * Character classes as the tokenizers of the field define them: Rust's `char::is_whitespace` and `is_numeric`,
 * BERT's punctuation and control characters (BERT's reference code, `tokenization.py`), and the order of combining
 * marks, which JavaScript knows but does not say.
 */
import { isNewComposite, isNewControl, isNewMark, isNewNonspacing, isNewPunctuation } from './age.ts'

const memo = <A>(compute: (character: string) => A): ((character: string) => A) => {
  const known = new Map<string, A>()
  return (character) => {
    const found = known.get(character)
    if (found !== undefined) return found
    const value = compute(character)
    known.set(character, value)
    return value
  }
}

const isOf =
  (pattern: RegExp, except?: (character: string) => boolean): ((character: string) => boolean) =>
  (character) =>
    pattern.test(character) && except?.(character) !== true

/** Unicode White_Space: as JavaScript's \s, with U+0085 and without U+FEFF. */
export const isWhitespace: (character: string) => boolean = memo(isOf(/^\p{White_Space}$/u))

/** Number of any kind: Nd, Nl, No. */
export const isNumeric: (character: string) => boolean = memo(isOf(/^\p{N}$/u))

/** ASCII punctuation, symbols included, and every character of category P. */
export const isPunctuation: (character: string) => boolean = memo(
  isOf(/^(?:[!-/:-@[-`{-~]|\p{P}|\u166d|\u{111c9})$/u, isNewPunctuation),
)

// what was a mark in the reference's tables and is none, or of another kind, today
const nonspacing = '[\\p{Mn}\\u1734\\u{1171e}]'
const marks = '[\\p{M}\\u1cf2\\u1cf3]'

const holds = (pattern: string): ((text: string) => boolean) => {
  const expression = new RegExp(pattern, 'u')
  return (text) => expression.test(text)
}

/** Whether a text may hold nonspacing marks: newer ones than the reference knows count here. */
export const holdsNonspacing: (text: string) => boolean = holds(nonspacing)

/** Whether a text may hold marks of any kind: newer ones than the reference knows count here. */
export const holdsMarks: (text: string) => boolean = holds(marks)

/** Nonspacing mark, Mn. */
export const isNonspacingMark: (character: string) => boolean = memo(
  isOf(new RegExp(`^${nonspacing}$`, 'u'), isNewNonspacing),
)

/** Any mark, M. */
export const isMark: (character: string) => boolean = memo(isOf(new RegExp(`^${marks}$`, 'u'), isNewMark))

/** Control, format, private use: what BERT cleans away. Tab, line feed and carriage return count as white space. */
export const isControl: (character: string) => boolean = memo(
  isOf(/^(?![\t\n\r])[\p{Cc}\p{Cf}\p{Co}]$/u, isNewControl),
)

/** The blocks that BERT splits by character: CJK ideographs, not kana and not hangul. */
export const isCjk = (character: string): boolean => {
  const c = character.codePointAt(0) ?? 0
  if (c < 0x3400) return false
  return (
    (c >= 0x4e00 && c <= 0x9fff) ||
    c <= 0x4dbf ||
    (c >= 0x20000 && c <= 0x2a6df) ||
    (c >= 0x2a700 && c <= 0x2b73f) ||
    (c >= 0x2b740 && c <= 0x2b81f) ||
    (c >= 0x2b920 && c <= 0x2ceaf) ||
    (c >= 0xf900 && c <= 0xfaff) ||
    (c >= 0x2f800 && c <= 0x2fa1f)
  )
}

/** Letter, mark, decimal digit, connector or joiner: \w of Rust's regular expressions. */
export const isWord: (character: string) => boolean = memo(
  isOf(/^[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]$/u),
)

// U+0345 has the highest combining class of all (240): every other non-starter moves in front of it.
const highest = '\u0345'

/** Whether a character's canonical combining class is zero. `character` must be fully decomposed. */
export const isStarter: (character: string) => boolean = memo(
  (character) =>
    isNewMark(character) ||
    (character !== highest && !(highest + character).normalize('NFD').startsWith(character)),
)

const exchanged = memo((pair: string) => pair.normalize('NFD') !== pair)

/** Whether the combining class of `a` is greater than that of `b`, both non-starters and fully decomposed. */
export const isHigherMark = (a: string, b: string): boolean => exchanged(a + b)

/** Lower case of one character, without the rule for a final sigma, as Rust's `char::to_lowercase`. */
export const lowerOf: (character: string) => string = memo((character) =>
  character === '\u03a3' ? '\u03c3' : character.toLowerCase(),
)

/** The full decomposition of one character. */
export const decompose = (character: string, form: 'NFD' | 'NFKD'): string =>
  isNewComposite(character) ? character : character.normalize(form)

/** The primary composite of two characters, or '' where there is none. */
export const compose = (a: string, b: string): string => {
  const joined = (a + b).normalize('NFC')
  return [...joined].length === 1 && !isNewComposite(joined) ? joined : ''
}
