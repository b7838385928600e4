/**
 * BART (Lewis et al. 2019): the encoder-decoder of the paper with learned positions, pretrained by putting spoilt texts
 * right. One table of embeddings serves the source, the target and the scores.
 */
import { add, mul, stopGradient } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import { argumentError } from '../../core/error.ts'
import {
  decoder,
  dropout,
  embedding,
  encoder,
  layerNorm,
  lift,
  linear,
  normal,
  parameter,
  sinusoidal,
  struct,
  tap,
  unembed,
  zeroInitialiser,
} from '../../nn/index.ts'
import type {
  Applied,
  DecoderParams,
  EmbeddingParams,
  EncoderParams,
  Layer,
  LinearParams,
  NoParams,
  NormParams,
  Run,
  StackConfig,
} from '../../nn/index.ts'
import { asMask, placesOf } from '../input.ts'
import type { SourceInput, TransformerInput, TransformerOutput } from '../transformer.ts'
import type { BartBodyConfig, BartConfig } from '../config/bart.ts'

export type BartInput = TransformerInput
export type BartOutput = TransformerOutput

/** The parts that every BART has. */
export interface BartBodyParams {
  readonly embedding: EmbeddingParams
  /** In place of `embedding`, where source and target have their own. */
  readonly encoderEmbedding?: EmbeddingParams
  readonly decoderEmbedding?: EmbeddingParams
  readonly encoderPositions?: EmbeddingParams
  readonly encoderNorm?: NormParams
  readonly encoder: EncoderParams
  readonly decoderPositions?: EmbeddingParams
  readonly decoderNorm?: NormParams
  readonly decoder: DecoderParams
}

export interface BartParams extends BartBodyParams {
  /** [width, vocabulary], where scores are not taken with the words' embeddings. */
  readonly head?: LinearParams
  /** Added to scores; not trained: [vocabulary]. */
  readonly logitsBias: Tensor
}

/** What source and target have become. */
export interface BartRead {
  /** [batch, time, width] */
  readonly memory: Tensor
  /** [batch, targetTime, width] */
  readonly hidden: Tensor
}

/** What BART and Marian differ in. */
export interface BartKind {
  readonly operation: string
  /** Learned, or sines before cosines. */
  readonly positions: 'learned' | 'sinusoidal'
  /** Whether there is a norm behind the embeddings. */
  readonly embeddingNorm: boolean
  /** Whether there is a table for both also where source and target have their own, and nobody reads it. */
  readonly keepsTable: boolean
}

export const bartKind: BartKind = {
  operation: 'bart',
  positions: 'learned',
  embeddingNorm: true,
  keepsTable: true,
}

/** Learned positions begin behind two rows that nobody reads. */
const positionOffset = 2

const stack = (config: BartBodyConfig, side: 'encoder' | 'decoder'): StackConfig => ({
  layers: side === 'encoder' ? config.encoderLayers : config.decoderLayers,
  width: config.width,
  heads: side === 'encoder' ? config.encoderHeads : config.decoderHeads,
  hidden: side === 'encoder' ? config.encoderHidden : config.decoderHidden,
  activation: config.activation,
  dropout: config.dropout,
  attentionDropout: config.attentionDropout,
  hiddenDropout: config.hiddenDropout,
  weightInitialiser: normal(config.deviation),
  biasInitialiser: zeroInitialiser,
})

type Places = Layer<EmbeddingParams, Tensor, Tensor>
type Norm = Layer<NormParams, Tensor, Tensor>

export type BodyParts = {
  readonly embedding: Layer<EmbeddingParams, Tensor, Tensor>
  readonly encoderEmbedding: Layer<EmbeddingParams, Tensor, Tensor>
  readonly decoderEmbedding: Layer<EmbeddingParams, Tensor, Tensor>
  readonly encoderPositions: Places
  readonly encoderNorm: Norm
  readonly encoder: ReturnType<typeof encoder>
  readonly decoderPositions: Places
  readonly decoderNorm: Norm
  readonly decoder: ReturnType<typeof decoder>
  readonly sourceDropout: Layer<NoParams, Tensor, Tensor>
  readonly targetDropout: Layer<NoParams, Tensor, Tensor>
}

