/**
 * CLIP (Radford et al. 2021): a tower that reads texts and one that sees images, trained so that a text and its image
 * point the same way.
 */
import {
  add,
  arange,
  argMax,
  div,
  equal,
  exp,
  expandDims,
  matmul,
  mul,
  sqrt,
  square,
  squeeze,
  sum,
  swapAxes,
} from '../core/index.ts'
import type { Tensor } from '../core/index.ts'
import {
  constant,
  embedding,
  encoder,
  layerNorm,
  linear,
  normal,
  parameter,
  struct,
  tap,
  zeroInitialiser,
} from '../nn/index.ts'
import type {
  EmbeddingParams,
  EncoderInput,
  EncoderParams,
  Layer,
  LinearParams,
  NormParams,
} from '../nn/index.ts'
import type { ClipConfig, ClipTextConfig, ClipVisionConfig, TowerConfig } from './config/clip.ts'
import { asMask, firstRow, placesOf, rowsAt } from './input.ts'
import { patchesOf, requireSize, withWhole } from './patch.ts'

export interface ClipTextInput {
  /** int32 [texts, time] */
  readonly ids: Tensor
  /** bool (or integers, 0 = no) [texts, time]: which tokens are real; all where left out. */
  readonly keyMask?: Tensor | undefined
  /** int32 [time] or [texts, time]; 0 … time - 1 where left out. */
  readonly positions?: Tensor | undefined
}

export interface ClipVisionInput {
  /** [images, channels, imageSize, imageSize], prepared as the model wants them. */
  readonly pixels: Tensor
}

export interface ClipInput extends ClipTextInput, ClipVisionInput {}

export interface ClipTextParams {
  readonly embeddings: { readonly word: EmbeddingParams; readonly position: EmbeddingParams }
  readonly encoder: EncoderParams
  readonly norm: NormParams
}

export interface ClipVisionParams {
  readonly embeddings: {
    /** [channels · patchSize · patchSize, width] */
    readonly patch: LinearParams
    /** [width] */
    readonly whole: Tensor
    readonly position: EmbeddingParams
  }
  readonly firstNorm: NormParams
  readonly encoder: EncoderParams
  readonly norm: NormParams
}

export interface ClipParams {
  readonly text: ClipTextParams
  readonly vision: ClipVisionParams
  readonly textProjection: LinearParams
  readonly visionProjection: LinearParams
  /** The logarithm of the factor of similarities: []. */
  readonly logitScale: Tensor
}

export interface TowerOutput {
  /** [batch, time, width] */
  readonly hidden: Tensor
  /** [batch, width] */
  readonly pooled: Tensor
}

export interface ClipOutput {
  /** Directions, of length 1: [texts, projectionWidth]. */
  readonly textEmbeddings: Tensor
  /** [images, projectionWidth] */
  readonly imageEmbeddings: Tensor
  /** How well each text fits each image: [texts, images]. */
  readonly logitsPerText: Tensor
  /** [images, texts] */
  readonly logitsPerImage: Tensor
  /** What the towers make of them before they are compared. */
  readonly text: TowerOutput
  readonly vision: TowerOutput
}

const tower = (config: TowerConfig): Layer<EncoderParams, EncoderInput, Tensor> => {
  const { width, layers, deviationFactor: factor } = config
  const inner = normal(factor / Math.sqrt(width * 2 * layers))
  return encoder({
    layers,
    width,
    heads: config.heads,
    hidden: config.hidden,
    activation: config.activation,
    preNorm: true,
    finalNorm: false,
    epsilon: config.epsilon,
    dropout: 0,
    attentionDropout: config.attentionDropout,
    weightInitialiser: normal(factor / Math.sqrt(2 * width)),
    residualInitialiser: inner,
    biasInitialiser: zeroInitialiser,
    attention: { weightInitialiser: inner, outputInitialiser: normal(factor / Math.sqrt(width)) },
  })
}

/** The place of the first end in each text, or of the largest id: int32 [texts, 1]. */
const endOf = (ids: Tensor, endId: number): Tensor =>
  // Old files have a wrong id for the end, which is the largest in their vocabulary.
  expandDims(argMax(endId === 2 ? ids : equal(ids, endId), { axis: -1 }), -1)

