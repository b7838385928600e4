/** Launches that run together: how they are cut into parts, and which ones may. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as fc from 'fast-check'
import { jit, random, setDefaultEngine, toArraySync } from '../../../core/index.ts'
import type { Tensor } from '../../../core/index.ts'
import type { Launch, Program } from '../../../kernels/index.ts'
import { mostParts } from '../../../kernels/wasm/control.ts'
import { partsOf, tableOf, tableWords } from '../../../kernels/wasm/dispatch.ts'
import type { Work } from '../../../kernels/wasm/dispatch.ts'
import { wasmEngine } from '../../../kernels/wasm/index.ts'
import { adamW, applyUpdates } from '../../../training/index.ts'
import { agreesOn } from '../../law/engine.ts'

const work: fc.Arbitrary<Work> = fc
  .record({
    units: fc.integer({ min: 1, max: 5000 }),
    grain: fc.constantFrom(1, 4, 16),
    cost: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1e7, noNaN: true }), fc.constant(1e12)),
  })
  .map((rest) => ({
    ...rest,
    block: 0,
    kernel: { run: () => undefined, number: 0, needsCaller: false },
  }))

test('parts hold every unit of every launch once, and begin where the launch allows', () =>
  fc.assert(
    fc.property(
      fc.array(work, { minLength: 1, maxLength: 300 }),
      fc.integer({ min: 2, max: 300 }),
      fc.constantFrom(0, 60000),
      (works, threads, shareFrom) => {
        const parts = partsOf(works, threads, shareFrom)
        assert.ok(parts.length <= mostParts, `${parts.length} parts`)
        const ends = new Map<Work, number>(works.map((one) => [one, 0]))
        for (const { work: own, begin, end } of parts.flat()) {
          assert.is(begin, ends.get(own))
          assert.is(begin % own.grain, 0)
          assert.ok(end > begin && end <= own.units)
          ends.set(own, end)
        }
        for (const one of works) assert.is(ends.get(one), one.units)
      },
    ),
    { numRuns: 300 },
  ))

test('the table of parts says the same to other threads', () =>
  fc.assert(
    fc.property(fc.array(work, { minLength: 1, maxLength: 20 }), (works) => {
      const numbered = works.map((one, number) => ({
        ...one,
        block: 64 * number,
        kernel: { ...one.kernel, number },
      }))
      const parts = partsOf(numbered, 4, 60000)
      const table = tableOf(parts)
      assert.is(table.length, tableWords(parts))
      parts.forEach((part, index) => {
        const words = [...table.subarray(table[index] as number, table[index + 1] as number)]
        assert.equal(
          words,
          part.flatMap(({ work: own, begin, end }) => [own.kernel.number, own.block, begin, end]),
        )
      })
    }),
    { numRuns: 100 },
  ))

/** Maps `to = from + 1` over ten elements of each buffer. */
const maps = (
  count: number,
  pairs: readonly (readonly [from: number, to: number])[],
  inputs: readonly number[],
): Program => ({
  buffers: Array.from({ length: count }, () => ({ dtype: 'float32', size: 10 })),
  inputs,
  outputs: Array.from({ length: count }, (_, id) => id).filter((id) => !inputs.includes(id)),
  donated: [],
  launches: pairs.map(([from, to]): Launch => ({
    kind: 'map',
    shape: [10],
    operands: [{ kind: 'buffer', buffer: from, strides: [1], offset: 0 }],
    body: [
      { op: 'read', index: 0, dtype: 'float32' },
      { op: 'constant', value: 1, dtype: 'float32' },
      { op: 'add', args: [0, 1], dtype: 'float32' },
    ],
    outputs: [{ value: 2, target: { buffer: to, strides: [1], offset: 0 } }],
  })),
})

const cases: readonly (readonly [string, Program, number])[] = [
  [
    'that read the same and write apart',
    maps(
      4,
      [
        [0, 1],
        [0, 2],
        [0, 3],
      ],
      [0],
    ),
    1,
  ],
  [
    'that read what another wrote',
    maps(
      4,
      [
        [0, 1],
        [1, 2],
        [2, 3],
      ],
      [0],
    ),
    3,
  ],
  [
    'of which only the second needs the first',
    maps(
      4,
      [
        [0, 1],
        [1, 2],
        [0, 3],
      ],
      [0],
    ),
    2,
  ],
  [
    'that write the same',
    maps(
      3,
      [
        [0, 2],
        [1, 2],
      ],
      [0, 1],
    ),
    2,
  ],
  [
    'that write what another read',
    {
      ...maps(
        3,
        [
          [0, 1],
          [2, 0],
        ],
        [0, 2],
      ),
      donated: [0],
    },
    2,
  ],
]

for (const [which, program, dispatches] of cases)
  test(`launches ${which} are ${dispatches === 1 ? 'one dispatch' : `${dispatches} dispatches`}`, async () => {
    const engine = wasmEngine({ threads: 1 })
    const { plan } = engine.compile(program)
    assert.is(plan.launches, program.launches.length)
    assert.is(plan.dispatches, dispatches)
    const inputs = program.inputs.map((id) => new Float32Array(10).fill(0.1 * (id + 1)))
    await agreesOn(engine, { program, inputs, tolerances: program.outputs.map(() => 1e-4) })
  })

test('a loop counts what it dispatches as often as it runs', () => {
  const { launches, ...rest } = maps(
    3,
    [
      [0, 1],
      [0, 2],
    ],
    [0],
  )
  const program: Program = { ...rest, launches: [{ kind: 'loop', count: 5, launches }] }
  const { plan } = wasmEngine({ threads: 1 }).compile(program)
  assert.is(plan.launches, 10)
  assert.is(plan.dispatches, 5)
})

test('an optimizer updates all parameters in one dispatch, and threads change no bit of it', async () => {
  const optimizer = adamW({ learningRate: 0.01 })
  const sizes = Array.from({ length: 60 }, (_, i) => 1 + ((i * 37) % 500))
  const updated = async (threads: number): Promise<string> => {
    const engine = wasmEngine({ threads, shareFrom: 0 })
    setDefaultEngine(engine)
    const draw = (seed: number): readonly Tensor[] =>
      sizes.map((size, i) => random.normal(random.foldIn(random.key(seed), i), [size]))
    const [params, gradients] = [draw(0), draw(1)]
    const state = optimizer.init(params)
    const step = jit((p: readonly Tensor[], s: typeof state, g: readonly Tensor[]) => {
      const [updates, next] = optimizer.update(g, s, p)
      return [applyUpdates(p, updates), next] as const
    })
    const { launches, dispatches } = step.plan(params, state, gradients)
    assert.ok(launches >= sizes.length)
    // What steps have in common comes first: their number, and what it makes of the rates.
    assert.ok((dispatches as number) <= 4, `${dispatches} dispatches`)
    const [next] = step(params, state, gradients)
    const bits = next.map((x) => Buffer.from(toArraySync(x).buffer).toString('base64')).join()
    await engine.close()
    return bits
  }
  const alone = await updated(1)
  for (const threads of [2, 3]) assert.ok((await updated(threads)) === alone, `${threads} threads differ`)
})

test.run()
