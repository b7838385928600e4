/** Scaled dot-product attention (Vaswani et al. 2017, 3.2.1). */
import {
  add,
  any,
  attention,
  broadcastTo,
  expandDims,
  matmul,
  max,
  maximum,
  mul,
  notEqual,
  reshape,
  softmax,
  swapAxes,
  where,
} from '../core/index.ts'
import type { Key, Shape, Tensor } from '../core/index.ts'
import { checkOptions, shapeError } from '../core/error.ts'
import { sameShape } from '../core/shape.ts'
import { drop } from './dropout.ts'
import type { Mask, Masks } from './mask.ts'
import { biasOf, combinedMask } from './mask.ts'
import { overSinks } from './sink.ts'

export interface Attended {
  /** [..., heads, time, valueWidth] */
  readonly output: Tensor
  /** How much each query takes of each key's value: [..., heads, time, keys]. */
  readonly weights: () => Tensor
}

export interface DotProductOptions extends Masks {
  /** By what scores are multiplied; 1 / √width unless given. */
  readonly scale?: number | undefined
  /** How many of the keys, the last ones, every query may look at whatever the masks say; see `sink.ts`. */
  readonly sinks?: number | undefined
  /** The rate at which weights are dropped, and the key from which it is drawn which. */
  readonly dropout?: { readonly rate: number; readonly key: Key } | undefined
  /** What is done with the weights before they are used, in place of dropout. */
  readonly onWeights?: (weights: Tensor) => Tensor
}

const dotProductOptions: readonly (keyof DotProductOptions)[] = [
  'keyMask',
  'mask',
  'causal',
  'offset',
  'bias',
  'scale',
  'sinks',
  'dropout',
  'onWeights',
]

/** The score of what may not be looked at: e to it is 0, and no arithmetic on it overflows float32. */
const unseen = -1e30

/**
 * softmax(query · keyᵀ · scale) · value for query [..., heads, time, width], key [..., heads, keys, width], value
 * [..., heads, keys, valueWidth]. Keys and values may have fewer heads, of which each serves as many queries' heads
 * in a row (grouped-query attention, Ainslie et al. 2023). A query that may look at nothing gives zeros. Weights
 * are held only where somebody asks for them, or where there is a bias, a sink or `onWeights`.
 *
 * @throws PullbackError when widths, keys or heads do not agree, or a mask does not fit.
 * @example
 * ```ts
 * import { random } from 'pullback'
 * import { dotProductAttention } from 'pullback/nn'
 * const x = random.normal(random.key(0), [1, 2, 5, 8]) // [batch, heads, time, width]
 * const { output, weights } = dotProductAttention(x, x, x, { causal: true })
 * console.log(output.shape, weights().shape) // => [1, 2, 5, 8] [1, 2, 5, 5]
 * ```
 */
export const dotProductAttention = (
  query: Tensor,
  key: Tensor,
  value: Tensor,
  options: DotProductOptions = {},
): Attended => {
  checkOptions('dotProductAttention', options, dotProductOptions)
  const sizes = sizesOf(query, key, value)
  const { bias, sinks = 0, onWeights } = options
  if (bias !== undefined || sinks > 0 || onWeights !== undefined)
    return plain(query, key, value, sizes, options)
  return {
    output: blocked(query, key, value, sizes, options),
    weights: () => plain(query, key, value, sizes, options).weights(),
  }
}

/** Heads that share keys stand in one group, along which keys and values repeat without being copied. */
const blocked = (
  query: Tensor,
  key: Tensor,
  value: Tensor,
  { batch, heads, groups, time, width, keys, valueWidth }: Sizes,
  { scale, causal, offset = 0, keyMask, mask, dropout }: DotProductOptions,
): Tensor => {
  // An offset that is known leaves out what lies ahead; one that is data is a mask like any other.
  const known = causal === true && typeof offset === 'number'
  const masks = known ? { keyMask, mask } : { keyMask, mask, causal, offset }
  const seen = combinedMask(masks, [...batch, heads, time, keys])
  const options = { scale, causal: known ? offset : undefined, dropout }
  if (groups === heads) return attention(query, key, value, { ...options, mask: seen })
  const each = heads / groups
  const shared = (x: Tensor): Tensor =>
    broadcastTo(expandDims(x, -3), [...batch, groups, each, ...x.shape.slice(-2)])
  const cut = (x: Tensor): Tensor => {
    const own = x.shape.at(-3) ?? 1
    const split = own === 1 ? [1, 1] : [groups, each]
    return reshape(x, [...x.shape.slice(0, -3), ...split, ...x.shape.slice(-2)])
  }
  const output = attention(
    reshape(query, [...batch, groups, each, time, width]),
    shared(key),
    shared(value),
    { ...options, mask: seen === undefined ? undefined : cut(seen) },
  )
  return reshape(output, [...batch, heads, time, valueWidth])
}

