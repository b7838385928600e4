/**
 * Regular expressions of tokenizer.json files, which are written for Oniguruma, as JavaScript's. What means the same
 * passes; what is written otherwise is rewritten (white space and word characters by Unicode, line anchors, POSIX
 * brackets, possessive quantifiers and atomic groups, scripts by bare name); what JavaScript cannot say is refused.
 */
import { either as E } from 'fp-ts'

const word = '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}'

// outside brackets Oniguruma counts the superscript digits and fractions of Latin-1 too
const wordOutside = `${word}\\xb2\\xb3\\xb9\\xbc-\\xbe`

const classes: Readonly<Record<string, string>> = {
  s: '\\p{White_Space}',
  w: word,
  d: '\\p{Nd}',
  h: '0-9A-Fa-f',
}

const posix: Readonly<Record<string, string>> = {
  alnum: '\\p{Alphabetic}\\p{Nd}',
  alpha: '\\p{Alphabetic}',
  ascii: '\\x00-\\x7f',
  blank: '\\p{Zs}\\t',
  cntrl: '\\p{Cc}\\p{Cf}\\p{Cn}\\p{Co}',
  digit: '\\p{Nd}',
  lower: '\\p{Lowercase}',
  punct: '\\p{P}\\p{S}',
  space: '\\p{White_Space}',
  upper: '\\p{Uppercase}',
  word,
  xdigit: '0-9A-Fa-f',
}

const syntax = /[\^$\\.*+?()[\]{}|/]/
const inClass = /[\^\\\]\-[]/

/** The longest pattern read; the longest in use are some hundred characters. */
const longest = 4096

class Unsupported extends Error {}

const unsupported = (what: string): never => {
  throw new Unsupported(what)
}

const property = (name: string, negated: boolean): string => {
  const not = name.startsWith('^') !== negated
  const bare = name.replace(/^\^/, '')
  for (const form of [bare, `Script=${bare}`]) {
    try {
      new RegExp(`\\p{${form}}`, 'u')
      return `\\${not ? 'P' : 'p'}{${form}}`
    } catch {
      // not a property by this name
    }
  }
  const known = posix[bare.toLowerCase()]
  if (known !== undefined) return `[${not ? '^' : ''}${known}]`
  return unsupported(`the property ${JSON.stringify(bare)}`)
}

interface Cursor {
  readonly pattern: string
  at: number
  /** Groups opened so far by the translation itself and by the pattern. */
  groups: number
  /** Whether large and small letters are the same here. */
  folds: boolean
}

const hex = (code: number): string => `\\u{${code.toString(16)}}`

/** An escape at the cursor, which stands behind the backslash; `within` brackets or not. */
const escape = (cursor: Cursor, within: boolean): string => {
  const { pattern } = cursor
  const letter = String.fromCodePoint(pattern.codePointAt(cursor.at) ?? 0)
  if (cursor.at >= pattern.length) return unsupported('a pattern that ends in a backslash')
  cursor.at += letter.length
  const lower = letter.toLowerCase()
  const set = classes[lower]
  if (set !== undefined) {
    if (!within) return `[${letter === lower ? '' : '^'}${lower === 'w' ? wordOutside : set}]`
    if (letter === lower) return set
    if (lower === 's') return '\\P{White_Space}'
    if (lower === 'd') return '\\P{Nd}'
    return unsupported(`\\${letter} within brackets`)
  }
  if (lower === 'p') {
    const name = /^\{([^}]*)\}/.exec(pattern.slice(cursor.at)) ?? unsupported(`\\${letter} without braces`)
    cursor.at += name[0].length
    const found = property(name[1] ?? '', letter === 'P')
    // Of letters that are the same large and small, Oniguruma still asks which they are, but not within brackets.
    return cursor.folds && !within ? `(?-i:${found})` : found
  }
  if (letter === 'x' || letter === 'u') {
    const digits =
      /^\{([0-9A-Fa-f]{1,6})\}/.exec(pattern.slice(cursor.at)) ??
      (letter === 'x' ? /^([0-9A-Fa-f]{2})/ : /^([0-9A-Fa-f]{4})/).exec(pattern.slice(cursor.at)) ??
      unsupported(`\\${letter} without hexadecimal digits`)
    cursor.at += digits[0].length
    return hex(parseInt(digits[1] ?? '0', 16))
  }
  if (/[nrtfv]/.test(letter)) return `\\${letter}`
  if (letter === 'a') return '\\x07'
  if (letter === 'e') return '\\x1b'
  if (letter === '0') return '\\0'
  if (!within) {
    if (lower === 'b') return letter === 'b' ? boundary(true) : boundary(false)
    if (letter === 'A') return '(?<![\\s\\S])'
    if (letter === 'z') return '(?![\\s\\S])'
    if (letter === 'Z') return '(?=\\n?(?![\\s\\S]))'
    if (/[1-9]/.test(letter)) return unsupported('a reference to a group')
  }
  if (/[a-z]/i.test(letter)) return unsupported(`\\${letter}`)
  return (within ? inClass : syntax).test(letter) ? `\\${letter}` : letter
}

const boundary = (at: boolean): string => {
  const w = `[${wordOutside}]`
  return at ? `(?:(?<=${w})(?!${w})|(?<!${w})(?=${w}))` : `(?:(?<=${w})(?=${w})|(?<!${w})(?!${w}))`
}

