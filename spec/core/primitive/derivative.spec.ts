/** Derivatives of every primitive against finite differences, and the identities that need no differences. */
import { suite } from 'uvu'
import { primitives } from '../../../core/index.ts'
import type { PrimitiveName } from '../../../core/index.ts'
import { applications, generators, primitiveNames } from '../../arbitrary/primitive.ts'
import type { Application } from '../../arbitrary/primitive.ts'
import { differentiableAt, subdifferentiableAt, withSeed } from '../../law/differentiable.ts'
import { check, law } from '../../law/law.ts'
import { adjointAt, linearAt, symmetricAt } from '../../law/linear.ts'
import { applied } from './apply.ts'
import '../../support/reference.ts'

const smooth = primitiveNames.filter(
  (name) => generators[name].dtypes.includes('float64') && primitives[name].vjp !== 'none',
)
/** Constant between jumps: finite differences and reverse mode both give zero. */
const flat = ['sign', 'floor', 'ceil', 'round', 'argMax', 'equal', 'less'] as const

type At = (f: ReturnType<typeof applied>, inputs: Application['inputs'], seed: number) => Promise<boolean>

const each = (title: string, names: readonly PrimitiveName[], runs: number, at: At, tied = false): void => {
  const test = suite(title)
  for (const name of names) {
    const cases = applications(name, { dtype: 'float64', ...(tied ? { values: 'tied' } : {}) })
    test(name, () =>
      check(
        law(`${title}: ${name}`, withSeed(cases), ({ args, seed }) =>
          at(applied(name, args.params), args.inputs, seed),
        ),
        { numRuns: runs },
      ),
    )
  }
  test.run()
}

each('vjp = finite differences, to second order', smooth, 60, differentiableAt)
each('no derivative where there is none', flat, 20, (f, inputs, seed) =>
  differentiableAt(f, inputs, seed, { order: 1 }).then(() => true),
)
each('forward and reverse mode are adjoint', smooth, 30, adjointAt)
each('the pullback is linear in the cotangent', smooth, 30, linearAt)
each('the Hessian is symmetric', smooth, 20, symmetricAt)
each(
  'at ties, a slope between the slopes of both sides',
  smooth.filter((name) => generators[name].kinked === true),
  60,
  subdifferentiableAt,
  true,
)