/** The form that holds the weights. */
const plain = (
  query: Tensor,
  key: Tensor,
  value: Tensor,
  { batch, heads, groups, time, width, keys, valueWidth }: Sizes,
  options: DotProductOptions,
): Attended => {
  const { scale = 1 / Math.sqrt(width), sinks = 0, dropout } = options
  const dropped = (weights: Tensor): Tensor =>
    dropout === undefined ? weights : drop(dropout.rate, { mode: 'train', key: dropout.key }, weights)
  const { onWeights = dropped } = options
  const scoreShape = [...batch, heads, time, keys]
  const maskShape = [...batch, heads, time, keys - sinks]
  const bias = overSinks(biasOf(options, maskShape), keys - sinks, sinks, 0)
  const mask = overSinks(combinedMask(options, maskShape), keys - sinks, sinks, 1)
  // Heads that share keys stand in one group's rows, so that keys are not repeated.
  const rows = [...batch, groups, (heads / groups) * time]
  const grouped = reshape(mul(query, scale), [...rows, width]) // [..., groups, heads / groups · time, width]
  const scores = reshape(matmul(grouped, swapAxes(key, -1, -2)), scoreShape) // [..., heads, time, keys]
  // A bias may forbid as well, by -∞: what is forbidden by either is of one score.
  const shifted = bias === undefined ? scores : maximum(add(scores, bias), unseen)
  const masked = mask === undefined ? shifted : where(mask, shifted, unseen)
  const weights = softmax(masked) // [..., heads, time, keys]
  const mixed = matmul(reshape(onWeights(weights), [...rows, keys]), value) // [..., groups, …, valueWidth]
  const output = reshape(mixed, [...batch, heads, time, valueWidth])
  // Where everything is unseen, softmax is even; such queries (padding, mostly) shall take nothing.
  const sees = seeing(options, mask, masked) // [..., heads or 1, time or 1, 1]
  const blank = (x: Tensor): Tensor => (sees === undefined ? x : where(sees, x, 0))
  return { output: blank(output), weights: () => blank(weights) }
}

/** Which queries see anything; undefined where all of them do. */
const seeing = (
  { bias, keyMask, mask, sinks = 0 }: DotProductOptions,
  combined: Mask | undefined,
  scores: Tensor,
): Mask | undefined => {
  const alongKeys = { axis: -1, keepDims: true } as const
  if (sinks > 0) return undefined
  if (bias !== undefined) return notEqual(max(scores, alongKeys), unseen) as Mask
  // Of what a query may look at from left to right, it always sees the first.
  return combined === undefined || (keyMask === undefined && mask === undefined)
    ? undefined
    : any(combined, alongKeys)
}

interface Sizes {
  readonly batch: Shape
  readonly heads: number
  readonly groups: number
  readonly time: number
  readonly width: number
  readonly keys: number
  readonly valueWidth: number
}

const sizesOf = (query: Tensor, key: Tensor, value: Tensor): Sizes => {
  const [q, k, v] = [query.shape, key.shape, value.shape]
  if (q.length < 3 || k.length !== q.length || v.length !== q.length)
    throw shapeError('attention', 'query, key and value must be [..., heads, time, width]', q, k, v)
  const batch = q.slice(0, -3)
  const [heads, time, width] = q.slice(-3) as [number, number, number]
  const [groups, keys, keyWidth] = k.slice(-3) as [number, number, number]
  if (keyWidth !== width) throw shapeError('attention', 'query and key must have one width', q, k)
  if (!sameShape(k.slice(0, -1), v.slice(0, -1)))
    throw shapeError('attention', 'keys and values must go together', k, v)
  if (!sameShape(k.slice(0, -3), batch))
    throw shapeError('attention', 'query and key must have the same batch', q, k)
  if (heads % groups !== 0)
    throw shapeError('attention', `${groups} key heads cannot serve ${heads} heads`, q, k)
  return { batch, heads, groups, time, width, keys, valueWidth: v.at(-1) as number }
}
