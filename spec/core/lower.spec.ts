/** Launches that wait for what follows them: views and arithmetic in between change no number. */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  add,
  jit,
  matmul,
  mul,
  random,
  reshape,
  splitAxis,
  sum,
  swapAxes,
  toArraySync,
  transpose,
} from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'

const lower = suite('lowering')

type Step = (x: Tensor) => Tensor

const normal = (seed: number, shape: readonly number[]): Tensor => random.normal(random.key(seed), shape)

const steps: fc.Arbitrary<Step> = fc.oneof(
  fc.nat(99).map(
    (seed): Step =>
      (x) =>
        add(x, normal(seed, x.shape.slice(-1))),
  ),
  fc.nat(99).map(
    (seed): Step =>
      (x) =>
        mul(x, normal(seed, x.shape)),
  ),
  fc.constant<Step>((x) => mul(x, 0.5)),
  fc.constant<Step>((x) => swapAxes(x, 0, -1)),
  fc.constant<Step>((x) => transpose(x)),
  fc.constantFrom([24], [2, 12], [4, 6], [2, 3, 4], [3, 2, 2, 2], [1, 24, 1]).map(
    (shape): Step =>
      (x) =>
        reshape(x, shape),
  ),
)

const last: fc.Arbitrary<(x: Tensor) => readonly Tensor[]> = fc.constantFrom<
  ((x: Tensor) => readonly Tensor[])[]
>(
  (x) => [x],
  (x) => [sum(x, { axis: 0 })],
  (x) => [matmul(reshape(x, [-1, x.shape.at(-1) as number]), normal(1, [x.shape.at(-1) as number, 2]))],
  (x) => (x.shape.length < 2 ? [x, mul(x, 2)] : [matmul(x, swapAxes(add(x, 1), -1, -2)), x]),
  (x) => splitAxis(reshape(x, [4, 6]), 2, 1).map((half) => mul(half, half)),
)

lower('compiled = one by one', () => {
  const [a, b] = [normal(2, [4, 5]), normal(3, [5, 6])]
  fc.assert(
    fc.property(fc.array(steps, { maxLength: 6 }), last, fc.boolean(), (chain, finish, folds) => {
      const f = (x: Tensor, y: Tensor): readonly Tensor[] => {
        const start = folds ? sum(mul(reshape(x, [4, 1, 5]), swapAxes(y, 0, 1)), { axis: -1 }) : matmul(x, y)
        return finish(chain.reduce((z, step) => step(z), start))
      }
      const [compiled, eager] = [jit(f)(a, b), f(a, b)]
      eager.forEach((expected, i) => {
        const actual = compiled[i] as Tensor
        assert.equal(actual.shape, expected.shape)
        const values = toArraySync(expected)
        toArraySync(actual).forEach((value, j) => {
          const want = values[j] as number
          assert.ok(Math.abs(value - want) <= 1e-4 * (1 + Math.abs(want)), `[${j}]: ${value} is not ${want}`)
        })
      })
    }),
    { numRuns: 500 },
  )
})

lower('heads are split and turned without a copy', () => {
  const f = jit((x: Tensor, w: Tensor) => {
    const heads = swapAxes(reshape(add(matmul(x, w), 1), [2, 3, 2, 4]), 1, 2) // [batch, heads, time, width]
    return matmul(heads, swapAxes(heads, -1, -2))
  })
  const { launches } = f.program(normal(1, [2, 3, 8]), normal(2, [8, 8]))
  assert.equal(
    launches.map(({ kind }) => kind),
    ['matmul', 'matmul'],
  )
})

lower.run()
