/**
 * Keys and values of what was read before, so that text is written token by token without reading it all again.
 * Every attention of a model keeps its own, found by its path; models know nothing of it.
 */
import { add, arange, concatenate, scatterSet, zeros } from '../core/index.ts'
import type { Tensor } from '../core/index.ts'
import { argumentError } from '../core/error.ts'
import type { Layer, Run } from './layer.ts'

export interface KeyValue {
  /** [batch, heads, capacity, width]; what stands behind the length is not looked at. */
  readonly key: Tensor
  readonly value: Tensor
}

/** What each attention has kept, by its path; empty before anything was read. */
export type Cache = Readonly<Record<string, KeyValue>>

/** Where attention finds what it has kept and puts what it keeps. */
export interface Caching {
  readonly path: readonly string[]
  /** How many tokens there is room for. */
  readonly capacity: number
  /** How many were read before: int32 []. */
  readonly length: Tensor
  readonly known: Cache
  readonly kept: Map<string, KeyValue>
}

export interface CachedInput<I> {
  readonly input: I
  readonly cache: Cache
  /** How many tokens were read before: int32 []. */
  readonly length: Tensor
}

export interface CachedOutput<O> {
  readonly output: O
  readonly cache: Cache
}

/**
 * The layer reading a text in parts: its input is the next part alone, causal self-attention looks at all that was
 * read before, and attention to a memory makes keys and values of it once. In the input, masks of keys cover the
 * whole capacity. Length and number of new tokens must not exceed it: what is beyond is lost. A capacity may be larger
 * than that of the cache, which then grows.
 *
 * @throws PullbackError when self-attention is not causal.
 * @example
 * ```ts
 * import { arange, random, reshape, tensor, zeros } from 'pullback'
 * import { encoderLayer, evaluation } from 'pullback/nn'
 * const causal = encoderLayer({ width: 8, heads: 2, hidden: 16 })
 * const layer = withCache(causal, 16)
 * const read = layer.apply(layer.init(random.key(0)), evaluation)
 * const length = tensor(0, { dtype: 'int32' })
 * const { output, cache } = read({ input: { x: zeros([1, 3, 8]), causal: true }, cache: {}, length })
 * console.log(output.shape, cache['attention']?.key.shape) // => [1, 3, 8] [1, 2, 16, 4]
 * const more = read({ input: { x: zeros([1, 1, 8]), causal: true }, cache, length: tensor(3, { dtype: 'int32' }) })
 * console.log(more.output.shape) // => [1, 1, 8]
 * ```
 */
export const withCache = <P, I, O>(
  layer: Layer<P, I, O>,
  capacity: number,
): Layer<P, CachedInput<I>, CachedOutput<O>> => ({
  init: layer.init,
  apply:
    (params, run) =>
    ({ input, cache: known, length }) => {
      const cache: Caching = { path: [], capacity, length, known, kept: new Map() }
      const output = layer.apply(params, { ...run, cache } as Run)(input)
      return { output, cache: Object.fromEntries(cache.kept) }
    },
})

interface Attendable {
  readonly key: Tensor
  readonly value: Tensor
  /** How many keys lie before the first query. */
  readonly offset?: Tensor
}

/** What was kept, with room for as many rows: [..., capacity, width]. */
const roomFor = (capacity: number, rows: Tensor, before: Tensor | undefined): Tensor => {
  const axis = rows.shape.length - 2
  const sized = (size: number): readonly number[] => rows.shape.map((n, i) => (i === axis ? size : n))
  if (before === undefined) return zeros(sized(capacity), rows.dtype)
  const more = capacity - (before.shape[axis] as number)
  return more <= 0 ? before : concatenate([before, zeros(sized(more), rows.dtype)], axis)
}

/** What self-attention looks at: the new keys and values behind those that were kept. */
export const extended = (
  { cache }: Run,
  causal: boolean,
  key: () => Tensor,
  value: () => Tensor,
): Attendable => {
  if (cache === undefined) return { key: key(), value: value() }
  if (!causal) throw argumentError('attention', 'only causal attention can be read in parts with a cache')
  const { capacity, length, known, kept } = cache
  const path = cache.path.join('/')
  const append = (rows: Tensor, before: Tensor | undefined): Tensor => {
    const axis = rows.shape.length - 2
    const places = add(arange(rows.shape[axis] as number), length)
    return scatterSet(roomFor(capacity, rows, before), places, rows, axis)
  }
  const own = known[path]
  const all = { key: append(key(), own?.key), value: append(value(), own?.value) }
  kept.set(path, all)
  return { ...all, offset: length }
}

/** What attention to a memory looks at: keys and values made of it when it was first looked at. */
export const remembered = ({ cache }: Run, key: () => Tensor, value: () => Tensor): Attendable => {
  if (cache === undefined) return { key: key(), value: value() }
  const path = cache.path.join('/')
  const own = cache.known[path] ?? { key: key(), value: value() }
  cache.kept.set(path, own)
  return own
}

/**
 * The positions of `time` tokens that are read now: int32 [time].
 *
 * @example
 * ```ts
 * import { evaluation, positionsIn } from 'pullback/nn'
 * console.log(positionsIn(evaluation, 4)) // => int32[4] [0, 1, 2, 3]
 * ```
 */
export const positionsIn = ({ cache }: Run, time: number): Tensor =>
  cache === undefined ? arange(time) : add(arange(time), cache.length)
