/** CLIP's towers as each stands alone in a checkpoint, with the parameters that it has in the whole. */
import type { Tensor } from '../core/index.ts'
import { struct } from '../nn/index.ts'
import type { Layer, LinearParams } from '../nn/index.ts'
import type { ClipTextInput, ClipTextParams, ClipVisionInput, ClipVisionParams, TowerOutput } from './clip.ts'
import { clipText, clipVision, projection } from './clip.ts'
import type {
  ClipTextConfig,
  ClipTextModelConfig,
  ClipVisionConfig,
  ClipVisionModelConfig,
} from './config/clip.ts'

/** What a tower makes of texts or images, and where it points: [batch, projectionWidth]. */
export interface ProjectedOutput extends TowerOutput {
  readonly projected: Tensor
}

export interface ClipTextModelParams {
  readonly text: ClipTextParams
}

/**
 * The tower that reads texts: `transformers.CLIPTextModel`.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { clipConfig, clipTextModel } from 'pullback/models'
 * const { text } = clipConfig({ text: { vocabularySize: 50, width: 16, layers: 1, heads: 2, maxLength: 8, endId: 49 } })
 * const model = clipTextModel(text)
 * const input = { ids: tensor([[1, 7, 49], [1, 9, 49]], { dtype: 'int32' }) }
 * console.log(model.apply(model.init(random.key(0)), evaluation)(input).pooled.shape) // => [2, 16]
 * ```
 */
export const clipTextModel = (
  config: ClipTextConfig,
): Layer<ClipTextModelParams, ClipTextInput, TowerOutput> =>
  struct({ text: clipText(config) }, (parts) => parts.text)

export interface ClipTextModelWithProjectionParams extends ClipTextModelParams {
  readonly textProjection: LinearParams
}

/**
 * The tower that reads texts with what it is compared by: `projected` is the direction, of whatever length.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { clipConfig, clipTextModelWithProjection } from 'pullback/models'
 * const { text } = clipConfig({ text: { vocabularySize: 50, width: 16, layers: 1, heads: 2, maxLength: 8, endId: 49 } })
 * const model = clipTextModelWithProjection({ ...text, projectionWidth: 8 })
 * const input = { ids: tensor([[1, 7, 49], [1, 9, 49]], { dtype: 'int32' }) }
 * console.log(model.apply(model.init(random.key(0)), evaluation)(input).projected.shape) // => [2, 8]
 * ```
 */
export const clipTextModelWithProjection = (
  config: ClipTextModelConfig,
): Layer<ClipTextModelWithProjectionParams, ClipTextInput, ProjectedOutput> =>
  struct(
    { text: clipText(config), textProjection: projection(config, config.projectionWidth) },
    (parts) => (input: ClipTextInput) => {
      const output = parts.text(input)
      return { ...output, projected: parts.textProjection(output.pooled) }
    },
  )

export interface ClipVisionModelParams {
  readonly vision: ClipVisionParams
}

/**
 * The tower that sees images: `transformers.CLIPVisionModel`.
 *
 * @example
 * ```ts
 * import { random, zeros } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { clipConfig, clipVisionModel } from 'pullback/models'
 * const { vision } = clipConfig({ vision: { width: 16, layers: 1, heads: 2, imageSize: 8, patchSize: 4 } })
 * const model = clipVisionModel(vision)
 * const input = { pixels: zeros([2, 3, 8, 8]) }
 * console.log(model.apply(model.init(random.key(0)), evaluation)(input).pooled.shape) // => [2, 16]
 * ```
 */
export const clipVisionModel = (
  config: ClipVisionConfig,
): Layer<ClipVisionModelParams, ClipVisionInput, TowerOutput> =>
  struct({ vision: clipVision(config) }, (parts) => parts.vision)

export interface ClipVisionModelWithProjectionParams extends ClipVisionModelParams {
  readonly visionProjection: LinearParams
}

/**
 * The tower that sees images with what it is compared by: `projected` is the direction, of whatever length.
 *
 * @example
 * ```ts
 * import { random, zeros } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { clipConfig, clipVisionModelWithProjection } from 'pullback/models'
 * const { vision } = clipConfig({ vision: { width: 16, layers: 1, heads: 2, imageSize: 8, patchSize: 4 } })
 * const model = clipVisionModelWithProjection({ ...vision, projectionWidth: 8 })
 * const input = { pixels: zeros([2, 3, 8, 8]) }
 * console.log(model.apply(model.init(random.key(0)), evaluation)(input).projected.shape) // => [2, 8]
 * ```
 */
export const clipVisionModelWithProjection = (
  config: ClipVisionModelConfig,
): Layer<ClipVisionModelWithProjectionParams, ClipVisionInput, ProjectedOutput> =>
  struct(
    { vision: clipVision(config), visionProjection: projection(config, config.projectionWidth) },
    (parts) => (input: ClipVisionInput) => {
      const output = parts.vision(input)
      return { ...output, projected: parts.visionProjection(output.pooled) }
    },
  )
