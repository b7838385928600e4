/** Programs made to fit devices that bind few buffers. No device is needed. */
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { flatLaunches, problemsOf, readsOf, referenceEngine, writesOf } from '../../../kernels/index.ts'
import type { Body, Engine, HostArray, Launch, Operand, Program, ScalarOp } from '../../../kernels/index.ts'
import { fitted } from '../../../kernels/webgpu/fit.ts'
import { programCase } from '../../arbitrary/program.ts'
import { agreesOn } from '../../law/engine.ts'

const test = suite('webgpu fit')
const reference = referenceEngine()

/** The reference, but with programs made to fit. */
const fitting = (most: number): Engine => ({
  ...reference,
  compile: (program) => reference.compile(fitted(program, most)),
})

const counts = ({ launches }: Program): readonly number[] =>
  flatLaunches(launches).map((launch) => new Set([...readsOf(launch), ...writesOf(launch)]).size)

test('random programs give the same bits, and touch no more buffers than before', () =>
  fc.assert(
    fc.asyncProperty(programCase({ maxLaunches: 4 }), fc.constantFrom(2, 3, 4), async (one, most) => {
      const small = fitted(one.program, most)
      assert.equal(problemsOf(small), [])
      assert.ok(Math.max(0, ...counts(small)) <= Math.max(most, ...counts(one.program)))
      assert.is(small.launches.length, one.program.launches.length)
      await agreesOn(fitting(most), { ...one, tolerances: one.tolerances.map(() => 0) }, reference)
    }),
    { numRuns: 200 },
  ))

const count = 23
const shape = [3, 5]
const view = (buffer: number): Operand & { readonly kind: 'buffer' } => ({
  kind: 'buffer',
  buffer,
  strides: [5, 1],
  offset: 0,
})
const operands = Array.from({ length: count }, (_, buffer) => view(buffer))
/** a0 · a1 + a2 · a3 + … ; the last operation is the sum. */
const body: Body = [
  ...operands.map((_, index): ScalarOp => ({ op: 'read', index, dtype: 'float32' })),
  ...operands.slice(1).map((_, index): ScalarOp => ({
    op: index % 2 === 0 ? 'mul' : 'add',
    args: [index === 0 ? 0 : count + index - 1, index + 1],
    dtype: 'float32',
  })),
]
const last = body.length - 1

const programOf = (launch: Launch, result: number): Program => ({
  buffers: [
    ...operands.map(() => ({ dtype: 'float32' as const, size: 15 })),
    { dtype: 'float32', size: result },
  ],
  inputs: operands.map((_, index) => index),
  outputs: [count],
  donated: [],
  launches: [launch],
})

const inputs = (): readonly HostArray[] =>
  operands.map((_, index) => Float32Array.from({ length: 15 }, (__, i) => ((i * 7 + index * 3) % 5) - 2))

const programs: Readonly<Record<string, Program>> = {
  'an expression': programOf(
    { kind: 'map', shape, operands, body, outputs: [{ target: view(count), value: last }] },
    15,
  ),
  'rows whose outputs read again what is folded': programOf(
    {
      kind: 'reduce',
      outer: [3],
      inner: [5],
      operands,
      body: [
        ...body,
        { op: 'fold', index: 0, dtype: 'float32' },
        { op: 'sub', args: [last, last + 1], dtype: 'float32' },
      ],
      folds: [{ op: 'max', value: last }],
      outputs: [{ over: 'all', target: view(count), value: last + 2 }],
    },
    15,
  ),
  'rows of which something is the same all along, and asked for once': programOf(
    {
      kind: 'reduce',
      outer: [3],
      inner: [5],
      operands: operands.map((operand) => ({ ...operand, strides: [5, 0] })),
      body: [
        ...body,
        { op: 'fold', index: 0, dtype: 'float32' },
        { op: 'add', args: [last, last + 1], dtype: 'float32' },
      ],
      folds: [{ op: 'sum', value: last }],
      outputs: [{ over: 'outer', target: { ...view(count), strides: [1] }, value: last + 2 }],
    },
    3,
  ),
}

for (const [name, program] of Object.entries(programs))
  test(`${name} of ${count} buffers fits a device that binds 8`, async () => {
    assert.equal(problemsOf(program), [])
    const small = fitted(program, 8)
    assert.equal(problemsOf(small), [])
    assert.ok(Math.max(...counts(small)) <= 8, counts(small).join())
    await agreesOn(fitting(8), { program, inputs: inputs(), tolerances: [0] }, reference)
  })

test.run()