/**
 * The tower that reads texts, from left to right.
 *
 * @throws PullbackError when texts are longer than the model's positions, or shapes do not fit.
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { clipConfig, clipText } from 'pullback/models'
 * const { text } = clipConfig({ text: { vocabularySize: 50, width: 16, layers: 1, heads: 2, endId: 49 } })
 * const ids = tensor([[1, 7, 49], [1, 9, 49]], { dtype: 'int32' })
 * const tower = clipText(text)
 * console.log(tower.apply(tower.init(random.key(0)), evaluation)({ ids }).hidden.shape) // => [2, 3, 16]
 * ```
 */
export const clipText = (config: ClipTextConfig): Layer<ClipTextParams, ClipTextInput, TowerOutput> => {
  const { vocabularySize, width, maxLength, endId, deviationFactor } = config
  const initialiser = normal(0.02 * deviationFactor)
  return struct(
    {
      embeddings: struct(
        {
          word: embedding(vocabularySize, width, { initialiser }),
          position: embedding(maxLength, width, { initialiser }),
        },
        (parts, run) => (input: ClipTextInput) => {
          const places = parts.position(placesOf('clip', input, maxLength, run))
          const output = add(parts.word(input.ids), places) // [texts, time, width]
          tap(run, 'output', () => output)
          return output
        },
      ),
      encoder: tower(config),
      norm: layerNorm(width, { epsilon: config.epsilon }),
    },
    (parts) => (input: ClipTextInput) => {
      const masks = { keyMask: asMask(input.keyMask), causal: true }
      const hidden = parts.norm(parts.encoder({ x: parts.embeddings(input), ...masks }))
      return { hidden, pooled: squeeze(rowsAt('clip', hidden, endOf(input.ids, endId)), 1) }
    },
  )
}

/**
 * The tower that sees images: as ViT, with a norm in front of the blocks, and one for the whole alone.
 *
 * @throws PullbackError when images have another size or other channels.
 * @example
 * ```ts
 * import { random, zeros } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { clipConfig, clipVision } from 'pullback/models'
 * const { vision } = clipConfig({ vision: { width: 16, layers: 1, heads: 2, imageSize: 8, patchSize: 4 } })
 * const tower = clipVision(vision)
 * const params = tower.init(random.key(0))
 * console.log(tower.apply(params, evaluation)({ pixels: zeros([3, 3, 8, 8]) }).hidden.shape)
 * // => [3, 5, 16]
 * ```
 */
export const clipVision = (
  config: ClipVisionConfig,
): Layer<ClipVisionParams, ClipVisionInput, TowerOutput> => {
  const { width, channels, imageSize, patchSize, epsilon, deviationFactor } = config
  const initialiser = normal(0.02 * deviationFactor)
  const places = 1 + Math.floor(imageSize / patchSize) ** 2
  return struct(
    {
      embeddings: struct(
        {
          patch: linear(channels * patchSize ** 2, width, { bias: false, weightInitialiser: initialiser }),
          whole: parameter([width], normal(deviationFactor / Math.sqrt(width))),
          position: embedding(places, width, { initialiser }),
        },
        (parts) =>
          ({ pixels }: ClipVisionInput) => {
            const patches = parts.patch(patchesOf('clip', pixels, patchSize, channels))
            requireSize('clip', pixels, imageSize)
            return add(withWhole(patches, parts.whole()), parts.position(arange(places)))
          },
      ),
      firstNorm: layerNorm(width, { epsilon }),
      encoder: tower(config),
      norm: layerNorm(width, { epsilon }),
    },
    (parts, run) => (input: ClipVisionInput) => {
      const x = parts.firstNorm(parts.embeddings(input)) // [images, 1 + patches, width]
      tap(run, 'embedded', () => x)
      const hidden = parts.encoder({ x })
      return { hidden, pooled: parts.norm(firstRow(hidden)) }
    },
  )
}

/** Rows of length 1. */
const directions = (x: Tensor): Tensor => div(x, sqrt(sum(square(x), { axis: -1, keepDims: true })))

type Parts = {
  readonly text: Layer<ClipTextParams, ClipTextInput, TowerOutput>
  readonly vision: Layer<ClipVisionParams, ClipVisionInput, TowerOutput>
  readonly textProjection: Layer<LinearParams, Tensor, Tensor>
  readonly visionProjection: Layer<LinearParams, Tensor, Tensor>
  readonly logitScale: Layer<Tensor, void, Tensor>
}

