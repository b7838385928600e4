/** BART and Marian in checkpoints. */
import type { BartConfig } from '../config/bart.ts'
import { bartCodec } from '../config/bart.ts'
import type {
  BartBodyParams,
  BartClassificationOutput,
  BartForQuestionAnsweringParams,
  BartForSequenceClassificationParams,
  BartInput,
  BartOutput,
  BartParams,
  BartRead,
  BartSpanOutput,
  BartTextInput,
} from '../bart/index.ts'
import { bart, bartForQuestionAnswering, bartForSequenceClassification, bartModel } from '../bart/index.ts'
import type { MarianConfig } from '../config/marian.ts'
import { marianCodec } from '../config/marian.ts'
import type { MarianInput, MarianOutput, MarianParams } from '../marian.ts'
import { marian } from '../marian.ts'
import type { Architecture } from './architecture.ts'
import type { Names, Rules } from './name.ts'
import { dense, led, plain } from './name.ts'

/** The parts of one attention. */
const attention = (ours: string, theirs: string): Rules => ({
  [`${ours}/query`]: dense(`${theirs}.q_proj`),
  [`${ours}/key`]: dense(`${theirs}.k_proj`),
  [`${ours}/value`]: dense(`${theirs}.v_proj`),
  [`${ours}/output`]: dense(`${theirs}.out_proj`),
})

const side = (name: 'encoder' | 'decoder'): Rules => ({
  [`${name}Positions`]: plain(`${name}.embed_positions`),
  [`${name}Norm`]: plain(`${name}.layernorm_embedding`),
  ...attention(`${name}/block/*/attention`, `${name}.layers.*.self_attn`),
  [`${name}/block/*/attentionNorm`]: plain(`${name}.layers.*.self_attn_layer_norm`),
  ...attention(`${name}/block/*/crossAttention`, `${name}.layers.*.encoder_attn`),
  [`${name}/block/*/crossAttentionNorm`]: plain(`${name}.layers.*.encoder_attn_layer_norm`),
  [`${name}/block/*/feedForward/up`]: dense(`${name}.layers.*.fc1`),
  [`${name}/block/*/feedForward/down`]: dense(`${name}.layers.*.fc2`),
  [`${name}/block/*/feedForwardNorm`]: plain(`${name}.layers.*.final_layer_norm`),
})

const body: Rules = {
  embedding: plain('shared'),
  encoderEmbedding: plain('encoder.embed_tokens'),
  decoderEmbedding: plain('decoder.embed_tokens'),
  ...side('encoder'),
  ...side('decoder'),
}

/** The config's sides, as far as their names in files hang on it. */
type Sides = Pick<MarianConfig, 'shared' | 'tied'>

/** Tables that are the same as another. */
const tables = ({ shared }: Sides, prefix: string): Names['tied'] =>
  shared
    ? {
        [`${prefix}encoder.embed_tokens.weight`]: `${prefix}shared.weight`,
        [`${prefix}decoder.embed_tokens.weight`]: `${prefix}shared.weight`,
      }
    : {}

/** The library's Marian keeps a table for both even where each has its own, and does not read it. */
const unread = ({ shared }: Sides): readonly RegExp[] => (shared ? [] : [/(^|\.)shared\.weight$/])

const scores = ({ shared, tied }: Sides): Names['tied'] =>
  tied ? { 'lm_head.weight': shared ? 'model.shared.weight' : 'model.decoder.embed_tokens.weight' } : {}

/** First the scores, then the two tables. */
const untied = <C extends Sides>(config: C): C =>
  config.tied ? { ...config, tied: false } : { ...config, shared: false }

const named = (config: Sides, ignored: readonly RegExp[]): Names => ({
  body,
  prefix: 'model.',
  otherPrefix: '',
  head: { head: dense('lm_head'), logitsBias: led('final_logits_bias', 1) },
  tied: { ...tables(config, 'model.'), ...scores(config) },
  ignored: [...ignored, ...unread(config)],
})

/** Of a model that tells no words. */
const wordless = (config: Sides, prefix: string, head: Rules): Names => ({
  body,
  prefix,
  otherPrefix: prefix === '' ? 'model.' : '',
  head,
  tied: tables(config, prefix),
  ignored: unread(config),
})

/**
 * BART, and its names in files: `transformers.BartForConditionalGeneration`.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { bartConfig, BartForConditionalGeneration } from 'pullback/models'
 * const config = bartConfig({
 *   vocabularySize: 50, width: 16, encoderLayers: 1,
 *   decoderLayers: 1, encoderHeads: 2, decoderHeads: 2,
 * })
 * const model = BartForConditionalGeneration.layer(config)
 * const ids = tensor([[4, 5, 6, 1]], { dtype: 'int32' })
 * const decoderIds = tensor([[0, 7, 8]], { dtype: 'int32' })
 * const { logits } = model.apply(model.init(random.key(0)), evaluation)({ ids, decoderIds })
 * console.log(logits.shape) // => [1, 3, 50]
 * ```
 */
