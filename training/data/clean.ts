/**
 * Cleaning: from the raw text of a file to its paragraphs, each on one line. What is not language goes: markup,
 * links, badges, comment markers, rules, blobs. What a sentence or a declaration says stays.
 */
import type { Kind } from './kind.ts'
import { cut } from './sentence.ts'

const terminalCodes = /\x1b\[[0-9;?]*[A-Za-z]/g
const invisible = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}]/gu
const unusual = /[^\n\x20-\x7e]/

/** Line ends to \n, typographic spaces to spaces; control, invisible and unassigned characters removed. */
export const plainText = (text: string): string =>
  unusual.test(text)
    ? text
        .replace(terminalCodes, '')
        .replace(/\r\n?|[\u2028\u2029\v\f]/g, '\n')
        .replace(/[\p{Zs}\t]/gu, ' ')
        .replace(invisible, (character) => (character === '\n' ? '\n' : ''))
        .normalize('NFC')
    : text

const entities: Readonly<Record<string, string>> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&apos;': "'",
  '&#39;': "'",
  '&nbsp;': ' ',
}

/** Encoded data in the middle of text: nothing that a word or a path looks like is that long. */
const withoutBlobs = (text: string): string =>
  text.replace(/[A-Za-z0-9+/=_-]{32,}/g, (run) => (run.length >= 64 || /^[0-9a-f]+$/.test(run) ? ' ' : run))

const longestRun = (text: string): number => {
  let longest = 0
  let start = 0
  for (let i = 0; i <= text.length; i++) {
    if (i < text.length && text.charCodeAt(i) !== 32) continue
    longest = Math.max(longest, i - start)
    start = i + 1
  }
  return longest
}

const oneLine = (text: string): string =>
  // The pattern is tried at every character, so only where it may match.
  (longestRun(text) < 32 ? text : withoutBlobs(text)).replace(/\s+/g, ' ').trim()

// By name, because `Promise<string>` is no markup.
const htmlTag =
  /<\/?(?:a|b|i|p|u|br|hr|em|dl|dt|dd|h[1-6]|ul|ol|li|td|th|tr|div|img|kbd|pre|sub|sup|svg|code|span|font|small|table|tbody|thead|video|center|source|strong|details|picture|summary|blockquote)(?:\s[^<>]*)?\/?>/gi

/** The text without HTML comments; an unclosed one stays. */
const withoutComments = (text: string): string => {
  let kept = ''
  let at = 0
  for (;;) {
    const start = text.indexOf('<!--', at)
    const stop = start < 0 ? -1 : text.indexOf('-->', start)
    if (stop < 0) return kept + text.slice(at)
    kept += text.slice(at, start)
    at = stop + 3
  }
}

