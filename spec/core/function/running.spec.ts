/** Running folds, one-hot rows and complements against what they mean. */
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as p from '../../../core/index.ts'
import { differentiable } from '../../law/differentiable.ts'
import { check } from '../../law/law.ts'
import { shapes } from '../../arbitrary/shape.ts'
import { tensors } from '../../arbitrary/tensor.ts'

const test = suite('running folds and rows')
const numbers = async (x: p.Tensor): Promise<readonly number[]> => Array.from(await p.toArray(x))

const folds = {
  cumSum: [p.cumSum, (a: number, b: number) => a + b],
  cumProd: [p.cumProd, (a: number, b: number) => a * b],
  cumMax: [p.cumMax, Math.max],
  cumMin: [p.cumMin, Math.min],
} as const

for (const [name, [f, fold]] of Object.entries(folds))
  test(`${name}: from either end`, () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: -4, max: 4 }), { minLength: 1, maxLength: 9 }),
        async (values) => {
          const running = (all: readonly number[]): readonly number[] =>
            all.map((_, i) => all.slice(0, i + 1).reduce((a, b) => fold(a, b)))
          const x = p.tensor(values, { dtype: 'int32' })
          assert.equal(
            await numbers(f(x)),
            running(values).map((n) => n + 0),
          )
          const backward = [...running([...values].reverse())].reverse()
          assert.equal(
            await numbers(f(x, 0, { reverse: true })),
            backward.map((n) => n + 0),
          )
        },
      ),
      { numRuns: 40 },
    ))

test('products: the derivative, also where a factor is close to 0', () =>
  check(
    differentiable(
      (x: p.Tensor) => p.cumProd(x, -1),
      fc.tuple(tensors({ shape: shapes({ minRank: 1, maxRank: 2 }) })),
    ),
    { numRuns: 30 },
  ))

test('oneHot: a row for each index, zeros for one beyond', async () => {
  const rows = p.oneHot(
    p.tensor(
      [
        [0, 2],
        [3, -1],
      ],
      { dtype: 'int32' },
    ),
    3,
  )
  assert.equal(rows.shape, [2, 2, 3])
  assert.equal(rows.dtype, 'float32')
  assert.equal(await numbers(rows), [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0])
  assert.is(p.oneHot(p.tensor([1], { dtype: 'int32' }), 2, 'bool').dtype, 'bool')
})

test('running folds along an axis that is not there are refused by their names', () => {
  for (const name of ['cumSum', 'cumProd', 'cumMax', 'cumMin'] as const)
    assert.throws(() => p[name](p.ones([2, 3]), 2), new RegExp(`${name}: axis 2 is out of range for rank 2`))
})

test('bitwiseNot: the complement of bits, or of truth', async () => {
  assert.equal(await numbers(p.bitwiseNot(p.tensor([0, 5, -1], { dtype: 'int32' }))), [-1, -6, 0])
  assert.equal(await numbers(p.bitwiseNot(p.tensor([true, false]))), [0, 1])
})

test.run()
