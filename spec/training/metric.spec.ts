import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  accuracy,
  averageScore,
  calibrationError,
  classScores,
  confusionMatrix,
  exactMatch,
  ignoreIndex,
  majorityShare,
  perplexity,
  unigramEntropy,
} from '../../training/metric.ts'

const metric = suite('metric')

const close = (a: number, b: number): void => {
  if (!(Math.abs(a - b) <= 1e-12 * Math.max(1, Math.abs(b)))) assert.unreachable(`${a} is not ${b}`)
}

// scikit-learn 1.9.1: accuracy_score, confusion_matrix and precision_recall_fscore_support
// with labels=[0, 1, 2, 3, 4]; class 3 is never predicted, class 4 never there.
const truth = [0, 1, 2, 2, 2, 1, 0, 3, 3, 1, 0, 2]
const predicted = [0, 2, 2, 2, 1, 1, 0, 1, 2, 1, 2, 2]
const confusion = [
  [2, 0, 1, 0, 0],
  [0, 2, 1, 0, 0],
  [0, 1, 3, 0, 0],
  [0, 1, 1, 0, 0],
  [0, 0, 0, 0, 0],
]
const perClass = [
  [1.0, 0.6666666666666666, 0.8, 3],
  [0.5, 0.6666666666666666, 0.5714285714285714, 3],
  [0.5, 0.75, 0.6, 4],
  [0, 0, 0, 2],
  [0, 0, 0, 0],
]
const averages = {
  micro: [0.5833333333333334, 0.5833333333333334, 0.5833333333333334],
  macro: [0.4, 0.41666666666666663, 0.3942857142857143],
  weighted: [0.5416666666666666, 0.5833333333333334, 0.5428571428571428],
} as const

const classes = 4
const pairs = fc.array(fc.tuple(fc.nat(classes - 1), fc.nat(classes - 1)), { minLength: 1, maxLength: 40 })

metric('scikit-learn gives the same numbers', () => {
  close(accuracy(truth, predicted), 0.5833333333333334)
  assert.equal(confusionMatrix(truth, predicted, 5), confusion)
  classScores(confusion).forEach((score, i) =>
    [score.precision, score.recall, score.f1, score.support].forEach((value, j) =>
      close(value, perClass[i]![j]!),
    ),
  )
  for (const average of ['micro', 'macro', 'weighted'] as const) {
    const score = averageScore(confusion, average)
    ;[score.precision, score.recall, score.f1].forEach((value, j) => close(value, averages[average][j]!))
    assert.is(score.support, truth.length)
  }
})

metric('accuracy is the trace of the confusion matrix, micro F1 and weighted recall', () => {
  fc.assert(
    fc.property(pairs, (all) => {
      const [y, p] = [all.map(([a]) => a), all.map(([, b]) => b)]
      const matrix = confusionMatrix(y, p, classes)
      const share = accuracy(y, p)
      close(matrix.reduce((sum, row, i) => sum + row[i]!, 0) / y.length, share)
      close(averageScore(matrix, 'micro').f1, share)
      close(averageScore(matrix, 'weighted').recall, share)
    }),
  )
})

metric('F1 is the harmonic mean, and does not change when truth and prediction change places', () => {
  fc.assert(
    fc.property(pairs, (all) => {
      const [y, p] = [all.map(([a]) => a), all.map(([, b]) => b)]
      const scores = classScores(confusionMatrix(y, p, classes))
      const turned = classScores(confusionMatrix(p, y, classes))
      scores.forEach(({ precision, recall, f1 }, i) => {
        close(f1, precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall))
        close(turned[i]!.f1, f1)
        close(turned[i]!.recall, precision)
      })
    }),
  )
})

metric('relabelling the classes permutes the scores and leaves the averages', () => {
  const renaming = fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 })
  fc.assert(
    fc.property(pairs, renaming, (all, to) => {
      const matrix = confusionMatrix(
        all.map(([a]) => a),
        all.map(([, b]) => b),
        classes,
      )
      const renamed = confusionMatrix(
        all.map(([a]) => to[a]!),
        all.map(([, b]) => to[b]!),
        classes,
      )
      classScores(matrix).forEach((score, i) => assert.equal(classScores(renamed)[to[i]!], score))
      for (const average of ['micro', 'macro', 'weighted'] as const)
        close(averageScore(renamed, average).f1, averageScore(matrix, average).f1)
    }),
  )
})