/** Inline markdown and HTML to the text it shows. */
export const withoutMarkup = (text: string): string =>
  text
    .replace(/!\[[^\][]*\](\([^()]*\)|\[[^\][]*\])/g, '')
    .replace(/\[([^\][]*)\](?:\([^()]*(?:\([^()]*\)[^()]*)*\)|\[[^\]]*\])/g, '$1')
    .replace(/\{@link(?:code|plain)? +([^{}]*)\}/g, '$1')
    .replace(htmlTag, ' ')
    .replace(/<?https?:\/\/[^\s<>)\]]+>?/g, '')
    .replace(/&(?:amp|lt|gt|quot|apos|#39|nbsp);/g, (entity) => entities[entity] as string)
    .replace(/(`+)([^`]+)\1/g, '$2')
    .replace(/\*\*(?=\S)(.+?)\*\*/g, '$1')
    .replace(/(^|[\s(])([*_])(?=\S)([^*_]+?)\2(?=[\s.,;:!?)]|$)/g, '$1$3')
    .replace(/(^|\s):[a-z0-9_+-]+:(?=\s|$)/g, '$1')
    .replace(/\p{Emoji_Presentation}\ufe0f?/gu, '')
    .replace(/\(\s*\)|\[\s*\]/g, '')

/** Bounds what one pattern is matched against, whoever wrote the text; divides only what has no blank lines. */
const longestParagraph = 8000

/** The paragraphs of lines that `starts` and blank lines divide. */
const paragraphs = (lines: readonly string[], starts: (line: string) => boolean): readonly string[] => {
  const found: string[] = []
  let open: string[] = []
  let length = 0
  const close = (): void => {
    const paragraph = oneLine(open.join(' '))
    if (paragraph !== '') found.push(paragraph)
    open = []
    length = 0
  }
  for (const line of lines) {
    if (line.trim() === '') close()
    else {
      if (starts(line) || length > longestParagraph) close()
      open.push(line)
      length += line.length
    }
  }
  close()
  return found
}

const fence = /^\s*(?:>\s*)*(`{3,}|~{3,})/

/** The lines outside of fenced code; an unclosed fence runs to the end. */
const withoutFences = (lines: readonly string[]): readonly string[] => {
  let closing: string | undefined
  return lines.map((line) => {
    const mark = fence.exec(line)?.[1]
    if (closing === undefined) {
      closing = mark
      return mark === undefined ? line : ''
    }
    if (mark !== undefined && mark[0] === closing[0] && mark.length >= closing.length) closing = undefined
    return ''
  })
}

const rule = /^[\s\-=_*+~#|:/.>]*$/
const listItem = /^\s*(?:[-*+•]|\d{1,3}[.)])\s+/
const onlyAnchor = /^\s*(?:[-*+]|\d+[.)])\s+\[[^\]]*\]\(#[^)]*\)\s*$/
const linkTarget = /^\s*\[[^\]]+\]:\s*\S+/

/** The paragraphs of a Markdown text: prose, headings and list items; fenced code, images and tables' frames go. */
const markdownParagraphs = (text: string): readonly string[] => {
  const body = withoutComments(text.replace(/^---\n[^]*?\n---\n/, ''))
  const lines = withoutFences(body.split('\n')).flatMap((raw) => {
    const line = raw.replace(/^\s*(?:>\s?)+/, '')
    if (rule.test(line) || onlyAnchor.test(line) || linkTarget.test(line)) return ['']
    // A heading is a paragraph of its own, and so is each row of a table.
    if (/^#{1,6}\s/.test(line)) return ['', withoutMarkup(line.replace(/^#+\s*|\s*#+\s*$/g, '')), '']
    if (/^\s*\|.*\|\s*$/.test(line)) return ['', withoutMarkup(line).replace(/\s*\\?\|\s*/g, ' '), '']
    return [line]
  })
  return paragraphs(lines, (line) => listItem.test(line))
    .map((paragraph) => oneLine(withoutMarkup(paragraph.replace(listItem, ''))))
    .filter((paragraph) => paragraph !== '')
}

const directive =
  /^\s*(?:\/\/\/\s*<|\/[/*]#|\/[/*]\s*(?:eslint|prettier|@ts-|tslint|istanbul|c8|jshint|jslint|global\s|# source)|["']use strict["'];?\s*$|#!)/

/**
 * The paragraphs of a program: comments without their markers, as the prose they are, and code in the groups
 * that blank lines make.
 */
const programParagraphs = (text: string): readonly string[] => {
  const found: string[] = []
  let comment: string[] = []
  let code: string[] = []
  let inside = false
  const closeComment = (): void => {
    // Tags begin paragraphs of their own; examples between fences go as they do in documentation.
    const lines = comment.map((line) => line.replace(/^\s*(?=@\w)/, '\n')).join('\n')
    if (comment.length > 0) found.push(...markdownParagraphs(lines))
    comment = []
  }
  const closeCode = (): void => {
    found.push(...paragraphs(code, () => false))
    code = []
  }
  for (const line of text.split('\n')) {
    if (inside) {
      const end = line.indexOf('*/')
      const body = (end < 0 ? line : line.slice(0, end)).replace(/^\s*\*+ ?/, '')
      comment.push(body)
      if (end >= 0) {
        inside = false
        closeComment()
        if (line.slice(end + 2).trim() !== '') code.push(line.slice(end + 2))
      }
    } else if (directive.test(line)) continue
    else if (/^\s*\/\*/.test(line)) {
      closeCode()
      const end = line.indexOf('*/', line.indexOf('/*') + 2)
      const start = line.replace(/^\s*\/\*+!? ?/, '')
      if (end < 0) {
        comment.push(start)
        inside = true
      } else {
        comment.push(line.slice(0, end).replace(/^\s*\/\*+!? ?/, ''))
        closeComment()
        if (line.slice(end + 2).trim() !== '') code.push(line.slice(end + 2))
      }
    } else if (/^\s*\/\//.test(line)) {
      closeCode()
      comment.push(line.replace(/^\s*\/\/+!? ?/, ''))
    } else {
      closeComment()
      if (line.trim() === '') closeCode()
      else code.push(line)
    }
  }
  closeComment()
  closeCode()
  return found
}

/** The paragraphs of plain text: what blank lines divide, list items apart, quotation marks and rules gone. */
const textParagraphs = (text: string): readonly string[] =>
  paragraphs(
    text.split('\n').map((line) => (rule.test(line) ? '' : line.replace(/^\s*(?:[>#*]\s?)+/, ''))),
    (line) => /^\s*(?:\d{1,2}[.)]|\(?[a-z]\))\s+\S/.test(line),
  )

/** Breaks lines that are longer than a paragraph may be, at spaces where there are some. */
const foldLines = (text: string): string => {
  const lines = text.split('\n')
  if (!lines.some((line) => line.length > longestParagraph)) return text
  return lines.flatMap((line) => cut(line, longestParagraph)).join('\n')
}

/** The paragraphs of a file, cleaned as its kind needs it; each is one line without markup. */
export const cleanParagraphs = (text: string, kind: Kind): readonly string[] => {
  const plain = foldLines(plainText(text))
  switch (kind) {
    case 'documentation':
      return markdownParagraphs(plain)
    case 'declarations':
    case 'source':
      return programParagraphs(plain)
    case 'licence':
      return textParagraphs(plain)
        .map((paragraph) => oneLine(withoutMarkup(paragraph)))
        .filter((paragraph) => paragraph !== '')
    case 'data':
    case 'text':
      return textParagraphs(plain)
  }
}
