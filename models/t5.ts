/**
 * T5 (Raffel et al. 2019): an encoder-decoder whose attention knows places by how far apart they are, through a
 * trained bias for each bucket of distances; norms without mean in front of each part, and no biases in linear layers.
 */
import {
  abs,
  add,
  arange,
  cast,
  expandDims,
  greater,
  greaterEqual,
  maximum,
  mul,
  neg,
  sub,
  transpose,
} from '../core/index.ts'
import type { Tensor } from '../core/index.ts'
import { argumentError } from '../core/error.ts'
import {
  decoder,
  dropout,
  embedding,
  encoder,
  linear,
  normal,
  positionsIn,
  struct,
  tap,
  unembed,
} from '../nn/index.ts'
import type {
  ActivationName,
  Applied,
  DecoderParams,
  EmbeddingParams,
  EncoderParams,
  Initialiser,
  Layer,
  LinearParams,
  NoParams,
  Run,
  StackConfig,
} from '../nn/index.ts'
import type { T5Config, T5FeedForward } from './config/t5.ts'
import { asMask } from './input.ts'
import type { SourceInput, TransformerInput, TransformerOutput } from './transformer.ts'

export type T5Input = TransformerInput
export type T5Output = TransformerOutput

/** The parts of the encoder. */
export interface T5EncoderParams {
  readonly embedding: EmbeddingParams
  /** A bias for each bucket and head: [buckets, heads]. */
  readonly encoderDistances: EmbeddingParams
  readonly encoder: EncoderParams
}

export interface T5Params extends T5EncoderParams {
  readonly decoderDistances: EmbeddingParams
  readonly decoder: DecoderParams
  /** [width, vocabulary], where scores are not taken with the words' embeddings. */
  readonly head?: LinearParams
}

/** The least distances of the buckets 1, 2 …: each place its own at first, then wider and wider (2.1). */
const thresholds = (buckets: number, maxDistance: number): readonly number[] => {
  const exact = Math.floor(buckets / 2)
  const bucketOf = (distance: number): number => {
    if (distance < exact) return distance
    // In float32, as the original computes it: some bounds fall on the edge.
    const log = Math.fround(Math.log(Math.fround(distance / exact)))
    const share = Math.fround(log / Math.fround(Math.log(maxDistance / exact)))
    return Math.min(exact + Math.trunc(Math.fround(share * (buckets - exact))), buckets - 1)
  }
  const found: number[] = []
  for (let distance = 1; found.length < buckets - 1 && distance <= 2 * maxDistance; distance++)
    while (found.length < bucketOf(distance)) found.push(distance)
  return found
}

/**
 * The bucket of each key's distance from each query: int32 [time, keys].
 *
 * @example
 * ```ts
 * import { arange } from 'pullback'
 * import { distanceBuckets } from 'pullback/models'
 * const places = arange(4)
 * console.log(distanceBuckets(places, places, { buckets: 8, maxDistance: 16, bothWays: true }))
 * // => int32[4, 4] [[0, 5, 6, 6], [1, 0, 5, 6], [2, 1, 0, 5], [2, 2, 1, 0]]
 * ```
 */
export const distanceBuckets = (
  queries: Tensor,
  keys: Tensor,
  options: { readonly buckets: number; readonly maxDistance: number; readonly bothWays: boolean },
): Tensor => {
  const { buckets, maxDistance, bothWays } = options
  const ahead = sub(expandDims(keys, 0), expandDims(queries, 1)) // [time, keys]
  const own = bothWays ? Math.floor(buckets / 2) : buckets
  const distance = bothWays ? abs(ahead) : maximum(neg(ahead), 0)
  const reached = thresholds(own, maxDistance).map((least) => cast(greaterEqual(distance, least), 'int32'))
  const bucket = reached.reduce((a, b) => add(a, b))
  return bothWays ? add(bucket, mul(cast(greater(ahead, 0), 'int32'), own)) : bucket
}

