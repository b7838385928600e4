/**
 * Trees: nested records and arrays whose leaves are tensors. Parameters, batches and states are trees. Anything
 * else in them (numbers, strings, undefined …) is structure: it is kept as it is and compared by value.
 */
import { PullbackError, argumentError } from './error.ts'
import { Tensor } from './tensor.ts'
import type { AtPath, Leads, PathOf } from './type.ts'

/** A tree of tensors, for places where any will do. Functions keep the precise type of the tree they get. */
export type Tree = Tensor | readonly Tree[] | { readonly [name: string]: Tree } | TreeStatic
type TreeStatic = number | string | boolean | null | undefined

/** The tree without its leaves. */
export interface Structure {
  readonly key: string
  readonly size: number
  readonly unflatten: (leaves: readonly unknown[]) => unknown
}

/**
 * Whether a value is a plain record, into which trees go on; arrays are the other.
 *
 * @example
 * ```ts
 * import { tensor, tree } from 'pullback'
 * console.log(tree.isRecord({ weight: 1 }), tree.isRecord(tensor(1)), tree.isRecord([]))
 * // => true false false
 * ```
 */
export const isRecord = (x: unknown): x is Readonly<Record<string, unknown>> => {
  if (typeof x !== 'object' || x === null) return false
  const prototype: unknown = Object.getPrototypeOf(x)
  return prototype === Object.prototype || prototype === null
}

const identities = new WeakMap<object, number>()
let nextIdentity = 0

/** A text that is equal for equal static values; functions and foreign objects are equal only to themselves. */
const staticKey = (x: unknown): string => {
  if ((typeof x === 'object' && x !== null) || typeof x === 'function') {
    let id = identities.get(x)
    if (id === undefined) identities.set(x, (id = nextIdentity++))
    return `#${id}`
  }
  return typeof x === 'string' ? JSON.stringify(x) : Object.is(x, -0) ? '-0' : String(x)
}

/** Record fields in sorted order, so that the order of writing does not matter. */
const fields = (x: Readonly<Record<string, unknown>>): readonly string[] => Object.keys(x).sort()

/**
 * A tree's leaves in order, each with its path.
 *
 * @example
 * ```ts
 * import { tree, zeros } from 'pullback'
 * const params = { layer: [{ weight: zeros([2, 3]) }, { weight: zeros([3]) }] }
 * console.log(tree.entries(params).map(([path, { shape }]) => `${path} ${shape}`))
 * // => ['layer/0/weight 2,3', 'layer/1/weight 3']
 * ```
 */
export const entries = (
  tree: unknown,
  path: readonly string[] = [],
): readonly (readonly [path: string, leaf: Tensor])[] => {
  if (tree instanceof Tensor) return [[path.join('/'), tree]]
  if (Array.isArray(tree)) return tree.flatMap((part, i) => entries(part, [...path, String(i)]))
  if (isRecord(tree)) return fields(tree).flatMap((name) => entries(tree[name], [...path, name]))
  return []
}

/**
 * The tensors of a tree, in order.
 *
 * @example
 * ```ts
 * import { tensor, tree } from 'pullback'
 * console.log(tree.leaves({ b: tensor(1), a: [tensor(2)] })) // => [float32[] 2, float32[] 1]
 * ```
 */
export const leaves = (tree: unknown): Tensor[] => flatten(tree)[0]

/**
 * The leaves of a tree and what is left without them. `isLeaf` tells what a leaf is; tensors by default.
 *
 * @example
 * ```ts
 * import { tensor, tree } from 'pullback'
 * const [found] = tree.flatten({ weight: tensor([1]), bias: tensor([2]) })
 * console.log(found.length) // => 2
 * ```
 */
