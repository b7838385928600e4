import { either as E } from 'fp-ts'
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Launch, Program } from '../../kernels/index.ts'
import { problemsOf, validate } from '../../kernels/index.ts'
import { programCase } from '../arbitrary/program.ts'

const test = suite('validate')

test('accepts every generated program', () => {
  fc.assert(
    fc.property(programCase(), ({ program }) => assert.equal(problemsOf(program), [])),
    { numRuns: 500 },
  )
})

type MapLaunch = Extract<Launch, { kind: 'map' }>

/** What makes a one-launch program wrong for certain, and a word of the sentence that says so. */
const mutations: readonly (readonly [string, (launch: MapLaunch) => MapLaunch])[] = [
  ['touches', (l) => withTarget(l, (target) => ({ ...target, offset: target.offset + 5 }))],
  ['touches', (l) => withTarget(l, (target) => ({ ...target, offset: -1 }))],
  ['strides', (l) => withTarget(l, (target) => ({ ...target, strides: [1] }))],
  ['whole', (l) => withTarget(l, (target) => ({ ...target, strides: [0.5, 1] }))],
  ['writes an element twice', (l) => withTarget(l, (target) => ({ ...target, strides: [0, 1] }))],
  ['there are 3 buffers', (l) => withTarget(l, (target) => ({ ...target, buffer: 9 }))],
  ['not donated', (l) => withTarget(l, (target) => ({ ...target, buffer: 1 }))],
  ['overlaps output 0', (l) => ({ ...l, outputs: [...l.outputs, ...l.outputs] })],
  [
    'overlaps operand 0 other than exactly',
    (l) => withTarget(l, (target) => ({ ...target, buffer: 0, strides: [1, 2] })),
  ],
  [
    'not come before',
    (l) => ({ ...l, body: [{ op: 'neg', args: [0], dtype: 'float32' }, ...l.body.slice(1)] }),
  ],
  ['names fold 0', (l) => ({ ...l, body: [{ op: 'fold', index: 0, dtype: 'float32' }, ...l.body.slice(1)] })],
  [
    'reads operand 7',
    (l) => ({ ...l, body: [{ op: 'read', index: 7, dtype: 'float32' }, ...l.body.slice(1)] }),
  ],
  ['dtype', (l) => ({ ...l, body: [{ op: 'read', index: 0, dtype: 'int32' }, ...l.body.slice(1)] })],
  ['not defined on float32', (l) => replaceLast(l, { op: 'xor', args: [0, 1], dtype: 'float32' })],
  ['its result', (l) => replaceLast(l, { op: 'lt', args: [0, 1], dtype: 'float32' })],
  ['is bool, but buffer 2 holds float32', (l) => replaceLast(l, { op: 'lt', args: [0, 1], dtype: 'bool' })],
  ['operation 12', (l) => ({ ...l, outputs: l.outputs.map((output) => ({ ...output, value: 12 })) })],
  ['not negative', (l) => ({ ...l, shape: [2, -3] })],
]

const withTarget = (
  launch: MapLaunch,
  change: (target: MapLaunch['outputs'][number]['target']) => MapLaunch['outputs'][number]['target'],
): MapLaunch => ({
  ...launch,
  outputs: launch.outputs.map((output) => ({ ...output, target: change(output.target) })),
})

const replaceLast = (launch: MapLaunch, op: MapLaunch['body'][number]): MapLaunch => ({
  ...launch,
  body: [...launch.body.slice(0, -1), op],
})

const sum: MapLaunch = {
  kind: 'map',
  shape: [2, 3],
  operands: [
    { kind: 'buffer', buffer: 0, strides: [3, 1], offset: 0 },
    { kind: 'buffer', buffer: 1, strides: [0, 1], offset: 0 },
  ],
  body: [
    { op: 'read', index: 0, dtype: 'float32' },
    { op: 'read', index: 1, dtype: 'float32' },
    { op: 'add', args: [0, 1], dtype: 'float32' },
  ],
  outputs: [{ target: { buffer: 2, strides: [3, 1], offset: 0 }, value: 2 }],
}

const programOf = (launch: Launch): Program => ({
  buffers: [6, 6, 6].map((size) => ({ dtype: 'float32', size })),
  inputs: [0, 1],
  outputs: [2],
  donated: [0],
  launches: [launch],
})

test('refuses a program with one thing wrong, and says what', () => {
  assert.ok(E.isRight(validate(programOf(sum))))
  for (const [word, mutate] of mutations) {
    const problems = problemsOf(programOf(mutate(sum)))
    assert.ok(
      problems.some((problem) => problem.includes(word)),
      `${word}: ${problems.join('; ') || 'was accepted'}`,
    )
  }
})

test('accepts writing exactly where an operand is read', () => {
  assert.ok(
    E.isRight(validate({ ...programOf(withTarget(sum, (t) => ({ ...t, buffer: 0 }))), outputs: [0] })),
  )
})

test('refuses rows whose output depends on a position within the row', () => {
  const row: Launch = {
    kind: 'reduce',
    outer: [2],
    inner: [3],
    operands: sum.operands,
    body: [...sum.body, { op: 'fold', index: 0, dtype: 'float32' }],
    folds: [{ op: 'sum', value: 2 }],
    outputs: [{ over: 'outer', target: { buffer: 2, strides: [1], offset: 0 }, value: 3 }],
  }
  assert.equal(problemsOf(programOf(row)), [])
  const moving = { ...row, outputs: row.outputs.map((output) => ({ ...output, value: 2 })) }
  assert.match(problemsOf(programOf(moving))[0] ?? '', 'once per row but depends on operand 0')
  const circular = { ...row, folds: [{ op: 'sum' as const, value: 3 }] }
  assert.match(problemsOf(programOf(circular))[0] ?? '', 'fold 0 depends on a fold')
})

test('refuses results and reads that nothing has written', () => {
  assert.match(problemsOf({ ...programOf(sum), launches: [] })[0] ?? '', 'nothing writes it')
  const early = { ...programOf(sum), inputs: [0] }
  assert.match(problemsOf(early)[0] ?? '', 'reads buffer 1, which nothing has written yet')
})

test('refuses any generated program of which one launch names a buffer that is not there', () => {
  fc.assert(
    fc.property(programCase(), fc.nat(), ({ program }, pick) => {
      const at = pick % program.launches.length
      const lost: Program = {
        ...program,
        launches: program.launches.map((launch, time) =>
          time === at ? { ...launch, ...lose(launch as Launch, program.buffers.length) } : launch,
        ) as Launch[],
      }
      assert.ok(E.isLeft(validate(lost)))
    }),
    { numRuns: 200 },
  )
})

const lose = (launch: Launch, buffer: number): object =>
  'outputs' in launch
    ? { outputs: launch.outputs.map((output) => ({ ...output, target: { ...output.target, buffer } })) }
    : launch.kind === 'custom'
      ? { target: buffer }
      : launch.kind === 'attention'
        ? { output: { ...launch.output, buffer } }
        : launch.kind === 'attentionGradient'
          ? { keyGradient: { ...launch.keyGradient, buffer } }
          : { target: { ...launch.target, buffer } }

test.run()