/** The initial deviation of T5's weights: 1 / √fanIn, which keeps variance. */
const fanInNormal =
  (factor: number): Initialiser =>
  (key, shape, fans) =>
    normal(factor / Math.sqrt(fans.fanIn))(key, shape, fans)

const activationOfFeedForward = (feedForward: T5FeedForward): ActivationName => {
  switch (feedForward) {
    case 'gelu':
      return 'gelu'
    case 'gated-gelu':
      return 'geluTanh'
    case 'silu':
    case 'gated-silu':
      return 'silu'
    default:
      return 'relu'
  }
}

const stack = (config: T5Config, layers: number): StackConfig => ({
  layers,
  width: config.width,
  heads: config.heads,
  hidden: config.hidden,
  activation: activationOfFeedForward(config.feedForward),
  gated: config.feedForward.startsWith('gated'),
  preNorm: true,
  norm: 'rmsNorm',
  epsilon: config.epsilon,
  bias: false,
  dropout: config.dropout,
  weightInitialiser: fanInNormal(config.deviationFactor),
  attention: {
    headWidth: config.headWidth,
    // Initial queries are small instead.
    scale: 1,
    queryInitialiser: fanInNormal(config.deviationFactor / Math.sqrt(config.headWidth)),
  },
})

type EncoderParts = {
  readonly embedding: Layer<EmbeddingParams, Tensor, Tensor>
  readonly encoderDistances: Layer<EmbeddingParams, Tensor, Tensor>
  readonly encoder: ReturnType<typeof encoder>
  readonly sourceDropout: Layer<NoParams, Tensor, Tensor>
  readonly memoryDropout: Layer<NoParams, Tensor, Tensor>
}

type Parts = EncoderParts & {
  readonly decoderDistances: Layer<EmbeddingParams, Tensor, Tensor>
  readonly decoder: ReturnType<typeof decoder>
  readonly head: Layer<LinearParams, Tensor, Tensor>
  readonly targetDropout: Layer<NoParams, Tensor, Tensor>
  readonly hiddenDropout: Layer<NoParams, Tensor, Tensor>
}

const distancesOf = ({ buckets, heads, width, deviationFactor }: T5Config): Parts['decoderDistances'] =>
  embedding(buckets, heads, { initialiser: normal(deviationFactor / Math.sqrt(width)) })

const encoderParts = (config: T5Config): EncoderParts => ({
  embedding: embedding(config.vocabularySize, config.width, { initialiser: normal(config.deviationFactor) }),
  encoderDistances: distancesOf(config),
  encoder: encoder(stack(config, config.encoderLayers)),
  sourceDropout: dropout(config.dropout),
  memoryDropout: dropout(config.dropout),
})

/** Which parts are there depends on the config; those that are not are undefined. */
const partsOf = (config: T5Config): Parts => {
  const { vocabularySize, width, encoderLayers, decoderLayers = encoderLayers } = config
  const initialiser = normal(config.deviationFactor)
  const drop = dropout(config.dropout)
  return {
    ...encoderParts(config),
    decoderDistances: distancesOf(config),
    decoder: decoder(stack(config, decoderLayers)),
    ...(config.tied
      ? {}
      : { head: linear(width, vocabularySize, { bias: false, weightInitialiser: initialiser }) }),
    targetDropout: drop,
    hiddenDropout: drop,
  } as Parts
}

/** Each bucket's bias for each head, added to scores: [1, heads, time, keys]. */
const biasOf = (distances: (buckets: Tensor) => Tensor, buckets: Tensor): Tensor =>
  expandDims(transpose(distances(buckets), [2, 0, 1]), 0)

/** [batch, time] → [batch, time, width]. */
const encode =
  (config: T5Config) =>
  ({ embedding, encoderDistances, encoder, sourceDropout, memoryDropout }: Applied<EncoderParts>, run: Run) =>
  ({ ids, keyMask }: SourceInput): Tensor => {
    const x = sourceDropout(embedding(ids))
    tap(run, 'sourceEmbedded', () => x)
    const places = arange(ids.shape.at(-1) as number)
    const buckets = distanceBuckets(places, places, { ...config, bothWays: true })
    return memoryDropout(encoder({ x, keyMask: asMask(keyMask), bias: biasOf(encoderDistances, buckets) }))
  }

