/**
 * Optimizers as pairs of pure functions on trees, in optax's manner: a transform turns gradients into updates,
 * transforms compose, and what they remember is a tree that a checkpoint can hold.
 */
import { add, cast, tree, zerosLike } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'

/**
 * `init` makes the state for a tree of parameters; `update` turns gradients (of the parameters' structure) into
 * updates and the next state. The updates of a whole optimizer are what is added to the parameters.
 */
export interface Transform<S = unknown> {
  init(this: void, params: unknown): S
  // method syntax, so that a transform of a known state is also a `Transform` of an unknown one
  update<P>(this: void, gradients: P, state: S, params: P): readonly [updates: P, state: S]
}

/** The state of a transform that remembers nothing. */
export type Stateless = Readonly<Record<string, never>>

/**
 * A transform without memory.
 *
 * @example
 * ```ts
 * import { sign, tensor, tree } from 'pullback'
 * import { stateless } from 'pullback/training'
 * const signs = stateless((gradients) => tree.map(sign, gradients))
 * const params = { weight: tensor([1, 1]) }
 * console.log(signs.update({ weight: tensor([-3, 4]) }, signs.init(params), params)[0].weight)
 * // => float32[2] [-1, 1]
 * ```
 */
export const stateless = (update: <P>(gradients: P, params: P) => P): Transform<Stateless> => ({
  init: () => ({}),
  update: (gradients, state, params) => [update(gradients, params), state],
})

/**
 * Passes gradients on as they are: where a `pipe` may begin.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { identity } from 'pullback/training'
 * const params = { weight: tensor([1]) }
 * console.log(identity.update(params, identity.init(params), params)[0]) // => { weight: float32[1] [1] }
 * ```
 */
export const identity: Transform<Stateless> = stateless((gradients) => gradients)

/**
 * `first`, then `second`, for `pipe`:
 *
 * @example
 * ```ts
 * import { function as f } from 'fp-ts'
 * import { adamW, andThen, clipByGlobalNorm } from 'pullback/training'
 * const optimizer = f.pipe(clipByGlobalNorm(1), andThen(adamW({ learningRate: 1e-3 })))
 * console.log(Object.keys(optimizer)) // [ 'init', 'update' ]
 * ```
 */
export const andThen =
  <B>(second: Transform<B>) =>
  <A>(first: Transform<A>): Transform<readonly [first: A, second: B]> => ({
    init: (params) => [first.init(params), second.init(params)],
    update: (gradients, [a, b], params) => {
      const [between, nextA] = first.update(gradients, a, params)
      const [updates, nextB] = second.update(between, b, params)
      return [updates, [nextA, nextB]]
    },
  })

type States<T extends readonly Transform[]> = {
  readonly [I in keyof T]: T[I] extends Transform<infer S> ? S : never
}

/**
 * Transforms one after the other.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { chain, clipByGlobalNorm, sgd } from 'pullback/training'
 * const optimizer = chain(clipByGlobalNorm(1), sgd({ learningRate: 0.1 }))
 * const params = { weight: tensor([1, 1]) }
 * console.log(optimizer.update({ weight: tensor([3, 4]) }, optimizer.init(params), params)[0].weight)
 * // => float32[2] [-0.06, -0.08]
 * ```
 */
export const chain = <const T extends readonly Transform[]>(...transforms: T): Transform<States<T>> => {
  return {
    init: (params) => transforms.map(({ init }) => init(params)) as unknown as States<T>,
    update: (gradients, state, params) => {
      let updates = gradients
      const next = transforms.map(({ update }, i) => {
        const [later, own] = update(updates, (state as readonly unknown[])[i], params)
        updates = later
        return own
      })
      return [updates, next as unknown as States<T>]
    },
  }
}

/** Which parameters: told by path (`encoder/block/0/norm/weight`) and by the tensor's shape and dtype. */
export type Mask = (path: string, leaf: Tensor) => boolean

/**
 * Not a bias, and not a part of a norm: what usually decays (Devlin et al. 2019, appendix A.2 of its code).
 *
 * @example
 * ```ts
 * import { zeros } from 'pullback'
 * import { exceptBiasAndNorm } from 'pullback/training'
 * console.log(exceptBiasAndNorm('norm/weight', zeros([4])), exceptBiasAndNorm('weight', zeros([4, 4])))
 * // => false true
 * ```
 */