/** The map from a tower's width to the one that both have in common. */
export const projection = (
  { width }: TowerConfig,
  projectionWidth: number,
): Layer<LinearParams, Tensor, Tensor> =>
  linear(width, projectionWidth, { bias: false, weightInitialiser: normal(1 / Math.sqrt(width)) })

const partsOf = ({ text, vision, projectionWidth, logitScale }: ClipConfig): Parts => ({
  text: clipText(text),
  vision: clipVision(vision),
  textProjection: projection(text, projectionWidth),
  visionProjection: projection(vision, projectionWidth),
  logitScale: parameter([], constant(logitScale)),
})

/**
 * How well texts and images fit.
 *
 * @throws PullbackError when images have another size, texts are too long, or shapes do not fit.
 * @example
 * ```ts
 * import { random, tensor, zeros } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { clip, clipConfig } from 'pullback/models'
 * const tiny = { width: 16, layers: 1, heads: 2 }
 * const text = { ...tiny, vocabularySize: 50, endId: 49 }
 * const vision = { ...tiny, imageSize: 8, patchSize: 4 }
 * const config = clipConfig({ text, vision, projectionWidth: 8 })
 * const model = clip(config)
 * const ids = tensor([[1, 7, 49], [1, 9, 49]], { dtype: 'int32' })
 * const input = { ids, pixels: zeros([3, 3, 8, 8]) }
 * const { logitsPerText } = model.apply(model.init(random.key(0)), evaluation)(input)
 * console.log(logitsPerText.shape) // => [2, 3]
 * ```
 */
export const clip = (config: ClipConfig): Layer<ClipParams, ClipInput, ClipOutput> =>
  struct(partsOf(config), (parts) => (input: ClipInput) => {
    const [text, vision] = [parts.text(input), parts.vision(input)]
    const textEmbeddings = directions(parts.textProjection(text.pooled))
    const imageEmbeddings = directions(parts.visionProjection(vision.pooled))
    const similarity = matmul(textEmbeddings, swapAxes(imageEmbeddings, 0, 1)) // [texts, images]
    const logitsPerText = mul(similarity, exp(parts.logitScale()))
    return {
      textEmbeddings,
      imageEmbeddings,
      logitsPerText,
      logitsPerImage: swapAxes(logitsPerText, 0, 1),
      text,
      vision,
    }
  })

/**
 * Directions of texts alone, with the parameters of the whole: [texts, projectionWidth].
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { clip, clipConfig, clipTextEmbeddings } from 'pullback/models'
 * const tiny = { width: 16, layers: 1, heads: 2 }
 * const text = { ...tiny, vocabularySize: 50, endId: 49 }
 * const vision = { ...tiny, imageSize: 8, patchSize: 4 }
 * const config = clipConfig({ text, vision, projectionWidth: 8 })
 * const ids = tensor([[1, 7, 49], [1, 9, 49]], { dtype: 'int32' })
 * const params = clip(config).init(random.key(0))
 * console.log(clipTextEmbeddings(config).apply(params, evaluation)({ ids }).shape) // => [2, 8]
 * ```
 */
export const clipTextEmbeddings = (config: ClipConfig): Layer<ClipParams, ClipTextInput, Tensor> =>
  struct(
    partsOf(config),
    ({ text, textProjection }) =>
      (input: ClipTextInput) =>
        directions(textProjection(text(input).pooled)),
  )

/**
 * Directions of images alone, with the parameters of the whole: [images, projectionWidth].
 *
 * @example
 * ```ts
 * import { random, zeros } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { clip, clipConfig, clipImageEmbeddings } from 'pullback/models'
 * const tiny = { width: 16, layers: 1, heads: 2 }
 * const text = { ...tiny, vocabularySize: 50, endId: 49 }
 * const vision = { ...tiny, imageSize: 8, patchSize: 4 }
 * const config = clipConfig({ text, vision, projectionWidth: 8 })
 * const params = clip(config).init(random.key(0))
 * console.log(clipImageEmbeddings(config).apply(params, evaluation)({ pixels: zeros([3, 3, 8, 8]) }).shape)
 * // => [3, 8]
 * ```
 */
export const clipImageEmbeddings = (config: ClipConfig): Layer<ClipParams, ClipVisionInput, Tensor> =>
  struct(
    partsOf(config),
    ({ vision, visionProjection }) =>
      (input: ClipVisionInput) =>
        directions(visionProjection(vision(input).pooled)),
  )