export const flatten = <L = Tensor>(
  tree: unknown,
  isLeaf: (x: unknown) => x is L = ((x: unknown) => x instanceof Tensor) as (x: unknown) => x is L,
): readonly [leaves: L[], structure: Structure] => {
  const found: L[] = []
  const walk = (node: unknown): { key: string; build: (next: () => unknown) => unknown } => {
    if (isLeaf(node)) {
      found.push(node)
      return { key: '*', build: (next) => next() }
    }
    if (Array.isArray(node)) {
      const parts = node.map(walk)
      return {
        key: `[${parts.map(({ key }) => key).join()}]`,
        build: (next) => parts.map(({ build }) => build(next)),
      }
    }
    if (isRecord(node)) {
      const names = fields(node)
      const parts = names.map((name) => walk(node[name]))
      return {
        key: `{${names.map((name, i) => `${JSON.stringify(name)}:${parts[i]?.key ?? ''}`).join()}}`,
        build: (next) => {
          const built = parts.map(({ build }) => build(next))
          const at = new Map(names.map((name, i) => [name, built[i]]))
          // The record keeps the order in which it was written, as people expect of a printed tree.
          return Object.fromEntries(Object.keys(node).map((name) => [name, at.get(name)]))
        },
      }
    }
    return { key: staticKey(node), build: () => node }
  }
  const { key, build } = walk(tree)
  const size = found.length
  const unflatten = (values: readonly unknown[]): unknown => {
    if (values.length !== size) throw argumentError('tree', `expected ${size} leaves, got ${values.length}`)
    let i = 0
    return build(() => values[i++])
  }
  return [found, { key, size, unflatten }]
}

/** Where two trees first differ in structure, for errors. */
const firstDifference = (a: unknown, b: unknown, path: readonly string[] = []): string => {
  const here = path.length === 0 ? 'at the top' : `at ${path.join('/')}`
  if (a instanceof Tensor && b instanceof Tensor) return ''
  if (Array.isArray(a) && Array.isArray(b)) {
    if (a.length !== b.length) return `${here}: ${a.length} and ${b.length} elements`
    for (const [i, part] of a.entries()) {
      const found = firstDifference(part, b[i], [...path, String(i)])
      if (found !== '') return found
    }
    return ''
  }
  if (isRecord(a) && isRecord(b)) {
    const missing = [...fields(a).filter((name) => !(name in b)), ...fields(b).filter((name) => !(name in a))]
    if (missing.length > 0) return `${here}: only one has ${missing.join(', ')}`
    for (const name of fields(a)) {
      const found = firstDifference(a[name], b[name], [...path, name])
      if (found !== '') return found
    }
    return ''
  }
  return staticKey(a) === staticKey(b) ? '' : here
}

/**
 * `f` of every leaf, and of the leaves at the same places of further trees of the same structure.
 *
 * @example
 * ```ts
 * import { add, mul, tensor, tree } from 'pullback'
 * const params = { weight: tensor([1, 2]), bias: tensor([3]) }
 * console.log(tree.map((x) => mul(x, 2), params)) // => { weight: float32[2] [2, 4], bias: float32[1] [6] }
 * console.log(tree.map((a, b) => add(a, b), params, params).bias) // => float32[1] [6]
 * ```
 */
export const map = <T>(
  f: (leaf: Tensor, ...others: Tensor[]) => unknown,
  tree: T,
  ...others: readonly unknown[]
): T => {
  const [found, structure] = flatten(tree)
  const rest = others.map((other) => {
    const [values, same] = flatten(other)
    if (values.length !== found.length || same.key !== structure.key)
      throw argumentError('tree.map', `trees have different structures, ${firstDifference(tree, other)}`)
    return values
  })
  return structure.unflatten(
    found.map((leaf, i) => f(leaf, ...rest.map((values) => values[i] as Tensor))),
  ) as T
}

/**
 * `f` of every leaf with its path; comparing it with one that the tree's type has not does not compile.
 *
 * @example
 * ```ts
 * import { tensor, tree, zerosLike } from 'pullback'
 * const params = { weight: tensor([1, 2]), bias: tensor([3]) }
 * console.log(tree.mapWithPath((path, x) => (path === 'bias' ? zerosLike(x) : x), params))
 * // => { weight: float32[2] [1, 2], bias: float32[1] [0] }
 * ```
 */
export const mapWithPath = <T>(f: (path: PathOf<T> & string, leaf: Tensor) => unknown, tree: T): T => {
  const paths = pathsOf(tree)
  let i = 0
  return map((leaf) => f(paths[i++] as PathOf<T> & string, leaf), tree)
}