/** A bracket expression; the cursor stands behind its `[`. */
const bracket = (cursor: Cursor): string => {
  const { pattern } = cursor
  let out = '['
  if (pattern[cursor.at] === '^') {
    out += '^'
    cursor.at++
  }
  // a hyphen means a range only behind a single character
  let afterCharacter = false
  for (let first = true; ; first = false) {
    if (cursor.at >= pattern.length) return unsupported('brackets that do not close')
    const letter = String.fromCodePoint(pattern.codePointAt(cursor.at) as number)
    if (letter === ']' && !first) {
      cursor.at++
      return `${out}]`
    }
    cursor.at += letter.length
    if (letter === '\\') {
      afterCharacter = !/[swdhp]/i.test(pattern[cursor.at] ?? '')
      out += escape(cursor, true)
    } else if (letter === '[') {
      const named = /^:(\^?)([a-z]+):\]/.exec(pattern.slice(cursor.at))
      const set = named === null ? undefined : posix[named[2] ?? '']
      if (named === null || set === undefined || named[1] === '^')
        return unsupported('brackets within brackets')
      cursor.at += named[0].length
      out += set
      afterCharacter = false
    } else if (letter === '&' && pattern[cursor.at] === '&') return unsupported('an intersection (&&)')
    else if (letter === '-') {
      const range = afterCharacter && pattern[cursor.at] !== ']'
      out += range ? '-' : '\\-'
      afterCharacter = false
    } else {
      out += inClass.test(letter) ? `\\${letter}` : letter
      afterCharacter = true
    }
  }
}

/** Everything up to the end or an unopened `)`. */
const sequence = (cursor: Cursor): string => {
  const { pattern } = cursor
  let out = ''
  while (cursor.at < pattern.length && pattern[cursor.at] !== ')') {
    if (pattern[cursor.at] === '|') {
      out += '|'
      cursor.at++
      continue
    }
    const item = atom(cursor)
    if (item === '') continue
    const quantifier = /^(?:[*+?]|\{\d+(?:,\d*)?\}|\{,\d+\})/.exec(pattern.slice(cursor.at))?.[0] ?? ''
    cursor.at += quantifier.length
    const times = quantifier.replace('{,', '{0,')
    const mode = quantifier === '' ? undefined : pattern[cursor.at]
    if (mode === '?') {
      cursor.at++
      out += `${item}${times}?`
    } else if (mode === '+' && !quantifier.startsWith('{')) {
      // a possessive quantifier gives nothing back: match ahead, then take what was matched
      cursor.at++
      cursor.groups++
      out += `(?:(?=(${item}${times}))\\${cursor.groups})`
    } else out += item + times
  }
  return out
}

/** A sequence with the options of its group. */
const under = (cursor: Cursor, options: string): string => {
  const before = cursor.folds
  const [on = '', off = ''] = options.split('-')
  cursor.folds = (before || on.includes('i')) && !off.includes('i')
  const source = sequence(cursor)
  cursor.folds = before
  return source
}

const group = (cursor: Cursor): string => {
  const { pattern } = cursor
  const rest = pattern.slice(cursor.at)
  const close = (head: string, body: string): string => {
    if (pattern[cursor.at] !== ')') return unsupported('a group that does not close')
    cursor.at++
    return `${head}${body})`
  }
  if (rest.startsWith('?#')) {
    const end = pattern.indexOf(')', cursor.at)
    if (end < 0) return unsupported('a comment that does not close')
    cursor.at = end + 1
    return ''
  }
  if (rest.startsWith('?>')) {
    cursor.at += 2
    const mine = ++cursor.groups
    return close('(?:(?=(', `${sequence(cursor)}))\\${mine}`)
  }
  const head = /^\?(?:[:=!]|<[=!]|[im]*(?:-[im]+)?:)/.exec(rest)?.[0]
  if (head !== undefined) {
    cursor.at += head.length
    // Oniguruma's m lets the dot match a line feed, which is JavaScript's s
    return close(`(${head.replace('m', 's')}`, under(cursor, head))
  }
  const named = /^\?<[A-Za-z_]\w*>/.exec(rest)?.[0]
  if (named === undefined && rest.startsWith('?')) {
    const inline = /^\?([im]+)\)/.exec(rest)
    if (inline === null) return unsupported(`the group (${rest.slice(0, 3)}`)
    cursor.at += inline[0].length
    return `(?${(inline[1] ?? '').replace('m', 's')}:${under(cursor, inline[1] ?? '')})`
  }
  cursor.at += named?.length ?? 0
  // groups are never read, so that they need not be numbered
  return close('(?:', sequence(cursor))
}

const atom = (cursor: Cursor): string => {
  const letter = String.fromCodePoint(cursor.pattern.codePointAt(cursor.at) as number)
  cursor.at += letter.length
  switch (letter) {
    case '\\':
      return escape(cursor, false)
    case '[':
      return bracket(cursor)
    case '(':
      return group(cursor)
    case '.':
      return '[^\\n]'
    case '^':
      return '(?<![^\\n])'
    case '$':
      return '(?![^\\n])'
    case '*':
    case '+':
    case '?':
      return unsupported(`${letter} with nothing before it`)
    default:
      return syntax.test(letter) ? `\\${letter}` : letter
  }
}

/** The source of a JavaScript expression (flag `u`) that matches what Oniguruma's does, or why there is none. */
export const translate = (pattern: string): E.Either<string, string> => {
  if (pattern.length > longest) return E.left(`a regular expression of more than ${longest} characters`)
  const cursor: Cursor = { pattern, at: 0, groups: 0, folds: false }
  try {
    const source = sequence(cursor)
    if (cursor.at < pattern.length) return E.left('a regular expression with a ) too many')
    new RegExp(source, 'u')
    return E.right(source)
  } catch (error) {
    if (error instanceof Unsupported)
      return E.left(`a regular expression with ${error.message}, which is not supported`)
    if (error instanceof SyntaxError) return E.left(`not a regular expression: ${error.message}`)
    throw error
  }
}

/** The source of an expression that matches exactly `text`. */
export const literal = (text: string): string => text.replace(/[\^$\\.*+?()[\]{}|/]/g, '\\$&')
