/** What a corpus holds, in numbers and in words. */
import type { Corpus, Omissions } from './corpus.ts'
import { documentLength, type Document } from './document.ts'
import type { Kind } from './kind.ts'
import { groupBy } from './share.ts'
import { omissionText } from './corpus.ts'

export interface DocumentStatistics {
  readonly documents: number
  readonly passages: number
  readonly sentences: number
  readonly characters: number
}

export interface CorpusStatistics extends DocumentStatistics {
  readonly groups: number
  readonly kinds: Readonly<Partial<Record<Kind, DocumentStatistics>>>
  readonly omitted: Omissions
}

/**
 * How many documents, passages, sentences and characters there are.
 *
 * @example
 * ```ts
 * import { documentStatistics } from 'pullback/training'
 * import type { Document } from 'pullback/training'
 * const passages = [['Two.', 'Three.'], ['Four.']]
 * const document: Document = { path: 'a', group: 'g', kind: 'text', passages }
 * console.log(documentStatistics([document]))
 * // => { documents: 1, passages: 2, sentences: 3, characters: 16 }
 * ```
 */
export const documentStatistics = (documents: readonly Document[]): DocumentStatistics => ({
  documents: documents.length,
  passages: documents.reduce((sum, { passages }) => sum + passages.length, 0),
  sentences: documents.reduce((sum, { passages }) => sum + passages.reduce((n, p) => n + p.length, 0), 0),
  characters: documents.reduce((sum, document) => sum + documentLength(document), 0),
})

/**
 * How much there is of each kind, and what was left out.
 *
 * @example
 * ```ts
 * import { corpusStatistics } from 'pullback/training'
 * import type { Document } from 'pullback/training'
 * const passages = [['Two.', 'Three.'], ['Four.']]
 * const document: Document = { path: 'a', group: 'g', kind: 'text', passages }
 * console.log(corpusStatistics({ documents: [document], omitted: {} }))
 * // => {
 * //      documents: 1,
 * //      passages: 2,
 * //      sentences: 3,
 * //      characters: 16,
 * //      groups: 1,
 * //      kinds: { text: { documents: 1, passages: 2, sentences: 3, characters: 16 } },
 * //      omitted: {}
 * //    }
 * ```
 */
export const corpusStatistics = ({ documents, omitted }: Corpus): CorpusStatistics => ({
  ...documentStatistics(documents),
  groups: new Set(documents.map(({ group }) => group)).size,
  kinds: Object.fromEntries(
    [...groupBy(documents, ({ kind }) => kind)].map(([kind, part]) => [kind, documentStatistics(part)]),
  ),
  omitted,
})

const count = (n: number, noun?: string): string =>
  `${n.toLocaleString('en')}${noun === undefined ? '' : ` ${n === 1 ? noun : `${noun}s`}`}`

const passages = ({ passages, documents }: DocumentStatistics): string =>
  `${count(passages, 'passage')} of ${count(documents, 'document')}`

const megabytes = (characters: number): string =>
  characters < 1e5 ? `${count(characters)} characters` : `${(characters / 1e6).toFixed(1)} million characters`

/**
 * The statistics in words, a line for each kind.
 *
 * @example
 * ```ts
 * import { corpusStatistics, describeCorpus } from 'pullback/training'
 * import type { Document } from 'pullback/training'
 * const passages = [['Two.', 'Three.'], ['Four.']]
 * const document: Document = { path: 'a', group: 'g', kind: 'text', passages }
 * console.log(describeCorpus(corpusStatistics({ documents: [document], omitted: {} })))
 * // => [
 * //      '16 characters of text: 3 sentences in 2 passages of 1 document from 1 place',
 * //      'text: 16 characters, 2 passages of 1 document'
 * //    ]
 * ```
 */
export const describeCorpus = (statistics: CorpusStatistics): readonly string[] => [
  `${megabytes(statistics.characters)} of text: ${count(statistics.sentences, 'sentence')} in ` +
    `${passages(statistics)} from ${count(statistics.groups, 'place')}${omissionText(statistics.omitted)}`,
  ...Object.entries(statistics.kinds).map(
    ([kind, part]) => `${kind}: ${megabytes(part.characters)}, ${passages(part)}`,
  ),
]
