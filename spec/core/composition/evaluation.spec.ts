/** Functions composed at random: compiled = eager, batched = looped, engine = engine. */
import { either as E } from 'fp-ts'
import { suite } from 'uvu'
import { referenceEngine } from '../../../kernels/index.ts'
import { compositions } from '../../arbitrary/composition.ts'
import { withSeed } from '../../law/differentiable.ts'
import { enginesAgreeAt, jitEqualsEagerAt, shapeRuleAt, vmapEqualsLoopAt } from '../../law/evaluation.ts'
import { check, law } from '../../law/law.ts'
import { subjects } from '../../support/engine.ts'
import { skip } from '../../support/skip.ts'
import { batched, closeness } from './case.ts'
import '../../support/reference.ts'

const test = suite('compositions')
const reference = referenceEngine()

test('shapes while tracing = shapes of results', () =>
  check(
    law('shape rule', compositions(), ({ f, inputs }) => shapeRuleAt(f, inputs)),
    { numRuns: 150 },
  ))

test('jit = eager', () =>
  check(
    law('jit = eager', compositions({ maxSteps: 12 }), ({ f, inputs }) =>
      jitEqualsEagerAt(f, inputs, closeness),
    ),
    { numRuns: 400 },
  ))

test('vmap = loop', () =>
  check(
    law('vmap = loop', withSeed(compositions()), ({ args: { f, inputs }, seed }) => {
      const { args, axes } = batched(inputs, seed % 8)
      return vmapEqualsLoopAt(f, args, axes, closeness)
    }),
    { numRuns: 200 },
  ))

for (const { label, engine } of await subjects(['wasm', 'wasm:strict'])) {
  if (E.isLeft(engine)) skip(test, `compositions on ${label}`, engine.left)
  else if (!engine.right.supports('float64')) skip(test, `compositions on ${label}`, 'it has no float64')
  else {
    test(`on ${label} = on the reference`, () =>
      check(
        law(`on ${label}`, compositions(), ({ f, inputs }) =>
          enginesAgreeAt(f, inputs, engine.right, reference, closeness),
        ),
        { numRuns: 100 },
      ))
    test.after(() => engine.right.close())
  }
}

test.run()
