/** Whether bytes are text, text is language, and the language English: cheap counts, no model. */
import { either as E } from 'fp-ts'
import { isLetter, wordHashes } from './hash.ts'

/**
 * UTF-8 bytes as text. Left: why they are not text (a binary file, or another encoding).
 */
export const decodeText = (bytes: Uint8Array): E.Either<string, string> => {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return E.left('is not UTF-8 text')
  }
  const controls = text.match(/[\x00-\x08\x0e-\x1a\x1c-\x1f]/g)?.length ?? 0
  return controls > text.length / 200 ? E.left('is a binary file, not text') : E.right(text)
}

/** Whether a program or a data file was written by a machine for machines: minified, bundled on few lines, encoded. */
export const isMinified = (text: string): boolean => {
  let long = 0
  let spaces = 0
  let lineStart = 0
  for (let i = 0; i <= text.length; i++) {
    const code = i < text.length ? text.charCodeAt(i) : 10
    if (code === 10) {
      if (i - lineStart > 500) long += i - lineStart
      lineStart = i + 1
    }
    if (code <= 32) spaces++
  }
  return long > text.length / 4 || (text.length > 2000 && spaces < text.length / 20)
}

const english = new Set(
  wordHashes(
    'the of and to in is that it for as with be on this are by not or an if from which can you at was have has will ' +
      'when all used only one its your they but any been may must no should there than these other into more does ' +
      'their then use also such each so he his her she had were said would what who we my me him do how',
  ),
)

// Frequent words of other languages that are no English words.
const foreign = new Set(
  wordHashes(
    'der die das und ist nicht ein eine mit für von den dem werden wird auf le la les des une est pas pour dans que ' +
      'qui sur par avec être el los las una por para con del como più che di il non per è uma não com os em wartości ' +
      'nie się jest na w z oraz może być bir ve için olan değil nelze není je se pro musí hodnota het een niet van ' +
      'voor och att som är inte det på ikke til av',
  ),
)

/** Whether a paragraph says something: two words, and letters for the most part (no tables of numbers, no drawings). */
export const isLanguage = (text: string): boolean => {
  let letters = 0
  let spaces = 0
  let starts = 0
  let inWord = false
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    const letter = isLetter(code)
    if (letter) letters++
    else if (code === 32) spaces++
    if (letter && !inWord) starts++
    inWord = letter
  }
  return starts >= 2 && letters >= (text.length - spaces) / 2
}

/** How many of the frequent words of English, and of its neighbours, a text has, and how many words in all. */
const frequentWords = (
  text: string,
): { readonly own: number; readonly others: number; readonly all: number } => {
  let own = 0
  let others = 0
  const all = wordHashes(text)
  for (const word of all) {
    if (english.has(word)) own++
    else if (foreign.has(word)) others++
  }
  return { own, others, all: all.length }
}

/** `mixed`: English on the whole, but parts of it may be in another language. */
export type Language = 'english' | 'mixed' | 'foreign'

/**
 * Whether a text may pass for English: written in Latin letters with hardly an accent, and with fewer of the frequent
 * words of its neighbours than of its own. Program text, whose words are English ones, passes.
 */
export const languageOf = (text: string): Language => {
  let letters = 0
  let beyond = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (!isLetter(code)) continue
    letters++
    if (code > 127) beyond++
  }
  if (beyond > 2 && beyond > letters * 0.03) return 'foreign'
  const { own, others } = frequentWords(text)
  if (others >= 3 && others > own / 2) return 'foreign'
  return beyond > 2 || others >= 3 ? 'mixed' : 'english'
}

/** The share of the words of a text that English cannot do without ("the", "is"): about 0.4 in prose, 0.05 in programs. */
export const proseShare = (text: string): number => {
  const { own, all } = frequentWords(text)
  return all === 0 ? 0 : own / all
}
