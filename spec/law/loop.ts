/** Law: a loop that is traced once is the loop written out. */
import type * as fc from 'fast-check'
import { at, scan, stack, tree, vjp } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import { isFloating, sizeOf } from '../../kernels/index.ts'
import type { Closeness } from './close.ts'
import { assertSame } from './close.ts'
import { nameOf } from './differentiable.ts'
import { directions, leavesOf, like } from './host.ts'
import { law } from './law.ts'
import type { Law } from './law.ts'

/** A step of `scan`: the carry and a slice to the next carry and a result, all trees. */
export type ScanStep<C = never, X = never> = (carry: C, x: X) => readonly [carry: unknown, result: unknown]

type Run = (step: ScanStep, init: unknown, xs: unknown, reverse: boolean) => unknown

const looped: Run = (step, init, xs, reverse) =>
  scan(
    step as unknown as (carry: Tensor, x: Tensor) => readonly [Tensor, Tensor],
    init as Tensor,
    xs as Tensor,
    {
      reverse,
    },
  )

const unrolled: Run = (step, init, xs, reverse) => {
  const length = (tree.leaves(xs)[0] as Tensor).shape[0] as number
  let carry = init
  const results: unknown[] = []
  for (let i = 0; i < length; i++) {
    const slice = tree.map((x) => at(x, reverse ? length - 1 - i : i), xs)
    const [next, result] = step(carry as never, slice as never)
    carry = next
    results.push(result)
  }
  const [first, ...rest] = reverse ? results.reverse() : results
  return [carry, tree.map((...each) => stack(each), first, ...rest)]
}

/** Values and gradients, along fixed random cotangents. */
const both = (run: Run, step: ScanStep, args: readonly [unknown, unknown], reverse: boolean): unknown => {
  const results = run(step, ...args, reverse)
  const { value, pullback } = vjp(
    (init: unknown, xs: unknown) =>
      leavesOf(run(step, init, xs, reverse)).filter(({ dtype }) => isFloating(dtype)),
    ...args,
  )
  const draw = directions(5)
  return [results, pullback(value.map((out) => like(out, draw(sizeOf(out.shape)))))]
}

/**
 * Throws where `scan` of a step, in either direction, gives other values or gradients than the steps written out.
 * False where there is no slice.
 *
 * @example
 * ```ts
 * import { add, mul, tanh, tensor } from 'pullback'
 * import type { Tensor } from 'pullback'
 * import { scanEqualsUnrolledAt } from 'pullback/spec'
 * const cell = (h: Tensor, x: Tensor) => [tanh(add(mul(h, 0.5), x)), h] as const
 * console.log(await scanEqualsUnrolledAt(cell, [tensor(0), tensor([1, 2])])) // => true
 * ```
 */
export const scanEqualsUnrolledAt = async (
  step: ScanStep,
  args: readonly [init: unknown, xs: unknown],
  closeness: Closeness = {},
): Promise<boolean> => {
  const [leaf] = tree.leaves(args[1])
  if (leaf === undefined || leaf.shape[0] === 0) return false
  for (const reverse of [false, true])
    await assertSame(
      both(looped, step, args, reverse),
      both(unrolled, step, args, reverse),
      { actual: reverse ? 'scan in reverse' : 'scan', expected: 'the steps written out' },
      closeness,
    )
  return true
}

/**
 * Law: `scan` of a step, in either direction, gives the values and gradients of the steps written out. Cases are an
 * initial carry and the slices, stacked along axis 0.
 *
 * @example
 * ```ts
 * import * as fc from 'fast-check'
 * import { add, mul, tanh } from 'pullback'
 * import { check, tensors } from 'pullback/spec'
 * import type { Tensor } from 'pullback'
 * const cell = (h: Tensor, x: Tensor) => [tanh(add(mul(h, 0.5), x)), h] as const
 * const cases = fc.tuple(tensors({ shape: [2] }), tensors({ shape: [3, 2] }))
 * await check(scanEqualsUnrolled(cell, cases), { numRuns: 10 })
 * ```
 */
export const scanEqualsUnrolled = <C, X>(
  step: ScanStep<C, X>,
  cases: fc.Arbitrary<readonly [init: C, xs: X]>,
  closeness: Closeness = {},
): Law<readonly [init: C, xs: X]> =>
  law(`scan of ${nameOf(step)} = unrolled`, cases, (args) =>
    scanEqualsUnrolledAt(step as unknown as ScanStep, args, closeness),
  )
