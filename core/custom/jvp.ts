/** Functions with a forward-mode derivative of the user's own. */
import { bind } from '../bind.ts'
import * as functions from '../function/index.ts'
import type { Primitive } from '../primitive.ts'
import type { Tensor } from '../tensor.ts'
import { vjpWithAux } from '../transform/vjp.ts'
import { vmap } from '../transform/vmap.ts'
import type { CallParams } from './call.ts'
import { batchedGraph, callOf, callRules, checkLike, refuseCaptured } from './call.ts'

type Flat = readonly Tensor[]

/** The rule on lists of tensors. */
type Rule = (primals: Flat, tangents: Flat) => readonly [values: Flat, tangents: Flat]

const batchedRule =
  (rule: Rule, batched: readonly boolean[]): Rule =>
  (primals, tangents) => {
    const axes = batched.map((is) => (is ? 0 : null))
    const both = vmap((...own: Flat) => rule(own.slice(0, batched.length), own.slice(batched.length)), {
      inAxes: [...axes, ...axes],
    })
    return both(...primals, ...tangents)
  }

const primitiveOf = (name: string, own: number, rule: Rule): Primitive<CallParams> => ({
  ...callRules('customJvp'),
  vjp: 'none',
  jvp: (_, { inputs, tangents }) => {
    refuseCaptured(
      name,
      own,
      tangents.map((tangent) => tangent !== undefined),
      'differentiated',
    )
    const given = inputs.slice(0, own)
    const [outputs, pushed] = rule(
      given,
      given.map((x, i) => tangents[i] ?? functions.zerosLike(x)),
    )
    return { outputs, tangents: pushed }
  },
  // The rule is linear in the tangents: its transpose is the pullback.
  linearise: (_, { inputs, needs }) => {
    refuseCaptured(name, own, needs, 'differentiated')
    const given = inputs.slice(0, own)
    const moving = given.filter((_, i) => needs[i] === true)
    const { aux, pullback } = vjpWithAux<Flat, Flat>(
      (...tangents) => {
        let next = 0
        const all = given.map((x, i) =>
          needs[i] === true ? (tangents[next++] as Tensor) : functions.zerosLike(x),
        )
        const [outputs, pushed] = rule(given, all)
        return [pushed, outputs]
      },
      moving.map((x) => functions.zerosLike(x)),
    )
    const outputs = aux as Flat
    return {
      outputs,
      pullback: (cotangents) => {
        const results = pullback(cotangents.map((g, i) => g ?? functions.zerosLike(outputs[i] as Tensor)))
        let next = 0
        return needs.map((need) => (need ? results[next++] : undefined))
      },
    }
  },
  batch: (_, { inputs, batched, params: { graph } }) => {
    refuseCaptured(name, own, batched, 'batched')
    const wide = batchedGraph(graph, inputs, batched)
    const next = primitiveOf(name, own, batchedRule(rule, batched.slice(0, own)))
    return bind(next, [...inputs, ...wide.captured], { graph: wide.graph })
  },
})

/**
 * `f` with a forward-mode derivative of your own, as JAX's `custom_jvp`: `rule` gets the arguments and their
 * tangents (trees alike; zero for what does not move) and gives the value and its tangent, which must be linear
 * in the tangents. Reverse mode is its transpose. `f` is traced when it is called, and must not close over
 * tensors that are differentiated or batched: pass them as arguments.
 *
 * @example
 * ```ts
 * import { exp, grad, item, log1p, mul, sigmoid, tensor } from 'pullback'
 * import type { Tensor } from 'pullback'
 * const softplus: (x: Tensor) => Tensor = customJvp(
 *   (x: Tensor) => log1p(exp(x)),
 *   ([x], [dx]) => [softplus(x), mul(sigmoid(x), dx)], // no ∞/∞ where exp overflows
 * )
 * console.log(await item(grad(softplus)(tensor(100)))) // => 1
 * ```
 */
export const customJvp =
  <A extends readonly unknown[], B>(
    f: (...args: A) => B,
    rule: (primals: A, tangents: A) => readonly [value: NoInfer<B>, tangent: NoInfer<B>],
  ): ((...args: A) => B) =>
  (...args) => {
    const name = f.name === '' ? 'customJvp' : `customJvp of ${f.name}`
    const { graph, inputs, own, args: structure, output } = callOf(f as never, args)
    const flat: Rule = (primals, tangents) => {
      const [value, tangent] = rule(structure.unflatten(primals) as A, structure.unflatten(tangents) as A)
      return [
        checkLike(name, 'the value that its rule gives', value, output, graph.outputs),
        checkLike(name, 'the tangent that its rule gives', tangent, output, graph.outputs),
      ]
    }
    return output.unflatten(bind(primitiveOf(name, own, flat), inputs, { graph })) as B
  }
