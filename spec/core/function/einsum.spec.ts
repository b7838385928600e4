/** Einstein summation: what nested loops give, the shapes in the types, and clear refusals. */
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as p from '../../../core/index.ts'
import type { Tensor } from '../../../core/index.ts'
import { tensors } from '../../index.ts'
import { assertSame } from '../../law/close.ts'
import { differentiable } from '../../law/differentiable.ts'
import { jitEqualsEager, vmapEqualsLoop } from '../../law/evaluation.ts'
import { check, law } from '../../law/law.ts'

const test = suite('einsum')
const dynamic = p.einsum as (subscripts: string, ...operands: readonly Tensor[]) => Tensor

/** Σ over all letters, one position after the other. */
const naive = (
  terms: readonly string[],
  result: string,
  sizes: Readonly<Record<string, number>>,
  operands: readonly Tensor[],
): Tensor => {
  const letters = [...new Set([...terms.join('')])]
  const data = operands.map((x) => p.toArraySync(x))
  const at = (term: string, position: Readonly<Record<string, number>>): number =>
    [...term].reduce((index, letter) => index * (sizes[letter] as number) + (position[letter] as number), 0)
  const out = new Float64Array([...result].reduce((n, letter) => n * (sizes[letter] as number), 1))
  const walk = (left: readonly string[], position: Readonly<Record<string, number>>): void => {
    const [letter, ...rest] = left
    if (letter === undefined) {
      out[at(result, position)] =
        (out[at(result, position)] as number) +
        terms.reduce(
          (product, term, i) => product * ((data[i] as Float64Array)[at(term, position)] as number),
          1,
        )
      return
    }
    for (let i = 0; i < (sizes[letter] as number); i++) walk(rest, { ...position, [letter]: i })
  }
  walk(letters, {})
  return p.fromArray(
    out,
    [...result].map((letter) => sizes[letter] as number),
  )
}

const letters = ['a', 'b', 'c', 'd'] as const
const cases = fc
  .record({
    terms: fc.array(fc.array(fc.constantFrom(...letters), { maxLength: 3 }), { minLength: 1, maxLength: 3 }),
    sizes: fc.record({
      a: fc.nat(3),
      b: fc.integer({ min: 1, max: 3 }),
      c: fc.integer({ min: 1, max: 3 }),
      d: fc.constant(2),
    }),
    order: fc.shuffledSubarray([...letters]),
  })
  .chain(({ terms, sizes, order }) =>
    fc
      .tuple(
        ...terms.map((term) => tensors({ shape: term.map((letter) => sizes[letter]), dtype: 'float64' })),
      )
      .map((operands) => ({
        terms: terms.map((term) => term.join('')),
        result: order.filter((letter) => terms.flat().includes(letter)).join(''),
        sizes,
        operands,
      })),
  )

/** No sum of products of elements, one from each operand, is larger; what is left where they cancel is its rounding. */
const mostOf = (operands: readonly Tensor[]): number =>
  operands.reduce(
    (most, x) => most * [...p.toArraySync(x)].reduce((sum, element) => sum + Math.abs(element), 0),
    1,
  )

test('= nested loops, whatever the letters', () =>
  check(
    law('einsum = loops', cases, ({ terms, result, sizes, operands }) =>
      assertSame(
        dynamic(`${terms.join(',')}->${result}`, ...operands),
        naive(terms, result, sizes, operands),
        { actual: `einsum ${terms.join(',')}->${result}`, expected: 'loops' },
        { tolerance: 1e-12, absolute: 1e-14 * mostOf(operands) },
      ),
    ),
    { numRuns: 300 },
  ))
