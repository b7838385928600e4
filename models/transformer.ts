/**
 * The Transformer (Vaswani et al. 2017): an encoder that reads a source, and a decoder that writes a target, looking
 * at what it has written and at what the encoder made of the source.
 */
import { add, arange, concatenate, full, less, mul, sliceAxis, where } from '../core/index.ts'
import type { Tensor } from '../core/index.ts'
import { argumentError, shapeError } from '../core/error.ts'
import {
  decoder,
  dropout,
  embedding,
  encoder,
  linear,
  normal,
  positionsIn,
  sinusoidal,
  struct,
  unembed,
  xavierUniform,
  zeroInitialiser,
} from '../nn/index.ts'
import type {
  Applied,
  DecoderParams,
  EmbeddingParams,
  EncoderParams,
  Layer,
  LinearParams,
  NoParams,
  StackConfig,
} from '../nn/index.ts'
import type { TransformerConfig } from './config/transformer.ts'
import { asMask } from './input.ts'

export interface SourceInput {
  /** The source: int32 [batch, time]. */
  readonly ids: Tensor
  /** bool (or integers, 0 = no) [batch, time]: which source tokens are real; all where left out. */
  readonly keyMask?: Tensor | undefined
}

export interface TransformerInput {
  /** The source: int32 [batch, time]; not read where `memory` is given. */
  readonly ids?: Tensor | undefined
  /** bool (or integers, 0 = no) [batch, time]: which source tokens are real; all where left out. */
  readonly keyMask?: Tensor | undefined
  /** What the decoder reads, int32 [batch, targetTime]: the target shifted right; see `shiftRight`. */
  readonly decoderIds: Tensor
  /** bool (or integers) [batch, targetTime]: which of them are real; all where left out. */
  readonly decoderMask?: Tensor | undefined
  /** int32 [targetTime] or [batch, targetTime]: places of what the decoder reads; 0 … targetTime - 1 where left out. */
  readonly positions?: Tensor | undefined
  /** What the encoder made of the source, where that is known already. */
  readonly memory?: Tensor | undefined
}

export interface TransformerParams {
  /** Where the source has embeddings of its own. */
  readonly source?: EmbeddingParams
  readonly target: EmbeddingParams
  readonly encoder: EncoderParams
  readonly decoder: DecoderParams
  /** [width, vocabulary], where scores are not taken with the target's embeddings. */
  readonly head?: LinearParams
}

export interface TransformerOutput {
  /** [batch, targetTime, vocabulary] */
  readonly logits: Tensor
  /** What the encoder made of the source: [batch, time, width]. */
  readonly memory: Tensor
  /** [batch, targetTime, width] */
  readonly hidden: Tensor
}

/**
 * Labels [batch, time] as what the decoder reads: one place later behind `start`; -100 becomes `padding`.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { shiftRight } from 'pullback/models'
 * const labels = tensor([[7, 8, 2, -100]], { dtype: 'int32' })
 * console.log(shiftRight(labels, { start: 0, padding: 1 })) // => int32[1, 4] [[0, 7, 8, 2]]
 * ```
 */
export const shiftRight = (
  labels: Tensor,
  { start, padding }: { readonly start: number; readonly padding: number },
): Tensor => {
  if (labels.shape.length !== 2 || labels.dtype !== 'int32')
    throw shapeError('shiftRight', 'labels must be int32 [batch, time]', labels.shape)
  const read = where(less(labels, 0), padding, labels)
  return concatenate([full([labels.shape[0] as number, 1], start, 'int32'), sliceAxis(read, 1, 0, -1)], 1)
}

const stack = (config: TransformerConfig, layers: number): StackConfig => ({
  layers,
  width: config.width,
  heads: config.heads,
  hidden: config.hidden,
  activation: config.activation,
  dropout: config.dropout,
  attentionDropout: config.attentionDropout,
  hiddenDropout: config.dropout,
  preNorm: config.preNorm,
  epsilon: config.epsilon,
  weightInitialiser: xavierUniform(),
  biasInitialiser: zeroInitialiser,
})

const table = (config: TransformerConfig, count: number): Layer<EmbeddingParams, Tensor, Tensor> =>
  embedding(count, config.width, {
    // Multiplied by √width when read (3.4), rows have deviation 1.
    initialiser: normal(1 / Math.sqrt(config.width)),
    paddingIndex: config.paddingId,
  })

type Parts = {
  readonly source: Layer<EmbeddingParams, Tensor, Tensor>
  readonly target: Layer<EmbeddingParams, Tensor, Tensor>
  readonly encoder: ReturnType<typeof encoder>
  readonly decoder: ReturnType<typeof decoder>
  readonly head: Layer<LinearParams, Tensor, Tensor>
  readonly sourceDropout: Layer<NoParams, Tensor, Tensor>
  readonly targetDropout: Layer<NoParams, Tensor, Tensor>
}

