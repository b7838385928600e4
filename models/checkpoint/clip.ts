/** CLIP in checkpoints. */
import type {
  ClipConfig,
  ClipTextModelConfig,
  ClipVisionConfig,
  ClipVisionModelConfig,
} from '../config/clip.ts'
import { clipCodec, clipTextCodec, clipVisionCodec } from '../config/clip.ts'
import type {
  ClipInput,
  ClipOutput,
  ClipParams,
  ClipTextInput,
  ClipVisionInput,
  TowerOutput,
} from '../clip.ts'
import { clip } from '../clip.ts'
import type { Architecture } from './architecture.ts'
import type { Names, Rules } from './name.ts'
import { convolution, dense, plain } from './name.ts'
import type {
  ClipTextModelParams,
  ClipTextModelWithProjectionParams,
  ClipVisionModelParams,
  ClipVisionModelWithProjectionParams,
  ProjectedOutput,
} from '../tower.ts'
import {
  clipTextModel,
  clipTextModelWithProjection,
  clipVisionModel,
  clipVisionModelWithProjection,
} from '../tower.ts'

/** The blocks of one tower; `theirs` is where it stands, with a dot. */
const tower = (ours: string, theirs: string): Rules => ({
  [`${ours}/encoder/block/*/attentionNorm`]: plain(`${theirs}encoder.layers.*.layer_norm1`),
  [`${ours}/encoder/block/*/attention/query`]: dense(`${theirs}encoder.layers.*.self_attn.q_proj`),
  [`${ours}/encoder/block/*/attention/key`]: dense(`${theirs}encoder.layers.*.self_attn.k_proj`),
  [`${ours}/encoder/block/*/attention/value`]: dense(`${theirs}encoder.layers.*.self_attn.v_proj`),
  [`${ours}/encoder/block/*/attention/output`]: dense(`${theirs}encoder.layers.*.self_attn.out_proj`),
  [`${ours}/encoder/block/*/feedForwardNorm`]: plain(`${theirs}encoder.layers.*.layer_norm2`),
  [`${ours}/encoder/block/*/feedForward/up`]: dense(`${theirs}encoder.layers.*.mlp.fc1`),
  [`${ours}/encoder/block/*/feedForward/down`]: dense(`${theirs}encoder.layers.*.mlp.fc2`),
})

const textRules = (at: string): Rules => ({
  'text/embeddings/word': plain(`${at}embeddings.token_embedding`),
  'text/embeddings/position': plain(`${at}embeddings.position_embedding`),
  ...tower('text', at),
  'text/norm': plain(`${at}final_layer_norm`),
})

const visionRules = ({ channels, patchSize }: ClipVisionConfig, at: string): Rules => ({
  'vision/embeddings/patch': convolution(`${at}embeddings.patch_embedding`, [channels, patchSize, patchSize]),
  'vision/embeddings/whole': plain(`${at}embeddings.class_embedding`),
  'vision/embeddings/position': plain(`${at}embeddings.position_embedding`),
  // So it is spelt.
  'vision/firstNorm': plain(`${at}pre_layrnorm`),
  ...tower('vision', at),
  'vision/norm': plain(`${at}post_layernorm`),
})

const [textPlace, visionPlace] = ['text_model.', 'vision_model.']

const projections: Rules = {
  textProjection: dense('text_projection'),
  visionProjection: dense('visual_projection'),
}

/** `others`: tensors of a whole CLIP that its part has no use for. */
const named = (body: Rules, others: readonly RegExp[] = []): Names => ({
  body,
  prefix: '',
  otherPrefix: '',
  head: projections,
  tied: {},
  ignored: [/embeddings\.position_ids$/, ...others],
})

