import type { Tensor } from '../core/index.ts'
import { checkOptions } from '../core/error.ts'
import type { AttentionParams } from './attention.ts'
import type { BlockConfig } from './block.ts'
import {
  attentionOf,
  beside,
  blockOptions,
  dropoutOf,
  feedForwardDropoutOf,
  feedForwardOf,
  normOf,
} from './block.ts'
import { scanLayers, struct } from './composition.ts'
import type { FeedForwardParams } from './feedforward.ts'
import type { Layer } from './layer.ts'
import { identity } from './layer.ts'
import type { Masks } from './mask.ts'
import type { NormParams } from './norm.ts'
import type { StreamLayer } from './stream.ts'
import { tap } from './tap.ts'

export interface EncoderLayerParams {
  readonly attention: AttentionParams
  readonly attentionNorm: NormParams
  readonly feedForward: FeedForwardParams
  readonly feedForwardNorm: NormParams
}

export interface EncoderInput extends Masks {
  /** [..., time, width] */
  readonly x: Tensor
  /** int32 [time] or [batch, time], for rotary encodings; 0 … time - 1 where left out. */
  readonly positions?: Tensor | undefined
}

/**
 * Self-attention and a feed-forward part, each beside the residual stream with its norm: [..., time, width] →
 * [..., time, width]. With `causal: true` in its input it is the layer of GPT. It offers the tap `output`.
 *
 * @example
 * ```ts
 * import { random, zeros } from 'pullback'
 * import { encoderLayer, evaluation } from 'pullback/nn'
 * const layer = encoderLayer({ width: 8, heads: 2, hidden: 16 })
 * const params = layer.init(random.key(0))
 * console.log(layer.apply(params, evaluation)({ x: zeros([1, 5, 8]), causal: true }).shape) // => [1, 5, 8]
 * ```
 */
export const encoderLayer = <const W extends number>(
  config: BlockConfig<W>,
): StreamLayer<EncoderLayerParams, 'encoderLayer', 'x', W, EncoderInput> => {
  checkOptions('encoderLayer', config, blockOptions)
  return layerOf(config) as never
}

const layerOf = (config: BlockConfig): Layer<EncoderLayerParams, EncoderInput, Tensor> =>
  struct(
    {
      attention: attentionOf(config),
      attentionNorm: normOf(config),
      attentionDropout: dropoutOf(config),
      feedForward: feedForwardOf(config),
      feedForwardNorm: normOf(config),
      feedForwardDropout: feedForwardDropoutOf(config),
    },
    (parts, run) => (input: EncoderInput) => {
      const attend = (query: Tensor): Tensor => parts.attention({ ...input, query })
      const attended = beside(config, parts.attentionNorm, parts.attentionDropout, attend)
      const fed = beside(config, parts.feedForwardNorm, parts.feedForwardDropout, parts.feedForward)
      const output = fed(attended(input.x))
      tap(run, 'output', () => output)
      return output
    },
  )

export interface StackConfig<W extends number = number> extends BlockConfig<W> {
  readonly layers: number
  /** Whether a norm comes last; by default where `preNorm` leaves the stream without one. */
  readonly finalNorm?: boolean | undefined
}

/** The names of what a stack is told. */
export const stackOptions: readonly (keyof StackConfig)[] = [...blockOptions, 'layers', 'finalNorm']

export interface EncoderParams {
  readonly block: readonly EncoderLayerParams[]
  readonly norm?: NormParams
}

/**
 * A stack of encoder layers (Vaswani et al. 2017, 3.1): [..., time, width] → [..., time, width].
 *
 * @example
 * ```ts
 * import { random, tree, zeros } from 'pullback'
 * const bert = encoder({ layers: 2, width: 8, heads: 2, hidden: 32, activation: 'gelu', dropout: 0.1 })
 * const params = bert.init(random.key(0))
 * console.log(tree.pathsOf(params)[1]) // => block/0/attention/key/weight
 * const run = { mode: 'train', key: random.key(1) } as const
 * console.log(bert.apply(params, run)({ x: zeros([2, 5, 8]) }).shape) // => [2, 5, 8]
 * ```
 */
export const encoder = <const W extends number>(
  config: StackConfig<W>,
): StreamLayer<EncoderParams, 'encoder', 'x', W, EncoderInput> => {
  checkOptions('encoder', config, stackOptions)
  return struct(
    {
      block: scanLayers(config.layers, layerOf(config)),
      norm: finalNormOf(config),
    },
    ({ block, norm }) =>
      (input: EncoderInput) =>
        norm(block(input)),
  ) as never
}

/** The norm behind a stack, or nothing. */
export const finalNormOf = (config: StackConfig): Layer<NormParams, Tensor, Tensor> =>
  (config.finalNorm ?? config.preNorm === true)
    ? normOf(config)
    : (identity as unknown as Layer<NormParams, Tensor, Tensor>)
