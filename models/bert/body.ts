/**
 * BERT (Devlin et al. 2018): an encoder that reads in both directions. Parameters of all its kinds share the names of
 * the parts they share, so that what was pretrained is taken over part by part.
 */
import { add, tanh, zeros } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import {
  dropout,
  embedding,
  encoder,
  layerNorm,
  linear,
  struct,
  tap,
  truncatedNormal,
  zeroInitialiser,
} from '../../nn/index.ts'
import type {
  Applied,
  EmbeddingParams,
  EncoderInput,
  EncoderParams,
  Layer,
  LinearOptions,
  LinearParams,
  NormParams,
} from '../../nn/index.ts'
import { asMask, firstRow, placesOf } from '../input.ts'
import type { BertConfig } from '../config/bert.ts'

export interface BertInput {
  /** int32 [batch, time] */
  readonly ids: Tensor
  /** int32 [batch, time]: which passage each token belongs to; all to the first where left out. */
  readonly tokenTypes?: Tensor | undefined
  /** bool (or integers, 0 = no) [batch, time]: which tokens are real; all where left out. */
  readonly keyMask?: Tensor | undefined
  /** int32 [time] or [batch, time]; 0 … time - 1 where left out. */
  readonly positions?: Tensor | undefined
}

export interface BertEmbeddingsParams {
  readonly word: EmbeddingParams
  readonly position: EmbeddingParams
  readonly tokenType: EmbeddingParams
  readonly norm: NormParams
}

/** What BERT and its kin read with; they differ in what their embeddings have. */
export interface BodyParams<E> {
  readonly embeddings: E
  readonly encoder: EncoderParams
}

/** The parts that every BERT has. */
export type BertBodyParams = BodyParams<BertEmbeddingsParams>

export interface BertParams extends BertBodyParams {
  readonly pooler: LinearParams
}

export interface BertOutput {
  /** [batch, time, width] */
  readonly hidden: Tensor
  /** What stands for the whole: the first token's, [batch, width]. */
  readonly pooled: Tensor
}

export const initialisers = ({
  deviation,
}: {
  readonly deviation: number
}): Required<Omit<LinearOptions, 'bias'>> => ({
  weightInitialiser: truncatedNormal(deviation),
  biasInitialiser: zeroInitialiser,
})

export interface BodyOptions {
  /** The position of padding, whose embedding is not trained by being read; RoBERTa has one. */
  readonly paddingPosition?: number | undefined
}

/** Words, their positions and their passages, added up: [batch, time] → [batch, time, width]. */
const embeddings = (
  config: BertConfig,
  { paddingPosition }: BodyOptions,
): Layer<BertEmbeddingsParams, BertInput, Tensor> => {
  const { vocabularySize, width, maxLength, tokenTypes, paddingId, epsilon } = config
  const initialiser = truncatedNormal(config.deviation)
  return struct(
    {
      word: embedding(vocabularySize, width, { initialiser, paddingIndex: paddingId }),
      position: embedding(maxLength, width, { initialiser, paddingIndex: paddingPosition }),
      tokenType: embedding(tokenTypes, width, { initialiser }),
      norm: layerNorm(width, { epsilon }),
      dropout: dropout(config.dropout),
    },
    (parts, run) => (input: BertInput) => {
      const { ids, tokenTypes = zeros(ids.shape, 'int32') } = input
      const places = placesOf('bert', input, maxLength, run) // [time] or [batch, time]
      const words = add(parts.word(ids), parts.tokenType(tokenTypes)) // [batch, time, width]
      const output = parts.dropout(parts.norm(add(words, parts.position(places))))
      tap(run, 'output', () => output)
      return output
    },
  )
}

export type BodyParts<E = BertEmbeddingsParams> = {
  readonly embeddings: Layer<E, BertInput, Tensor>
  readonly encoder: Layer<EncoderParams, EncoderInput, Tensor>
}

export const body = (config: BertConfig, options: BodyOptions = {}): BodyParts => ({
  embeddings: embeddings(config, options),
  encoder: encoder({
    layers: config.layers,
    width: config.width,
    heads: config.heads,
    hidden: config.hidden,
    activation: config.activation,
    dropout: config.dropout,
    attentionDropout: config.attentionDropout,
    hiddenDropout: 0,
    epsilon: config.epsilon,
    ...initialisers(config),
  }),
})

/** [batch, time] → [batch, time, width]. */
export const read =
  <E>({ embeddings, encoder }: Applied<BodyParts<E>>) =>
  (input: BertInput): Tensor =>
    encoder({ x: embeddings(input), keyMask: asMask(input.keyMask) })

/** The first token's row through a layer and tanh: [batch, time, width] → [batch, width]. */
export const pooler = (config: BertConfig): Layer<LinearParams, Tensor, Tensor> => {
  const dense = linear(config.width, config.width, initialisers(config))
  return {
    init: dense.init,
    apply: (params, run) => {
      const project = dense.apply(params, run)
      return (hidden) => tanh(project(firstRow(hidden)))
    },
  }
}

/**
 * The encoder alone, and its summary of the whole.
 *
 * @throws PullbackError when a sequence is longer than the model's positions, or shapes do not fit.
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { bert, bertConfig } from 'pullback/models'
 * const model = bert(bertConfig({ vocabularySize: 100, width: 16, layers: 2, heads: 2, hidden: 32 }))
 * const params = model.init(random.key(0))
 * const ids = tensor([[2, 40, 7, 3]], { dtype: 'int32' })
 * const { hidden, pooled } = model.apply(params, evaluation)({ ids })
 * console.log(hidden.shape, pooled.shape) // => [1, 4, 16] [1, 16]
 * ```
 */
export const bert = (
  config: BertConfig,
  options: BodyOptions = {},
): Layer<BertParams, BertInput, BertOutput> =>
  struct({ ...body(config, options), pooler: pooler(config) }, (parts) => (input: BertInput) => {
    const hidden = read(parts)(input)
    return { hidden, pooled: parts.pooler(hidden) }
  })
