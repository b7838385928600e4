/** Triangular systems, Cholesky, QR and norms: what they promise, and the laws of derivatives. */
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as p from '../../../core/index.ts'
import type { Tensor } from '../../../core/index.ts'
import { shapes, tensors } from '../../index.ts'
import { assertSame } from '../../law/close.ts'
import { differentiable } from '../../law/differentiable.ts'
import { jitEqualsEager, vmapEqualsLoop } from '../../law/evaluation.ts'
import { check, law } from '../../law/law.ts'
import { adjoint, symmetric } from '../../law/linear.ts'

const test = suite('linear algebra')
const close = { tolerance: 1e-9, absolute: 1e-10 }
const T = (x: Tensor): Tensor => p.swapAxes(x, -1, -2)
const lead = fc.constantFrom<readonly number[]>([], [2], [1, 2])
const sizes = fc.integer({ min: 1, max: 4 })
const matrix = (rows: number, columns: number, batch: readonly number[] = []): fc.Arbitrary<Tensor> =>
  tensors({ shape: [...batch, rows, columns], dtype: 'float64', values: 'unit' })
/** Well conditioned: the diagonal outweighs the rest. */
const solid = (n: number, batch: readonly number[] = []): fc.Arbitrary<Tensor> =>
  matrix(n, n, batch).map((a) => p.add(a, p.mul(p.eye(n, 'float64'), n + 1)))

test('triangularSolve solves, whatever stands in the other triangle', () =>
  check(
    law(
      'A X = B',
      fc
        .tuple(sizes, sizes, lead, fc.boolean(), fc.boolean(), fc.boolean())
        .chain(([n, k, batch, ...flags]) =>
          fc.tuple(solid(n, batch), matrix(n, k, batch), fc.constant(flags)),
        ),
      async ([a, b, [lower, transpose, unitDiagonal]]) => {
        const x = p.triangularSolve(a, b, {
          lower: lower!,
          transpose: transpose!,
          unitDiagonal: unitDiagonal!,
        })
        const part = lower ? p.tril(a, -1) : p.triu(a, 1)
        const n = a.shape.at(-1) as number
        const eye = p.eye(n, 'float64')
        const own = p.add(part, unitDiagonal ? eye : p.mul(a, eye))
        await assertSame(p.matmul(transpose ? T(own) : own, x), b, { actual: 'A X', expected: 'B' }, close)
      },
    ),
  ))
test('cholesky and qr factor', () =>
  check(
    law(
      'factors',
      fc.tuple(sizes, sizes, lead).chain(([m, n, batch]) => fc.tuple(solid(m, batch), matrix(m, n, batch))),
      async ([a, wide]) => {
        const positive = p.matmul(a, T(a))
        const l = p.cholesky(positive)
        await assertSame(p.matmul(l, T(l)), positive, { actual: 'L Lᵀ', expected: 'A' }, close)
        await assertSame(p.tril(l), l, { actual: 'the lower triangle', expected: 'L' }, { tolerance: 0 })
        const { q, r } = p.qr(wide)
        // Columns that depend on those before them, or nearly, have no factors, or none that are exact.
        if (!p.toArraySync(p.diagonal(r)).every((x) => x > 1e-4)) return false
        await assertSame(p.matmul(q, r), wide, { actual: 'Q R', expected: 'A' }, close)
        const k = q.shape.at(-1) as number
        await assertSame(
          p.matmul(T(q), q),
          p.broadcastTo(p.eye(k, 'float64'), [...q.shape.slice(0, -2), k, k]),
          { actual: 'Qᵀ Q', expected: '1' },
          { tolerance: 1e-8 },
        )
        assert.ok(p.toArraySync(p.diagonal(r)).every((x) => x > 0))
        return true
      },
    ),
  ))

const solve = (a: Tensor, b: Tensor): Tensor => p.triangularSolve(a, b)
const upper = (a: Tensor, b: Tensor): Tensor => p.triangularSolve(a, b, { lower: false, transpose: true })
const pairs = fc.tuple(sizes, sizes).chain(([n, k]) => fc.tuple(solid(n), matrix(n, k)))
const squares = sizes.chain((n) => fc.tuple(solid(n)))
const tall = fc
  .tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 0, max: 2 }))
  .chain(([n, more]) =>
    fc.tuple(fc.tuple(solid(n), matrix(more, n)).map(([top, rest]) => p.concatenate([top, rest]))),
  )
const choleskyOf = (a: Tensor): Tensor => p.cholesky(p.matmul(a, T(a)))
const both = (a: Tensor): unknown => p.qr(a)

