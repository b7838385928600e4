/** Functions composed at random: compiled = eager, batched = looped, derivatives = differences, engine = engine. */
import { either as E } from 'fp-ts'
import { suite } from 'uvu'
import { jvp, mul, sin, stack, vjp } from '../../core/index.ts'
import type { BatchAxis, Tensor } from '../../core/index.ts'
import { referenceEngine } from '../../kernels/index.ts'
import { compositions } from '../arbitrary/composition.ts'
import { differentiableAt, withSeed } from '../law/differentiable.ts'
import { enginesAgreeAt, jitEqualsEagerAt, shapeRuleAt, vmapEqualsLoopAt } from '../law/evaluation.ts'
import { directions, like } from '../law/host.ts'
import { check, law } from '../law/law.ts'
import { adjointAt, linearAt, symmetricAt } from '../law/linear.ts'
import { subjects } from '../support/engine.ts'
import { skip } from '../support/skip.ts'

const test = suite('compositions')
const closeness = { tolerance: 1e-9, absolute: 1e-12 }
const reference = referenceEngine()

const pulled =
  (f: (...inputs: Tensor[]) => readonly Tensor[]) =>
  (...inputs: Tensor[]): readonly Tensor[] => {
    const { value, pullback } = vjp(f, ...inputs)
    const draw = directions(7)
    return [
      ...value,
      ...pullback(value.map((out) => like(out, draw(out.shape.reduce((n, size) => n * size, 1))))),
    ]
  }

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
    { numRuns: 600 },
  ))

test('jit of the pullback = eager', () =>
  check(
    law('jit of the pullback = eager', compositions(), ({ f, inputs }) =>
      jitEqualsEagerAt(pulled(f), inputs, closeness),
    ),
    { numRuns: 200 },
  ))

/** A batch of three for each input whose bit is set; at least one is. */
const batched = (
  inputs: readonly Tensor[],
  bits: number,
): { args: readonly Tensor[]; axes: readonly BatchAxis[] } => {
  const axes = inputs.map((_, i) => (i === bits % inputs.length || (bits >> i) % 2 === 1 ? 0 : null))
  return {
    axes,
    args: inputs.map((x, i) => (axes[i] === null ? x : stack([x, mul(x, -0.5), sin(mul(x, 3) as Tensor)]))),
  }
}

test('vmap = loop', () =>
  check(
    law('vmap = loop', withSeed(compositions()), ({ args: { f, inputs }, seed }) => {
      const { args, axes } = batched(inputs, seed % 8)
      return vmapEqualsLoopAt(f, args, axes, closeness)
    }),
    { numRuns: 200 },
  ))

test('vmap of the pullback = loop', () =>
  check(
    law('vmap of the pullback = loop', withSeed(compositions()), ({ args: { f, inputs }, seed }) => {
      const { args, axes } = batched(inputs, seed % 8)
      return vmapEqualsLoopAt(pulled(f), args, axes, closeness)
    }),
    { numRuns: 100 },
  ))

/** The value, and the derivative along a direction. */
const pushed =
  (f: (...inputs: Tensor[]) => readonly Tensor[]) =>
  (...inputs: Tensor[]): readonly Tensor[] => {
    const draw = directions(9)
    const tangents = inputs.map((x) => like(x, draw(x.shape.reduce((n, size) => n * size, 1))))
    return jvp(f, inputs, tangents).flat()
  }

test('jit of forward mode = eager', () =>
  check(
    law('jit of forward mode = eager', compositions({ forward: true }), ({ f, inputs }) =>
      jitEqualsEagerAt(pushed(f), inputs, closeness),
    ),
    { numRuns: 150 },
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
