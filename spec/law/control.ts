/** The law of loops and choices in programs: on an engine they give what the launches give one by one. */
import * as fc from 'fast-check'
import type { Test } from 'uvu'
import * as assert from 'uvu/assert'
import { problemsOf, unrolled } from '../../kernels/index.ts'
import type {
  BufferId,
  Engine,
  HostArray,
  Launch,
  Program,
  ScalarOp,
  Step,
  View,
} from '../../kernels/index.ts'
import type { ProgramCase, ProgramOptions } from '../arbitrary/program.ts'
import { programCase } from '../arbitrary/program.ts'
import { bitsOf, outputsOf } from './engine.ts'

/** The launches of a program put into loops and choices; `index` holds 1. */
const wrapped = (launches: readonly Step[], choices: readonly number[], index: BufferId): readonly Step[] => {
  let next = 0
  const pick = (n: number): number => (choices[next++ % choices.length] as number) % n
  let steps = [...launches]
  for (let n = pick(4); n > 0; n--) {
    const from = pick(steps.length)
    const to = from + 1 + pick(steps.length - from)
    const inside = steps.slice(from, to)
    const control: Step =
      pick(2) === 0
        ? { kind: 'loop', count: 1 + pick(3), launches: inside }
        : { kind: 'when', index, value: 1, launches: inside }
    steps = [...steps.slice(0, from), control, ...steps.slice(to)]
  }
  return steps
}

const cases = (options: ProgramOptions): fc.Arbitrary<Omit<ProgramCase, 'tolerances'>> =>
  fc
    .tuple(programCase({ maxLaunches: 6, ...options }), fc.array(fc.nat(99), { minLength: 8, maxLength: 8 }))
    .map(([{ program, inputs }, choices]) => {
      const index = program.buffers.length
      return {
        program: {
          ...program,
          buffers: [...program.buffers, { dtype: 'int32', size: 1 }],
          inputs: [...program.inputs, index],
          launches: wrapped(program.launches, choices, index),
        },
        inputs: [...inputs, Int32Array.of(1)],
      }
    })

const scalar = (buffer: BufferId): View => ({ buffer, strides: [], offset: 0 })

/** A launch of one operation on float32 scalars. */
export const scalarMap = (from: readonly BufferId[], op: ScalarOp, to: BufferId): Launch => ({
  kind: 'map',
  shape: [],
  operands: from.map((id) => ({ kind: 'buffer', ...scalar(id) })),
  body: [...from.map((_, index): ScalarOp => ({ op: 'read', index, dtype: 'float32' })), op],
  outputs: [{ target: scalar(to), value: from.length }],
})

const absolute: ScalarOp = { op: 'abs', args: [0], dtype: 'float32' }

/** c = |x|; while (c < limit) c = c + c. */
export const doubling: Program = {
  buffers: (['float32', 'float32', 'float32', 'bool', 'float32'] as const).map((dtype) => ({
    dtype,
    size: 1,
  })),
  inputs: [0, 1],
  outputs: [2],
  donated: [],
  launches: [
    scalarMap([0], absolute, 2),
    {
      kind: 'while',
      condition: [scalarMap([2, 1], { op: 'lt', args: [0, 1], dtype: 'bool' }, 3)],
      flag: 3,
      launches: [
        scalarMap([2, 2], { op: 'add', args: [0, 1], dtype: 'float32' }, 4),
        scalarMap([4], absolute, 2),
      ],
    },
  ],
}

/** Adds the tests to the suite. */
export const controlsAgree = (
  test: Test,
  label: string,
  engine: Engine,
  numRuns: number,
  options: ProgramOptions = {},
): void => {
  const dtypes = (['float32', 'int32', 'bool', 'float64', 'uint32'] as const).filter(engine.supports)
  test(`${label}: programs with loops and choices = their launches one by one`, () =>
    fc.assert(
      fc.asyncProperty(cases({ dtypes, ...options }), async ({ program, inputs }) => {
        assert.equal(problemsOf(program), [])
        const plain = { ...program, launches: unrolled(program.launches) as readonly Launch[] }
        // By the same engine, to the bit: what one round leaves for the next may magnify any rounding.
        const expected = await outputsOf(engine, { program: plain, inputs })
        const actual = await outputsOf(engine, { program, inputs })
        assert.equal(actual.map(bitsOf), expected.map(bitsOf))
      }),
      { numRuns },
    ))
  test(`${label}: rounds find what the round before left, in memory that nothing else takes`, async () => {
    const read = (index: number): ScalarOp => ({ op: 'read', index, dtype: 'float32' })
    const launch = (from: readonly BufferId[], op: 'add' | 'mul', to: BufferId): Launch => ({
      kind: 'map',
      shape: [4],
      operands: from.map((buffer) => ({ kind: 'buffer', buffer, strides: [1], offset: 0 })),
      body: [read(0), read(1), { op, args: [0, 1], dtype: 'float32' }],
      outputs: [{ target: { buffer: to, strides: [1], offset: 0 }, value: 2 }],
    })
    // c = x + x; 5 times: (t = c · x; s = t + x; c = s + t); y = c + c
    const program: Program = {
      buffers: Array.from({ length: 5 }, () => ({ dtype: 'float32', size: 4 })),
      inputs: [0],
      outputs: [4],
      donated: [],
      launches: [
        launch([0, 0], 'add', 1),
        {
          kind: 'loop',
          count: 5,
          launches: [launch([1, 0], 'mul', 2), launch([2, 0], 'add', 3), launch([3, 2], 'add', 1)],
        },
        launch([1, 1], 'add', 4),
      ],
    }
    assert.equal(problemsOf(program), [])
    const expected = [1, 2, -1, 0].map((x) => {
      let c = 2 * x
      for (let k = 0; k < 5; k++) c = c * x + x + c * x
      return 2 * c
    })
    assert.equal(
      [...((await outputsOf(engine, { program, inputs: [Float32Array.of(1, 2, -1, 0)] }))[0] as HostArray)],
      expected,
    )
    const { launches } = engine.compile(program).plan
    assert.is(launches, 17)
  })
  test(`${label}: while`, async () => {
    assert.equal(problemsOf(doubling), [])
    assert.is(unrolled(doubling.launches), undefined)
    for (const [x, limit, want] of [
      [3, 40, 48],
      [3, 2, 3],
      [1, 1024, 1024],
    ] as const) {
      const inputs = [Float32Array.of(x), Float32Array.of(limit)]
      const result = await outputsOf(engine, { program: doubling, inputs })
      assert.equal([...(result[0] as HostArray)], [want])
    }
  })
}
