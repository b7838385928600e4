/** Layers of layers: the only way in which layers grow. */
import { PullbackError, add, random, scan, stack, tree, within } from '../core/index.ts'
import { argumentError, shapeError } from '../core/error.ts'
import type { Key, Tensor } from '../core/index.ts'
import type { AnyLayer, Layer, NoParams, ParamsOf, Run } from './layer.ts'
import { descend, noParams } from './layer.ts'
import type { Follows, KeepsSize, SequenceOf } from './follow.ts'
import type { CallLayer, CallOf } from './size.ts'
import type { Repeated, Streams } from './stream.ts'

const initPart = <P>(layer: Pick<Layer<P, never, unknown>, 'init'>, name: string, key: Key): P =>
  within(name, () => layer.init(random.foldIn(key, name)))

/** A part with its parameters, under its name: its key is folded by it, and mistakes inside are told with it. */
const applyPart = <P, I, O>(layer: Layer<P, I, O>, name: string, params: P, run: Run): ((input: I) => O) => {
  const f = within(name, () => layer.apply(params, descend(run, name)))
  return (input) => within(name, () => f(input))
}

type Parts = Readonly<Record<string, AnyLayer>>

/** The parameters of a record of layers; those that have none are left out. */
export type StructParams<L extends Parts> = {
  readonly [N in keyof L as ParamsOf<L[N]> extends NoParams ? never : N]: ParamsOf<L[N]>
}

/** A record of layers as the functions they are once they have their parameters. */
export type Applied<L extends Parts> = {
  readonly [N in keyof L]: CallOf<L[N]>
}

/** A layer that is the function F of its input, which may be generic: in batch and time, for one. */
export type StructLayer<P, F extends (input: never) => unknown> = CallLayer<
  P,
  F,
  Parameters<F>[0],
  ReturnType<F>
>

/**
 * A layer of named parts, and how they are wired: `wire` gets each part as the function it is. Parameters are a
 * record by part name. Keys are folded by part name, so that what a part draws does not depend on the others;
 * a part that is called twice draws the same both times. `wire` gets the parameters too, for parts that share them,
 * such as an output layer that is the embedding's table.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import type { Tensor } from 'pullback'
 * import { dropout, evaluation, gelu, linear, struct } from 'pullback/nn'
 * const parts = { up: linear(2, 8), down: linear(8, 2), dropout: dropout(0.1) }
 * const mlp = struct(parts, ({ up, down, dropout }) => (x: Tensor) => down(dropout(gelu(up(x)))))
 * const params = mlp.init(random.key(0))
 * console.log(params.up.weight.shape) // => [2, 8]
 * console.log(mlp.apply(params, evaluation)(tensor([[1, 2]])).shape) // => [1, 2]
 * ```
 */
export const struct = <L extends Parts, F extends (input: never) => unknown>(
  parts: L,
  wire: (parts: Applied<L>, run: Run, params: StructParams<L>) => F,
): StructLayer<StructParams<L>, F> => wired(parts, wire as never) as never

const wired = (parts: Parts, wire: (parts: object, run: Run, params: object) => unknown): AnyLayer => ({
  init: (key) =>
    Object.fromEntries(
      Object.entries(parts).flatMap(([name, layer]) => {
        const params = initPart(layer, name, key)
        return params === noParams ? [] : [[name, params]]
      }),
    ),
  apply: (params: Readonly<Record<string, unknown>>, run) => {
    const applied = Object.entries(parts).map(([name, layer]) => {
      const own = params[name] ?? noParams
      return [name, applyPart(layer as Layer<unknown, unknown, unknown>, name, own, run)]
    })
    return wire(Object.fromEntries(applied), run, params) as (input: never) => unknown
  },
})

/**
 * One layer behind another; parameters are a list, paths are positions.
 *
 * @example
 * ```ts
 * import { random, zeros } from 'pullback'
 * import { evaluation, gelu, lift, linear, sequence } from 'pullback/nn'
 * const network = sequence(linear(4, 16), lift(gelu), linear(16, 2))
 * const params = network.init(random.key(0))
 * console.log(network.apply(params, evaluation)(zeros([3, 4])).shape) // => [3, 2]
 * ```
 */
export const sequence = <const L extends readonly AnyLayer[]>(...layers: L & Follows<L>): SequenceOf<L> =>
  inARow(layers as readonly AnyLayer[]) as unknown as SequenceOf<L>

const inARow = (layers: readonly AnyLayer[]): Layer<readonly unknown[], unknown, unknown> => {
  const parts = layers as readonly Layer<unknown, unknown, unknown>[]
  return {
    init: (key) => parts.map((layer, i) => initPart(layer, String(i), key)),
    apply: (params, run) => {
      checkCount('sequence', parts.length, params)
      const applied = parts.map((layer, i) => applyPart(layer, String(i), params[i], run))
      return (input) => applied.reduce((x, f) => f(x), input)
    },
  }
}

const checkCount = (operation: string, count: number, params: unknown): void => {
  if (!Array.isArray(params) || params.length !== count)
    throw new PullbackError({
      tag: 'argument',
      operation,
      detail: `expected a list of ${count} parts' parameters, got ${Array.isArray(params) ? params.length : typeof params}`,
    })
}

/**
 * x + f(x); its parameters are the layer's own.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation, linear, residual, zeroInitialiser } from 'pullback/nn'
 * const layer = residual(linear(2, 2, { weightInitialiser: zeroInitialiser }))
 * console.log(layer.apply(layer.init(random.key(0)), evaluation)(tensor([1, 2])))
 * // => float32[2] [0.719243, 1.78216]
 * ```
 */
