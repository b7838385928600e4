/** Functions with a reverse-mode derivative of the user's own. */
import { bind } from '../bind.ts'
import { argumentError, checkOptions } from '../error.ts'
import * as functions from '../function/index.ts'
import type { Linearised, Primitive } from '../primitive.ts'
import type { Tensor } from '../tensor.ts'
import * as tree from '../tree.ts'
import { vmap } from '../transform/vmap.ts'
import type { CallParams } from './call.ts'
import { batchedGraph, callOf, callRules, checkLike, refuseCaptured } from './call.ts'

/** The arguments at the positions `N`. */
export type PickArguments<A extends readonly unknown[], N extends readonly number[]> = {
  readonly [I in keyof N]: A[N[I] & number]
}

/** One cotangent, a tree or undefined, for each argument that is not at the positions `N`. */
export type CotangentsOf<
  A extends readonly unknown[],
  N extends number,
  I extends readonly unknown[] = readonly [],
> = number extends A['length']
  ? readonly unknown[]
  : A extends readonly [unknown, ...infer T]
    ? I['length'] extends N
      ? CotangentsOf<T, N, readonly [...I, 0]>
      : readonly [unknown, ...CotangentsOf<T, N, readonly [...I, 0]>]
    : readonly []

export interface CustomVjp<A extends readonly unknown[], B, R, N extends readonly number[]> {
  /** The value, and what `backward` needs to know: any tree. */
  readonly forward: (...args: A) => readonly [value: B, residuals: R]
  /**
   * The arguments' cotangents from the value's: a list with a tree like each argument, or `undefined` for one
   * that has no derivative. Arguments at `nondiff` come first, and get no cotangent.
   */
  readonly backward: (
    ...args: readonly [...PickArguments<A, N>, residuals: R, cotangent: B]
  ) => CotangentsOf<A, N[number]>
  /** Positions of arguments that are not differentiated, as JAX's `nondiff_argnums`. */
  readonly nondiff?: N
}

/** The two rules on lists of tensors. */
interface Rules {
  readonly forward: (inputs: readonly Tensor[]) => readonly [outputs: readonly Tensor[], residuals: unknown]
  readonly backward: (residuals: unknown, cotangents: readonly Tensor[]) => readonly (Tensor | undefined)[]
}

/** Both rules over a batch; cotangents of what all examples share are summed. */
const batchedRules = ({ forward, backward }: Rules, batched: readonly boolean[]): Rules => {
  return {
    forward: (inputs) => {
      const inAxes = batched.map((is) => (is ? 0 : null))
      return vmap((...own: readonly Tensor[]) => forward(own), { inAxes })(...inputs)
    },
    backward: (residuals, cotangents) => {
      const each = vmap((own: unknown, given: readonly Tensor[]) => {
        const results = backward(own, given)
        // What is missing stays missing: it is told by the structure of the list.
        return results.map((result) => result ?? null)
      })(residuals, cotangents)
      return batched.map((is, i) => {
        const result = each[i] ?? undefined
        return result === undefined || is ? result : functions.sum(result, { axis: 0 })
      })
    },
  }
}

const primitiveOf = (name: string, own: number, rules: Rules): Primitive<CallParams> => {
  const self: Primitive<CallParams> = {
    ...callRules('customVjp'),
    vjp: 'none',
    linearise: (_, { inputs, needs }): Linearised => {
      refuseCaptured(name, own, needs, 'differentiated')
      const [outputs, residuals] = rules.forward(inputs.slice(0, own))
      return {
        outputs,
        pullback: (cotangents) =>
          rules.backward(
            residuals,
            cotangents.map((g, i) => g ?? functions.zerosLike(outputs[i] as Tensor)),
          ),
      }
    },
    batch: (_, { inputs, batched, params: { graph } }) => {
      refuseCaptured(name, own, batched, 'batched')
      const wide = batchedGraph(graph, inputs, batched)
      const next = primitiveOf(name, own, batchedRules(rules, batched.slice(0, own)))
      return bind(next, [...inputs, ...wide.captured], { graph: wide.graph })
    },
  }
  return self
}

/**
 * `f` with a reverse-mode derivative of your own, as JAX's `custom_vjp`: where it is differentiated, `forward` runs
 * in its place, and `backward` gives the cotangents. Both are ordinary functions of tensors, so the derivative
 * can be differentiated again. Forward mode is the transpose of `backward`. `f` is traced when it is called, and
 * must not close over tensors that are differentiated or batched: pass them as arguments.
 *
 * @example
 * ```ts
 * import { clip, grad, item, mul, tensor } from 'pullback'
 * import type { Tensor } from 'pullback'
 * const clipGradient = customVjp((x: Tensor, limit: number) => x, {
 *   forward: (x) => [x, null],
 *   backward: (limit, _, g) => [clip(g, -limit, limit)],
 *   nondiff: [1],
 * })
 * const loss = (x: Tensor) => mul(100, clipGradient(x, 0.5))
 * console.log(await item(grad(loss)(tensor(3)))) // => 0.5
 * ```
 */
export const customVjp = <
  A extends readonly unknown[],
  B,
  R,
  const N extends readonly number[] = readonly [],
>(
  f: (...args: A) => B,
  rules: CustomVjp<A, B, R, N>,
): ((...args: A) => B) => {
  const name = f.name === '' ? 'customVjp' : `customVjp of ${f.name}`
  checkOptions(name, rules, ['forward', 'backward', 'nondiff'])
  const nondiff: readonly number[] = rules.nondiff ?? []
  return (...args) => {
    const { graph, inputs, own, args: structure, output } = callOf(f as never, args)
    const flat: Rules = {
      forward: (given) => {
        const all = structure.unflatten(given) as A
        const [value, residuals] = rules.forward(...all)
        const outputs = checkLike(name, "the value of 'forward'", value, output, graph.outputs)
        return [outputs, [nondiff.map((i) => all[i]), residuals, given]]
      },
      backward: (kept, cotangents) => {
        const [fixed, residuals, given] = kept as readonly [readonly unknown[], R, readonly Tensor[]]
        const backward = rules.backward as unknown as (...all: readonly unknown[]) => unknown
        const results = backward(...fixed, residuals, output.unflatten(cotangents))
        const moving = args.flatMap((_, i) => (nondiff.includes(i) ? [] : [i]))
        if (!Array.isArray(results) || results.length !== moving.length)
          throw argumentError(
            name,
            `'backward' must give a list of ${moving.length} cotangents, one for each differentiated argument, got ${Array.isArray(results) ? results.length : typeof results}`,
          )
        let at = 0
        return args.flatMap((arg, i): readonly (Tensor | undefined)[] => {
          const [leaves, shape] = tree.flatten(arg)
          const values = given.slice(at, (at += leaves.length))
          const result = nondiff.includes(i) ? undefined : (results[moving.indexOf(i)] as unknown)
          if (result === undefined) return leaves.map(() => undefined)
          return checkLike(name, `the cotangent of argument ${i}`, result, shape, values)
        })
      },
    }
    return output.unflatten(bind(primitiveOf(name, own, flat), inputs, { graph })) as B
  }
}
