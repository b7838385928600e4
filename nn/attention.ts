/** Multi-head attention (Vaswani et al. 2017, 3.2.2). */
import { reshape, swapAxes } from '../core/index.ts'
import type { Tensor } from '../core/index.ts'
import { argumentError, checkOptions } from '../core/error.ts'
import { extended, positionsIn, remembered } from './cache.ts'
import { struct } from './composition.ts'
import type { DotProductOptions } from './dotproduct.ts'
import { dotProductAttention } from './dotproduct.ts'
import { checkedRate } from './dropout.ts'
import type { Initialiser } from './initialiser.ts'
import { torchUniform, xavierUniform, zeroInitialiser } from './initialiser.ts'
import type { Run } from './layer.ts'
import { descend } from './layer.ts'
import type { LinearParams } from './linear.ts'
import { linear } from './linear.ts'
import type { Masks } from './mask.ts'
import type { RotaryOptions } from './position.ts'
import { rotary } from './position.ts'
import { sinkVector, withSinks } from './sink.ts'
import type { AttendingLayer } from './stream.ts'
import { tap } from './tap.ts'

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
