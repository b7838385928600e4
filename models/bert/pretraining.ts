/** BERT as it is pretrained: by filling in masked words, and by telling whether one passage follows another. */
import { add } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import {
  activationOf,
  layerNorm,
  linear,
  parameter,
  struct,
  unembed,
  zeroInitialiser,
} from '../../nn/index.ts'
import type { EmbeddingParams, Layer, LinearParams, NormParams } from '../../nn/index.ts'
import { rowsAt } from '../input.ts'
import type { BertBodyParams, BertInput, BodyParams, BodyParts, BertOutput, BertParams } from './body.ts'
import { body, initialisers, pooler, read } from './body.ts'
import type { BertConfig } from '../config/bert.ts'

export interface MaskedInput extends BertInput {
  /**
   * int32 [batch, predictions]: the places whose words are asked for; all where left out. In pretraining few are
   * asked for, and scores of a whole vocabulary cost more than the rest of a small model.
   */
  readonly predictAt?: Tensor | undefined
}

/** Takes hidden rows to scores of words. */
export interface PredictionParams {
  readonly transform: LinearParams
  readonly norm: NormParams
  /** [vocabulary] */
  readonly bias: Tensor
  /** [width, vocabulary], where scores are not taken with the words' embeddings. */
  readonly decoder?: LinearParams
}

/** Hidden rows and the words' embeddings to scores of words: [..., width] → [..., vocabulary]. */
const predictions = (
  config: Pick<BertConfig, 'width' | 'vocabularySize' | 'epsilon' | 'activation' | 'tied' | 'deviation'>,
): Layer<PredictionParams, { readonly rows: Tensor; readonly words: EmbeddingParams }, Tensor> => {
  const { width, vocabularySize, epsilon, activation, tied } = config
  const options = initialisers(config)
  return struct(
    {
      transform: linear(width, width, options),
      norm: layerNorm(width, { epsilon }),
      bias: parameter([vocabularySize], zeroInitialiser),
      ...(tied ? {} : { decoder: linear(width, vocabularySize, { ...options, bias: false }) }),
    },
    (parts) => {
      const act = activationOf(activation)
      const { decoder } = parts as { readonly decoder?: (x: Tensor) => Tensor }
      return ({ rows, words }) => {
        const transformed = parts.norm(act(parts.transform(rows))) // [..., width]
        const scores = decoder === undefined ? unembed(words)(transformed) : decoder(transformed)
        return add(scores, parts.bias()) // [..., vocabulary]
      }
    },
  )
}

/** The rows that are asked for: all, or those at `predictAt`. */
const asked = (hidden: Tensor, { predictAt }: MaskedInput): Tensor =>
  predictAt === undefined ? hidden : rowsAt('bert', hidden, predictAt)

/** A body that fills in masked words: BERT's, RoBERTa's or DistilBERT's. */
export const maskedLanguageModel = <E extends { readonly word: EmbeddingParams }>(
  body: BodyParts<E>,
  config: Parameters<typeof predictions>[0],
): Layer<BodyParams<E> & { readonly predictions: PredictionParams }, MaskedInput, MaskedOutput> =>
  struct({ ...body, predictions: predictions(config) }, (parts, _, params) => {
    const { word: words } = (params as unknown as BodyParams<E>).embeddings
    return (input: MaskedInput) => {
      const hidden = read(parts)(input)
      return { predictionLogits: parts.predictions({ rows: asked(hidden, input), words }), hidden }
    }
  }) as never

export interface BertForPreTrainingParams extends BertParams {
  readonly predictions: PredictionParams
  readonly nextSentence: LinearParams
}

export interface BertForPreTrainingOutput extends BertOutput {
  /** [batch, time, vocabulary], or [batch, predictions, vocabulary] */
  readonly predictionLogits: Tensor
  /** [batch, 2]: that the second passage follows the first, and that it does not. */
  readonly nextSentenceLogits: Tensor
}