metric('ignored positions change nothing', () => {
  fc.assert(
    fc.property(pairs, fc.array(fc.tuple(fc.nat(39), fc.nat(3))), (all, ignored) => {
      const padded = [...all] as [number, number][]
      for (const [at, guess] of ignored) padded.splice(at % (padded.length + 1), 0, [ignoreIndex, guess])
      const [y, p] = [all.map(([a]) => a), all.map(([, b]) => b)]
      const [yy, pp] = [padded.map(([a]) => a), padded.map(([, b]) => b)]
      assert.is(accuracy(yy, pp), accuracy(y, p))
      assert.is(majorityShare(yy), majorityShare(y))
      assert.equal(confusionMatrix(yy, pp, classes), confusionMatrix(y, p, classes))
    }),
  )
})

metric('nothing to count is NaN for a share, and 0 for a quotient', () => {
  assert.ok(Number.isNaN(accuracy([ignoreIndex], [1])))
  assert.ok(Number.isNaN(majorityShare([])))
  assert.ok(Number.isNaN(exactMatch([], [])))
  assert.equal(averageScore([], 'macro'), { precision: 0, recall: 0, f1: 0, support: 0 })
})

metric('the majority class', () => {
  close(majorityShare([2, 2, 1, 0]), 0.5)
  // as many classes as a large vocabulary has
  close(majorityShare(Int32Array.from({ length: 300_000 }, (_, i) => i)), 1 / 300_000)
  fc.assert(
    fc.property(fc.array(fc.nat(5), { minLength: 1 }), (labels) => {
      const best = Math.max(
        ...labels.map((label) =>
          accuracy(
            labels,
            labels.map(() => label),
          ),
        ),
      )
      close(majorityShare(labels), best)
    }),
  )
})

metric(
  'unigram entropy lies between 0 and the logarithm of the number of tokens, reached when all are equal',
  () => {
    fc.assert(
      fc.property(fc.array(fc.nat(9), { minLength: 1 }), fc.integer({ min: 1, max: 5 }), (ids, times) => {
        const entropy = unigramEntropy(ids)
        assert.ok(entropy >= 0 && entropy <= Math.log(new Set(ids).size) + 1e-12)
        close(
          unigramEntropy(Int32Array.from({ length: ids.length * times }, (_, i) => ids[i % ids.length]!)),
          entropy,
        )
      }),
    )
    close(unigramEntropy([0, 1, 2, 3, 4, 5]), Math.log(6))
    // H(1/2, 1/4, 1/4) = 1.5 bits
    close(unigramEntropy([5, 5, 8, 9]), 1.5 * Math.LN2)
    assert.is(unigramEntropy([3, 3]), 0)
    close(perplexity(unigramEntropy([0, 1, 2, 3])), 4)
  },
)

metric('exact match compares texts and sequences whole', () => {
  assert.is(exactMatch(['a', 'b'], ['a', 'c']), 0.5)
  assert.is(exactMatch([[1, 2], [1]], [Int32Array.of(1, 2), [1, 2]]), 0.5)
  assert.is(exactMatch(['1'], [[1]]), 0)
})

metric('calibration: what is said against what is right, in bins', () => {
  // Two bins of halves: |0.2 + 0.4 - 1| and |0.8 + 0.6 + 1 - 1|, of five.
  close(calibrationError([0.2, 0.4, 0.8, 0.6, 1], [true, false, false, false, true], { bins: 2 }), 1.8 / 5)
  assert.ok(Number.isNaN(calibrationError([], [])))
  const answer = fc.tuple(fc.boolean(), fc.double({ min: 0, max: 1, noNaN: true }))
  fc.assert(
    fc.property(fc.array(answer, { minLength: 1 }), (cases) => {
      const [right, said] = [cases.map(([is]) => is), cases.map(([, p]) => p)]
      assert.is(calibrationError(right.map(Number), right), 0)
      const error = calibrationError(said, right)
      assert.ok(error >= 0 && error <= 1)
      // finer bins hide less
      assert.ok(calibrationError(said, right, { bins: 1 }) <= error + 1e-12)
    }),
  )
})

metric('mistakes are told', () => {
  assert.throws(() => calibrationError([1.5], [true]), 'probabilities are in [0, 1], got 1.5')
  assert.throws(() => accuracy([1], [1, 2]), 'accuracy: 1 true values, but 2 predicted')
  assert.throws(() => confusionMatrix([0], [2], 2), 'class 0 predicted as 2, of 2 classes')
  assert.throws(() => confusionMatrix([-1], [0], 2), 'class -1')
})

metric.run()