export const exceptBiasAndNorm: Mask = (path) => {
  const parts = path.toLowerCase().split('/')
  return parts.at(-1) !== 'bias' && !parts.some((part) => part.includes('norm'))
}

/**
 * Weights with at least two axes: matrices and embeddings, but no biases, gains and scales.
 *
 * @example
 * ```ts
 * import { zeros } from 'pullback'
 * import { isMatrix } from 'pullback/training'
 * console.log(isMatrix('output/weight', zeros([4, 4])), isMatrix('output/bias', zeros([4])))
 * // => true false
 * ```
 */
export const isMatrix: Mask = (_, { shape }) => shape.length > 1

/**
 * The transform on the parameters that the mask picks; gradients of the others pass unchanged.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { addDecayedWeights, isMatrix, masked } from 'pullback/training'
 * const decay = masked(addDecayedWeights(0.1), isMatrix)
 * const params = { weight: tensor([[10]]), bias: tensor([10]) }
 * const gradients = { weight: tensor([[0]]), bias: tensor([0]) }
 * console.log(decay.update(gradients, decay.init(params), params)[0])
 * // => { weight: float32[1, 1] [[1]], bias: float32[1] [0] }
 * ```
 */
export const masked = <S>(transform: Transform<S>, mask: Mask): Transform<S> => ({
  init: (params) => transform.init(tree.partition(mask, params)[0]),
  update: (gradients, state, params) => {
    const [chosen, chosenParams] = pick(mask, gradients, params)
    const [updates, next] = transform.update(chosen, state, chosenParams)
    return [tree.combine(updates, without(mask, gradients, params)), next]
  },
})

/** The parts of both trees that a mask on the parameters picks. */
const pick = <P>(mask: Mask, gradients: P, params: P): readonly [P, P] => {
  const flags = new Map(tree.entries(params).map(([path, leaf]) => [path, mask(path, leaf)]))
  return [
    tree.partition((path) => flags.get(path) === true, gradients)[0],
    tree.partition((path) => flags.get(path) === true, params)[0],
  ]
}

const without = <P>(mask: Mask, gradients: P, params: P): P =>
  pick((path, leaf) => !mask(path, leaf), gradients, params)[0]

/**
 * Groups of parameters with transforms of their own: `label` names the group of each parameter. A label without a
 * transform freezes its parameters: their updates are zero.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { grouped, sgd } from 'pullback/training'
 * const label = (path: string) => (path.startsWith('head') ? 'head' : 'frozen')
 * const optimizer = grouped(label, { head: sgd({ learningRate: 1 }) })
 * const params = { body: tensor([1]), head: tensor([1]) }
 * console.log(optimizer.update(params, optimizer.init(params), params)[0])
 * // => { body: float32[1] [0], head: float32[1] [-1] }
 * ```
 */
export const grouped = (
  label: (path: string, leaf: Tensor) => string,
  transforms: Readonly<Record<string, Transform>>,
): Transform<Readonly<Record<string, unknown>>> => {
  const groups = Object.entries(transforms)
  const isIn =
    (name: string): Mask =>
    (path, leaf) =>
      label(path, leaf) === name
  return {
    init: (params) =>
      Object.fromEntries(
        groups.map(([name, { init }]) => [name, init(tree.partition(isIn(name), params)[0])]),
      ),
    update: (gradients, state, params) => {
      let updates = tree.map(zerosLike, gradients)
      const next = groups.map(([name, { update }]) => {
        const [own, ownParams] = pick(isIn(name), gradients, params)
        const [changed, ownState] = update(own, state[name], ownParams)
        updates = tree.combine(changed, updates)
        return [name, ownState] as const
      })
      return [updates, Object.fromEntries(next)]
    },
  }
}

/**
 * The parameters with the updates added, in the parameters' own dtypes.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { applyUpdates } from 'pullback/training'
 * console.log(applyUpdates({ weight: tensor([1, 2]) }, { weight: tensor([-0.5, 0.5]) }).weight)
 * // => float32[2] [0.5, 2.5]
 * ```
 */
export const applyUpdates = <P>(params: P, updates: P): P =>
  tree.map((p, update) => cast(add(p, update as Tensor), p.dtype), params, updates)
