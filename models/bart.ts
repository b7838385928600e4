/**
 * BART (Lewis et al. 2019): the encoder-decoder of the paper with learned positions, pretrained by putting spoilt texts
 * right. One table of embeddings serves the source, the target and the scores.
 */
import * as t from 'io-ts'
import { add, mul, stopGradient } from '../core/index.ts'
import type { Tensor } from '../core/index.ts'
import { argumentError } from '../core/error.ts'
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
} from '../nn/index.ts'
import type {
  ActivationName,
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
} from '../nn/index.ts'
import type { ConfigFile, Field } from './config.ts'
import {
  activationName,
  configCodec,
  depth,
  field,
  makeConfig,
  natural,
  optionalField,
  rate,
  real,
  refined,
  size,
} from './config.ts'
import { asMask, placesOf } from './input.ts'
import type { SourceInput, TransformerInput, TransformerOutput } from './transformer.ts'

export interface BartConfig {
  readonly vocabularySize: number
  readonly width: number
  readonly encoderLayers: number
  readonly decoderLayers: number
  readonly encoderHeads: number
  readonly decoderHeads: number
  /** The widths inside the feed-forward parts. */
  readonly encoderHidden: number
  readonly decoderHidden: number
  readonly activation: ActivationName
  readonly dropout: number
  readonly attentionDropout: number
  /** Inside the feed-forward parts. */
  readonly hiddenDropout: number
  readonly maxLength: number
  /** The standard deviation of initial weights. */
  readonly deviation: number
  /** Whether embeddings are multiplied by √width when they are read. */
  readonly scaled: boolean
  /** Whether scores of words are taken with the words' embeddings. */
  readonly tied: boolean
  /** Whether source and target have one table of embeddings. */
  readonly shared: boolean
  /** How many words the target has, where they are others than the source's. */
  readonly targetVocabularySize: number | undefined
  readonly paddingId: number
  readonly startId: number
  readonly endId: number | undefined
  readonly extra: Readonly<Record<string, unknown>>
}

type Entries = { readonly [K in keyof Omit<BartConfig, 'extra'>]: Field<BartConfig[K]> }

/** The entries of BART's config and of those that have them too, with what they are where left out. */
export const bartEntries = (
  defaults: Pick<BartConfig, 'vocabularySize' | 'paddingId' | 'startId' | 'scaled'>,
): Entries => ({
  vocabularySize: field('vocab_size', size, defaults.vocabularySize),
  width: field('d_model', size, 1024, ['hidden_size']),
  encoderLayers: field('encoder_layers', depth, 12, ['num_hidden_layers']),
  decoderLayers: field('decoder_layers', depth, 12),
  encoderHeads: field('encoder_attention_heads', size, 16, ['num_attention_heads']),
  decoderHeads: field('decoder_attention_heads', size, 16),
  encoderHidden: field('encoder_ffn_dim', size, 4096),
  decoderHidden: field('decoder_ffn_dim', size, 4096),
  activation: field('activation_function', activationName, 'gelu'),
  dropout: field('dropout', rate, 0.1),
  attentionDropout: field('attention_dropout', rate, 0),
  hiddenDropout: field('activation_dropout', rate, 0),
  maxLength: field('max_position_embeddings', size, 1024),
  deviation: field('init_std', real, 0.02),
  scaled: field('scale_embedding', t.boolean, defaults.scaled),
  tied: field('tie_word_embeddings', t.boolean, true),
  shared: field('share_encoder_decoder_embeddings', t.boolean, true),
  targetVocabularySize: {
    ...optionalField('decoder_vocab_size', size),
    // BART has no such entry, and cannot be read where it is null.
    write: (count) => (count === undefined ? {} : { decoder_vocab_size: count }),
  },
  paddingId: field('pad_token_id', natural, defaults.paddingId),
  startId: field('decoder_start_token_id', natural, defaults.startId),
  endId: optionalField('eos_token_id', natural),
})

/** What is wrong with a config whose entries are each right. */
export const bartComplaints = ({
  width,
  encoderHeads,
  decoderHeads,
  paddingId,
  vocabularySize,
  targetVocabularySize = vocabularySize,
  shared,
}: BartConfig): readonly string[] => [
  ...(shared && targetVocabularySize !== vocabularySize
    ? [`one table of embeddings cannot have ${vocabularySize} words and ${targetVocabularySize}`]
    : []),
  ...(width % encoderHeads === 0 && width % decoderHeads === 0
    ? []
    : [`d_model ${width} cannot be split into ${encoderHeads} and ${decoderHeads} heads`]),
  ...(paddingId < vocabularySize ? [] : [`pad_token_id ${paddingId} is none of ${vocabularySize} ids`]),
]

/**
 * The config.json of a BART.
 *
 * @example
 * ```ts
 * import { bartCodec, decodeConfig } from 'pullback/models'
 * const config = decodeConfig(bartCodec, { d_model: 64 })
 * console.log(config._tag === 'Right' && config.right.width) // => 64
 * ```
 */
export const bartCodec: t.Type<BartConfig, ConfigFile, unknown> = refined(
  configCodec('bart', bartEntries({ vocabularySize: 50265, paddingId: 1, startId: 2, scaled: false })),
  bartComplaints,
)

/**
 * A config by its sizes; what is not given is as in the large BART.
 *
 * @throws PullbackError when an entry is impossible.
 * @example
 * ```ts
 * import { bartConfig } from 'pullback/models'
 * const config = bartConfig({ vocabularySize: 50, width: 16 })
 * console.log([config.vocabularySize, config.width]) // => [50, 16]
 * ```
 */