/** Which parts are there depends on the config; those that are not are undefined. */
const partsOf = (config: TransformerConfig): Parts => {
  const { sharing, width, sourceVocabularySize, targetVocabularySize } = config
  const head = { bias: false, weightInitialiser: xavierUniform() }
  return {
    ...(sharing === 'all' ? {} : { source: table(config, sourceVocabularySize) }),
    target: table(config, targetVocabularySize),
    encoder: encoder(stack(config, config.encoderLayers)),
    decoder: decoder(stack(config, config.decoderLayers)),
    ...(sharing === 'none' ? { head: linear(width, targetVocabularySize, head) } : {}),
    sourceDropout: dropout(config.dropout),
    targetDropout: dropout(config.dropout),
  } as Parts
}

/** Words by √width and sinusoids of their places (3.4, 3.5): [batch, time] → [batch, time, width]. */
const embed = (words: (ids: Tensor) => Tensor, ids: Tensor, positions: Tensor): Tensor => {
  if (ids.shape.length !== 2) throw shapeError('transformer', 'ids must be [batch, time]', ids.shape)
  const rows = words(ids)
  const width = rows.shape.at(-1) as number
  return add(mul(rows, Math.sqrt(width)), sinusoidal(positions, width, { dtype: floatingOf(rows) }))
}

const floatingOf = (x: Tensor): 'float32' | 'float64' => (x.dtype === 'float64' ? 'float64' : 'float32')

/** [batch, time] → [batch, time, width]. */
const encode =
  ({ source, target, sourceDropout, encoder }: Applied<Parts>) =>
  ({ ids, keyMask }: SourceInput): Tensor =>
    encoder({
      x: sourceDropout(embed(source ?? target, ids, arange(ids.shape.at(-1) as number))),
      keyMask: asMask(keyMask),
    })

const given = (ids: Tensor | undefined): Tensor => {
  if (ids === undefined)
    throw argumentError('transformer', 'expected a source (ids) or its memory, got neither')
  return ids
}

/**
 * The encoder alone, with the parameters of the whole: [batch, time] → [batch, time, width], the `memory` of
 * `transformer`.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { transformer, transformerConfig, transformerEncoder } from 'pullback/models'
 * const config = transformerConfig({
 *   sourceVocabularySize: 50,
 *   targetVocabularySize: 50,
 *   width: 16,
 *   heads: 2,
 *   hidden: 32,
 *   encoderLayers: 1,
 *   decoderLayers: 1,
 * })
 * const params = transformer(config).init(random.key(0))
 * const ids = tensor([[4, 5, 6, 1]], { dtype: 'int32' })
 * console.log(transformerEncoder(config).apply(params, evaluation)({ ids }).shape) // => [1, 4, 16]
 * ```
 */
export const transformerEncoder = (
  config: TransformerConfig,
): Layer<TransformerParams, SourceInput, Tensor> =>
  struct(partsOf(config), encode) as Layer<TransformerParams, SourceInput, Tensor>

/**
 * Scores of what comes next in the target at each place. The source's padding is seen neither by the encoder nor by
 * the decoder; the decoder sees nothing to the right of where it is.
 *
 * @throws PullbackError when shapes do not fit.
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { shiftRight, transformer, transformerConfig } from 'pullback/models'
 * const sizes = { sourceVocabularySize: 50, targetVocabularySize: 60, width: 16, heads: 2 }
 * const model = transformer(transformerConfig({ ...sizes, encoderLayers: 1, decoderLayers: 1 }))
 * const labels = tensor([[7, 8, 9]], { dtype: 'int32' })
 * const decoderIds = shiftRight(labels, { start: 1, padding: 0 })
 * const ids = tensor([[4, 5, 6, 2]], { dtype: 'int32' })
 * const { logits } = model.apply(model.init(random.key(0)), evaluation)({ ids, decoderIds })
 * console.log(logits.shape) // => [1, 3, 60]
 * ```
 */
export const transformer = (
  config: TransformerConfig,
): Layer<TransformerParams, TransformerInput, TransformerOutput> =>
  struct(partsOf(config), (parts, run, { target }) => {
    const head = parts.head ?? unembed(target)
    return (input: TransformerInput) => {
      const { ids, keyMask, decoderIds, decoderMask } = input
      const memory = input.memory ?? encode(parts)({ ids: given(ids), keyMask })
      const positions = input.positions ?? positionsIn(run, decoderIds.shape.at(-1) as number)
      const hidden = parts.decoder({
        x: parts.targetDropout(embed(parts.target, decoderIds, positions)),
        keyMask: asMask(decoderMask),
        memory,
        memoryMask: asMask(keyMask),
      })
      return { logits: head(hidden), memory, hidden }
    }
  }) as Layer<TransformerParams, TransformerInput, TransformerOutput>
