import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { entityScore, entitySpans } from '../../training/index.ts'

const spans = suite('entities')

const tag = fc.constantFrom('O', 'B-a', 'I-a', 'B-b', 'I-b')
const texts = fc.array(fc.array(tag, { maxLength: 8 }), { maxLength: 5 })

spans('an entity begins at B, or where I does not go on', () => {
  const of = (...tags: readonly string[]): string =>
    entitySpans(tags)
      .map(({ kind, start, end }) => `${kind}${start}-${end}`)
      .join(' ')
  assert.is(of('B-a', 'B-a', 'I-a'), 'a0-1 a1-3')
  assert.is(of('I-a', 'I-b', 'I-b', 'O', 'I-b'), 'a0-1 b1-3 b4-5')
  assert.is(of('O', 'X', ''), '')
  assert.is(of('B-a', 'O', 'I-a'), 'a0-1 a2-3')
})

spans('words in entities are those whose tags say so, each in one', () => {
  fc.assert(
    fc.property(fc.array(tag), (tags) => {
      const inside = entitySpans(tags).flatMap(({ kind, start, end }) =>
        Array.from({ length: end - start }, (_, i) => `${start + i} ${kind}`),
      )
      assert.equal(
        inside,
        tags.flatMap((one, i) => (one === 'O' ? [] : [`${i} ${one.slice(2)}`])),
      )
    }),
  )
})

spans('the truth scores 1, silence 0, and truth and guess change places with precision and recall', () => {
  fc.assert(
    fc.property(texts, fc.infiniteStream(tag), (truth, more) => {
      const guess = truth.map((tags) => [...more.take(tags.length)])
      const [score, turned] = [entityScore(truth, guess), entityScore(guess, truth)]
      assert.is(score.precision, turned.recall)
      assert.is(score.f1, turned.f1)
      const [{ precision: p, recall: r }] = [score]
      assert.ok(Math.abs(score.f1 - (p + r === 0 ? 0 : (2 * p * r) / (p + r))) < 1e-12)
      const own = entityScore(truth, truth)
      assert.is(own.f1, own.support === 0 ? 0 : 1)
      assert.is(
        entityScore(
          truth,
          truth.map((tags) => tags.map(() => 'O')),
        ).f1,
        0,
      )
    }),
  )
})

// seqeval 1.2.2, f1_score of its README: two entities each, one of them right.
spans('as seqeval counts', () => {
  const truth = [
    ['O', 'O', 'O', 'B-MISC', 'I-MISC', 'I-MISC', 'O'],
    ['B-PER', 'I-PER', 'O'],
  ]
  const guess = [
    ['O', 'O', 'B-MISC', 'I-MISC', 'I-MISC', 'I-MISC', 'O'],
    ['B-PER', 'I-PER', 'O'],
  ]
  assert.equal(entityScore(truth, guess), { precision: 0.5, recall: 0.5, f1: 0.5, support: 2 })
})

spans('texts and tags must be as many', () => {
  assert.throws(() => entityScore([['O']], []), /1 texts, but 0/)
  assert.throws(() => entityScore([['O']], [['O', 'O']]), /text 0 has 1 tags, but 2/)
})

spans.run()
