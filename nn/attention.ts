/** Attention (Vaswani et al. 2017, 3.2). */
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
import { argumentError, checkOptions, shapeError } from '../core/error.ts'
import { sameShape } from '../core/shape.ts'
import { extended, positionsIn, remembered } from './cache.ts'
import { struct } from './composition.ts'
import { checkedRate, drop } from './dropout.ts'
import type { Initialiser } from './initialiser.ts'
import { torchUniform, xavierUniform, zeroInitialiser } from './initialiser.ts'
import type { Run } from './layer.ts'
import { descend } from './layer.ts'
import type { LinearParams } from './linear.ts'
import { linear } from './linear.ts'
import type { Mask, Masks } from './mask.ts'
import { biasOf, combinedMask } from './mask.ts'
import type { RotaryOptions } from './position.ts'
import { rotary } from './position.ts'
import { overSinks, sinkVector, withSinks } from './sink.ts'
import type { AttendingLayer } from './stream.ts'
import { tap } from './tap.ts'

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

export interface AttentionConfig<
  W extends number = number,
  K extends number = number,
  V extends number = number,
> {
  /** The width of queries and of the output. */
  readonly width: W
  readonly heads: number
  /** The width of what keys are made of; `width` unless given. */
  readonly keyWidth?: K | undefined
  /** The width of what values are made of; `width` unless given. */
  readonly valueWidth?: V | undefined
  /** The width of each head; width / heads unless given. */
  readonly headWidth?: number | undefined
  /** How many heads keys and values have; `heads` unless given. */
  readonly keyValueHeads?: number | undefined
  /** Whether the projections have biases; true by default. */
  readonly bias?: boolean | undefined
  /** Whether the last projection has one; as the others unless given. */
  readonly outputBias?: boolean | undefined
  /** The rate at which weights are dropped in training. */
  readonly dropout?: number | undefined
  /** By what scores are multiplied; 1 / √headWidth unless given. */
  readonly scale?: number | undefined
  /** Whether every query may also look at a trained key and value (PyTorch's `add_bias_kv`). */
  readonly learnedSink?: boolean | undefined
  /** Whether every query may also look at a key and value of zeros (PyTorch's `add_zero_attn`). */
  readonly zeroSink?: boolean | undefined
  /** Turns queries and keys by their positions. */
  readonly rotary?: RotaryOptions | undefined
  /** Of query, key and value; PyTorch's unless given, which is Xavier's for the three as one matrix. */
  readonly weightInitialiser?: Initialiser | undefined
  /** Of the query alone; `weightInitialiser` unless given. */
  readonly queryInitialiser?: Initialiser | undefined
  /** `torchUniform` unless given. */
  readonly outputInitialiser?: Initialiser | undefined
  /** Zeros unless given. */
  readonly biasInitialiser?: Initialiser | undefined
}

const attentionOptions: readonly (keyof AttentionConfig)[] = [
  'width',
  'heads',
  'keyWidth',
  'valueWidth',
  'headWidth',
  'keyValueHeads',
  'bias',
  'outputBias',
  'dropout',
  'scale',
  'learnedSink',
  'zeroSink',
  'rotary',
  'weightInitialiser',
  'queryInitialiser',
  'outputInitialiser',
  'biasInitialiser',
]

/** Weights are [in, out]; the heads lie side by side in the projections' outputs. */
export interface AttentionParams {
  readonly query: LinearParams
  readonly key: LinearParams
  readonly value: LinearParams
  readonly output: LinearParams
  /** [keyValueHeads · headWidth], where there is a learned sink. */
  readonly sinkKey?: Tensor
  readonly sinkValue?: Tensor
}

export interface AttentionInput extends Masks {
  /** [..., time, width] */
  readonly query: Tensor
  /** [..., keys, keyWidth]; the query where left out: self-attention. */
  readonly key?: Tensor | undefined
  /** [..., keys, valueWidth]; the key where left out. */
  readonly value?: Tensor | undefined
  /** int32 [time] or [batch, time], for rotary encodings of self-attention; 0 … time - 1 where left out. */
  readonly positions?: Tensor | undefined
}

/** What weights lose in this run. */
const dropoutOf = (rate: number, run: Run): DotProductOptions['dropout'] =>
  run.mode === 'eval' || rate === 0 ? undefined : { rate, key: run.key }

/**
 * [..., time, heads · width] → [..., heads, time, width].
 *
 * @example
 * ```ts
 * import { zeros } from 'pullback'
 * import { splitHeads } from 'pullback/nn'
 * console.log(splitHeads(zeros([1, 5, 16]), 2).shape) // => [1, 2, 5, 8]
 * ```
 */
export const splitHeads = (x: Tensor, heads: number): Tensor =>
  swapAxes(reshape(x, [...x.shape.slice(0, -1), heads, (x.shape.at(-1) as number) / heads]), -2, -3)

