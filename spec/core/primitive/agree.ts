/** Every primitive, and its pullback, on an engine, against the reference. */
import * as fc from 'fast-check'
import { either as E } from 'fp-ts'
import { suite } from 'uvu'
import type { Test } from 'uvu'
import { primitives, toArraySync, vjp } from '../../../core/index.ts'
import type { Dtype, Engine, PrimitiveName, Tensor } from '../../../core/index.ts'
import { isFloating, referenceEngine } from '../../../kernels/index.ts'
import { applications, generators, primitiveNames } from '../../arbitrary/primitive.ts'
import type { Application } from '../../arbitrary/primitive.ts'
import type { Values } from '../../arbitrary/number.ts'
import type { Closeness } from '../../law/close.ts'
import { enginesAgreeAt } from '../../law/evaluation.ts'
import { directions, leavesOf, like } from '../../law/host.ts'
import { check, law } from '../../law/law.ts'
import type { Subject } from '../../support/engine.ts'
import { skip } from '../../support/skip.ts'
import { applied } from './apply.ts'

const reference = referenceEngine()

/** Rows of equal elements have a variance that is nothing but rounding, which their derivative magnifies. */
const valuesOf = (name: PrimitiveName): readonly Values[] =>
  name === 'standardise' ? ['ordinary'] : ['ordinary', 'tied']

const cases = (name: PrimitiveName, engine: Engine): fc.Arbitrary<Application> => {
  const dtypes = generators[name].dtypes.filter((dtype) => engine.supports(dtype))
  return fc
    .record(
      { dtype: fc.constantFrom<Dtype>(...dtypes), values: fc.constantFrom<Values>(...valuesOf(name)) },
      { requiredKeys: ['dtype'] },
    )
    .chain((wish) => applications(name, wish))
    .filter(({ inputs, params }) =>
      [...inputs.map(({ dtype }) => dtype), (params as { readonly dtype?: Dtype }).dtype].every(
        (dtype) => dtype === undefined || engine.supports(dtype),
      ),
    )
}

/** The result, and the inputs' cotangents for a fixed cotangent. */
const both =
  (name: PrimitiveName, params: unknown) =>
  (...inputs: Tensor[]): unknown => {
    const f = applied(name, params)
    const floats = inputs.filter(({ dtype }) => isFloating(dtype))
    if (primitives[name].vjp === 'none' || floats.length === 0) return f(...inputs)
    const { value, pullback } = vjp(
      (...moving: Tensor[]) => {
        let next = 0
        return leavesOf(f(...inputs.map((x) => (isFloating(x.dtype) ? (moving[next++] as Tensor) : x))))
      },
      ...floats,
    )
    const draw = directions(7)
    const gradient = pullback(value.map((out) => like(out, draw(out.shape.reduce((n, size) => n * size, 1)))))
    return { value, gradient }
  }

const tolerance = 2e-5

/**
 * A sum is as exact as its largest terms are, even where they leave little of each other, and the result is alone in
 * its tensor: what takes part is the inputs, and cotangents of size 1.
 */
const closenessFor = (inputs: readonly Tensor[]): Closeness => {
  const sizes = inputs
    .filter(({ dtype }) => isFloating(dtype))
    .flatMap((x) => Array.from(toArraySync(x), Math.abs))
  return { tolerance, absolute: tolerance * Math.max(1, ...sizes) }
}

/** A suite with a test for each primitive on the subject; to be run by the spec. */
export const primitivesAgree = ({ label, engine }: Subject, numRuns: number): Test => {
  const test = suite(`${label} = reference`)
  if (E.isLeft(engine)) {
    skip(test, `every primitive on ${label}`, engine.left)
    return test
  }
  for (const name of primitiveNames)
    test(name, () =>
      check(
        law(`${name} on ${label} = on the reference`, cases(name, engine.right), ({ inputs, params }) =>
          enginesAgreeAt(both(name, params), inputs, engine.right, reference, closenessFor(inputs)),
        ),
        { numRuns },
      ),
    )
  test.after(() => engine.right.close())
  return test
}