/**
 * The path of every leaf, in the order of `leaves`.
 *
 * @example
 * ```ts
 * import { tensor, tree } from 'pullback'
 * console.log(tree.pathsOf({ layer: [{ weight: tensor(1), bias: tensor(2) }] }))
 * // => ['layer/0/bias', 'layer/0/weight']
 * ```
 */
export const pathsOf = (tree: unknown): readonly string[] => entries(tree).map(([path]) => path)

/**
 * The tree twice: with the leaves that satisfy the predicate, and with the others; `undefined` where the other
 * one has the leaf. `combine` puts them together again. As for `mapWithPath`, the paths are the tree's own.
 *
 * @example
 * ```ts
 * import { tensor, tree } from 'pullback'
 * const params = { weight: tensor([1]), bias: tensor([2]) }
 * const [biases, rest] = tree.partition((path) => path.endsWith('bias'), params)
 * console.log(tree.pathsOf(biases), tree.pathsOf(rest)) // => ['bias'] ['weight']
 * ```
 */
export const partition = <T>(
  predicate: (path: PathOf<T> & string, leaf: Tensor) => boolean,
  tree: T,
): readonly [chosen: T, rest: T] => {
  const flags = entries(tree).map(([path, leaf]) => predicate(path as PathOf<T> & string, leaf))
  const pick = (wanted: boolean): T => {
    let i = 0
    return map((leaf) => (flags[i++] === wanted ? leaf : undefined), tree)
  }
  return [pick(true), pick(false)]
}

/**
 * The tree that has at each place the leaf of whichever of two partitions has one.
 *
 * @example
 * ```ts
 * import { tensor, tree } from 'pullback'
 * const params = { weight: tensor([1]), bias: tensor([2]) }
 * const [biases, rest] = tree.partition((path) => path.endsWith('bias'), params)
 * console.log(tree.combine(biases, rest)) // => { weight: float32[1] [1], bias: float32[1] [2] }
 * ```
 */
export const combine = <T>(a: T, b: T): T => {
  const join = (x: unknown, y: unknown): unknown => {
    if (x === undefined) return y
    if (y === undefined || x instanceof Tensor) return x
    if (Array.isArray(x) && Array.isArray(y)) return x.map((part, i) => join(part, y[i]))
    if (isRecord(x) && isRecord(y))
      return Object.fromEntries(Object.keys(x).map((name) => [name, join(x[name], y[name])]))
    return x
  }
  return join(a, b) as T
}

/**
 * The leaf or subtree at a path; an error that names what is there if it is missing. A path that the tree's type has
 * not does not compile, and the result has the type of what stands there; where either is not known, `unknown`.
 *
 * @throws PullbackError where the path leads nowhere.
 * @example
 * ```ts
 * import { tensor, tree } from 'pullback'
 * const params = { layer: [{ weight: tensor([1, 2]) }] }
 * const weight = tree.get(params, 'layer/0/weight')
 * console.log(weight.shape) // => [2]
 * // @ts-expect-error tree.get: no 'wieght' at 'layer/0'
 * const wrong = () => tree.get(params, 'layer/0/wieght')
 * ```
 */
export const get = <T, const P extends string>(tree: T, path: P & Leads<T, P>): AtPath<T, P> =>
  found(tree, path) as AtPath<T, P>

const found = (tree: unknown, path: string): unknown => {
  let node = tree
  for (const [depth, name] of path.split('/').entries()) {
    const inside: Readonly<Record<string, unknown>> = Array.isArray(node)
      ? { ...(node as readonly unknown[]) }
      : isRecord(node)
        ? node
        : {}
    if (!Object.hasOwn(inside, name)) {
      const where = path.split('/').slice(0, depth).join('/')
      throw new PullbackError({
        tag: 'argument',
        operation: 'tree.get',
        detail: `no '${name}' at '${where}', there is ${Object.keys(inside).join(', ') || 'nothing'}`,
      })
    }
    node = inside[name]
  }
  return node
}
