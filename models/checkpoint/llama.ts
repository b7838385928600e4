/** Llama in checkpoints. */
import type { GptClassificationOutput, GptRead } from '../gpt.ts'
import type { LlamaConfig } from '../config/llama.ts'
import { llamaCodec } from '../config/llama.ts'
import type {
  LlamaBodyParams,
  LlamaForSequenceClassificationParams,
  LlamaInput,
  LlamaOutput,
  LlamaParams,
} from '../llama.ts'
import { llama, llamaForSequenceClassification, llamaModel } from '../llama.ts'
import type { Architecture } from './architecture.ts'
import type { Rules } from './name.ts'
import { dense, plain } from './name.ts'

const body: Rules = {
  embedding: plain('embed_tokens'),
  'decoder/block/*/attentionNorm': plain('layers.*.input_layernorm'),
  'decoder/block/*/attention/query': dense('layers.*.self_attn.q_proj'),
  'decoder/block/*/attention/key': dense('layers.*.self_attn.k_proj'),
  'decoder/block/*/attention/value': dense('layers.*.self_attn.v_proj'),
  'decoder/block/*/attention/output': dense('layers.*.self_attn.o_proj'),
  'decoder/block/*/feedForwardNorm': plain('layers.*.post_attention_layernorm'),
  'decoder/block/*/feedForward/gate': dense('layers.*.mlp.gate_proj'),
  'decoder/block/*/feedForward/up': dense('layers.*.mlp.up_proj'),
  'decoder/block/*/feedForward/down': dense('layers.*.mlp.down_proj'),
  'decoder/norm': plain('norm'),
}

const ignored = [/rotary_emb\.inv_freq$/]

/** What the files of all of them have; nothing is tied but scores of words. */
const family = { body, tied: {}, ignored } as const

/**
 * Llama, and its names in files: `transformers.LlamaForCausalLM`.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { llamaConfig, LlamaForCausalLM } from 'pullback/models'
 * const config = llamaConfig({ vocabularySize: 100, width: 16, layers: 1, heads: 2, hidden: 32 })
 * const model = LlamaForCausalLM.layer(config)
 * const ids = tensor([[2, 40, 7, 3]], { dtype: 'int32' })
 * const { logits } = model.apply(model.init(random.key(0)), evaluation)({ ids })
 * console.log(logits.shape) // => [1, 4, 100]
 * ```
 */
export const LlamaForCausalLM: Architecture<LlamaConfig, LlamaParams, LlamaInput, LlamaOutput> = {
  name: 'LlamaForCausalLM',
  codec: llamaCodec,
  layer: llama,
  untied: (config) => ({ ...config, tied: false }),
  names: ({ tied }) => ({
    ...family,
    prefix: 'model.',
    otherPrefix: '',
    head: { head: dense('lm_head') },
    tied: tied ? { 'lm_head.weight': 'model.embed_tokens.weight' } : {},
  }),
}

/**
 * Llama without a head, and its names in files: `transformers.LlamaModel`.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { llamaConfig, LlamaModel } from 'pullback/models'
 * const model = LlamaModel.layer(llamaConfig({ vocabularySize: 100, width: 16, layers: 1, heads: 2, hidden: 32 }))
 * const ids = tensor([[2, 40, 7, 3]], { dtype: 'int32' })
 * console.log(model.apply(model.init(random.key(0)), evaluation)({ ids }).hidden.shape) // => [1, 4, 16]
 * ```
 */
export const LlamaModel: Architecture<LlamaConfig, LlamaBodyParams, LlamaInput, GptRead> = {
  name: 'LlamaModel',
  codec: llamaCodec,
  layer: llamaModel,
  names: () => ({ ...family, prefix: '', otherPrefix: 'model.', head: {} }),
}

/**
 * Llama that tells which of several classes a text is, and its names in files:
 * `transformers.LlamaForSequenceClassification`.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { llamaConfig, LlamaForSequenceClassification } from 'pullback/models'
 * const config = llamaConfig({ vocabularySize: 100, width: 16, layers: 1, heads: 2, hidden: 32 })
 * const model = LlamaForSequenceClassification.layer(config)
 * const ids = tensor([[2, 40, 7, 3]], { dtype: 'int32' })
 * console.log(model.apply(model.init(random.key(0)), evaluation)({ ids }).logits.shape) // => [1, 2]
 * ```
 */
export const LlamaForSequenceClassification: Architecture<
  LlamaConfig,
  LlamaForSequenceClassificationParams,
  LlamaInput,
  GptClassificationOutput
> = {
  name: 'LlamaForSequenceClassification',
  codec: llamaCodec,
  layer: llamaForSequenceClassification,
  names: () => ({ ...family, prefix: 'model.', otherPrefix: '', head: { classifier: dense('score') } }),
}
