/**
 * Llama (Touvron et al. 2023; Dubey et al. 2024): a decoder with rotary positions, norms without mean, gated
 * feed-forward parts, and keys and values that several heads share.
 */
import { squeeze } from '../core/index.ts'
import type { Tensor } from '../core/index.ts'
import {
  embedding,
  encoderLayer,
  linear,
  normal,
  rmsNorm,
  scanLayers,
  struct,
  tap,
  unembed,
} from '../nn/index.ts'
import type {
  Applied,
  EmbeddingParams,
  EncoderInput,
  EncoderLayerParams,
  GatedFeedForwardParams,
  Layer,
  LinearParams,
  NormParams,
  Run,
} from '../nn/index.ts'
import type { LlamaConfig } from './config/llama.ts'
import type { GptClassificationOutput, GptInput, GptOutput, GptRead } from './gpt.ts'
import { asMask, lastPlaces, rowsAt } from './input.ts'
import { ropeAmplitude, ropeScaling } from './rope/index.ts'

/** GPT's inputs: ids, and where they are. */
export type LlamaInput = GptInput
/** GPT's outputs. */
export type LlamaOutput = GptOutput

export interface LlamaLayerParams extends EncoderLayerParams {
  readonly feedForward: GatedFeedForwardParams
}

/** The parts that every Llama has. */
export interface LlamaBodyParams {
  readonly embedding: EmbeddingParams
  readonly decoder: { readonly block: readonly LlamaLayerParams[]; readonly norm: NormParams }
}

export interface LlamaParams extends LlamaBodyParams {
  /** [width, vocabulary], where scores are not taken with the words' embeddings. */
  readonly head?: LinearParams
}

const block = (config: LlamaConfig): Layer<LlamaLayerParams, EncoderInput, Tensor> => {
  const { width, heads, keyValueHeads, headWidth = width / heads, rope } = config
  // A gated part's parameters have one more.
  return encoderLayer({
    width,
    heads,
    hidden: config.hidden,
    activation: config.activation,
    gated: true,
    preNorm: true,
    norm: 'rmsNorm',
    epsilon: config.epsilon,
    bias: config.feedForwardBias,
    dropout: 0,
    attentionDropout: config.attentionDropout,
    weightInitialiser: normal(config.deviation),
    attention: {
      headWidth,
      keyValueHeads,
      bias: config.attentionBias,
      rotary: { base: rope.base, rescale: ropeScaling(rope), amplitude: ropeAmplitude(rope) },
    },
  }) as unknown as Layer<LlamaLayerParams, EncoderInput, Tensor>
}

type BodyParts = {
  readonly embedding: Layer<EmbeddingParams, Tensor, Tensor>
  readonly decoder: Layer<LlamaParams['decoder'], EncoderInput, Tensor>
}

/** The id of padding, where there is one: some files have -1 or an id beyond the table for none. */
const paddingOf = ({ paddingId, vocabularySize }: LlamaConfig): number | undefined =>
  paddingId !== undefined && paddingId >= 0 && paddingId < vocabularySize ? paddingId : undefined

const body = (config: LlamaConfig): BodyParts => {
  const { width, layers, vocabularySize, deviation, epsilon } = config
  return {
    embedding: embedding(vocabularySize, width, {
      initialiser: normal(deviation),
      paddingIndex: paddingOf(config),
    }),
    decoder: struct(
      { block: scanLayers(layers, block(config)), norm: rmsNorm(width, { epsilon }) },
      ({ block, norm }) =>
        (input: EncoderInput) =>
          norm(block({ ...input, causal: true })),
    ),
  }
}

/** [batch, time] → [batch, time, width]. */
const read =
  ({ embedding, decoder }: Applied<BodyParts>, run: Run) =>
  ({ ids, keyMask, positions }: LlamaInput): Tensor => {
    const x = embedding(ids) // [batch, time, width]
    tap(run, 'embedded', () => x)
    return decoder({ x, keyMask: asMask(keyMask), positions })
  }

/**
 * The decoder alone.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { llamaConfig, llamaModel } from 'pullback/models'
 * const model = llamaModel(llamaConfig({ vocabularySize: 100, width: 16, layers: 1, heads: 4, hidden: 40 }))
 * const ids = tensor([[5, 40, 7]], { dtype: 'int32' })
 * console.log(model.apply(model.init(random.key(0)), evaluation)({ ids }).hidden.shape) // => [1, 3, 16]
 * ```
 */
export const llamaModel = (config: LlamaConfig): Layer<LlamaBodyParams, LlamaInput, GptRead> =>
  struct(body(config), (parts, run) => (input: LlamaInput) => ({ hidden: read(parts, run)(input) }))

export interface LlamaForSequenceClassificationParams extends LlamaBodyParams {
  readonly classifier: LinearParams
}

/**
 * Llama that tells which of `config.labels` a text is, by what has become of its last token; with one label, how good
 * it is, as models of rewards do.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { llamaConfig, llamaForSequenceClassification } from 'pullback/models'
 * const sizes = { vocabularySize: 100, width: 16, layers: 1, heads: 4, hidden: 40 }
 * const model = llamaForSequenceClassification(llamaConfig({ ...sizes, labels: ['good'] }))
 * const ids = tensor([[5, 40, 7]], { dtype: 'int32' })
 * console.log(model.apply(model.init(random.key(0)), evaluation)({ ids }).logits.shape) // => [1, 1]
 * ```
 */
export const llamaForSequenceClassification = (
  config: LlamaConfig,
): Layer<LlamaForSequenceClassificationParams, LlamaInput, GptClassificationOutput> => {
  const { width, labels, deviation } = config
  const options = { bias: false, weightInitialiser: normal(deviation) }
  return struct(
    { ...body(config), classifier: linear(width, labels.length, options) },
    (parts, run) => (input: LlamaInput) => {
      const hidden = read(parts, run)(input)
      const last = lastPlaces(input.ids, { paddingId: paddingOf(config), keyMask: input.keyMask })
      return { logits: parts.classifier(squeeze(rowsAt('llama', hidden, last), 1)), hidden }
    },
  )
}

/**
 * The scores of what comes next at each place.
 *
 * @throws PullbackError when shapes do not fit.
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { llama, llamaConfig } from 'pullback/models'
 * const sizes = { vocabularySize: 100, width: 16, layers: 2, heads: 4, keyValueHeads: 2, hidden: 40 }
 * const model = llama(llamaConfig(sizes))
 * const ids = tensor([[5, 40, 7]], { dtype: 'int32' })
 * const { logits } = model.apply(model.init(random.key(0)), evaluation)({ ids })
 * console.log(logits.shape) // => [1, 3, 100]
 * ```
 */
export const llama = (config: LlamaConfig): Layer<LlamaParams, LlamaInput, LlamaOutput> => {
  const { width, vocabularySize, tied, deviation } = config
  const options = { bias: false, weightInitialiser: normal(deviation) }
  return struct(
    { ...body(config), ...(tied ? {} : { head: linear(width, vocabularySize, options) }) },
    (parts, run, { embedding }) => {
      const { head = unembed(embedding) } = parts as { readonly head?: (x: Tensor) => Tensor }
      return (input: LlamaInput) => {
        const hidden = read(parts, run)(input)
        const rows = input.predictAt === undefined ? hidden : rowsAt('llama', hidden, input.predictAt)
        return { logits: head(rows), hidden }
      }
    },
  )
}