test('what NumPy leaves unsaid: no arrow, dots, spaces', async () => {
  const x = p.reshape(p.cast(p.iota([24], 0), 'float64'), [2, 3, 4])
  const m = p.reshape(p.cast(p.iota([12], 0), 'float64'), [4, 3])
  const same = (a: Tensor, b: Tensor): Promise<void> =>
    assertSame(a, b, { actual: 'einsum', expected: 'plain' })
  await same(dynamic('ba', m), p.transpose(m))
  await same(dynamic('ij,jk', p.at(x, 0), m), p.matmul(p.at(x, 0), m))
  await same(dynamic('...ij,jk', x, m), p.matmul(x, m))
  await same(dynamic('... i j -> ... j i', x), p.swapAxes(x, 1, 2))
  await same(dynamic('i...->...', x), p.sum(x, { axis: 0 }))
  await same(dynamic('...,...->...', x, p.at(x, 0)), p.mul(x, p.at(x, 0)))
  await same(dynamic('ii->', p.eye(3, 'float64')), p.tensor(3, { dtype: 'float64' }))
})
test('the laws', async () => {
  const attention = (q: Tensor, k: Tensor): Tensor => dynamic('bqhd,bkhd->bhqk', q, k)
  const heads = fc.tuple(
    tensors({ shape: [2, 3, 2, 2], dtype: 'float64' }),
    tensors({ shape: [2, 2, 2, 2], dtype: 'float64' }),
  )
  const traces = (x: Tensor): Tensor => dynamic('iij->j', x)
  const squares = fc.tuple(tensors({ shape: [3, 3, 2], dtype: 'float64' }))
  await check(differentiable(attention, heads), { numRuns: 10 })
  await check(differentiable(traces, squares), { numRuns: 10 })
  await check(jitEqualsEager(attention, heads), { numRuns: 10 })
  await check(vmapEqualsLoop(traces, fc.tuple(tensors({ shape: [2, 3, 3, 2] })), [0]), { numRuns: 10 })
})
test('one contraction is one matrix product', () => {
  const f = p.jit((q: Tensor, k: Tensor) => dynamic('bqhd,bkhd->bhqk', q, k))
  const { launches } = f.program(p.ones([2, 3, 4, 5]), p.ones([2, 6, 4, 5]))
  assert.equal(launches.filter(({ kind }) => kind === 'matmul').length, 1)
})
test('mistakes are told', () => {
  const [a, b] = [p.zeros([2, 3]), p.zeros([4, 5])] as [Tensor, Tensor]
  assert.throws(
    () => dynamic('ij,jk->ik', a, b),
    /einsum: the letter j must stand for one size, got 3 and 4, in 'ij,jk->ik', got \[2, 3\] and \[4, 5\]/,
  )
  assert.throws(
    () => dynamic('ij->iz', a),
    /einsum: the letter z of the result is in no operand, in 'ij->iz'/,
  )
  assert.throws(() => dynamic('ijk->i', a), /einsum: the term 'ijk' names 3 axes, in 'ijk->i', got \[2, 3\]/)
  assert.throws(() => dynamic('ij,jk->ik', a), /einsum: there are 2 terms for 1 operands/)
  assert.throws(() => dynamic('i1->i', a), /must be letters/)
  assert.throws(() => dynamic('ij->ii', a), /a letter of the result repeats/)
  assert.throws(() => dynamic('ij->i->j', a), /more than one '->'/)
})

// The same in the types: what does not fit does not compile, and says why.
const q = p.ones([2, 3, 8])
const k = p.ones([2, 5, 8])
const scores: Tensor<readonly [2, 3, 5]> = p.einsum('bqd,bkd->bqk', q, k)
const turned: Tensor<readonly [3, 2]> = p.einsum('ij->ji', p.ones([2, 3]))
const open: Tensor = p.einsum('...i->...', q)
test('types', () => {
  assert.equal(
    [scores.shape, turned.shape, open.shape],
    [
      [2, 3, 5],
      [3, 2],
      [2, 3],
    ],
  )
  // @ts-expect-error einsum: the letter d stands for 8 and 7
  assert.throws(() => p.einsum('bqd,bkd->bqk', q, p.ones([2, 5, 7])), /the letter d/)
  // @ts-expect-error einsum: the letter z of the result is in no operand
  assert.throws(() => p.einsum('bqd->bqz', q), /the letter z/)
  // @ts-expect-error einsum: more letters than axes
  assert.throws(() => p.einsum('bqde->b', q), /names 4 axes/)
  // @ts-expect-error einsum: fewer terms than operands
  assert.throws(() => p.einsum('bqd->b', q, k), /1 terms for 2 operands/)
})
test.run()
