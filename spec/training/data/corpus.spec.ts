import fc from 'fast-check'
import { either as E } from 'fp-ts'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  defaultCorpusConfig,
  makeCorpus,
  type Corpus,
  type SourceFile,
} from '../../../training/data/corpus.ts'
import {
  documentLength,
  documentSentences,
  passageText,
  type Document,
} from '../../../training/data/document.ts'
import { paragraphHash } from '../../../training/data/duplicate.ts'
import { splitDocuments } from '../../../training/data/split.ts'
import { corpusStatistics, describeCorpus } from '../../../training/data/statistic.ts'
import { prose } from './prose.ts'

const corpus = suite('corpus')

const file = (path: string, text: string, kind: SourceFile['kind'] = 'documentation'): SourceFile => ({
  path,
  group: path.split('/')[0]!,
  kind,
  text,
})

const right = <A>(either: E.Either<string, A>): A =>
  E.isRight(either) ? either.right : assert.unreachable(either.left)!

const made = (files: readonly SourceFile[], config = {}): Corpus =>
  right(makeCorpus(files, { ...defaultCorpusConfig, ...config }))

const twelve = Array.from({ length: 12 }, (_, i) => file(`p${i}/README.md`, prose(i, 30)))

corpus('documents hold the sentences of their files, in order', () => {
  const { documents } = made(twelve)
  assert.equal(
    documents.map(({ path }) => path),
    twelve.map(({ path }) => path),
  )
  documents.forEach((document, i) =>
    assert.is(documentSentences(document).join(' '), twelve[i]!.text.replace(/\s+/g, ' ').trim()),
  )
})

corpus('a paragraph comes once in the whole corpus, and a near copy of a file not at all', () => {
  const shared = prose(100, 4).trim()
  const { documents, omitted } = made([
    ...twelve,
    file('a/README.md', `${prose(50, 20)}\n\n${shared}`),
    file('b/README.md', `${shared}\n\n${prose(51, 20)}`),
    file('c/README.md', `${prose(3, 30)}\n\nOne more line.`),
  ])
  const texts = documents.map((document) => documentSentences(document).join(' '))
  assert.is(texts.filter((text) => text.includes(shared)).length, 1)
  assert.equal(omitted, { 'a near copy of another': 1 })
  assert.not.ok(documents.some(({ path }) => path === 'c/README.md'))
})

corpus('what is not language, not English, or not written by hand is left out and counted', () => {
  const { documents, omitted } = made([
    ...twelve,
    file(
      'a/README.de.md',
      'Diese Funktion gibt das erste Element der Liste zurück, und die Liste ist nicht leer. '.repeat(5),
    ),
    file('a/index.js', 'var a=1;function b(e){return e};'.repeat(200), 'source'),
    file('a/table.md', '| 1 | 2 |\n'.repeat(50)),
    file('a/tiny.md', 'Just a line.'),
  ])
  assert.is(documents.length, 12)
  assert.equal(omitted, {
    'not English': 1,
    'written for machines': 1,
    'without sentences': 1,
    'with little or nothing new': 1,
  })
  const german = file('de.txt', 'Das ist ein Satz über die Welt und nicht über den Wert. '.repeat(40), 'text')
  assert.is(made([german], { englishOnly: false }).documents[0]!.kind, 'text')
})

corpus('a corpus of few files is cut into parts, none of which is lost', () => {
  const text = prose(1, 400)
  const { documents } = made([file('book.txt', text, 'text')])
  assert.ok(documents.length >= 10)
  assert.equal(
    documents.map(({ path }) => path),
    documents.map((_, i) => `book.txt#${i + 1}`),
  )
  assert.is(documents.flatMap(documentSentences).join(' '), text.replace(/\s+/g, ' ').trim())
})

corpus('the corpus keeps to its size', () => {
  const { documents } = made(twelve, { characters: 20_000 })
  const length = documents.reduce((sum, document) => sum + documentLength(document), 0)
  assert.ok(length > 10_000 && length < 24_000, `${length}`)
  assert.equal(made(twelve, { characters: 20_000 }).documents, documents)
})

