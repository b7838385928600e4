/** Loops and choices in programs: on every engine what the launches give one by one. */
import { either as E } from 'fp-ts'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { problemsOf, referenceEngine } from '../../kernels/index.ts'
import type { Engine, Launch, Program, Step } from '../../kernels/index.ts'
import { controlsAgree } from '../law/control.ts'
import { subjects } from '../support/engine.ts'
import { skip } from '../support/skip.ts'

const test = suite('control')

for (const { label, engine } of [
  { label: 'reference', engine: E.right(referenceEngine()) as E.Either<string, Engine> },
  ...(await subjects()),
])
  if (E.isLeft(engine)) skip(test, `controls on ${label}`, engine.left)
  else {
    controlsAgree(test, label, engine.right, 150)
    test.after(() => engine.right.close())
  }

test('mistakes are told with the way to the launch', () => {
  const empty: Launch = { kind: 'map', shape: [1], operands: [], body: [], outputs: [] }
  const program = (launches: readonly Step[]): Program => ({
    buffers: [{ dtype: 'float32', size: 1 }],
    inputs: [0],
    outputs: [0],
    donated: [],
    launches,
  })
  assert.match(
    problemsOf(program([{ kind: 'loop', count: 1.5, launches: [empty] }]))[0] ?? '',
    'launch 0 (loop): must run a whole number of times',
  )
  assert.match(
    problemsOf(program([{ kind: 'when', index: 0, value: 1, launches: [] }]))[0] ?? '',
    'must decide by one int32, got 1 of float32',
  )
  assert.match(
    problemsOf(program([{ kind: 'when', index: 7, value: 1, launches: [] }]))[0] ?? '',
    'decides by buffer 7, which is not there',
  )
  const bad: Launch = { ...empty, outputs: [{ value: 3, target: { buffer: 0, strides: [1], offset: 0 } }] }
  assert.match(
    problemsOf(program([{ kind: 'loop', count: 2, launches: [empty, bad] }]))[0] ?? '',
    'launch 0.1 (map): output 0',
  )
})
test.run()
