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

export const documentStatistics = (documents: readonly Document[]): DocumentStatistics => ({
  documents: documents.length,
  passages: documents.reduce((sum, { passages }) => sum + passages.length, 0),
  sentences: documents.reduce((sum, { passages }) => sum + passages.reduce((n, p) => n + p.length, 0), 0),
  characters: documents.reduce((sum, document) => sum + documentLength(document), 0),
})

export const corpusStatistics = ({ documents, omitted }: Corpus): CorpusStatistics => ({
  ...documentStatistics(documents),
  groups: new Set(documents.map(({ group }) => group)).size,
  kinds: Object.fromEntries(
    [...groupBy(documents, ({ kind }) => kind)].map(([kind, part]) => [kind, documentStatistics(part)]),
  ),
  omitted,
})

const count = (n: number): string => n.toLocaleString('en')

const megabytes = (characters: number): string =>
  characters < 1e5 ? `${count(characters)} characters` : `${(characters / 1e6).toFixed(1)} million characters`

/** The statistics in words, a line for each kind. */
export const describeCorpus = (statistics: CorpusStatistics): readonly string[] => [
  `${megabytes(statistics.characters)} of text: ${count(statistics.sentences)} sentences in ` +
    `${count(statistics.passages)} passages of ${count(statistics.documents)} documents ` +
    `from ${count(statistics.groups)} places${omissionText(statistics.omitted)}`,
  ...Object.entries(statistics.kinds).map(
    ([kind, part]) =>
      `${kind}: ${megabytes(part.characters)}, ${count(part.passages)} passages of ${count(part.documents)} documents`,
  ),
]
