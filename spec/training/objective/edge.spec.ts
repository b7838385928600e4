/** Losses where logarithms are infinite, and where nothing counts. Numbers are PyTorch's where nothing else is said. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { grad, itemSync, logSoftmax, tensor, toArraySync } from '../../../core/index.ts'
import type { Tensor } from '../../../core/index.ts'
import { binaryCrossEntropy, crossEntropy, ctc, negativeLogLikelihood } from '../../../training/index.ts'

const edge = suite('losses at their edges')

const ids = (x: readonly number[] | readonly (readonly number[])[]): Tensor => tensor(x, { dtype: 'int32' })

const near = (found: ArrayLike<number>, expected: readonly number[]): void => {
  assert.is(found.length, expected.length)
  expected.forEach((value, i) => {
    const got = found[i] as number
    assert.ok(Object.is(got, value) || Math.abs(got - value) < 1e-5, `${i}: ${got}, expected ${value}`)
  })
}

edge('a position that does not count may have an impossible class', () => {
  // class 0 is where gathers go that have no label
  const scores = tensor([
    [-Infinity, 0],
    [1, 2],
  ])
  const labels = ids([-100, 1])
  near([itemSync(crossEntropy(scores, labels))], [0.3132617])
  near(toArraySync(grad((x: Tensor) => crossEntropy(x, labels))(scores)), [0, 0, 0.2689414, -0.2689414])
  near([itemSync(crossEntropy(scores, labels, { classWeights: tensor([2, 3]) }))], [0.3132617])
  near(toArraySync(crossEntropy(scores, labels, { reduction: 'none' })), [0, 0.3132617])
  near([itemSync(negativeLogLikelihood(logSoftmax(scores), labels))], [0.3132617])
})

edge('probabilities of exactly 0 and 1 have a gradient that is a number', () => {
  const targets = tensor([0, 1, 1, 0, 0.5])
  const loss = (p: Tensor): Tensor<readonly []> => binaryCrossEntropy(p, targets)
  const p = tensor([0, 1, 0, 1, 0.5])
  near([itemSync(loss(p))], [(200 + Math.log(2)) / 5])
  // by hand: of -log(1 - p) at 0 and of -log p at 1, a fifth each
  near(toArraySync(grad(loss)(p)), [0.2, -0.2, 0, 0, 0])
})

edge('ctc of no steps is certain of no labels, and cannot have any', () => {
  const row = [
    [1, 2, 3],
    [3, 2, 1],
  ]
  const lengths = { input: ids([0, 0]), labels: ids([0, 1]) }
  const losses = ctc(logSoftmax(tensor([row, row])), ids([[1], [1]]), lengths, { reduction: 'none' })
  near(toArraySync(losses), [0, Infinity])
})

edge.run()
