/**
 * Llama (Touvron et al. 2023; Dubey et al. 2024): a decoder with rotary positions, norms without mean, gated
 * feed-forward parts, and keys and values that several heads share.
 */
import * as t from 'io-ts'
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
  ActivationName,
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
import type { ConfigFile } from './config.ts'
import {
  activationName,
  configCodec,
  depth,
  field,
  labelsField,
  makeConfig,
  natural,
  numberOf,
  optionalField,
  prepared,
  rate,
  real,
  refined,
  size,
  unsupported,
} from './config.ts'
import type { GptClassificationOutput, GptInput, GptOutput, GptRead } from './gpt.ts'
import { asMask, lastPlaces, rowsAt } from './input.ts'
import type { Rope } from './rope/index.ts'
import { defaultRope, oneRope, ropeAmplitude, ropeCodec, ropeScaling } from './rope/index.ts'

export interface LlamaConfig {
  readonly vocabularySize: number
  readonly width: number
  readonly layers: number
  readonly heads: number
  /** How many heads keys and values have; `heads` where undefined. */
  readonly keyValueHeads: number | undefined
  /** The width of each head; width / heads where undefined. */
  readonly headWidth: number | undefined
  /** The width inside the feed-forward parts. */
  readonly hidden: number
  readonly activation: ActivationName
  readonly attentionDropout: number
  readonly attentionBias: boolean
  readonly feedForwardBias: boolean
  readonly maxLength: number
  readonly rope: Rope
  /** The standard deviation of initial weights. */
  readonly deviation: number
  /** Added to mean squares in norms. */
  readonly epsilon: number
  /** Whether scores of words are taken with the words' embeddings. */
  readonly tied: boolean
  readonly startId: number | undefined
  readonly endId: number | readonly number[] | undefined
  /** The id of padding, whose embedding is not trained by being read. */
  readonly paddingId: number | undefined
  /** The names of a classifier's classes. */
  readonly labels: readonly string[]
  readonly extra: Readonly<Record<string, unknown>>
}

/** An id; below 0, none. */
const idOrNone: t.Type<number, unknown> = numberOf('an integer', Number.isInteger)

/** One id, or several of which each will do. */
const naturals: t.Type<number | readonly number[], unknown> = t.union([natural, t.readonlyArray(natural)])

/**
 * The config.json of a Llama.
 *
 * @example
 * ```ts
 * import { decodeConfig, llamaCodec } from 'pullback/models'
 * const config = decodeConfig(llamaCodec, { hidden_size: 64, num_attention_heads: 2 })
 * console.log(config._tag === 'Right' && config.right.width) // => 64
 * ```
 */
export const llamaCodec: t.Type<LlamaConfig, ConfigFile, unknown> = refined(
  prepared(
    oneRope,
    configCodec('llama', {
      vocabularySize: field('vocab_size', size, 32000),
      width: field('hidden_size', size, 4096),
      layers: field('num_hidden_layers', depth, 32),
      heads: field('num_attention_heads', size, 32),
      keyValueHeads: optionalField('num_key_value_heads', size),
      headWidth: optionalField('head_dim', size),
      hidden: field('intermediate_size', size, 11008),
      activation: field('hidden_act', activationName, 'silu'),
      attentionDropout: field('attention_dropout', rate, 0),
      attentionBias: field('attention_bias', t.boolean, false),
      feedForwardBias: field('mlp_bias', t.boolean, false),
      maxLength: field('max_position_embeddings', size, 2048),
      rope: field('rope_parameters', ropeCodec, defaultRope),
      deviation: field('initializer_range', real, 0.02),
      epsilon: field('rms_norm_eps', real, 1e-6),
      tied: field('tie_word_embeddings', t.boolean, false),
      startId: optionalField('bos_token_id', natural),
      endId: optionalField('eos_token_id', naturals),
      paddingId: optionalField('pad_token_id', idOrNone),
      labels: labelsField,
    }),
  ),
  ({ width, heads, keyValueHeads = heads, headWidth = width / heads, rope, extra }) => [
    ...unsupported(extra, { pretraining_tp: 1, partial_rotary_factor: 1 }),
    ...(Number.isInteger(headWidth) ? [] : [`hidden_size ${width} cannot be split into ${heads} heads`]),
    ...(headWidth % 2 === 0 ? [] : [`heads of width ${headWidth} cannot be turned by pairs`]),
    ...[rope.shortFactors, rope.longFactors].flatMap((factors) =>
      factors === undefined || factors.length === headWidth / 2
        ? []
        : [`${factors.length} factors cannot divide the turns of ${headWidth / 2} pairs of a head`],
    ),
    ...(heads % keyValueHeads === 0 ? [] : [`${keyValueHeads} key heads cannot serve ${heads} heads`]),
  ],
)

/**
 * A config by its sizes; what is not given is as in Llama 7B.
 *
 * @throws PullbackError when an entry is impossible.
 * @example
 * ```ts
 * const config = llamaConfig({ vocabularySize: 512, width: 64, layers: 2, heads: 4, keyValueHeads: 2, hidden: 160 })
 * console.log(config.rope.base, config.tied) // => 10000 false
 * ```
 */
export const llamaConfig = (entries: Partial<LlamaConfig> = {}): LlamaConfig => {
  const config = makeConfig(llamaCodec, entries)
  const { rope, maxLength } = config
  return rope.kind === 'dynamic' ? { ...config, rope: { ...rope, originalLength: maxLength } } : config
}

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
 * import { llamaConfig, llamaModel } from 'pullback/models'
 * const model = llamaModel(llamaConfig({ vocabularySize: 100, width: 16, layers: 1, heads: 4, hidden: 40 }))
 * const ids = tensor([[5, 40, 7]], { dtype: 'int32' })
 * console.log(model.apply(model.init(random.key(0)), { mode: 'eval' })({ ids }).hidden.shape) // => [1, 3, 16]
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
 * import { llamaConfig, llamaForSequenceClassification } from 'pullback/models'
 * const sizes = { vocabularySize: 100, width: 16, layers: 1, heads: 4, hidden: 40 }
 * const model = llamaForSequenceClassification(llamaConfig({ ...sizes, labels: ['good'] }))
 * const ids = tensor([[5, 40, 7]], { dtype: 'int32' })
 * console.log(model.apply(model.init(random.key(0)), { mode: 'eval' })({ ids }).logits.shape) // => [1, 1]
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
 * const sizes = { vocabularySize: 100, width: 16, layers: 2, heads: 4, keyValueHeads: 2, hidden: 40 }
 * const model = llama(llamaConfig(sizes))
 * const ids = tensor([[5, 40, 7]], { dtype: 'int32' })
 * const { logits } = model.apply(model.init(random.key(0)), { mode: 'eval' })({ ids })
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