type Parts = BodyParts & {
  readonly head: Layer<LinearParams, Tensor, Tensor>
  readonly logitsBias: Layer<Tensor, void, Tensor>
}

const positionsOf = ({ width, maxLength, deviation }: BartBodyConfig, kind: BartKind): Places => {
  if (kind.positions === 'sinusoidal')
    return lift((places: Tensor) => sinusoidal(places, width, { interleaved: false })) as unknown as Places
  const table = embedding(maxLength + positionOffset, width, { initialiser: normal(deviation) })
  return {
    init: table.init,
    apply: (params, run) => {
      const rows = table.apply(params, run)
      return (places) => rows(add(places, positionOffset))
    },
  }
}

/** Which parts are there depends on config and kind; those that are not do nothing, or are undefined. */
export const bodyOf = (config: BartBodyConfig, kind: BartKind): BodyParts => {
  const { vocabularySize, width, paddingId, deviation, shared } = config
  const { targetVocabularySize = vocabularySize } = config
  const table = (count: number): Layer<EmbeddingParams, Tensor, Tensor> =>
    embedding(count, width, { initialiser: normal(deviation), paddingIndex: paddingId })
  const norm = kind.embeddingNorm ? layerNorm(width) : (lift((x: Tensor) => x) as unknown as Norm)
  return {
    ...(shared || kind.keepsTable ? { embedding: table(vocabularySize) } : {}),
    ...(shared
      ? {}
      : { encoderEmbedding: table(vocabularySize), decoderEmbedding: table(targetVocabularySize) }),
    encoderPositions: positionsOf(config, kind),
    encoderNorm: norm,
    encoder: encoder(stack(config, 'encoder')),
    decoderPositions: positionsOf(config, kind),
    decoderNorm: norm,
    decoder: decoder(stack(config, 'decoder')),
    sourceDropout: dropout(config.dropout),
    targetDropout: dropout(config.dropout),
  } as BodyParts
}

/** The body, and what makes scores of words of what it has read. */
const partsOf = (config: BartBodyConfig, kind: BartKind): Parts => {
  const { vocabularySize, width, deviation, tied, targetVocabularySize = vocabularySize } = config
  const options = { bias: false, weightInitialiser: normal(deviation) }
  return {
    ...bodyOf(config, kind),
    ...(tied ? {} : { head: linear(width, targetVocabularySize, options) }),
    logitsBias: parameter([targetVocabularySize], zeroInitialiser),
  } as Parts
}

/** Words and their places: [batch, time] → [batch, time, width]. */
const embed = (
  { width, scaled }: BartBodyConfig,
  parts: Applied<BodyParts>,
  side: 'encoder' | 'decoder',
  ids: Tensor,
  places: Tensor,
): Tensor => {
  // Parts that are not there are undefined.
  const table = (side === 'encoder' ? parts.encoderEmbedding : parts.decoderEmbedding) ?? parts.embedding
  const rows = table(ids)
  const words = scaled ? mul(rows, Math.sqrt(width)) : rows
  return side === 'encoder'
    ? parts.sourceDropout(parts.encoderNorm(add(words, parts.encoderPositions(places))))
    : parts.targetDropout(parts.decoderNorm(add(words, parts.decoderPositions(places))))
}

/** [batch, time] → [batch, time, width]. */
const encode =
  (config: BartBodyConfig, { operation }: BartKind) =>
  (parts: Applied<BodyParts>, run: Run) =>
  ({ ids, keyMask }: SourceInput): Tensor => {
    // A cache is the decoder's.
    const { cache: _, ...plain } = run
    const places = placesOf(operation, { ids }, config.maxLength, plain as Run)
    const x = embed(config, parts, 'encoder', ids, places)
    tap(run, 'sourceEmbedded', () => x)
    return parts.encoder({ x, keyMask: asMask(keyMask) })
  }