export const bartConfig = (entries: Partial<BartConfig> = {}): BartConfig => makeConfig(bartCodec, entries)

export type BartInput = TransformerInput
export type BartOutput = TransformerOutput

export interface BartParams {
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
  /** [width, vocabulary], where scores are not taken with the words' embeddings. */
  readonly head?: LinearParams
  /** Added to scores; not trained: [vocabulary]. */
  readonly logitsBias: Tensor
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

const bartKind: BartKind = { operation: 'bart', positions: 'learned', embeddingNorm: true, keepsTable: true }

/** Learned positions begin behind two rows that nobody reads. */
const positionOffset = 2

const stack = (config: BartConfig, side: 'encoder' | 'decoder'): StackConfig => ({
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

type Parts = {
  readonly embedding: Layer<EmbeddingParams, Tensor, Tensor>
  readonly encoderEmbedding: Layer<EmbeddingParams, Tensor, Tensor>
  readonly decoderEmbedding: Layer<EmbeddingParams, Tensor, Tensor>
  readonly encoderPositions: Places
  readonly encoderNorm: Norm
  readonly encoder: ReturnType<typeof encoder>
  readonly decoderPositions: Places
  readonly decoderNorm: Norm
  readonly decoder: ReturnType<typeof decoder>
  readonly head: Layer<LinearParams, Tensor, Tensor>
  readonly logitsBias: Layer<Tensor, void, Tensor>
  readonly sourceDropout: Layer<NoParams, Tensor, Tensor>
  readonly targetDropout: Layer<NoParams, Tensor, Tensor>
}

const positionsOf = ({ width, maxLength, deviation }: BartConfig, kind: BartKind): Places => {
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
const partsOf = (config: BartConfig, kind: BartKind): Parts => {
  const { vocabularySize, width, paddingId, deviation, tied, shared } = config
  const { targetVocabularySize = vocabularySize } = config
  const table = (count: number): Layer<EmbeddingParams, Tensor, Tensor> =>
    embedding(count, width, { initialiser: normal(deviation), paddingIndex: paddingId })
  const norm = kind.embeddingNorm ? layerNorm(width) : (lift((x: Tensor) => x) as unknown as Norm)
  const options = { bias: false, weightInitialiser: normal(deviation) }
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
    ...(tied ? {} : { head: linear(width, targetVocabularySize, options) }),
    logitsBias: parameter([targetVocabularySize], zeroInitialiser),
    sourceDropout: dropout(config.dropout),
    targetDropout: dropout(config.dropout),
  } as Parts
}

/** Words and their places: [batch, time] → [batch, time, width]. */
const embed = (
  { width, scaled }: BartConfig,
  parts: Applied<Parts>,
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
  (config: BartConfig, { operation }: BartKind) =>
  (parts: Applied<Parts>, run: Run) =>
  ({ ids, keyMask }: SourceInput): Tensor => {
    // A cache is the decoder's.
    const { cache: _, ...plain } = run
    const places = placesOf(operation, { ids }, config.maxLength, plain as Run)
    const x = embed(config, parts, 'encoder', ids, places)
    tap(run, 'sourceEmbedded', () => x)
    return parts.encoder({ x, keyMask: asMask(keyMask) })
  }

/** The encoder of a model of this kind. */
export const encoderLike = (config: BartConfig, kind: BartKind): Layer<BartParams, SourceInput, Tensor> =>
  struct(partsOf(config, kind), encode(config, kind)) as Layer<BartParams, SourceInput, Tensor>

/** The model of this kind. */
export const modelLike = (config: BartConfig, kind: BartKind): Layer<BartParams, BartInput, BartOutput> =>
  struct(partsOf(config, kind), (parts, run, { embedding, decoderEmbedding }) => {
    const head = parts.head ?? unembed(decoderEmbedding ?? embedding)
    return ({ ids, keyMask, decoderIds, decoderMask, positions, memory: given }: BartInput) => {
      if (ids === undefined && given === undefined)
        throw argumentError(kind.operation, 'expected a source (ids) or its memory, got neither')
      const memory = given ?? encode(config, kind)(parts, run)({ ids: ids as Tensor, keyMask })
      const places = placesOf(kind.operation, { ids: decoderIds, positions }, config.maxLength, run)
      const x = embed(config, parts, 'decoder', decoderIds, places)
      tap(run, 'targetEmbedded', () => x)
      const masks = { keyMask: asMask(decoderMask), memoryMask: asMask(keyMask) }
      const hidden = parts.decoder({ x, memory, ...masks })
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
 * import { shiftRight } from 'pullback/models'
 * const sizes = { width: 16, encoderHeads: 2, decoderHeads: 2, encoderHidden: 32, decoderHidden: 32 }
 * const config = bartConfig({ ...sizes, vocabularySize: 50, encoderLayers: 1, decoderLayers: 1, maxLength: 20 })
 * const model = bart(config)
 * const labels = tensor([[7, 8, 2]], { dtype: 'int32' })
 * const decoderIds = shiftRight(labels, { start: config.startId, padding: config.paddingId })
 * const ids = tensor([[0, 5, 6, 2]], { dtype: 'int32' })
 * const { logits } = model.apply(model.init(random.key(0)), { mode: 'eval' })({ ids, decoderIds })
 * console.log(logits.shape) // => [1, 3, 50]
 * ```
 */
export const bart = (config: BartConfig): Layer<BartParams, BartInput, BartOutput> =>
  modelLike(config, bartKind)
