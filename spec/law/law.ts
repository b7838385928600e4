/** Laws: named properties of generated cases, and how their failure is told. */
import * as fc from 'fast-check'

/** What a broken law throws: one or two sentences with the numbers. */
export class Violation extends Error {
  override readonly name = 'Violation'
}

/** A property that has a name. `fc.assert(law.property)` works as well as `check(law)`. */
export interface Law<A = unknown> {
  readonly name: string
  readonly property: fc.IAsyncProperty<[A]>
}

/**
 * A law over generated cases: `body` throws where it does not hold, and returns (or resolves to) false where
 * the case decides nothing.
 *
 * @example
 * ```ts
 * import * as fc from 'fast-check'
 * const commutative = law('addition commutes', fc.tuple(fc.integer(), fc.integer()), ([a, b]) => {
 *   if (a + b !== b + a) throw new Violation(`${a + b} is not ${b + a}`)
 * })
 * await check(commutative)
 * ```
 */
export const law = <A>(
  name: string,
  cases: fc.Arbitrary<A>,
  body: (example: A) => Promise<boolean | void> | boolean | void,
): Law<A> => ({
  name,
  property: fc.asyncProperty(cases, async (example) => {
    if ((await body(example)) === false) fc.pre(false)
  }),
})

const indent = (text: string): string => text.replaceAll('\n', '\n  ')

const report = <A>({ name }: Law<A>, details: fc.RunDetails<[A]>): string => {
  const again = `check(law, { seed: ${details.seed}, path: '${details.counterexamplePath ?? ''}' })`
  if (details.counterexample === null) {
    const why = details.interrupted
      ? 'the time was up'
      : `of the cases tried, ${details.numSkips} decided nothing and only ${details.numRuns} did`
    return `law not shown: ${name}\n  ${why}; replay with check(law, { seed: ${details.seed} })`
  }
  const error = details.errorInstance
  const reason =
    error instanceof Violation ? error.message : error instanceof Error ? error.stack : String(error)
  return [
    `law broken: ${name}`,
    `  ${indent(reason ?? 'no reason given')}`,
    `  for ${indent(fc.stringify(details.counterexample[0]))}`,
    `  found in case ${details.numRuns}, shrunk ${details.numShrinks} times; replay with ${again}`,
  ].join('\n')
}

/**
 * Tries a law on generated cases, 100 by default, and throws the smallest counterexample found, with the
 * numbers, the law's name, and the seed and path that replay it. Works under any test runner.
 *
 * @example
 * ```ts
 * import * as fc from 'fast-check'
 * import { add, div, square } from 'pullback'
 * import type { Tensor } from 'pullback'
 * import { check, differentiable, tensors } from 'pullback/spec'
 * const reciprocal = (x: Tensor) => div(1, add(1, square(x)))
 * await check(differentiable(reciprocal, fc.tuple(tensors())), { numRuns: 5 })
 * ```
 */
export const check = async <A>(law: Law<A>, parameters: fc.Parameters<[A]> = {}): Promise<void> => {
  const details = await fc.check(law.property, { maxSkipsPerRun: 10, ...parameters })
  if (!details.failed) return
  throw new Violation(report(law, details), { cause: details.errorInstance })
}
