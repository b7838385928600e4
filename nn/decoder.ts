import type { Tensor } from '../core/index.ts'
import { checkOptions } from '../core/error.ts'
import type { AttentionConfig, AttentionParams } from './attention.ts'
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
import type { EncoderLayerParams, StackConfig } from './encoder.ts'
import { finalNormOf, stackOptions } from './encoder.ts'
import type { Layer } from './layer.ts'
import type { Mask, Masks } from './mask.ts'
import type { NormParams } from './norm.ts'
import type { DecodingLayer } from './stream.ts'
import { tap } from './tap.ts'

export interface DecoderLayerParams extends EncoderLayerParams {
  readonly crossAttention: AttentionParams
  readonly crossAttentionNorm: NormParams
}

/** What a decoder has beyond an encoder. */
export interface MemoryConfig<M extends number = number> {
  /** The width of the memory; `width` unless given. */
  readonly memoryWidth?: M | undefined
}

/** Masks are those of self-attention, which is causal unless `causal` is false. */
export interface DecoderInput extends Masks {
  /** [..., time, width] */
  readonly x: Tensor
  /** What the encoder gave: [..., keys, memoryWidth]. */
  readonly memory: Tensor
  /** bool [batch, keys]: which places of the memory are real. */
  readonly memoryMask?: Mask | undefined
  /** int32 [time] or [batch, time], for rotary encodings; 0 … time - 1 where left out. */
  readonly positions?: Tensor | undefined
}

/** What keys and values of the memory are made of. */
const memoryWidths = ({ memoryWidth }: MemoryConfig): Partial<AttentionConfig> =>
  memoryWidth === undefined ? {} : { keyWidth: memoryWidth, valueWidth: memoryWidth }

/**
 * Causal self-attention, attention to the memory, and a feed-forward part: [..., time, width] → the same. It offers
 * the tap `output`.
 *
 * @example
 * ```ts
 * import { random, zeros } from 'pullback'
 * import { decoderLayer, evaluation } from 'pullback/nn'
 * const layer = decoderLayer({ width: 8, heads: 2, hidden: 16 })
 * const params = layer.init(random.key(0))
 * console.log(layer.apply(params, evaluation)({ x: zeros([1, 4, 8]), memory: zeros([1, 6, 8]) }).shape)
 * // => [1, 4, 8]
 * ```
 */
export const decoderLayer = <const W extends number, const M extends number = W>(
  config: BlockConfig<W> & MemoryConfig<M>,
): DecodingLayer<DecoderLayerParams, 'decoderLayer', W, M, DecoderInput> => {
  checkOptions('decoderLayer', config, [...blockOptions, 'memoryWidth'])
  return layerOf(config) as never
}

const layerOf = (config: BlockConfig & MemoryConfig): Layer<DecoderLayerParams, DecoderInput, Tensor> =>
  struct(
    {
      attention: attentionOf(config),
      attentionNorm: normOf(config),
      attentionDropout: dropoutOf(config),
      // Places in the memory are not places in the target, so that nothing is turned here.
      crossAttention: attentionOf({
        ...config,
        attention: {
          ...config.attention,
          ...memoryWidths(config),
          rotary: undefined,
        },
      }),
      crossAttentionNorm: normOf(config),
      crossAttentionDropout: dropoutOf(config),
      feedForward: feedForwardOf(config),
      feedForwardNorm: normOf(config),
      feedForwardDropout: feedForwardDropoutOf(config),
    },
    (parts, run) => (input: DecoderInput) => {
      const { memory: key, memoryMask: keyMask, causal = true } = input
      const attend = (query: Tensor): Tensor => parts.attention({ ...input, causal, query })
      const look = (query: Tensor): Tensor => parts.crossAttention({ query, key, keyMask })
      const attended = beside(config, parts.attentionNorm, parts.attentionDropout, attend)
      const looked = beside(config, parts.crossAttentionNorm, parts.crossAttentionDropout, look)
      const fed = beside(config, parts.feedForwardNorm, parts.feedForwardDropout, parts.feedForward)
      const output = fed(looked(attended(input.x)))
      tap(run, 'output', () => output)
      return output
    },
  )

export interface DecoderParams {
  readonly block: readonly DecoderLayerParams[]
  readonly norm?: NormParams
}

/**
 * A stack of decoder layers (Vaswani et al. 2017, 3.1): [..., time, width] → [..., time, width].
 *
 * @example
 * ```ts
 * import { random, zeros } from 'pullback'
 * import { decoder, evaluation } from 'pullback/nn'
 * const stack = decoder({ layers: 2, width: 8, heads: 2, hidden: 16 })
 * const params = stack.init(random.key(0))
 * console.log(stack.apply(params, evaluation)({ x: zeros([1, 4, 8]), memory: zeros([1, 6, 8]) }).shape)
 * // => [1, 4, 8]
 * ```
 */
export const decoder = <const W extends number, const M extends number = W>(
  config: StackConfig<W> & MemoryConfig<M>,
): DecodingLayer<DecoderParams, 'decoder', W, M, DecoderInput> => {
  checkOptions('decoder', config, [...stackOptions, 'memoryWidth'])
  return struct(
    {
      block: scanLayers(config.layers, layerOf(config)),
      norm: finalNormOf(config),
    },
    ({ block, norm }) =>
      (input: DecoderInput) =>
        norm(block(input)),
  ) as never
}
