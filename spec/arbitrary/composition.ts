/** Generated functions of tensors: straight-line compositions of the public operations, of every kind. */
import * as fc from 'fast-check'
import * as f from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import { sizeOf } from '../../kernels/index.ts'
import { shapes } from './shape.ts'
import { arithmetic } from './rule/arithmetic.ts'
import { control, forward } from './rule/control.ts'
import { fold } from './rule/fold.ts'
import { lookup } from './rule/lookup.ts'
import type { Pick, Rule } from './rule/rule.ts'
import { structure } from './rule/structure.ts'
import { tensors } from './tensor.ts'

const largest = 400

const rules: readonly Rule[] = [...arithmetic, ...structure, ...fold, ...lookup, ...control]

interface Step {
  readonly rule: Rule
  readonly x: number
  readonly y: number
  readonly choices: readonly number[]
}

/** A generated function and arguments for it. */
export interface Composition {
  readonly f: (...inputs: Tensor[]) => readonly Tensor[]
  readonly inputs: readonly Tensor[]
}

const run = (
  steps: readonly Step[],
  returned: readonly number[],
  inputs: readonly Tensor[],
): readonly Tensor[] => {
  const pool = [...inputs]
  const chosen = (i: number): Tensor => pool[(pool.length - 1 - (i % pool.length)) % pool.length] as Tensor
  for (const { rule, x, y, choices } of steps) {
    let next = 0
    const pick: Pick = (n) => (n === 0 ? 0 : (choices[next++ % choices.length] as number) % n)
    pool.push(
      ...rule
        .apply(chosen(x), chosen(y), pick)
        .map((z) => (sizeOf(z.shape) > largest ? (f.sum(z) as Tensor) : z)),
    )
  }
  return returned.map(chosen)
}

export interface CompositionOptions {
  /** Only operations that are smooth, for laws of derivatives. */
  readonly smooth?: boolean
  /** 8 by default. */
  readonly maxSteps?: number
  /** With derivatives through loops whose end is data, for laws of forward mode; false by default. */
  readonly forward?: boolean
}

/**
 * Functions of one to three float64 tensors that combine views, arithmetic, folds, products, look-ups, loops and
 * choices, with results that are used twice, returned twice, or not at all. They shrink toward fewer steps.
 *
 * @example
 * ```ts
 * import * as fc from 'fast-check'
 * import { compositions } from 'pullback/spec'
 * const [program] = fc.sample(compositions({ maxSteps: 3 }), { numRuns: 1, seed: 1 })
 * console.log(Object.keys(program ?? {})) // => ['f', 'inputs']
 * ```
 */
export const compositions = ({
  smooth = false,
  maxSteps = 8,
  forward: only = false,
}: CompositionOptions = {}): fc.Arbitrary<Composition> => {
  const all = only ? [...rules, ...forward] : rules
  const known = smooth ? all.filter((each) => each.smooth) : all
  const steps = fc.array(
    fc.record({
      rule: fc.constantFrom(...known),
      // Small numbers mean recent values, so that chains grow long.
      x: fc.oneof({ weight: 3, arbitrary: fc.nat(1) }, { weight: 1, arbitrary: fc.nat(9) }),
      y: fc.nat(9),
      choices: fc.array(fc.nat(11), { minLength: 5, maxLength: 5 }),
    }),
    { minLength: 1, maxLength: maxSteps, size: 'max' },
  )
  return fc
    .record({
      steps,
      returned: fc.array(fc.oneof(fc.constant(0), fc.nat(5)), { minLength: 1, maxLength: 3 }),
      inputs: fc.array(tensors({ dtype: 'float64', shape: shapes({ maxSize: 4 }), values: 'distinct' }), {
        minLength: 1,
        maxLength: 3,
      }),
    })
    .map(({ steps: own, returned, inputs }) => ({
      f: (...values: Tensor[]) => run(own, returned, values),
      inputs,
      [fc.toStringMethod]: () =>
        [
          `inputs ${fc.stringify(inputs)}`,
          ...own.map(({ rule: { name }, x, y, choices }) => `${name} of ${x}, ${y} [${choices.join()}]`),
          `return ${returned.join(', ')}`,
        ].join('\n'),
    }))
}
