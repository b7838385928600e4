import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { answerScore } from '../../training/index.ts'

const score = suite('answers in words')

score('case, punctuation and articles do not count', () => {
  assert.equal(answerScore([['The cat!']], ['  a CAT ']), { exact: 1, f1: 1 })
  assert.equal(answerScore([['theatre']], ['atre']), { exact: 0, f1: 0 })
  // no article stands within a word of other letters
  assert.is(answerScore([['ça ä']], ['ç ä']).exact, 0)
  assert.is(answerScore([['naïve é an']], ['naïve é']).exact, 1)
})

score('F1 counts words as often as they stand, and takes the best reference', () => {
  // shared: grey, cat; 2 · 2 / (3 + 4)
  assert.is(answerScore([['big grey cat']], ['grey cat cat cat']).f1, 4 / 7)
  assert.is(answerScore([['dog', 'grey cat']], ['grey cat']).f1, 1)
})

score('nothing is right where there is no answer, and only there', () => {
  assert.equal(answerScore([[]], ['']), { exact: 1, f1: 1 })
  assert.equal(answerScore([[]], ['cat']), { exact: 0, f1: 0 })
  assert.equal(answerScore([['cat']], ['']), { exact: 0, f1: 0 })
})

score('a reference scores 1, and no F1 is below the exact match', () => {
  const text = fc.stringMatching(/^[a-e ]{0,12}$/)
  fc.assert(
    fc.property(fc.array(fc.tuple(text, text), { minLength: 1 }), (pairs) => {
      const [right, said] = [pairs.map(([a]) => [a]), pairs.map(([, b]) => b)]
      assert.equal(answerScore(right, right.flat()), { exact: 1, f1: 1 })
      const { exact, f1 } = answerScore(right, said)
      assert.ok(exact <= f1 + 1e-12 && f1 <= 1)
    }),
  )
})

score('questions and answers must be as many', () => {
  assert.throws(() => answerScore([['x']], []), /1 questions, but 0 answers/)
})

score.run()
