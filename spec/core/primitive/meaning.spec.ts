/** The value of every primitive against its plainest definition. */
import * as fc from 'fast-check'
import { suite } from 'uvu'
import { toArraySync } from '../../../core/index.ts'
import type { Dtype, PrimitiveName, Tensor } from '../../../core/index.ts'
import type { Values } from '../../arbitrary/number.ts'
import { applications, generators, primitiveNames } from '../../arbitrary/primitive.ts'
import { leavesOf } from '../../law/host.ts'
import { Violation, check, law } from '../../law/law.ts'
import { applied } from './apply.ts'
import { models } from './model.ts'
import type { Value } from './model.ts'

const valueOf = (x: Tensor): Value => ({ shape: x.shape, data: [...toArraySync(x)] })

type AnyModel = (inputs: readonly Value[], params: unknown) => readonly Value[]

/** Sums of integers beyond 2^31 wrap, which the model does not know: small ones stay below. */
const dtypesOf = (name: PrimitiveName): readonly Dtype[] => {
  const exact = generators[name].dtypes.filter((dtype) => ['float64', 'int32', 'bool'].includes(dtype))
  if (name === 'logicalNot') return ['bool']
  return exact.length === 0 ? generators[name].dtypes : exact
}

const test = suite('value = definition')
for (const name of primitiveNames) {
  const cases = fc
    .record(
      {
        dtype: fc.constantFrom(...dtypesOf(name)),
        values: fc.constantFrom<Values>('ordinary', 'tied', 'constant'),
      },
      { requiredKeys: ['dtype'] },
    )
    .chain((wish) => applications(name, wish))
  test(name, () =>
    check(
      law(`value of ${name} = its definition`, cases, ({ inputs, params }) => {
        const results = leavesOf(applied(name, params)(...inputs))
        const expected = (models[name] as AnyModel)(inputs.map(valueOf), params)
        expected.forEach(({ shape, data }, output) => {
          const result = results[output] as Tensor
          if (result.shape.join() !== shape.join())
            throw new Violation(
              `the shape is [${result.shape.join(', ')}], by definition [${shape.join(', ')}]`,
            )
          const actual = toArraySync(result)
          data.forEach((want, i) => {
            const got = actual[i] as number
            const cut =
              result.dtype === 'float64' || result.dtype === 'float32' ? want : toDtype(want, result.dtype)
            const close =
              Object.is(got, cut) || got === cut || Math.abs(got - cut) <= 1e-7 * Math.max(1, Math.abs(cut))
            if (!close) throw new Violation(`element ${i} is ${got}, by definition ${cut}`)
          })
        })
      }),
      { numRuns: 60 },
    ),
  )
}
test.run()

/** A conversion as in C, saturating. */
function toDtype(x: number, dtype: Dtype): number {
  if (dtype === 'bool') return Number(x !== 0)
  if (dtype === 'int32') return Math.abs(x) < 2 ** 31 ? Math.trunc(x) : x | 0
  return x < 0 && !Number.isInteger(x) ? 0 : Math.trunc(x) >>> 0
}
