/**
 * BERT (Devlin et al. 2018): an encoder that reads in both directions, pretrained by filling in masked words and by
 * telling whether one passage follows another. Parameters of all its kinds share the names of the parts they share,
 * so that what was pretrained is taken over part by part.
 */
import * as t from 'io-ts'
import { add, tanh, zeros } from '../core/index.ts'
import type { Tensor } from '../core/index.ts'
import {
  activationOf,
  dropout,
  embedding,
  encoder,
  layerNorm,
  linear,
  parameter,
  struct,
  tap,
  truncatedNormal,
  unembed,
  zeroInitialiser,
} from '../nn/index.ts'
import type {
  ActivationName,
  Applied,
  EmbeddingParams,
  EncoderInput,
  EncoderParams,
  Layer,
  LinearOptions,
  LinearParams,
  NormParams,
} from '../nn/index.ts'
import type { ConfigFile } from './config.ts'
import {
  activationName,
  configCodec,
  field,
  labelsField,
  makeConfig,
  natural,
  optionalField,
  rate,
  real,
  refined,
  size,
  unsupported,
} from './config.ts'
import { asMask, firstRow, placesOf, rowsAt } from './input.ts'

export interface BertConfig {
  readonly vocabularySize: number
  readonly width: number
  readonly layers: number
  readonly heads: number
  /** The width inside the feed-forward parts. */
  readonly hidden: number
  readonly activation: ActivationName
  readonly dropout: number
  readonly attentionDropout: number
  /** In front of a classifier; `dropout` where undefined. */
  readonly classifierDropout: number | undefined
  /** The longest sequence: how many positions have an embedding. */
  readonly maxLength: number
  /** How many kinds of passage there are: 2 for pairs. */
  readonly tokenTypes: number
  /** The standard deviation of initial weights. */
  readonly deviation: number
  /** Added to variances in layer norms. */
  readonly epsilon: number
  /** The id of padding, whose embedding is not trained by being read. */
  readonly paddingId: number
  /** Whether scores of words are taken with the words' embeddings. */
  readonly tied: boolean
  /** The names of a classifier's classes. */
  readonly labels: readonly string[]
  readonly extra: Readonly<Record<string, unknown>>
}

/** The config.json of a BERT. */
export const bertCodec: t.Type<BertConfig, ConfigFile, unknown> = refined(
  configCodec('bert', {
    vocabularySize: field('vocab_size', size, 30522),
    width: field('hidden_size', size, 768),
    layers: field('num_hidden_layers', size, 12),
    heads: field('num_attention_heads', size, 12),
    hidden: field('intermediate_size', size, 3072),
    activation: field('hidden_act', activationName, 'gelu'),
    dropout: field('hidden_dropout_prob', rate, 0.1),
    attentionDropout: field('attention_probs_dropout_prob', rate, 0.1),
    classifierDropout: optionalField('classifier_dropout', rate),
    maxLength: field('max_position_embeddings', size, 512),
    tokenTypes: field('type_vocab_size', size, 2),
    deviation: field('initializer_range', real, 0.02),
    epsilon: field('layer_norm_eps', real, 1e-12),
    paddingId: field('pad_token_id', natural, 0),
    tied: field('tie_word_embeddings', t.boolean, true),
    labels: labelsField,
  }),
  ({ width, heads, paddingId, vocabularySize, extra }) => [
    ...unsupported(extra, { position_embedding_type: 'absolute', is_decoder: false }),
    ...(width % heads === 0 ? [] : [`hidden_size ${width} cannot be split into ${heads} heads`]),
    ...(paddingId < vocabularySize ? [] : [`pad_token_id ${paddingId} is none of ${vocabularySize} ids`]),
  ],
)

/**
 * A config by its sizes; what is not given is as in BERT base, `hidden` four times the width.
 *
 * @throws PullbackError when an entry is impossible.
 * @example
 * ```ts
 * const config = bertConfig({ vocabularySize: 4096, width: 128, layers: 2, heads: 2 })
 * console.log(config.hidden, config.maxLength, config.activation) // => 512 512 gelu
 * ```
 */
export const bertConfig = (entries: Partial<BertConfig> = {}): BertConfig =>
  makeConfig(bertCodec, { ...(entries.width === undefined ? {} : { hidden: 4 * entries.width }), ...entries })

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

export interface MaskedInput extends BertInput {
  /**
   * int32 [batch, predictions]: the places whose words are asked for; all where left out. In pretraining few are
   * asked for, and scores of a whole vocabulary cost more than the rest of a small model.
   */
  readonly predictAt?: Tensor | undefined
}

export interface BertEmbeddingsParams {
  readonly word: EmbeddingParams
  readonly position: EmbeddingParams
  readonly tokenType: EmbeddingParams
  readonly norm: NormParams
}

/** The parts that every BERT has. */
export interface BertBodyParams {
  readonly embeddings: BertEmbeddingsParams
  readonly encoder: EncoderParams
}