/**
 * The encoder alone, with the parameters of the whole: the `memory` of `t5`.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { t5, t5Config, t5Encoder } from 'pullback/models'
 * const config = t5Config({ vocabularySize: 50, width: 16, heads: 2, headWidth: 8, encoderLayers: 1 })
 * const params = t5(config).init(random.key(0))
 * const ids = tensor([[4, 5, 6, 1]], { dtype: 'int32' })
 * console.log(t5Encoder(config).apply(params, evaluation)({ ids }).shape) // => [1, 4, 16]
 * ```
 */
export const t5Encoder = (config: T5Config): Layer<T5Params, SourceInput, Tensor> =>
  struct(partsOf(config), encode(config)) as Layer<T5Params, SourceInput, Tensor>

/**
 * The encoder without any decoder: `hidden` is [batch, time, width].
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { t5Config, t5EncoderModel } from 'pullback/models'
 * const model = t5EncoderModel(t5Config({ vocabularySize: 50, width: 16, heads: 2, headWidth: 8, encoderLayers: 1 }))
 * const ids = tensor([[4, 5, 6, 1]], { dtype: 'int32' })
 * console.log(model.apply(model.init(random.key(0)), evaluation)({ ids }).hidden.shape) // => [1, 4, 16]
 * ```
 */
export const t5EncoderModel = (
  config: T5Config,
): Layer<T5EncoderParams, SourceInput, { readonly hidden: Tensor }> =>
  struct(encoderParts(config), (parts, run) => (input: SourceInput) => ({
    hidden: encode(config)(parts, run)(input),
  }))

/**
 * Scores of what comes next in the target at each place; `positions` are not needed.
 *
 * @throws PullbackError when shapes do not fit.
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { shiftRight, t5, t5Config } from 'pullback/models'
 * const config = t5Config({ vocabularySize: 50, width: 16, heads: 2, headWidth: 8, encoderLayers: 1 })
 * const model = t5(config)
 * const labels = tensor([[7, 8, 9]], { dtype: 'int32' })
 * const decoderIds = shiftRight(labels, { start: config.startId, padding: config.paddingId })
 * const ids = tensor([[4, 5, 6, 1]], { dtype: 'int32' })
 * const { logits } = model.apply(model.init(random.key(0)), evaluation)({ ids, decoderIds })
 * console.log(logits.shape) // => [1, 3, 50]
 * ```
 */
export const t5 = (config: T5Config): Layer<T5Params, T5Input, T5Output> =>
  struct(partsOf(config), (parts, run, { embedding }) => {
    const { width, tied, scaled = tied } = config
    const score = parts.head ?? unembed(embedding)
    const head = (x: Tensor): Tensor => score(scaled ? mul(x, 1 / Math.sqrt(width)) : x)
    return ({ ids, keyMask, decoderIds, decoderMask, memory: given }: T5Input) => {
      if (ids === undefined && given === undefined)
        throw argumentError('t5', 'expected a source (ids) or its memory, got neither')
      const memory = given ?? encode(config)(parts, run)({ ids: ids as Tensor, keyMask })
      const x = parts.targetDropout(parts.embedding(decoderIds)) // [batch, targetTime, width]
      tap(run, 'targetEmbedded', () => x)
      const time = decoderIds.shape.at(-1) as number
      const keys = arange(run.cache?.capacity ?? time)
      const buckets = distanceBuckets(positionsIn(run, time), keys, { ...config, bothWays: false })
      const decoded = parts.decoder({
        x,
        keyMask: asMask(decoderMask),
        bias: biasOf(parts.decoderDistances, buckets),
        memory,
        memoryMask: asMask(keyMask),
      })
      const hidden = parts.hiddenDropout(decoded)
      return { logits: head(hidden), memory, hidden }
    }
  }) as Layer<T5Params, T5Input, T5Output>
