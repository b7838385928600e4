import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  documentLength,
  documentSentences,
  passageLength,
  passagesOf,
  passageText,
  sampleEvenly,
  type Document,
} from '../../../training/data/document.ts'
import { fairShares, groupBy } from '../../../training/data/share.ts'
import { sentences } from '../../../training/data/sentence.ts'

const document = suite('document')

const paragraphs = fc.array(
  fc
    .array(fc.constantFrom('The', 'net', 'learns.', 'Really?', 'const', 'x;', 'and', 'so', 'on.'), {
      minLength: 1,
    })
    .map((words) => words.join(' ')),
  { maxLength: 12 },
)

document('fair shares: nobody more than wanted, all of the budget used, the poor served first', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(1000), fc.integer({ min: 1, max: 9 })), { minLength: 1 }),
      fc.nat(3000),
      (parts, budget) => {
        const wants = parts.map(([want]) => want)
        const weights = parts.map(([, weight]) => weight)
        const shares = fairShares(wants, budget, weights)
        const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0)
        shares.forEach((share, i) => assert.ok(share >= 0 && share <= wants[i]! + 1e-9))
        assert.ok(Math.abs(total(shares) - Math.min(budget, total(wants))) < 1e-6)
        // Whoever wants more than was given got at least as much by weight as anybody.
        const level = Math.max(0, ...shares.map((share, i) => share / weights[i]!))
        shares.forEach((share, i) => {
          if (share < wants[i]! - 1e-6) assert.ok(share / weights[i]! >= level - 1e-6)
        })
      },
    ),
  )
  assert.equal(fairShares([10, 50, 90], 100), [10, 45, 45])
  assert.equal(fairShares([], 5), [])
})

document('grouping keeps everything, in order', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20)), (items) => {
      const groups = groupBy(items, (item) => `${item % 3}`)
      assert.equal([...groups.values()].flat().sort(), [...items].sort())
      for (const [name, group] of groups)
        assert.equal(
          group,
          items.filter((item) => `${item % 3}` === name),
        )
    }),
  )
})

document('passages are the sentences in order, of about the length asked for', () => {
  fc.assert(
    fc.property(paragraphs, fc.integer({ min: 20, max: 200 }), (texts, target) => {
      const passages = passagesOf(texts, target)
      assert.equal(
        passages.flat(),
        texts.flatMap((text) => sentences(text, Math.ceil(target * 0.6))),
      )
      passages.forEach((passage) => {
        assert.is(passageText(passage).length, passageLength(passage))
        assert.ok(passage.length > 0 && passageLength(passage) <= target * 1.25 + 1)
      })
    }),
  )
})

const corpus = fc
  .array(
    fc.record({
      group: fc.constantFrom('a', 'b', 'c'),
      kind: fc.constantFrom('documentation', 'source', 'licence'),
      size: fc.integer({ min: 1, max: 60 }),
    }),
    { minLength: 1, maxLength: 20 },
  )
  .map((parts) =>
    parts.map(({ group, kind, size }, i): Document => ({
      path: `${i}`,
      group,
      kind: kind as Document['kind'],
      passages: Array.from({ length: size }, (_, j) => [
        `This is sentence ${j} of document ${i}.`,
        'It is here to be read by all of you.',
      ]),
    })),
  )

document('an even sample keeps to its budget, and takes nothing that was not there, in order', () => {
  fc.assert(
    fc.property(corpus, fc.integer({ min: 2000, max: 40_000 }), (documents, budget) => {
      const sample = sampleEvenly(documents, budget)
      const length = (some: readonly Document[]): number =>
        some.reduce((sum, one) => sum + documentLength(one), 0)
      // A run of up to eight passages more than its share for each document, at most.
      assert.ok(length(sample) <= budget + documents.length * 8 * 80)
      assert.ok(length(sample) >= Math.min(budget, length(documents)) * 0.5)
      const paths = sample.map(({ path }) => Number(path))
      assert.equal(
        paths,
        [...paths].sort((a, b) => a - b),
      )
      for (const one of sample) {
        const whole = documentSentences(documents[Number(one.path)]!)
        let at = -1
        for (const passage of one.passages) {
          const next = whole.indexOf(passage[0]!, at + 1)
          assert.ok(next > at)
          at = next
        }
      }
      assert.equal(sampleEvenly(documents, budget), sample)
    }),
  )
})

document.run()