/** What is read of source and target, by the body alone. */
export const decode =
  (config: BartBodyConfig, kind: BartKind) =>
  (parts: Applied<BodyParts>, run: Run) =>
  ({ ids, keyMask, decoderIds, decoderMask, positions, memory: given }: BartInput): BartRead => {
    if (ids === undefined && given === undefined)
      throw argumentError(kind.operation, 'expected a source (ids) or its memory, got neither')
    const memory = given ?? encode(config, kind)(parts, run)({ ids: ids as Tensor, keyMask })
    const places = placesOf(kind.operation, { ids: decoderIds, positions }, config.maxLength, run)
    const x = embed(config, parts, 'decoder', decoderIds, places)
    tap(run, 'targetEmbedded', () => x)
    const masks = { keyMask: asMask(decoderMask), memoryMask: asMask(keyMask) }
    return { memory, hidden: parts.decoder({ x, memory, ...masks }) }
  }

/** The encoder of a model of this kind. */
export const encoderLike = (config: BartBodyConfig, kind: BartKind): Layer<BartParams, SourceInput, Tensor> =>
  struct(partsOf(config, kind), encode(config, kind)) as Layer<BartParams, SourceInput, Tensor>

/** The model of this kind. */
export const modelLike = (config: BartBodyConfig, kind: BartKind): Layer<BartParams, BartInput, BartOutput> =>
  struct(partsOf(config, kind), (parts, run, { embedding, decoderEmbedding }) => {
    const head = parts.head ?? unembed(decoderEmbedding ?? embedding)
    return (input: BartInput) => {
      const { memory, hidden } = decode(config, kind)(parts, run)(input)
      return { logits: add(head(hidden), stopGradient(parts.logitsBias())), memory, hidden }
    }
  }) as Layer<BartParams, BartInput, BartOutput>

/**
 * The encoder alone, with the parameters of the whole: the `memory` of `bart`.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { bart, bartConfig, bartEncoder } from 'pullback/models'
 * const config = bartConfig({
 *   vocabularySize: 50, width: 16, encoderLayers: 1,
 *   decoderLayers: 1, encoderHeads: 2, decoderHeads: 2,
 * })
 * const params = bart(config).init(random.key(0))
 * const ids = tensor([[4, 5, 6, 1]], { dtype: 'int32' })
 * console.log(bartEncoder(config).apply(params, evaluation)({ ids }).shape) // => [1, 4, 16]
 * ```
 */
export const bartEncoder = (config: BartConfig): Layer<BartParams, SourceInput, Tensor> =>
  encoderLike(config, bartKind)

/**
 * Scores of what comes next in the target at each place.
 *
 * @throws PullbackError when a text is longer than the model's positions, or shapes do not fit.
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { bart, bartConfig, shiftRight } from 'pullback/models'
 * const sizes = { width: 16, encoderHeads: 2, decoderHeads: 2, encoderHidden: 32, decoderHidden: 32 }
 * const config = bartConfig({ ...sizes, vocabularySize: 50, encoderLayers: 1, decoderLayers: 1, maxLength: 20 })
 * const model = bart(config)
 * const labels = tensor([[7, 8, 2]], { dtype: 'int32' })
 * const decoderIds = shiftRight(labels, { start: config.startId, padding: config.paddingId })
 * const ids = tensor([[0, 5, 6, 2]], { dtype: 'int32' })
 * const { logits } = model.apply(model.init(random.key(0)), evaluation)({ ids, decoderIds })
 * console.log(logits.shape) // => [1, 3, 50]
 * ```
 */
export const bart = (config: BartConfig): Layer<BartParams, BartInput, BartOutput> =>
  modelLike(config, bartKind)
