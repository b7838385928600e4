/** CLIP in checkpoints. */
import type { ClipConfig, ClipInput, ClipOutput, ClipParams } from '../clip.ts'
import { clip, clipCodec } from '../clip.ts'
import type { Architecture } from './architecture.ts'
import type { Rules } from './name.ts'
import { convolution, dense, plain } from './name.ts'

/** The blocks of one tower. */
const tower = (ours: string, theirs: string): Rules => ({
  [`${ours}/encoder/block/*/attentionNorm`]: plain(`${theirs}.encoder.layers.*.layer_norm1`),
  [`${ours}/encoder/block/*/attention/query`]: dense(`${theirs}.encoder.layers.*.self_attn.q_proj`),
  [`${ours}/encoder/block/*/attention/key`]: dense(`${theirs}.encoder.layers.*.self_attn.k_proj`),
  [`${ours}/encoder/block/*/attention/value`]: dense(`${theirs}.encoder.layers.*.self_attn.v_proj`),
  [`${ours}/encoder/block/*/attention/output`]: dense(`${theirs}.encoder.layers.*.self_attn.out_proj`),
  [`${ours}/encoder/block/*/feedForwardNorm`]: plain(`${theirs}.encoder.layers.*.layer_norm2`),
  [`${ours}/encoder/block/*/feedForward/up`]: dense(`${theirs}.encoder.layers.*.mlp.fc1`),
  [`${ours}/encoder/block/*/feedForward/down`]: dense(`${theirs}.encoder.layers.*.mlp.fc2`),
})

/**
 * CLIP, and its names in files: `transformers.CLIPModel`.
 *
 * @example
 * ```ts
 * import { random, tensor, zeros } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { clipConfig, CLIPModel } from 'pullback/models'
 * const config = clipConfig({
 *   text: { vocabularySize: 50, width: 16, layers: 1, heads: 2, maxLength: 8, endId: 49 },
 *   vision: { width: 16, layers: 1, heads: 2, imageSize: 8, patchSize: 4 },
 *   projectionWidth: 8,
 * })
 * const ids = tensor([[1, 7, 49], [1, 9, 49]], { dtype: 'int32' })
 * const model = CLIPModel.layer(config)
 * const input = { ids, pixels: zeros([3, 3, 8, 8]) }
 * console.log(model.apply(model.init(random.key(0)), evaluation)(input).logitsPerImage.shape) // => [3, 2]
 * ```
 */
export const CLIPModel: Architecture<ClipConfig, ClipParams, ClipInput, ClipOutput> = {
  name: 'CLIPModel',
  codec: clipCodec,
  layer: clip,
  names: ({ vision: { channels, patchSize } }) => ({
    body: {
      'text/embeddings/word': plain('text_model.embeddings.token_embedding'),
      'text/embeddings/position': plain('text_model.embeddings.position_embedding'),
      ...tower('text', 'text_model'),
      'text/norm': plain('text_model.final_layer_norm'),
      'vision/embeddings/patch': convolution('vision_model.embeddings.patch_embedding', [
        channels,
        patchSize,
        patchSize,
      ]),
      'vision/embeddings/whole': plain('vision_model.embeddings.class_embedding'),
      'vision/embeddings/position': plain('vision_model.embeddings.position_embedding'),
      // So it is spelt.
      'vision/firstNorm': plain('vision_model.pre_layrnorm'),
      ...tower('vision', 'vision_model'),
      'vision/norm': plain('vision_model.post_layernorm'),
      textProjection: dense('text_projection'),
      visionProjection: dense('visual_projection'),
      logitScale: plain('logit_scale'),
    },
    prefix: '',
    otherPrefix: '',
    head: {},
    tied: {},
    ignored: [/embeddings\.position_ids$/],
  }),
}
