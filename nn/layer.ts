import { isTensor, random } from '../core/index.ts'
import type { Key, Shape, Tensor } from '../core/index.ts'
import { argumentError } from '../core/error.ts'
import type { Caching } from './cache.ts'
import type { Initialiser } from './initialiser.ts'
import { fansOf } from './initialiser.ts'
import type { MatrixKind } from './quantized.ts'
import type { KeepingLayer, Preserving } from './size.ts'
import type { Taps } from './tap.ts'

/**
 * How a layer is run: in training, with the key from which dropout draws, or in evaluation, without chance.
 * Training without a key cannot be written. `taps` is put there by `withTaps`.
 */
export type Run = ({ readonly mode: 'train'; readonly key: Key } | { readonly mode: 'eval' }) & {
  readonly taps?: Taps
  readonly cache?: Caching
  /** Is told of each linear map and table of embeddings that has been given its parameters; see `quantize`. */
  readonly onMatrix?: (params: object, kind: MatrixKind) => void
}

/**
 * The run in which nothing is left to chance.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { dropout, evaluation } from 'pullback/nn'
 * console.log(dropout(0.5).apply({}, evaluation)(tensor([1, 2]))) // => float32[2] [1, 2]
 * ```
 */
export const evaluation: Run = { mode: 'eval' }

/**
 * The run in which dropout draws from `key`. A fresh key for each step: `random.foldIn(key, step)`.
 *
 * @example
 * ```ts
 * import { ones, random } from 'pullback'
 * import { dropout, training } from 'pullback/nn'
 * const layer = dropout(0.5)
 * const run = (step: number) => training(random.foldIn(random.key(0), step))
 * console.log(layer.apply({}, run(0))(ones([4])), layer.apply({}, run(1))(ones([4])))
 * // => float32[4] [0, 2, 2, 2] float32[4] [2, 2, 0, 2]
 * ```
 */
export const training = (key: Key): Run => ({ mode: 'train', key })

/**
 * A layer: two pure functions. `init` makes parameters (a tree of tensors) from a key; `apply` of parameters and
 * a run is the function from input to output.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation, linear } from 'pullback/nn'
 * const layer = linear(2, 3)
 * const params = layer.init(random.key(0))
 * console.log(layer.apply(params, evaluation)(tensor([[1, 2]])).shape) // => [1, 3]
 * ```
 */
export interface Layer<P, I, O> {
  readonly init: (key: Key) => P
  readonly apply: (params: P, run: Run) => (input: I) => O
}

/** Any layer: what those that take parts ask for. */
export interface AnyLayer {
  readonly init: (key: Key) => unknown
  readonly apply: (params: never, run: Run) => (input: never) => unknown
}

export type ParamsOf<L extends AnyLayer> = ReturnType<L['init']>
export type InputOf<L extends AnyLayer> = Parameters<ReturnType<L['apply']>>[0]
export type OutputOf<L extends AnyLayer> = ReturnType<ReturnType<L['apply']>>

/** The parameters of a layer that has none. */
export type NoParams = Readonly<Record<string, never>>
/**
 * The parameters of a layer that has none.
 *
 * @example
 * ```ts
 * import { random, Tensor } from 'pullback'
 * import { lift, noParams } from 'pullback/nn'
 * console.log(lift((x: Tensor) => x).init(random.key(0)) === noParams) // => true
 * ```
 */
export const noParams: NoParams = {}

/**
 * A function as a layer without parameters.
 *
 * @example
 * ```ts
 * import { mul, random, Tensor, tensor } from 'pullback'
 * import { evaluation, lift } from 'pullback/nn'
 * const doubled = lift((x: Tensor) => mul(x, 2))
 * console.log(doubled.apply(doubled.init(random.key(0)), evaluation)(tensor([1, 2])))
 * // => float32[2] [2, 4]
 * ```
 */
export function lift(f: Preserving): KeepingLayer<NoParams>
export function lift<I, O>(f: (input: I) => O): Layer<NoParams, I, O>
export function lift(f: (input: never) => unknown): AnyLayer {
  return { init: () => noParams, apply: () => f }
}

/**
 * The layer that gives back its input.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { evaluation, identity } from 'pullback/nn'
 * console.log(identity.apply({}, evaluation)(tensor([1, 2]))) // => float32[2] [1, 2]
 * ```
 */
export const identity: KeepingLayer<NoParams> = lift((x) => x)

/** Throws, telling what is there, where a layer's parameters lack one. */
export const requireParam = (operation: string, params: object, name: string): void => {
  if (!Object.hasOwn(params, name))
    throw argumentError(
      operation,
      `no parameter '${name}', there is ${Object.keys(params).join(', ') || 'nothing'}`,
    )
}

/**
 * A tensor of its own, such as a class token: a layer without input, whose parameter is its output.
 *
 * @example
 * ```ts
 * import { random } from 'pullback'
 * import { evaluation, normal, parameter } from 'pullback/nn'
 * const token = parameter([1, 8], normal(0.02))
 * console.log(token.apply(token.init(random.key(0)), evaluation)().shape) // => [1, 8]
 * ```
 */
export const parameter = (shape: Shape, initialiser: Initialiser): Layer<Tensor, void, Tensor> => ({
  init: (key) => initialiser(key, shape, fansOf(shape)),
  apply: (value) => {
    if (!isTensor(value)) throw argumentError('parameter', `expected a tensor, got ${typeof value}`)
    return () => value
  },
})

const deeper = <T extends { readonly path: readonly string[] }>(place: T, part: string): T => ({
  ...place,
  path: [...place.path, part],
})

/**
 * The run as a part sees it: its key folded by the part's name, its taps and cache under the part's path.
 *
 * @example
 * ```ts
 * import { function as f } from 'fp-ts'
 * import { random, Tensor, zeros } from 'pullback'
 * import { descend, evaluation, linear } from 'pullback/nn'
 * import type { Layer, LinearParams } from 'pullback/nn'
 * const first = linear(2, 4)
 * const second = linear(4, 1)
 * type Params = { readonly first: LinearParams; readonly second: LinearParams }
 * // `struct` does this by itself; written out, for a layer whose parts meet in another way:
 * const layer: Layer<Params, Tensor, Tensor> = {
 *   init: (key) => ({
 *     first: first.init(random.foldIn(key, 'first')),
 *     second: second.init(random.foldIn(key, 'second')),
 *   }),
 *   apply: (params, run) => (x) =>
 *     f.pipe(
 *       x,
 *       first.apply(params.first, descend(run, 'first')),
 *       second.apply(params.second, descend(run, 'second')),
 *     ),
 * }
 * console.log(layer.apply(layer.init(random.key(0)), evaluation)(zeros([3, 2])).shape) // => [3, 1]
 * ```
 */
export const descend = (run: Run, part: string): Run => {
  const given: unknown = run
  if (typeof given !== 'object' || given === null)
    throw argumentError('apply', 'expected parameters and a run: apply(params, evaluation), or training(key)')
  const places = {
    ...(run.taps === undefined ? {} : { taps: deeper(run.taps, part) }),
    ...(run.cache === undefined ? {} : { cache: deeper(run.cache, part) }),
    ...(run.onMatrix === undefined ? {} : { onMatrix: run.onMatrix }),
  }
  if (run.mode === 'eval') return { mode: 'eval', ...places }
  return {
    mode: 'train',
    // Folded when it is asked for: most parts draw nothing.
    get key() {
      return random.foldIn(run.key, part)
    },
    ...places,
  }
}
