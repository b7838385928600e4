/**
 * GPT-2 (Radford et al. 2019): a decoder that reads from left to right and tells at each place what comes next.
 */
import * as t from 'io-ts'
import { add, squeeze } from '../core/index.ts'
import type { Tensor } from '../core/index.ts'
import {
  dropout,
  embedding,
  encoderLayer,
  layerNorm,
  linear,
  normal,
  scanLayers,
  struct,
  tap,
  unembed,
  zeroInitialiser,
} from '../nn/index.ts'
import type {
  ActivationName,
  Applied,
  EmbeddingParams,
  EncoderInput,
  EncoderLayerParams,
  Layer,
  LinearParams,
  NormParams,
} from '../nn/index.ts'
import type { ConfigFile } from './config.ts'
import {
  activationName,
  configCodec,
  depth,
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
import { asMask, lastPlaces, placesOf, rowsAt } from './input.ts'

export interface GptConfig {
  readonly vocabularySize: number
  readonly width: number
  readonly layers: number
  readonly heads: number
  /** The width inside the feed-forward parts; four times the width where undefined. */
  readonly hidden: number | undefined
  readonly activation: ActivationName
  readonly dropout: number
  readonly embeddingDropout: number
  readonly attentionDropout: number
  /** The longest sequence: how many positions have an embedding. */
  readonly maxLength: number
  /** The standard deviation of initial weights. */
  readonly deviation: number
  /** Added to variances in layer norms. */
  readonly epsilon: number
  /** Whether scores are divided by √headWidth. */
  readonly scaled: boolean
  /** Whether the scores of block i are also divided by i + 1. */
  readonly scaledByDepth: boolean
  /** Whether scores of words are taken with the words' embeddings. */
  readonly tied: boolean
  /** The id that texts begin with. */
  readonly startId: number | undefined
  /** The id that ends a text. */
  readonly endId: number | undefined
  /** The id of padding, by which a classifier finds the last token. */
  readonly paddingId: number | undefined
  /** The names of a classifier's classes. */
  readonly labels: readonly string[]
  readonly extra: Readonly<Record<string, unknown>>
}

/**
 * The config.json of a GPT-2.
 *
 * @example
 * ```ts
 * import { decodeConfig, gptCodec } from 'pullback/models'
 * const config = decodeConfig(gptCodec, { n_embd: 64, n_head: 2 })
 * console.log(config._tag === 'Right' && config.right.width) // => 64
 * ```
 */
export const gptCodec: t.Type<GptConfig, ConfigFile, unknown> = refined(
  configCodec('gpt2', {
    vocabularySize: field('vocab_size', size, 50257),
    width: field('n_embd', size, 768, ['hidden_size']),
    layers: field('n_layer', depth, 12, ['num_hidden_layers']),
    heads: field('n_head', size, 12, ['num_attention_heads']),
    hidden: optionalField('n_inner', size),
    activation: field('activation_function', activationName, 'geluTanh'),
    dropout: field('resid_pdrop', rate, 0.1),
    embeddingDropout: field('embd_pdrop', rate, 0.1),
    attentionDropout: field('attn_pdrop', rate, 0.1),
    maxLength: field('n_positions', size, 1024, ['max_position_embeddings', 'n_ctx']),
    deviation: field('initializer_range', real, 0.02),
    epsilon: field('layer_norm_epsilon', real, 1e-5),
    scaled: field('scale_attn_weights', t.boolean, true),
    scaledByDepth: field('scale_attn_by_inverse_layer_idx', t.boolean, false),
    tied: field('tie_word_embeddings', t.boolean, true),
    startId: optionalField('bos_token_id', natural),
    endId: optionalField('eos_token_id', natural),
    paddingId: optionalField('pad_token_id', natural),
    labels: labelsField,
  }),
  ({ width, heads, extra }) => [
    ...unsupported(extra, { add_cross_attention: false }),
    ...(width % heads === 0 ? [] : [`n_embd ${width} cannot be split into ${heads} heads`]),
  ],
)

/**
 * A config by its sizes; what is not given is as in the small GPT-2.
 *
 * @throws PullbackError when an entry is impossible.
 * @example
 * ```ts
 * const config = gptConfig({ vocabularySize: 512, width: 64, layers: 2, heads: 4, maxLength: 128 })
 * console.log(config.activation, config.tied) // => geluTanh true
 * ```
 */
export const gptConfig = (entries: Partial<GptConfig> = {}): GptConfig => makeConfig(gptCodec, entries)

export interface GptInput {
  /** int32 [batch, time] */
  readonly ids: Tensor
  /** bool (or integers, 0 = no) [batch, time]: which tokens are real; all where left out. */
  readonly keyMask?: Tensor | undefined
  /** int32 [time] or [batch, time]; 0 … time - 1 where left out. */
  readonly positions?: Tensor | undefined
  /** int32 [batch, predictions]: the places whose next words are asked for; all where left out. */
  readonly predictAt?: Tensor | undefined
}

/** The parts that every GPT has. */
export interface GptBodyParams {
  readonly embeddings: { readonly word: EmbeddingParams; readonly position: EmbeddingParams }
  readonly decoder: { readonly block: readonly EncoderLayerParams[]; readonly norm: NormParams }
}

export interface GptParams extends GptBodyParams {
  /** [width, vocabulary], where scores are not taken with the words' embeddings. */
  readonly head?: LinearParams
}

export interface GptOutput {
  /** [batch, time, vocabulary], or [batch, predictions, vocabulary] */
  readonly logits: Tensor
  /** After the final norm: [batch, time, width]. */
  readonly hidden: Tensor
}

/** What has become of each token: [batch, time, width], after the final norm. */
export interface GptRead {
  readonly hidden: Tensor
}

/** Words and their positions, added up: [batch, time] → [batch, time, width]. */
const embeddings = (config: GptConfig): Layer<GptParams['embeddings'], GptInput, Tensor> => {
  const { vocabularySize, width, maxLength } = config
  const initialiser = normal(config.deviation)
  return struct(
    {
      word: embedding(vocabularySize, width, { initialiser }),
      position: embedding(maxLength, width, { initialiser }),
      dropout: dropout(config.embeddingDropout),
    },
    (parts, run) => (input: GptInput) => {
      const places = parts.position(placesOf('gpt', input, maxLength, run)) // [time, width] or [batch, time, width]
      const output = parts.dropout(add(parts.word(input.ids), places)) // [batch, time, width]
      tap(run, 'output', () => output)
      return output
    },
  )
}

/** Block i; all are alike where scores are not scaled by depth. */
const block =
  (config: GptConfig) =>
  (i: number): Layer<EncoderLayerParams, EncoderInput, Tensor> => {
    const { width, heads, layers, hidden = 4 * width, deviation } = config
    const scale = (config.scaled ? 1 / Math.sqrt(width / heads) : 1) / (config.scaledByDepth ? i + 1 : 1)
    return encoderLayer({
      width,
      heads,
      hidden,
      activation: config.activation,
      preNorm: true,
      epsilon: config.epsilon,
      dropout: config.dropout,
      attentionDropout: config.attentionDropout,
      hiddenDropout: 0,
      weightInitialiser: normal(deviation),
      // 2.3: two outputs of each layer add up in the residual stream.
      residualInitialiser: normal(deviation / Math.sqrt(2 * layers)),
      biasInitialiser: zeroInitialiser,
      attention: { scale },
    })
  }

const decoder = (config: GptConfig): Layer<GptParams['decoder'], EncoderInput, Tensor> =>
  struct(
    {
      block: scanLayers(config.layers, block(config)),
      norm: layerNorm(config.width, { epsilon: config.epsilon }),
    },
    ({ block, norm }) =>
      (input: EncoderInput) =>
        norm(block({ ...input, causal: true })),
  )

type BodyParts = {
  readonly embeddings: Layer<GptParams['embeddings'], GptInput, Tensor>
  readonly decoder: Layer<GptParams['decoder'], EncoderInput, Tensor>
}

const body = (config: GptConfig): BodyParts => ({ embeddings: embeddings(config), decoder: decoder(config) })

/** [batch, time] → [batch, time, width]. */
const read =
  ({ embeddings, decoder }: Applied<BodyParts>) =>
  (input: GptInput): Tensor =>
    decoder({ x: embeddings(input), keyMask: asMask(input.keyMask) })

/**
 * The decoder alone.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { gptConfig, gptModel } from 'pullback/models'
 * const model = gptModel(gptConfig({ vocabularySize: 100, width: 16, layers: 1, heads: 2, maxLength: 32 }))
 * const ids = tensor([[5, 40, 7]], { dtype: 'int32' })
 * console.log(model.apply(model.init(random.key(0)), { mode: 'eval' })({ ids }).hidden.shape) // => [1, 3, 16]
 * ```
 */
export const gptModel = (config: GptConfig): Layer<GptBodyParams, GptInput, GptRead> =>
  struct(body(config), (parts) => (input: GptInput) => ({ hidden: read(parts)(input) }))

export interface GptForSequenceClassificationParams extends GptBodyParams {
  readonly classifier: LinearParams
}

export interface GptClassificationOutput extends GptRead {
  /** [batch, classes] */
  readonly logits: Tensor
}

/**
 * GPT-2 that tells which of `config.labels` a text is, by what has become of its last token.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { gptConfig, gptForSequenceClassification } from 'pullback/models'
 * const sizes = { vocabularySize: 100, width: 16, layers: 1, heads: 2, maxLength: 32 }
 * const model = gptForSequenceClassification(gptConfig({ ...sizes, labels: ['no', 'yes'] }))
 * const ids = tensor([[5, 40, 7]], { dtype: 'int32' })
 * console.log(model.apply(model.init(random.key(0)), { mode: 'eval' })({ ids }).logits.shape) // => [1, 2]
 * ```
 */
export const gptForSequenceClassification = (
  config: GptConfig,
): Layer<GptForSequenceClassificationParams, GptInput, GptClassificationOutput> => {
  const { width, labels, paddingId, deviation } = config
  const options = { bias: false, weightInitialiser: normal(deviation) }
  return struct(
    { ...body(config), classifier: linear(width, labels.length, options) },
    (parts) => (input: GptInput) => {
      const hidden = read(parts)(input)
      const last = lastPlaces(input.ids, { paddingId, keyMask: input.keyMask })
      return { logits: parts.classifier(squeeze(rowsAt('gpt', hidden, last), 1)), hidden }
    },
  )
}

/**
 * The scores of what comes next at each place.
 *
 * @throws PullbackError when a sequence is longer than the model's positions, or shapes do not fit.
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * const model = gpt(gptConfig({ vocabularySize: 100, width: 16, layers: 2, heads: 2, maxLength: 32 }))
 * const ids = tensor([[5, 40, 7]], { dtype: 'int32' })
 * const { logits } = model.apply(model.init(random.key(0)), { mode: 'eval' })({ ids })
 * console.log(logits.shape) // => [1, 3, 100]
 * ```
 */
export const gpt = (config: GptConfig): Layer<GptParams, GptInput, GptOutput> => {
  const { width, vocabularySize, tied, deviation } = config
  const options = { bias: false, weightInitialiser: normal(deviation) }
  return struct(
    {
      ...body(config),
      ...(tied ? {} : { head: linear(width, vocabularySize, options) }),
    },
    (parts, _, { embeddings }) => {
      const { head = unembed(embeddings.word) } = parts as { readonly head?: (x: Tensor) => Tensor }
      return (input: GptInput) => {
        const hidden = read(parts)(input)
        const rows = input.predictAt === undefined ? hidden : rowsAt('gpt', hidden, input.predictAt)
        return { logits: head(rows), hidden }
      }
    },
  )
}