corpus('nothing at all is refused', () => {
  assert.equal(makeCorpus([]), E.left('holds no sentences'))
  const refused = makeCorpus([file('a', '1 2 3'), file('b', '4 5 6')])
  assert.equal(refused, E.left('holds no sentences (left out: 2 files without sentences)'))
})

corpus('statistics count, and tell in words', () => {
  const statistics = corpusStatistics(made([...twelve, file('a/x', '1 2 3')]))
  assert.is(statistics.documents, 12)
  assert.is(statistics.groups, 12)
  assert.equal(Object.keys(statistics.kinds), ['documentation'])
  const [first, second] = describeCorpus(statistics)
  assert.match(
    first!,
    /of text: [\d,]+ sentences in \d+ passages of 12 documents from 12 places \(left out: 1 file/,
  )
  assert.match(second!, /^documentation: .* passages of 12 documents$/)
})

const { documents } = made([
  ...Array.from({ length: 30 }, (_, i) => file(`p${i}/README.md`, prose(i, 10 + (i % 7) * 10))),
  ...Array.from({ length: 12 }, (_, i) => file(`p${i}/LICENSE`, prose(200 + i, 15), 'licence')),
])

corpus('a split is by file, covers everything, and depends on the seed alone', () => {
  fc.assert(
    fc.property(
      fc.nat(),
      fc.shuffledSubarray([...documents], { minLength: documents.length }),
      (seed, shuffled) => {
        const { train, heldOut, leaking } = right(splitDocuments(documents, { seed, heldOut: 0.2 }))
        const [left, held] = [train.map(({ path }) => path), heldOut.map(({ path }) => path)]
        assert.equal([...left, ...held].sort(), documents.map(({ path }) => path).sort())
        assert.is(leaking, 0)
        for (const kind of ['documentation', 'licence']) {
          const length = (some: readonly Document[]): number =>
            some.filter((one) => one.kind === kind).reduce((sum, one) => sum + documentLength(one), 0)
          const share = length(heldOut) / length(documents)
          assert.ok(share > 0.05 && share <= 0.3, `${share}`)
        }
        const again = right(splitDocuments(shuffled, { seed, heldOut: 0.2 }))
        assert.equal(
          again.heldOut.map(({ path }) => path),
          held,
        )
      },
    ),
    { numRuns: 30 },
  )
  const choices = [1, 2, 3, 4].map((seed) =>
    right(splitDocuments(documents, { seed, heldOut: 0.2 }))
      .heldOut.map(({ path }) => path)
      .join(),
  )
  assert.ok(new Set(choices).size > 1)
})

corpus('what training has nearly read is not held out', () => {
  const altered = documents.map((document) => ({
    ...document,
    path: `copy/${document.path}`,
    passages: document.passages.map((passage) => [`${passageText(passage)} And so on.`]),
  }))
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      const split = splitDocuments([...documents, ...altered], { seed, heldOut: 0.2 })
      if (E.isLeft(split)) return
      const { train, heldOut, leaking } = split.right
      assert.ok(leaking > 0)
      const read = new Set(
        train.flatMap(({ passages }) =>
          passages.map((p) => paragraphHash(passageText(p).replace(/ And so on\.$/, ''))),
        ),
      )
      for (const { passages } of heldOut)
        for (const passage of passages)
          assert.not.ok(read.has(paragraphHash(passageText(passage).replace(/ And so on\.$/, ''))))
    }),
    { numRuns: 10 },
  )
})

corpus('what cannot be split is refused', () => {
  assert.ok(E.isLeft(splitDocuments([], { seed: 0, heldOut: 0.1 })))
  assert.ok(E.isLeft(splitDocuments(documents.slice(0, 1), { seed: 0, heldOut: 0.1 })))
})

corpus.run()
