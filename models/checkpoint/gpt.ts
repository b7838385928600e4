/** GPT-2 in checkpoints. Its `Conv1D` keeps weights as ours, [in, out], and query, key and value side by side. */
import type { GptConfig, GptInput, GptOutput, GptParams } from '../gpt.ts'
import { gpt, gptCodec } from '../gpt.ts'
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
    body,
    prefix: 'transformer.',
    otherPrefix: '',
    head: { head: dense('lm_head') },
    tied: tied ? { 'lm_head.weight': 'transformer.wte.weight' } : {},
    // Causal masks, which older versions kept with the weights.
    ignored: [/(^|\.)h\.\d+\.attn\.(masked_)?bias$/],
  }),
}
