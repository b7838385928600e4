/** A corpus: cleaned, de-duplicated documents out of the texts of files. Pure; `folder.ts` reads the files. */
import { either as E } from 'fp-ts'
import { cleanParagraphs } from './clean.ts'
import { documentLength, passagesOf, passageLength, sampleEvenly, type Document } from './document.ts'
import { paragraphHash, representatives, signature, type Signature } from './duplicate.ts'
import type { Kind } from './kind.ts'
import { isLanguage, isMinified, languageOf } from './language.ts'

/** A file as it was read. */
export interface SourceFile {
  readonly path: string
  readonly group: string
  readonly kind: Kind
  readonly text: string
}

export interface CorpusConfig {
  /** The length of a passage in characters, about. */
  readonly passageLength: number
  /** The length of the whole corpus in characters, at most. */
  readonly characters: number
  /** Whether texts in other languages are left out. */
  readonly englishOnly: boolean
  /** Fewer documents than this, and long ones are cut into parts, so that some can be held out. */
  readonly fewestDocuments: number
}

/**
 * Passages of 400 characters, six million characters in all, English only.
 *
 * @example
 * ```ts
 * import { defaultCorpusConfig } from 'pullback/training'
 * console.log(defaultCorpusConfig.passageLength) // => 400
 * ```
 */
export const defaultCorpusConfig: CorpusConfig = {
  passageLength: 400,
  characters: 6e6,
  englishOnly: true,
  fewestDocuments: 10,
}

/** Why files were left out: how many for each reason, in words. */
export type Omissions = Readonly<Record<string, number>>

export interface Corpus {
  readonly documents: readonly Document[]
  readonly omitted: Omissions
}

/** One more for a reason. */
export const omit = (omissions: Record<string, number>, reason: string): void => {
  omissions[reason] = (omissions[reason] ?? 0) + 1
}

/** The shortest passage kept, in characters: what is left of a file may be a line. */
const shortestPassage = 80

/** How much of a file is compared with others, in characters. */
const comparedLength = 50_000

/** What is left of a file that mostly repeats others, or was hardly there, says nothing; in characters. */
const shortestDocument = 200

/** Paragraphs this short ("Examples") may come again without being duplicates. */
const shortestDuplicate = 30

/** Cuts documents into parts until there are `fewest`, by their length; each part has some passages at least. */
const intoParts = (documents: readonly Document[], fewest: number): readonly Document[] => {
  if (documents.length >= fewest) return documents
  const length = documents.reduce((sum, document) => sum + documentLength(document), 0)
  return documents.flatMap((document) => {
    const wanted = Math.ceil((2 * fewest * documentLength(document)) / Math.max(1, length))
    const parts = Math.max(1, Math.min(wanted, Math.floor(document.passages.length / 4)))
    if (parts === 1) return [document]
    const start = (i: number): number => Math.floor((i * document.passages.length) / parts)
    return Array.from({ length: parts }, (_, i) => ({
      ...document,
      path: `${document.path}#${i + 1}`,
      passages: document.passages.slice(start(i), start(i + 1)),
    }))
  })
}

/**
 * Makes a corpus of files: each is cleaned, paragraphs that came before in any file are dropped, files that mostly
 * repeat an earlier one are left out whole, and what remains is cut into passages and sampled evenly down to size.
 * The result depends on the files and their order alone. Left: that nothing is left, to stand
 * after the name of the place.
 *
 * @example
 * ```ts
 * import { makeCorpus } from 'pullback/training'
 * const text = 'A paragraph of some length, in which a few things are said. '.repeat(4)
 * const corpus = makeCorpus([{ path: 'a.txt', group: 'own', kind: 'text', text }])
 * console.log(corpus._tag === 'Right' && corpus.right.documents.length) // => 1
 * ```
 */
export const makeCorpus = (
  files: Iterable<SourceFile>,
  config: CorpusConfig = defaultCorpusConfig,
): E.Either<string, Corpus> => {
  const omitted: Record<string, number> = {}
  const readable: SourceFile[] = []
  const signatures: Signature[] = []
  for (const file of files) {
    const program = file.kind === 'declarations' || file.kind === 'source' || file.kind === 'data'
    if (program && isMinified(file.text)) omit(omitted, 'written for machines')
    else {
      readable.push(file)
      signatures.push(signature(file.text.slice(0, comparedLength)))
    }
  }
  const firsts = representatives(signatures)
  const seen = new Set<number>()
  const documents: Document[] = []
  readable.forEach((file, index) => {
    if (firsts[index] !== index) return omit(omitted, 'a near copy of another')
    const language = config.englishOnly ? languageOf(file.text) : 'english'
    if (language === 'foreign') return omit(omitted, 'not English')
    const paragraphs = cleanParagraphs(file.text, file.kind).filter(
      (paragraph) => isLanguage(paragraph) && (language === 'english' || languageOf(paragraph) !== 'foreign'),
    )
    if (paragraphs.length === 0) return omit(omitted, 'without sentences')
    const fresh = paragraphs.filter((paragraph) => {
      if (paragraph.length < shortestDuplicate) return true
      const hash = paragraphHash(paragraph)
      return seen.has(hash) ? false : (seen.add(hash), true)
    })
    const passages = passagesOf(fresh, config.passageLength).filter(
      (passage) => passageLength(passage) >= shortestPassage,
    )
    const document = { path: file.path, group: file.group, kind: file.kind, passages }
    if (documentLength(document) < shortestDocument) return omit(omitted, 'with little or nothing new')
    documents.push(document)
  })
  if (documents.length === 0) return E.left(`holds no sentences${omissionText(omitted)}`)
  return E.right({
    documents: intoParts(sampleEvenly(documents, config.characters), config.fewestDocuments),
    omitted,
  })
}

/**
 * ` (3 files not English, 1 a near copy of another)`; nothing when nothing was left out.
 *
 * @example
 * ```ts
 * import { omissionText } from 'pullback/training'
 * console.log(omissionText({ 'not English': 3, 'a near copy of another': 1 }))
 * // =>  (left out: 3 files not English, 1 file a near copy of another)
 * ```
 */
export const omissionText = (omitted: Omissions): string => {
  const parts = Object.entries(omitted)
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    .map(([reason, count]) => `${count} ${count === 1 ? 'file' : 'files'} ${reason}`)
  return parts.length === 0 ? '' : ` (left out: ${parts.join(', ')})`
}
