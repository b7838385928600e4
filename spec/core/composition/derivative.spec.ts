/** Derivatives of functions composed at random: compiled, batched, against differences, and by each other. */
import { suite } from 'uvu'
import { compositions } from '../../arbitrary/composition.ts'
import { differentiableAt, withSeed } from '../../law/differentiable.ts'
import { jitEqualsEagerAt, vmapEqualsLoopAt } from '../../law/evaluation.ts'
import { check, law } from '../../law/law.ts'
import { adjointAt, linearAt, symmetricAt } from '../../law/linear.ts'
import { batched, closeness, pulled, pushed } from './case.ts'
import '../../support/reference.ts'

const test = suite('derivatives of compositions')

test('jit of the pullback = eager', () =>
  check(
    law('jit of the pullback = eager', compositions(), ({ f, inputs }) =>
      jitEqualsEagerAt(pulled(f), inputs, closeness),
    ),
    { numRuns: 120 },
  ))

test('vmap of the pullback = loop', () =>
  check(
    law('vmap of the pullback = loop', withSeed(compositions()), ({ args: { f, inputs }, seed }) => {
      const { args, axes } = batched(inputs, seed % 8)
      return vmapEqualsLoopAt(pulled(f), args, axes, closeness)
    }),
    { numRuns: 100 },
  ))

test('jit of forward mode = eager', () =>
  check(
    law('jit of forward mode = eager', compositions({ forward: true }), ({ f, inputs }) =>
      jitEqualsEagerAt(pushed(f), inputs, closeness),
    ),
    { numRuns: 100 },
  ))

test('vmap of forward mode = loop', () =>
  check(
    law(
      'vmap of forward mode = loop',
      withSeed(compositions({ forward: true })),
      ({ args: { f, inputs }, seed }) => {
        const { args, axes } = batched(inputs, seed % 8)
        return vmapEqualsLoopAt(pushed(f), args, axes, closeness)
      },
    ),
    { numRuns: 100 },
  ))

test('derivatives are linear', () =>
  check(
    law('linear', withSeed(compositions()), ({ args, seed }) => linearAt(args.f, args.inputs, seed)),
    { numRuns: 60 },
  ))

test('reverse mode = finite differences, to second order', () =>
  check(
    law(
      'reverse mode = finite differences',
      withSeed(compositions({ smooth: true, maxSteps: 5 })),
      ({ args, seed }) => differentiableAt(args.f, args.inputs, seed),
    ),
    { numRuns: 60 },
  ))

test('forward and reverse mode are adjoint', () =>
  check(
    law('adjoint', withSeed(compositions()), ({ args, seed }) => adjointAt(args.f, args.inputs, seed)),
    { numRuns: 60 },
  ))

test('the Hessian is symmetric', () =>
  check(
    law('symmetric', withSeed(compositions({ maxSteps: 5 })), ({ args, seed }) =>
      symmetricAt(args.f, args.inputs, seed),
    ),
    { numRuns: 60 },
  ))

test.run()
