/** GPT-2 in checkpoints. Its `Conv1D` keeps weights as ours, [in, out], and query, key and value side by side. */
import type { GptConfig } from '../config/gpt.ts'
import { gptCodec } from '../config/gpt.ts'
import type {
  GptBodyParams,
  GptClassificationOutput,
  GptForSequenceClassificationParams,
  GptInput,
  GptOutput,
  GptParams,
  GptRead,
} from '../gpt.ts'
import { gpt, gptForSequenceClassification, gptModel } from '../gpt.ts'
import type { Architecture } from './architecture.ts'
import type { Rules } from './name.ts'
import { dense, plain, share } from './name.ts'

const body: Rules = {
  'embeddings/word': plain('wte'),
  'embeddings/position': plain('wpe'),
  'decoder/block/*/attentionNorm': plain('h.*.ln_1'),
  'decoder/block/*/attention/query': share('h.*.attn.c_attn', 0, 3),
  'decoder/block/*/attention/key': share('h.*.attn.c_attn', 1, 3),
  'decoder/block/*/attention/value': share('h.*.attn.c_attn', 2, 3),
  'decoder/block/*/attention/output': plain('h.*.attn.c_proj'),
  'decoder/block/*/feedForwardNorm': plain('h.*.ln_2'),
  'decoder/block/*/feedForward/up': plain('h.*.mlp.c_fc'),
  'decoder/block/*/feedForward/down': plain('h.*.mlp.c_proj'),
  'decoder/norm': plain('ln_f'),
}

// Causal masks, which older versions kept with the weights.
const ignored = [/(^|\.)h\.\d+\.attn\.(masked_)?bias$/]

/** What the files of all of them have; nothing is tied but scores of words. */
const family = { body, tied: {}, ignored } as const

/**
 * GPT-2, and its names in files: `transformers.GPT2LMHeadModel`.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { GPT2LMHeadModel, gptConfig } from 'pullback/models'
 * const config = gptConfig({ vocabularySize: 100, width: 16, layers: 1, heads: 2, maxLength: 32 })
 * const model = GPT2LMHeadModel.layer(config)
 * const ids = tensor([[2, 40, 7, 3]], { dtype: 'int32' })
 * const { logits } = model.apply(model.init(random.key(0)), evaluation)({ ids })
 * console.log(logits.shape) // => [1, 4, 100]
 * ```
 */
export const GPT2LMHeadModel: Architecture<GptConfig, GptParams, GptInput, GptOutput> = {
  name: 'GPT2LMHeadModel',
  codec: gptCodec,
  layer: gpt,
  untied: (config) => ({ ...config, tied: false }),
  names: ({ tied }) => ({
    ...family,
    prefix: 'transformer.',
    otherPrefix: '',
    head: { head: dense('lm_head') },
    tied: tied ? { 'lm_head.weight': 'transformer.wte.weight' } : {},
  }),
}

/**
 * GPT-2 without a head, and its names in files: `transformers.GPT2Model`.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { GPT2Model, gptConfig } from 'pullback/models'
 * const model = GPT2Model.layer(gptConfig({ vocabularySize: 100, width: 16, layers: 1, heads: 2, maxLength: 32 }))
 * const ids = tensor([[2, 40, 7, 3]], { dtype: 'int32' })
 * console.log(model.apply(model.init(random.key(0)), evaluation)({ ids }).hidden.shape) // => [1, 4, 16]
 * ```
 */
export const GPT2Model: Architecture<GptConfig, GptBodyParams, GptInput, GptRead> = {
  name: 'GPT2Model',
  codec: gptCodec,
  layer: gptModel,
  names: () => ({ ...family, prefix: '', otherPrefix: 'transformer.', head: {} }),
}

/**
 * GPT-2 that tells which of several classes a text is, and its names in files:
 * `transformers.GPT2ForSequenceClassification`.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { GPT2ForSequenceClassification, gptConfig } from 'pullback/models'
 * const config = gptConfig({ vocabularySize: 100, width: 16, layers: 1, heads: 2, maxLength: 32 })
 * const model = GPT2ForSequenceClassification.layer(config)
 * const ids = tensor([[2, 40, 7, 3]], { dtype: 'int32' })
 * console.log(model.apply(model.init(random.key(0)), evaluation)({ ids }).logits.shape) // => [1, 2]
 * ```
 */
export const GPT2ForSequenceClassification: Architecture<
  GptConfig,
  GptForSequenceClassificationParams,
  GptInput,
  GptClassificationOutput
> = {
  name: 'GPT2ForSequenceClassification',
  codec: gptCodec,
  layer: gptForSequenceClassification,
  names: () => ({ ...family, prefix: 'transformer.', otherPrefix: '', head: { classifier: dense('score') } }),
}