export interface BertParams extends BertBodyParams {
  readonly pooler: LinearParams
}

export interface BertOutput {
  /** [batch, time, width] */
  readonly hidden: Tensor
  /** What stands for the whole: the first token's, [batch, width]. */
  readonly pooled: Tensor
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

const initialisers = ({ deviation }: BertConfig): Required<Omit<LinearOptions, 'bias'>> => ({
  weightInitialiser: truncatedNormal(deviation),
  biasInitialiser: zeroInitialiser,
})

/** Words, their positions and their passages, added up: [batch, time] → [batch, time, width]. */
const embeddings = (config: BertConfig): Layer<BertEmbeddingsParams, BertInput, Tensor> => {
  const { vocabularySize, width, maxLength, tokenTypes, paddingId, epsilon } = config
  const initialiser = truncatedNormal(config.deviation)
  return struct(
    {
      word: embedding(vocabularySize, width, { initialiser, paddingIndex: paddingId }),
      position: embedding(maxLength, width, { initialiser }),
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

interface BodyParts {
  readonly embeddings: Layer<BertEmbeddingsParams, BertInput, Tensor>
  readonly encoder: Layer<EncoderParams, EncoderInput, Tensor>
}

const body = (config: BertConfig): BodyParts => ({
  embeddings: embeddings(config),
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
const read =
  ({ embeddings, encoder }: Applied<{ [N in keyof BodyParts]: BodyParts[N] }>) =>
  (input: BertInput): Tensor =>
    encoder({ x: embeddings(input), keyMask: asMask(input.keyMask) })

/** The first token's row through a layer and tanh: [batch, time, width] → [batch, width]. */
const pooler = (config: BertConfig): Layer<LinearParams, Tensor, Tensor> => {
  const dense = linear(config.width, config.width, initialisers(config))
  return {
    init: dense.init,
    apply: (params, run) => {
      const project = dense.apply(params, run)
      return (hidden) => tanh(project(firstRow(hidden)))
    },
  }
}

/** Hidden rows and the words' embeddings to scores of words: [..., width] → [..., vocabulary]. */
const predictions = (
  config: BertConfig,
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

/**
 * The encoder alone, and its summary of the whole.
 *
 * @throws PullbackError when a sequence is longer than the model's positions, or shapes do not fit.
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * const model = bert(bertConfig({ vocabularySize: 100, width: 16, layers: 2, heads: 2, hidden: 32 }))
 * const params = model.init(random.key(0))
 * const ids = tensor([[2, 40, 7, 3]], { dtype: 'int32' })
 * const { hidden, pooled } = model.apply(params, { mode: 'eval' })({ ids })
 * console.log(hidden.shape, pooled.shape) // => [1, 4, 16] [1, 16]
 * ```
 */
export const bert = (config: BertConfig): Layer<BertParams, BertInput, BertOutput> =>
  struct({ ...body(config), pooler: pooler(config) }, (parts) => (input: BertInput) => {
    const hidden = read(parts)(input)
    return { hidden, pooled: parts.pooler(hidden) }
  })

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

/** BERT as it is pretrained: masked language modelling and next-sentence prediction (3.1). */
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

export interface BertForMaskedLanguageModellingParams extends BertBodyParams {
  readonly predictions: PredictionParams
}

export interface MaskedOutput {
  /** [batch, time, vocabulary], or [batch, predictions, vocabulary] */
  readonly predictionLogits: Tensor
  /** [batch, time, width] */
  readonly hidden: Tensor
}

/** BERT that fills in masked words. */
export const bertForMaskedLanguageModelling = (
  config: BertConfig,
): Layer<BertForMaskedLanguageModellingParams, MaskedInput, MaskedOutput> =>
  struct(
    { ...body(config), predictions: predictions(config) },
    (parts, _, { embeddings }) =>
      (input: MaskedInput) => {
        const hidden = read(parts)(input)
        return {
          predictionLogits: parts.predictions({ rows: asked(hidden, input), words: embeddings.word }),
          hidden,
        }
      },
  )

export interface BertForSequenceClassificationParams extends BertParams {
  readonly classifier: LinearParams
}

export interface ClassificationOutput extends BertOutput {
  /** [batch, classes] */
  readonly logits: Tensor
}

/** BERT that tells which of `config.labels` a text is (4.1); with one label, a regression. */
export const bertForSequenceClassification = (
  config: BertConfig,
): Layer<BertForSequenceClassificationParams, BertInput, ClassificationOutput> =>
  struct(
    {
      ...body(config),
      pooler: pooler(config),
      dropout: dropout(config.classifierDropout ?? config.dropout),
      classifier: linear(config.width, config.labels.length, initialisers(config)),
    },
    (parts) => (input: BertInput) => {
      const hidden = read(parts)(input)
      const pooled = parts.pooler(hidden)
      return { logits: parts.classifier(parts.dropout(pooled)), hidden, pooled }
    },
  )
