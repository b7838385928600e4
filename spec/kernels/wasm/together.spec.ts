/** Rows that are folded together: what the reference gives, for any number of rows and threads, however memory lies. */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  add,
  expandDims,
  exp,
  jit,
  mul,
  random,
  reverse,
  sliceAxis,
  square,
  sub,
  sum,
  toArraySync,
  withEngine,
} from '../../../core/index.ts'
import type { Tensor } from '../../../core/index.ts'
import type { Engine } from '../../../kernels/index.ts'
import { referenceEngine } from '../../../kernels/index.ts'
import { wasmEngine } from '../../../kernels/wasm/index.ts'

const joined = suite('rows folded together')

const reference = referenceEngine()
const one = wasmEngine({ threads: 1, shareFrom: 0 })
const two = wasmEngine({ threads: 2, shareFrom: 0 })
const strict = wasmEngine({ threads: 1, strict: true })

interface Case {
  readonly rows: number
  readonly length: number
  readonly reversed: readonly number[]
  readonly seed: number
}

const cases = fc.record<Case>({
  rows: fc.integer({ min: 1, max: 75 }),
  length: fc.oneof(fc.integer({ min: 60, max: 90 }), fc.constantFrom(256, 301)),
  reversed: fc.subarray([0, 1]),
  seed: fc.nat({ max: 1000 }),
})

/** Two sums of each row at once, with what is shared used twice, an offset of each row, and a result of both. */
const run = (engine: Engine, { rows, length, reversed, seed }: Case): Float32Array =>
  withEngine(engine, () => {
    const normal = (salt: number, shape: readonly number[]): Tensor =>
      random.normal(random.key(seed + salt), shape)
    const f = jit((vector: Tensor, matrix: Tensor, offset: Tensor): Tensor => {
      const [left, right] = [0, length].map((at) => reverse(sliceAxis(matrix, 1, at, at + length), reversed))
      const own = expandDims(vector, 0)
      const products = add(mul(own, left as Tensor), mul(exp(own), right as Tensor))
      const distance = square(sub(own, add(left as Tensor, expandDims(offset, 1))))
      return add(sum(products, { axis: 1 }), mul(sum(distance, { axis: 1 }), offset))
    })
    const result = f(normal(1, [length]), normal(2, [rows, 2 * length]), normal(3, [rows]))
    return toArraySync(result) as Float32Array
  })

joined('they are what the reference gives', () => {
  fc.assert(
    fc.property(cases, (given) => {
      const expected = run(reference, given)
      for (const engine of [one, strict])
        run(engine, given).forEach((x, i) => {
          const wanted = expected[i] as number
          assert.ok(Math.abs(x - wanted) <= 3e-4 * (10 + Math.abs(wanted)), `row ${i}: ${x}, not ${wanted}`)
        })
    }),
    { numRuns: 60 },
  )
})

joined('two threads give the bits of one', () => {
  fc.assert(
    fc.property(cases, (given) => assert.equal(run(two, given), run(one, given))),
    { numRuns: 20 },
  )
})

joined.run()
