/** Slices that begin at data, writing at data, and segments: what plain loops give, and the laws. */
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

const test = suite('indexing')
const numbers = (x: Tensor): number[] => [...p.toArraySync(x)]

interface Part {
  readonly x: Tensor
  readonly update: Tensor
  readonly starts: readonly number[]
}

const parts: fc.Arbitrary<Part> = shapes({ minSize: 1 }).chain((shape) =>
  fc.tuple(...shape.map((n) => fc.integer({ min: 1, max: n }))).chain((sizes) =>
    fc.record({
      x: tensors({ shape, dtype: 'float64' }),
      update: tensors({ shape: sizes, dtype: 'float64' }),
      starts: fc.tuple(...shape.map((n) => fc.integer({ min: -2, max: n + 1 }))),
    }),
  ),
)
const clamped = ({ x, update, starts }: Part): number[] =>
  starts.map((start, axis) =>
    Math.min(Math.max(start, 0), (x.shape[axis] as number) - (update.shape[axis] as number)),
  )
const vector = (starts: readonly number[]): Tensor => p.tensor([...starts], { dtype: 'int32' })

test('dynamicSlice = slice at the clamped start, dynamicUpdateSlice puts it there', () =>
  check(
    law('dynamic slices', parts, async (part) => {
      const { x, update, starts } = part
      const from = clamped(part)
      const names = { actual: 'dynamic', expected: 'static' }
      const plain = p.slice(
        x,
        from,
        from.map((n, axis) => n + (update.shape[axis] as number)),
      )
      for (const given of [
        starts,
        starts.map((n) => p.tensor(n, { dtype: 'int32' })),
        ...(starts.length > 0 ? [vector(starts)] : []),
      ])
        await assertSame(p.dynamicSlice(x, given, update.shape), plain, names)
      const mask = p.pad(
        p.ones(update.shape),
        update.shape.map((n, axis) => [
          from[axis] as number,
          (x.shape[axis] as number) - n - (from[axis] as number),
        ]),
      )
      const padded = p.pad(
        update,
        update.shape.map((n, axis) => [
          from[axis] as number,
          (x.shape[axis] as number) - n - (from[axis] as number),
        ]),
      )
      await assertSame(p.dynamicUpdateSlice(x, update, starts), p.where(p.equal(mask, 1), padded, x), names)
    }),
  ))
test('they obey the laws', async () => {
  const update = (x: Tensor, y: Tensor, i: Tensor): Tensor => p.dynamicUpdateSlice(x, y, [i, 1])
  const cases = fc.tuple(
    tensors({ shape: [4, 3], dtype: 'float64' }),
    tensors({ shape: [2, 2], dtype: 'float64' }),
    tensors({ shape: [], dtype: 'int32', values: fc.nat(4) }),
  )
  await check(differentiable(update, cases), { numRuns: 20 })
  await check(jitEqualsEager(update, cases), { numRuns: 20 })
  const slice = (x: Tensor, i: Tensor): Tensor => p.dynamicSlice(x, [i, 0], [2, 3])
  const batches = fc.tuple(
    tensors({ shape: [3, 4, 3], dtype: 'float64' }),
    tensors({ shape: [3], dtype: 'int32', values: fc.nat(4) }),
  )
  await check(vmapEqualsLoop(slice, batches, [0, 0]), { numRuns: 20 })
  await check(
    vmapEqualsLoop((x: Tensor, i: Tensor) => update(x, p.ones([2, 2], 'float64'), i), batches, [0, 0]),
    { numRuns: 20 },
  )
})

