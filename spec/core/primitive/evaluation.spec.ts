/** Every primitive evaluated in other ways: traced, compiled, again. */
import * as fc from 'fast-check'
import { suite } from 'uvu'
import type { Dtype, PrimitiveName } from '../../../core/index.ts'
import { applications, generators, primitiveNames } from '../../arbitrary/primitive.ts'
import type { Application, Wish } from '../../arbitrary/primitive.ts'
import type { Values } from '../../arbitrary/number.ts'
import { deterministicAt, jitEqualsEagerAt, shapeRuleAt } from '../../law/evaluation.ts'
import { check, law } from '../../law/law.ts'
import { applied } from './apply.ts'
import '../../support/reference.ts'

/** Every dtype that the primitive takes, with values of every kind. */
const anyWish = (name: PrimitiveName): fc.Arbitrary<Wish> =>
  fc.record(
    {
      dtype: fc.constantFrom<Dtype>(...generators[name].dtypes),
      values: fc.constantFrom<Values>('ordinary', 'tied', 'constant', 'extreme'),
    },
    { requiredKeys: ['dtype'] },
  )

const anyCase = (name: PrimitiveName): fc.Arbitrary<Application> =>
  anyWish(name).chain((wish) => applications(name, wish))

type At = (name: PrimitiveName, application: Application) => Promise<boolean | void>

const each = (
  title: string,
  runs: number,
  cases: (name: PrimitiveName) => fc.Arbitrary<Application>,
  at: At,
): void => {
  const test = suite(title)
  for (const name of primitiveNames)
    test(name, () =>
      check(
        law(`${title}: ${name}`, cases(name), (application) => at(name, application)),
        { numRuns: runs },
      ),
    )
  test.run()
}

each('shape rule = shape of the result', 60, anyCase, (name, { inputs, params }) =>
  shapeRuleAt(applied(name, params), inputs),
)
each('jit = eager', 60, anyCase, (name, { inputs, params }) =>
  jitEqualsEagerAt(applied(name, params), inputs),
)
each('deterministic', 20, anyCase, (name, { inputs, params }) =>
  deterministicAt(applied(name, params), inputs),
)