test('derivatives to second order, forward mode, symmetric Hessians', async () => {
  await check(differentiable(solve, pairs), { numRuns: 25 })
  await check(differentiable(upper, pairs), { numRuns: 15 })
  await check(differentiable(choleskyOf, squares), { numRuns: 15 })
  await check(differentiable(both, tall), { numRuns: 15 })
  await check(adjoint(solve, pairs), { numRuns: 10 })
  await check(adjoint(choleskyOf, squares), { numRuns: 10 })
  await check(adjoint(both, tall), { numRuns: 10 })
  // Of a single number it is linear, and its second derivative nothing but rounding.
  await check(symmetric(choleskyOf, fc.tuple(solid(3))), { numRuns: 8 })
})
test('compiled and batched', async () => {
  const slope = (a: Tensor, b: Tensor): unknown =>
    p.grad((m: Tensor, r: Tensor) => p.sum(p.sin(p.triangularSolve(m, r))), { argnums: [0, 1] })(a, b)
  await check(jitEqualsEager(slope, pairs, close), { numRuns: 8 })
  await check(
    jitEqualsEager((a: Tensor) => p.grad((m: Tensor) => p.sum(choleskyOf(m)))(a), squares, close),
    { numRuns: 8 },
  )
  await check(vmapEqualsLoop(slope, fc.tuple(solid(3, [2]), matrix(3, 2)), [0, null], close), { numRuns: 5 })
  await check(vmapEqualsLoop(both, fc.tuple(matrix(4, 2, [3])), [0], close), { numRuns: 5 })
  await check(
    vmapEqualsLoop(
      (a: Tensor) => p.grad((m: Tensor) => p.sum(choleskyOf(m)))(a),
      fc.tuple(solid(3, [2])),
      [0],
      close,
    ),
    { numRuns: 5 },
  )
})

test('norms', async () => {
  const x = p.tensor(
    [
      [3, -4],
      [0, 12],
    ],
    { dtype: 'float64' },
  )
  const rows = (order: number): number[] => [...p.toArraySync(p.norm(x, { order, axis: 1 }))]
  assert.equal([p.itemSync(p.norm(x)), rows(1), rows(2), rows(Infinity)], [13, [7, 12], [5, 12], [4, 12]])
  assert.ok(Math.abs(p.itemSync(p.norm(x, { order: 3 })) - (27 + 64 + 1728) ** (1 / 3)) < 1e-12)
  assert.equal(p.norm(x, { axis: 0, keepDims: true }).shape, [1, 2])
  assert.ok(Math.abs(p.itemSync(p.norm(p.tensor([3e200, 4e200], { dtype: 'float64' }))) / 5e200 - 1) < 1e-15)
  assert.is(p.itemSync(p.norm(p.tensor([1, Infinity]))), Infinity)
  assert.equal([...p.toArraySync(p.grad((y: Tensor) => p.norm(y))(p.zeros([2])))], [0, 0])
  assert.is(p.itemSync(p.norm(p.zeros([0]))), 0)
  const away = fc.tuple(tensors({ shape: shapes({ minSize: 1 }), values: 'distinct' }))
  for (const order of [1, 2, 3, Infinity])
    await check(
      differentiable((y: Tensor) => p.norm(y, { order }), away),
      { numRuns: 20 },
    )
  await check(
    differentiable(
      (y: Tensor) => p.norm(y, { axis: -1 }),
      fc.tuple(tensors({ shape: shapes({ minRank: 1, minSize: 1 }), values: 'distinct' })),
    ),
    { numRuns: 20 },
  )
})
test('mistakes are told', () => {
  const a = p.zeros([2, 3])
  // @ts-expect-error cholesky: the matrix must be square, got [2, 3]
  assert.throws(() => p.cholesky(a), /cholesky: the matrix must be square, got \[2, 3\]/)
  assert.throws(() => p.qr(p.zeros([3])), /qr: the matrix needs two axes, got \[3\]/)
  assert.throws(
    // @ts-expect-error triangularSolve: the right side must have as many rows as the matrix
    () => p.triangularSolve(p.eye(2), p.zeros([3, 1])),
    /triangularSolve: the right side must be a matrix with as many rows, got \[2, 2\] and \[3, 1\]/,
  )
  assert.throws(
    () => p.cholesky(p.zeros([2, 2], 'int32')),
    /cholesky: the matrix must be floating point, got int32/,
  )
  assert.throws(() => p.norm(a, { order: 0 }), /norm: the order must be at least 1/)
  // @ts-expect-error norm: there is no axis 2 in [2, 3]
  assert.throws(() => p.norm(a, { axis: 2 }), /axis 2 is out of range/)
  for (const f of [p.tril, p.triu, p.diagonal] as readonly ((a: Tensor) => Tensor)[])
    assert.throws(() => f(p.zeros([3])), /(tril|triu|diagonal): the matrix needs two axes, got \[3\]/)
})
test.run()