test('segments', () =>
  check(
    law(
      'segments = loops',
      fc
        .tuple(fc.nat(6), fc.integer({ min: 1, max: 4 }), shapes({ maxRank: 1 }))
        .chain(([n, count, rest]) =>
          fc.tuple(
            tensors({ shape: [n, ...rest], dtype: 'float64' }),
            tensors({ shape: [n], dtype: 'int32', values: fc.nat(count - 1) }),
            fc.constant(count),
          ),
        ),
      async ([x, ids, count]) => {
        const list = numbers(ids)
        const width = x.shape.slice(1).reduce((a, b) => a * b, 1)
        const data = numbers(x)
        const of = (segment: number, column: number): number[] =>
          list.flatMap((id, i) => (id === segment ? [data[i * width + column] as number] : []))
        const folded = (fold: (values: number[]) => number): Tensor =>
          p.fromArray(
            Float64Array.from({ length: count * width }, (_, i) =>
              fold(of(Math.floor(i / width), i % width)),
            ),
            [count, ...x.shape.slice(1)],
          )
        const sum = (values: number[]): number => values.reduce((a, b) => a + b, 0)
        const same = (actual: Tensor, expected: Tensor): Promise<void> =>
          assertSame(actual, expected, { actual: 'segments', expected: 'loops' })
        await same(p.segmentSum(x, ids, count), folded(sum))
        await same(
          p.segmentMax(x, ids, count),
          folded((values) => Math.max(-Infinity, ...values)),
        )
        await same(
          p.segmentMin(x, ids, count),
          folded((values) => Math.min(Infinity, ...values)),
        )
        await same(
          p.segmentMean(x, ids, count),
          folded((values) => (values.length === 0 ? 0 : sum(values) / values.length)),
        )
      },
    ),
  ))
test('segments are differentiable', async () => {
  const cases = fc.tuple(
    tensors({ shape: [5, 2], values: 'distinct' }),
    tensors({ shape: [5], dtype: 'int32', values: fc.nat(1) }),
  )
  for (const f of [p.segmentSum, p.segmentMean])
    await check(
      differentiable((x: Tensor, ids: Tensor) => f(x, ids, 2), cases),
      { numRuns: 15 },
    )
  await check(
    differentiable((x: Tensor, ids: Tensor) => p.clip(p.segmentMax(x, ids, 2), -9, 9), cases),
    { numRuns: 15 },
  )
})
test('the last of several updates counts, and gets the gradient', () => {
  const index = p.tensor([1, 1, 0], { dtype: 'int32' })
  const put = (x: Tensor, y: Tensor): Tensor => p.scatterSet(x, index, y)
  const [x, y] = [p.tensor([1, 2, 3]), p.tensor([7, 8, 9])]
  assert.equal(numbers(put(x, y)), [9, 8, 3])
  const [dx, dy] = p.grad((a: Tensor, b: Tensor) => p.sum(p.mul(put(a, b), p.tensor([10, 20, 30]))), {
    argnums: [0, 1],
  })(x, y)
  assert.equal(
    [numbers(dx), numbers(dy)],
    [
      [0, 0, 30],
      [0, 20, 10],
    ],
  )
  assert.equal(
    numbers(p.putAlongAxis(p.zeros([2, 2]), p.tensor([[1], [0]], { dtype: 'int32' }), p.tensor([[5], [6]]))),
    [0, 5, 6, 0],
  )
})
test('mistakes are told', () => {
  const x = p.zeros([2, 3])
  assert.throws(() => p.dynamicSlice(x, [0], [1, 1]), /dynamicSlice: one start for each axis/)
  assert.throws(
    () => p.dynamicSlice(x, [0, 0], [3, 1]),
    /dynamicSlice: the part must fit on every axis, got \[2, 3\] and \[3, 1\]/,
  )
  assert.throws(
    () => p.segmentSum(x, p.zeros([3], 'int32'), 2),
    /segmentSum: there must be one segment for each slice of axis 0/,
  )
  assert.throws(() => p.segmentSum(x, p.zeros([2], 'int32'), 0), /the number of segments must be at least 1/)
  assert.throws(
    () => p.scatterSet(x, p.zeros([1], 'int32'), p.zeros([1, 2])),
    /scatterSet: updates must have the gathered shape, got \[1, 3\] and \[1, 2\]/,
  )
})
test.run()