/**
 * [..., heads, time, width] → [..., time, heads · width].
 *
 * @example
 * ```ts
 * import { zeros } from 'pullback'
 * import { mergeHeads } from 'pullback/nn'
 * console.log(mergeHeads(zeros([1, 2, 5, 8])).shape) // => [1, 5, 16]
 * ```
 */
export const mergeHeads = (x: Tensor): Tensor => {
  const side = swapAxes(x, -2, -3) // [..., time, heads, width]
  return reshape(side, [...side.shape.slice(0, -2), (x.shape.at(-3) as number) * (x.shape.at(-1) as number)])
}

/**
 * Multi-head attention: projections to heads, `dotProductAttention` in each, and a projection of all of them.
 * It offers the tap `weights` [..., heads, time, keys].
 *
 * @throws PullbackError when the width cannot be split into the heads, or shapes do not fit.
 * @example
 * ```ts
 * import { random, tensor, zeros } from 'pullback'
 * import { withTaps } from 'pullback/nn'
 * const attention = multiHeadAttention({ width: 8, heads: 2 })
 * const params = attention.init(random.key(0))
 * const input = { query: zeros([1, 3, 8]), keyMask: tensor([[true, true, false]], { dtype: 'bool' }) }
 * console.log(attention.apply(params, { mode: 'eval' })(input).shape) // => [1, 3, 8]
 * const { taps } = withTaps(attention, ['weights']).apply(params, { mode: 'eval' })(input)
 * console.log(taps['weights']?.shape) // => [1, 2, 3, 3]
 * ```
 */
export const multiHeadAttention = <
  const W extends number,
  const K extends number = W,
  const V extends number = W,
>(
  config: AttentionConfig<W, K, V>,
): AttendingLayer<AttentionParams, 'multiHeadAttention', W, K, V, AttentionInput> => {
  checkOptions('multiHeadAttention', config, attentionOptions)
  const { heads, bias = true } = config
  const width: number = config.width
  const { keyWidth = width, valueWidth = width }: AttentionConfig = config
  const { headWidth = width / heads, keyValueHeads = heads, learnedSink = false, zeroSink = false } = config
  const sinks = Number(learnedSink) + Number(zeroSink)
  const rate = checkedRate(config.dropout ?? 0)
  if (!Number.isInteger(headWidth))
    throw argumentError('multiHeadAttention', `the width ${width} cannot be split into ${heads} heads`)
  if (heads % keyValueHeads !== 0)
    throw argumentError('multiHeadAttention', `${keyValueHeads} key heads cannot serve ${heads} heads`)
  const {
    weightInitialiser: weight,
    outputInitialiser = torchUniform,
    biasInitialiser = zeroInitialiser,
  } = config
  // PyTorch draws the three matrices as one where they have one width, [width, 3 · width]: fan out is thrice.
  const together = keyWidth === width && valueWidth === width
  const weightInitialiser = weight ?? xavierUniform(together ? Math.SQRT1_2 : 1)
  const project = { bias, weightInitialiser, biasInitialiser }
  return struct(
    {
      query: linear(width, heads * headWidth, {
        ...project,
        weightInitialiser: config.queryInitialiser ?? weightInitialiser,
      }),
      key: linear(keyWidth, keyValueHeads * headWidth, project),
      value: linear(valueWidth, keyValueHeads * headWidth, project),
      output: linear(heads * headWidth, width, {
        bias: config.outputBias ?? bias,
        weightInitialiser: outputInitialiser,
        biasInitialiser,
      }),
      sinkKey: sinkVector(learnedSink ? keyValueHeads * headWidth : undefined),
      sinkValue: sinkVector(learnedSink ? keyValueHeads * headWidth : undefined),
    },
    (parts, run) => (input: AttentionInput) => {
      const { query, key = query, value = key, causal = false } = input
      const positions = input.positions ?? positionsIn(run, query.shape.at(-2) as number)
      const turned = (x: Tensor): Tensor =>
        config.rotary === undefined ? x : rotary(x, config.rotary, positions)
      const queries = turned(splitHeads(parts.query(query), heads)) // [..., heads, time, headWidth]
      const keys = (): Tensor => turned(splitHeads(parts.key(key), keyValueHeads))
      const values = (): Tensor => splitHeads(parts.value(value), keyValueHeads)
      const attended =
        input.key === undefined ? extended(run, causal, keys, values) : remembered(run, keys, values)
      const drained = (rows: Tensor, sink: Tensor | undefined): Tensor =>
        sinks === 0 ? rows : withSinks(rows, sink, zeroSink)
      const { output, weights } = dotProductAttention(
        queries,
        drained(attended.key, parts.sinkKey()), // [..., keyValueHeads, keys, headWidth]
        drained(attended.value, parts.sinkValue()),
        {
          causal,
          keyMask: input.keyMask,
          mask: input.mask,
          bias: input.bias,
          offset: attended.offset,
          sinks,
          scale: config.scale,
          dropout: dropoutOf(rate, descend(run, 'dropout')),
        },
      )
      tap(run, 'weights', weights)
      return parts.output(mergeHeads(output)) // [..., time, width]
    },
  ) as never
}