/**
 * BERT as it is pretrained: masked language modelling and next-sentence prediction (3.1).
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { bertConfig, bertForPreTraining } from 'pullback/models'
 * const config = bertConfig({ vocabularySize: 100, width: 16, layers: 1, heads: 2 })
 * const model = bertForPreTraining(config)
 * const ids = tensor([[2, 40, 7, 3]], { dtype: 'int32' })
 * const params = model.init(random.key(0))
 * const { predictionLogits, nextSentenceLogits } = model.apply(params, evaluation)({ ids })
 * console.log(predictionLogits.shape, nextSentenceLogits.shape) // => [1, 4, 100] [1, 2]
 * ```
 */
export const bertForPreTraining = (
  config: BertConfig,
): Layer<BertForPreTrainingParams, MaskedInput, BertForPreTrainingOutput> =>
  struct(
    {
      ...body(config),
      pooler: pooler(config),
      predictions: predictions(config),
      nextSentence: linear(config.width, 2, initialisers(config)),
    },
    (parts, _, { embeddings }) =>
      (input: MaskedInput) => {
        const hidden = read(parts)(input)
        const pooled = parts.pooler(hidden)
        return {
          predictionLogits: parts.predictions({ rows: asked(hidden, input), words: embeddings.word }),
          nextSentenceLogits: parts.nextSentence(pooled),
          hidden,
          pooled,
        }
      },
  )

export interface BertForNextSentencePredictionParams extends BertParams {
  readonly nextSentence: LinearParams
}

export interface NextSentenceOutput extends BertOutput {
  /** [batch, 2]: that the second passage follows the first, and that it does not. */
  readonly logits: Tensor
}

/**
 * BERT that tells whether one passage follows another.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { bertConfig, bertForNextSentencePrediction } from 'pullback/models'
 * const config = bertConfig({ vocabularySize: 100, width: 16, layers: 1, heads: 2 })
 * const model = bertForNextSentencePrediction(config)
 * const ids = tensor([[2, 40, 3, 7, 3]], { dtype: 'int32' })
 * const tokenTypes = tensor([[0, 0, 0, 1, 1]], { dtype: 'int32' })
 * const { logits } = model.apply(model.init(random.key(0)), evaluation)({ ids, tokenTypes })
 * console.log(logits.shape) // => [1, 2]
 * ```
 */
export const bertForNextSentencePrediction = (
  config: BertConfig,
): Layer<BertForNextSentencePredictionParams, BertInput, NextSentenceOutput> =>
  struct(
    {
      ...body(config),
      pooler: pooler(config),
      nextSentence: linear(config.width, 2, initialisers(config)),
    },
    (parts) => (input: BertInput) => {
      const hidden = read(parts)(input)
      const pooled = parts.pooler(hidden)
      return { logits: parts.nextSentence(pooled), hidden, pooled }
    },
  )

export interface BertForMaskedLanguageModellingParams extends BertBodyParams {
  readonly predictions: PredictionParams
}

export interface MaskedOutput {
  /** [batch, time, vocabulary], or [batch, predictions, vocabulary] */
  readonly predictionLogits: Tensor
  /** [batch, time, width] */
  readonly hidden: Tensor
}

/**
 * BERT that fills in masked words.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { bertConfig, bertForMaskedLanguageModelling } from 'pullback/models'
 * const config = bertConfig({ vocabularySize: 100, width: 16, layers: 1, heads: 2 })
 * const model = bertForMaskedLanguageModelling(config)
 * const ids = tensor([[2, 40, 7, 3]], { dtype: 'int32' })
 * const { predictionLogits } = model.apply(model.init(random.key(0)), evaluation)({ ids })
 * console.log(predictionLogits.shape) // => [1, 4, 100]
 * ```
 */
export const bertForMaskedLanguageModelling = (
  config: BertConfig,
): Layer<BertForMaskedLanguageModellingParams, MaskedInput, MaskedOutput> =>
  maskedLanguageModel(body(config), config)
