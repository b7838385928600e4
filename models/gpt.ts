/**
 * GPT-2 (Radford et al. 2019): a decoder that reads from left to right and tells at each place what comes next.
 */
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
  Applied,
  EmbeddingParams,
  EncoderInput,
  EncoderLayerParams,
  Layer,
  LinearParams,
  NormParams,
} from '../nn/index.ts'
import type { GptConfig } from './config/gpt.ts'
import { asMask, lastPlaces, placesOf, rowsAt } from './input.ts'

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
 * import { evaluation } from 'pullback/nn'
 * import { gptConfig, gptModel } from 'pullback/models'
 * const model = gptModel(gptConfig({ vocabularySize: 100, width: 16, layers: 1, heads: 2, maxLength: 32 }))
 * const ids = tensor([[5, 40, 7]], { dtype: 'int32' })
 * console.log(model.apply(model.init(random.key(0)), evaluation)({ ids }).hidden.shape) // => [1, 3, 16]
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
 * import { evaluation } from 'pullback/nn'
 * import { gptConfig, gptForSequenceClassification } from 'pullback/models'
 * const sizes = { vocabularySize: 100, width: 16, layers: 1, heads: 2, maxLength: 32 }
 * const model = gptForSequenceClassification(gptConfig({ ...sizes, labels: ['no', 'yes'] }))
 * const ids = tensor([[5, 40, 7]], { dtype: 'int32' })
 * console.log(model.apply(model.init(random.key(0)), evaluation)({ ids }).logits.shape) // => [1, 2]
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
 * import { evaluation } from 'pullback/nn'
 * import { gpt, gptConfig } from 'pullback/models'
 * const model = gpt(gptConfig({ vocabularySize: 100, width: 16, layers: 2, heads: 2, maxLength: 32 }))
 * const ids = tensor([[5, 40, 7]], { dtype: 'int32' })
 * const { logits } = model.apply(model.init(random.key(0)), evaluation)({ ids })
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
