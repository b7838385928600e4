/** Every loss against PyTorch's and Transformers' value and gradient, and what ctc does at its edges. */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { grad, itemSync, logSoftmax, tensor, toArraySync } from '../../../core/index.ts'
import type { Tensor } from '../../../core/index.ts'
import { ctc } from '../../../training/index.ts'
import { tensors } from '../../index.ts'
import { assertPasses } from '../../verify/pass.ts'

const reference = suite('losses')

reference('are the libraries’', () => assertPasses('losses', 100))

/** The probability of all alignments that read as the labels, one by one. */
const enumerated = (rows: readonly (readonly number[])[], labels: readonly number[]): number => {
  const classes = rows[0]?.length ?? 0
  let total = 0
  const visit = (at: number, path: readonly number[], probability: number): void => {
    if (at === rows.length) {
      const merged = path.filter((label, i) => label !== path[i - 1] && label !== 0)
      if (merged.join() === labels.join()) total += probability
      return
    }
    for (let label = 0; label < classes; label++)
      visit(at + 1, [...path, label], probability * ((rows[at] as readonly number[])[label] as number))
  }
  visit(0, [], 1)
  return total
}

reference('ctc is the sum over all alignments', () => {
  const labels = fc.array(fc.integer({ min: 1, max: 2 }), { minLength: 0, maxLength: 3 })
  fc.assert(
    fc.property(tensors({ shape: [1, 4, 3] }), labels, (scores, list) => {
      const logs = logSoftmax(scores)
      const flat = [...toArraySync(logs)].map(Math.exp)
      const rows = [0, 1, 2, 3].map((i) => flat.slice(3 * i, 3 * i + 3))
      const given = tensor([[...list, 0, 0, 0].slice(0, 3)], { dtype: 'int32' })
      const lengths = { labels: tensor([list.length], { dtype: 'int32' }) }
      const loss = itemSync(ctc(logs, given, lengths, { reduction: 'sum' }))
      const expected = -Math.log(enumerated(rows, list))
      assert.ok(
        loss === expected || Math.abs(loss - expected) < 1e-4 * Math.max(1, expected),
        `${loss}, expected ${expected}`,
      )
    }),
    { numRuns: 60 },
  )
})

reference('ctc of labels that do not fit is infinite, without a gradient', () => {
  const labels = tensor([[1, 1]], { dtype: 'int32' })
  const loss = (x: Tensor): Tensor<readonly []> => ctc(logSoftmax(x), labels)
  const x = tensor([
    [
      [0, 1],
      [1, 0],
    ],
  ])
  assert.is(itemSync(loss(x)), Infinity)
  assert.equal([...toArraySync(grad(loss)(x))], [0, 0, 0, 0])
})

reference.run()
