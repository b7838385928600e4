/** Products of few rows: the same numbers as the reference's, whichever way the matrix lies, on any number of threads. */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  add,
  jit,
  matmul,
  random,
  relu,
  reverse,
  swapAxes,
  toArraySync,
  withEngine,
  zeros,
} from '../../../core/index.ts'
import type { Tensor } from '../../../core/index.ts'
import { referenceEngine } from '../../../kernels/index.ts'
import { wasmEngine } from '../../../kernels/wasm/index.ts'
import { isThin } from '../../../kernels/wasm/gemv.ts'

const thin = suite('products of few rows')

const reference = referenceEngine()
const [one, two] = [1, 2].map((threads) => wasmEngine({ threads, shareFrom: 0 })) as [
  ReturnType<typeof wasmEngine>,
  ReturnType<typeof wasmEngine>,
]

interface Case {
  readonly rows: number
  readonly inner: number
  readonly columns: number
  readonly turned: boolean
  readonly leftTurned: boolean
  /** Axes along which the left side, and the matrix, are read from the end. */
  readonly reversed: readonly [left: readonly number[], right: readonly number[]]
}

const cases = fc.record<Case>({
  rows: fc.integer({ min: 1, max: 9 }),
  // large ones are rare: the reference draws and multiplies them slowly
  inner: fc.oneof({ weight: 3, arbitrary: fc.integer({ min: 8, max: 90 }) }, fc.constantFrom(256, 301)),
  columns: fc.oneof({ weight: 3, arbitrary: fc.integer({ min: 60, max: 200 }) }, fc.constantFrom(1537, 3073)),
  turned: fc.boolean(),
  leftTurned: fc.boolean(),
  reversed: fc.tuple(fc.subarray([0, 1]), fc.subarray([0, 1])),
})

const run = (
  engine: typeof one | typeof reference,
  { rows, inner, columns, turned, leftTurned, reversed }: Case,
) =>
  withEngine(engine, () => {
    const normal = (seed: number, shape: readonly number[]): Tensor => random.normal(random.key(seed), shape)
    const f = jit((x: Tensor, w: Tensor, bias: Tensor, rest: Tensor): Tensor => {
      const left = reverse(leftTurned ? swapAxes(x, 0, 1) : x, reversed[0])
      const right = reverse(turned ? swapAxes(w, 0, 1) : w, reversed[1])
      return add(relu(add(matmul(left, right), bias)), rest)
    })
    return toArraySync(
      f(
        normal(1, leftTurned ? [inner, rows] : [rows, inner]),
        normal(2, turned ? [columns, inner] : [inner, columns]),
        normal(3, [columns]),
        normal(4, [rows, columns]),
      ),
    ) as Float32Array
  })

thin('with bias, activation and residual they are as the reference has them', () => {
  fc.assert(
    fc.property(cases, (one_) => {
      const expected = run(reference, one_)
      const found = run(one, one_)
      // Sums of `inner` products of normal numbers.
      const bound = 4e-6 * Math.sqrt(one_.inner) + 1e-6
      found.forEach((x, i) => {
        const wanted = expected[i] as number
        assert.ok(
          Math.abs(x - wanted) <= bound * (1 + Math.abs(wanted)),
          `element ${i} is ${x}, not ${wanted}, of ${JSON.stringify(one_)}`,
        )
      })
      assert.equal([...run(two, one_)], [...found])
    }),
    { numRuns: 40 },
  )
})

thin('a matrix that lies in memory either way is read where it is; one with gaps everywhere is not', () => {
  const view = (strides: readonly number[]) => ({ buffer: 0, strides, offset: 0 })
  const launch = (strides: readonly number[], rows = 1) => ({
    kind: 'matmul' as const,
    batch: [],
    rows,
    inner: 100,
    columns: 100,
    a: view([100, 1]),
    b: view(strides),
    operands: [],
    body: [],
    outputs: [],
  })
  const float = () => 'float32' as const
  assert.ok(isThin(launch([100, 1]), float) && isThin(launch([1, 100], 8), float))
  assert.not.ok(isThin(launch([200, 2]), float))
  assert.not.ok(isThin(launch([100, 1], 9), float))
  assert.not.ok(
    isThin(launch([100, 1]), () => 'float64'),
    'float64 has a way of its own',
  )
})

thin('no rows are not thin: there is nothing to share', () => {
  const found = withEngine(one, () =>
    jit((x: Tensor, w: Tensor): Tensor => matmul(x, swapAxes(w, 0, 1)))(zeros([0, 64]), zeros([64, 64])),
  )
  assert.equal(found.shape, [0, 64])
})

thin.after(async () => {
  await Promise.all([one.close(), two.close()])
})

thin.run()