/** A tower without its projection, which newer versions write without its place. */
const alone = (body: Rules, place: string, others: readonly RegExp[]): Names => ({
  ...named(body, others),
  prefix: place,
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
  names: ({ vision }) =>
    named({
      ...textRules(textPlace),
      ...visionRules(vision, visionPlace),
      logitScale: plain('logit_scale'),
    }),
}

/**
 * CLIP's tower that reads texts, and its names in files: `transformers.CLIPTextModel`; of the file of a
 * whole CLIP it reads its part.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { clipConfig, CLIPTextModel } from 'pullback/models'
 * const { text } = clipConfig({ text: { vocabularySize: 50, width: 16, layers: 1, heads: 2, maxLength: 8, endId: 49 } })
 * const model = CLIPTextModel.layer({ ...text, projectionWidth: 8 })
 * const input = { ids: tensor([[1, 7, 49], [1, 9, 49]], { dtype: 'int32' }) }
 * console.log(model.apply(model.init(random.key(0)), evaluation)(input).pooled.shape) // => [2, 16]
 * ```
 */
export const CLIPTextModel: Architecture<
  ClipTextModelConfig,
  ClipTextModelParams,
  ClipTextInput,
  TowerOutput
> = {
  name: 'CLIPTextModel',
  codec: clipTextCodec,
  layer: clipTextModel,
  names: () =>
    alone(textRules(''), textPlace, [/^vision_model\./, /^(text|visual)_projection\./, /^logit_scale$/]),
}

/**
 * CLIP's tower that reads texts, projected, and its names in files: `transformers.CLIPTextModelWithProjection`; of
 * the file of a whole CLIP it reads its part.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { clipConfig, CLIPTextModelWithProjection } from 'pullback/models'
 * const { text } = clipConfig({ text: { vocabularySize: 50, width: 16, layers: 1, heads: 2, maxLength: 8, endId: 49 } })
 * const model = CLIPTextModelWithProjection.layer({ ...text, projectionWidth: 8 })
 * const input = { ids: tensor([[1, 7, 49], [1, 9, 49]], { dtype: 'int32' }) }
 * console.log(model.apply(model.init(random.key(0)), evaluation)(input).projected.shape) // => [2, 8]
 * ```
 */
export const CLIPTextModelWithProjection: Architecture<
  ClipTextModelConfig,
  ClipTextModelWithProjectionParams,
  ClipTextInput,
  ProjectedOutput
> = {
  name: 'CLIPTextModelWithProjection',
  codec: clipTextCodec,
  layer: clipTextModelWithProjection,
  names: () => named(textRules(textPlace), [/^vision_model\./, /^visual_projection\./, /^logit_scale$/]),
}

/**
 * CLIP's tower that sees images, and its names in files: `transformers.CLIPVisionModel`; of the file of a
 * whole CLIP it reads its part.
 *
 * @example
 * ```ts
 * import { random, zeros } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { clipConfig, CLIPVisionModel } from 'pullback/models'
 * const { vision } = clipConfig({ vision: { width: 16, layers: 1, heads: 2, imageSize: 8, patchSize: 4 } })
 * const model = CLIPVisionModel.layer({ ...vision, projectionWidth: 8 })
 * const input = { pixels: zeros([2, 3, 8, 8]) }
 * console.log(model.apply(model.init(random.key(0)), evaluation)(input).pooled.shape) // => [2, 16]
 * ```
 */
export const CLIPVisionModel: Architecture<
  ClipVisionModelConfig,
  ClipVisionModelParams,
  ClipVisionInput,
  TowerOutput
> = {
  name: 'CLIPVisionModel',
  codec: clipVisionCodec,
  layer: clipVisionModel,
  names: (config) =>
    alone(visionRules(config, ''), visionPlace, [
      /^text_model\./,
      /^(text|visual)_projection\./,
      /^logit_scale$/,
    ]),
}

/**
 * CLIP's tower that sees images, projected, and its names in files: `transformers.CLIPVisionModelWithProjection`; of
 * the file of a whole CLIP it reads its part.
 *
 * @example
 * ```ts
 * import { random, zeros } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { clipConfig, CLIPVisionModelWithProjection } from 'pullback/models'
 * const { vision } = clipConfig({ vision: { width: 16, layers: 1, heads: 2, imageSize: 8, patchSize: 4 } })
 * const model = CLIPVisionModelWithProjection.layer({ ...vision, projectionWidth: 8 })
 * const input = { pixels: zeros([2, 3, 8, 8]) }
 * console.log(model.apply(model.init(random.key(0)), evaluation)(input).projected.shape) // => [2, 8]
 * ```
 */
export const CLIPVisionModelWithProjection: Architecture<
  ClipVisionModelConfig,
  ClipVisionModelWithProjectionParams,
  ClipVisionInput,
  ProjectedOutput
> = {
  name: 'CLIPVisionModelWithProjection',
  codec: clipVisionCodec,
  layer: clipVisionModelWithProjection,
  names: (config) =>
    named(visionRules(config, visionPlace), [/^text_model\./, /^text_projection\./, /^logit_scale$/]),
}