export const residual = <L extends TensorLayer>(layer: L & KeepsSize<'residual', L>): L =>
  beside(layer as unknown as Layer<unknown, Tensor, Tensor>) as unknown as L

/** Any layer from tensors to tensors. */
interface TensorLayer extends AnyLayer {
  readonly apply: (params: never, run: Run) => (input: never) => Tensor
}

const beside = <P>(layer: Layer<P, Tensor, Tensor>): Layer<P, Tensor, Tensor> => ({
  init: layer.init,
  apply: (params, run) => {
    const f = layer.apply(params, run)
    return (x) => add(x, f(x))
  },
})

/**
 * The same layer `count` times in a row, each with parameters of its own; see `sequence`.
 *
 * @example
 * ```ts
 * import { random } from 'pullback'
 * import { linear, repeat } from 'pullback/nn'
 * const deep = repeat(3, linear(4, 4))
 * console.log(deep.init(random.key(0)).length) // => 3
 * ```
 */
export const repeat = <P, X>(count: number, layer: Layer<P, X, X>): Layer<readonly P[], X, X> =>
  inARow(Array.from({ length: count }, () => layer)) as Layer<readonly P[], X, X>

/**
 * The same block `count` times in a row, each with parameters of its own, a list; or blocks that differ, as a
 * function of their place. Each block's output is the next one's `x`; all else that blocks are told (masks, memory,
 * positions) stays.
 *
 * @example
 * ```ts
 * import { random, zeros } from 'pullback'
 * import { encoderLayer, evaluation, scanLayers } from 'pullback/nn'
 * const blocks = scanLayers(12, encoderLayer({ width: 8, heads: 2, hidden: 16 }))
 * const params = blocks.init(random.key(0))
 * console.log(params.length, blocks.apply(params, evaluation)({ x: zeros([1, 5, 8]) }).shape)
 * // => 12 [1, 5, 8]
 * ```
 */
export const scanLayers = <L extends TensorLayer>(
  count: number,
  layer: (L & Streams<'scanLayers', L>) | ((place: number) => L & Streams<'scanLayers', L>),
): Repeated<L, readonly ParamsOf<L>[]> => {
  const blocks = Array.from({ length: count }, (_, i) =>
    typeof layer === 'function' ? layer(i) : layer,
  ) as unknown as readonly Block[]
  return {
    init: (key: Key) => blocks.map((block, i) => initPart(block, String(i), key)),
    apply: (params: readonly unknown[], run: Run) => {
      checkCount('scanLayers', count, params)
      const applied = blocks.map((block, i) => applyPart(block, String(i), params[i], run))
      return (input: Stream) => applied.reduce((x, f) => f({ ...input, x }), input.x)
    },
  } as never
}

/** What goes from block to block. */
interface Stream {
  readonly x: Tensor
}

/** A block of which nothing but that is known. */
type Block = Layer<unknown, Stream, Tensor>

/**
 * As `scanLayers` with one block, but traced and compiled once, whatever the number of blocks: parameters are those of
 * one block, each stacked along a first axis of size `count`, and a `scan` walks along it. What it computes and draws
 * is the same. Taps inside are not offered, as there are no single blocks to tap, and a text is not read in parts.
 *
 * @throws PullbackError where parameters are not stacked so, or a cache is to be kept.
 * @example
 * ```ts
 * import { random, zeros } from 'pullback'
 * import { encoderLayer, evaluation } from 'pullback/nn'
 * const deep = scannedLayers(48, encoderLayer({ width: 8, heads: 2, hidden: 16 }))
 * const params = deep.init(random.key(0))
 * console.log(params.feedForward.up.weight.shape) // => [48, 8, 16]
 * console.log(deep.apply(params, evaluation)({ x: zeros([1, 3, 8]) }).shape) // => [1, 3, 8]
 * ```
 */
export const scannedLayers = <L extends TensorLayer>(
  count: number,
  layer: L & Streams<'scannedLayers', L>,
): Repeated<L, ParamsOf<L>> => scanned(count, layer as unknown as Block) as never

const scanned = (count: number, layer: Block): Block => ({
  init: (key) => {
    const [first, ...others] = Array.from({ length: count }, (_, i) => initPart(layer, String(i), key))
    return tree.map((...leaves) => stack(leaves), first, ...others)
  },
  apply: (params, run) => {
    if (run.cache !== undefined)
      throw argumentError('scannedLayers', 'it reads no text in parts with a cache; scanLayers does')
    for (const [path, { shape }] of tree.entries(params))
      if (shape[0] !== count)
        throw shapeError(
          'scannedLayers',
          `every parameter must be stacked ${count} times, but ${path} is not`,
          shape,
        )
    const places = Array.from({ length: count }, (_, i) => String(i))
    const keys =
      run.mode === 'train' ? stack(places.map((place) => random.foldIn(run.key, place))) : undefined
    return (input) => {
      const [output] = scan<Tensor, readonly [unknown, unknown], null>(
        (x, [own, key]) => {
          const inside: Run = run.mode === 'train' ? { mode: 'train', key: key as Key } : { mode: 'eval' }
          return [within('block', () => layer.apply(own, inside)({ ...input, x })), null]
        },
        input.x,
        [params, keys],
        { length: count },
      )
      return output
    }
  },
})