export const BartForConditionalGeneration: Architecture<BartConfig, BartParams, BartInput, BartOutput> = {
  name: 'BartForConditionalGeneration',
  codec: bartCodec,
  layer: bart,
  untied,
  names: (config) => named(config, []),
}

/**
 * BART without a head, and its names in files: `transformers.BartModel`.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { bartConfig, BartModel } from 'pullback/models'
 * const config = bartConfig({
 *   vocabularySize: 50, width: 16, encoderLayers: 1,
 *   decoderLayers: 1, encoderHeads: 2, decoderHeads: 2,
 * })
 * const model = BartModel.layer(config)
 * const ids = tensor([[0, 5, 6, 2]], { dtype: 'int32' })
 * console.log(model.apply(model.init(random.key(0)), evaluation)({ ids }).hidden.shape) // => [1, 4, 16]
 * ```
 */
export const BartModel: Architecture<BartConfig, BartBodyParams, BartTextInput, BartRead> = {
  name: 'BartModel',
  codec: bartCodec,
  layer: bartModel,
  untied,
  names: (config) => wordless(config, '', {}),
}

/**
 * BART that tells which of several classes a text is, and its names in files: `transformers.BartForSequenceClassification`.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { bartConfig, BartForSequenceClassification } from 'pullback/models'
 * const config = bartConfig({
 *   vocabularySize: 50, width: 16, encoderLayers: 1,
 *   decoderLayers: 1, encoderHeads: 2, decoderHeads: 2,
 * })
 * const model = BartForSequenceClassification.layer(config)
 * const ids = tensor([[0, 5, 6, 2]], { dtype: 'int32' })
 * console.log(model.apply(model.init(random.key(0)), evaluation)({ ids }).logits.shape) // => [1, 3]
 * ```
 */
export const BartForSequenceClassification: Architecture<
  BartConfig,
  BartForSequenceClassificationParams,
  BartTextInput,
  BartClassificationOutput
> = {
  name: 'BartForSequenceClassification',
  codec: bartCodec,
  layer: bartForSequenceClassification,
  untied,
  names: (config) =>
    wordless(config, 'model.', {
      transform: dense('classification_head.dense'),
      classifier: dense('classification_head.out_proj'),
    }),
}

/**
 * BART that finds answers in a text, and its names in files: `transformers.BartForQuestionAnswering`.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { bartConfig, BartForQuestionAnswering } from 'pullback/models'
 * const config = bartConfig({
 *   vocabularySize: 50, width: 16, encoderLayers: 1,
 *   decoderLayers: 1, encoderHeads: 2, decoderHeads: 2,
 * })
 * const model = BartForQuestionAnswering.layer(config)
 * const ids = tensor([[0, 5, 6, 2]], { dtype: 'int32' })
 * console.log(model.apply(model.init(random.key(0)), evaluation)({ ids }).startLogits.shape) // => [1, 4]
 * ```
 */
export const BartForQuestionAnswering: Architecture<
  BartConfig,
  BartForQuestionAnsweringParams,
  BartTextInput,
  BartSpanOutput
> = {
  name: 'BartForQuestionAnswering',
  codec: bartCodec,
  layer: bartForQuestionAnswering,
  untied,
  names: (config) => wordless(config, 'model.', { span: dense('qa_outputs') }),
}

/**
 * Marian, and its names in files: `transformers.MarianMTModel`.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { marianConfig, MarianMTModel } from 'pullback/models'
 * const config = marianConfig({
 *   vocabularySize: 50, paddingId: 0, startId: 0, width: 16, encoderLayers: 1,
 *   decoderLayers: 1, encoderHeads: 2, decoderHeads: 2,
 * })
 * const model = MarianMTModel.layer(config)
 * const ids = tensor([[4, 5, 6, 1]], { dtype: 'int32' })
 * const decoderIds = tensor([[0, 7, 8]], { dtype: 'int32' })
 * const { logits } = model.apply(model.init(random.key(0)), evaluation)({ ids, decoderIds })
 * console.log(logits.shape) // => [1, 3, 50]
 * ```
 */
export const MarianMTModel: Architecture<MarianConfig, MarianParams, MarianInput, MarianOutput> = {
  name: 'MarianMTModel',
  codec: marianCodec,
  layer: marian,
  untied,
  // Sines and cosines, which older versions kept with the weights.
  names: (config) => named(config, [/(en|de)coder\.embed_positions\.weight$/]),
}
