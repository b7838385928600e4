/**
 * The vision Transformer (Dosovitskiy et al. 2020): an image as a sequence of patches, with a token in front that
 * stands for the whole.
 */
import { add, tanh } from '../core/index.ts'
import type { Tensor } from '../core/index.ts'
import {
  dropout,
  encoder,
  linear,
  parameter,
  struct,
  tap,
  truncatedNormal,
  zeroInitialiser,
} from '../nn/index.ts'
import type { Applied, EncoderInput, EncoderParams, Layer, LinearOptions, LinearParams } from '../nn/index.ts'
import type { VitConfig } from './config/vit.ts'
import { patchesOf, requireSize, resizedPositions, withWhole } from './patch.ts'
import { firstRow } from './input.ts'

export interface VitInput {
  /** [batch, channels, height, width], prepared as the model wants them. */
  readonly pixels: Tensor
  /** Whether images may have another size than `imageSize`, for which positions are interpolated. */
  readonly interpolate?: boolean | undefined
}

export interface VitEmbeddingsParams {
  /** [channels · patchSize · patchSize, width] */
  readonly patch: LinearParams
  /** [width] */
  readonly whole: Tensor
  /** [1 + patches, width] */
  readonly position: Tensor
}

export interface VitBodyParams {
  readonly embeddings: VitEmbeddingsParams
  readonly encoder: EncoderParams
}

export interface VitParams extends VitBodyParams {
  readonly pooler: LinearParams
}

export interface VitOutput {
  /** [batch, 1 + patches, width], the token for the whole first. */
  readonly hidden: Tensor
  /** [batch, width] */
  readonly pooled: Tensor
}

const embeddings = (config: VitConfig): Layer<VitEmbeddingsParams, VitInput, Tensor> => {
  const { width, channels, patchSize, imageSize, deviation } = config
  const initialiser = truncatedNormal(deviation)
  const side = Math.floor(imageSize / patchSize)
  return struct(
    {
      patch: linear(channels * patchSize ** 2, width, initialisers(config)),
      whole: parameter([width], initialiser),
      position: parameter([1 + side ** 2, width], initialiser),
      dropout: dropout(config.dropout),
    },
    (parts, run) =>
      ({ pixels, interpolate = false }: VitInput) => {
        const patches = patchesOf('vit', pixels, patchSize, channels)
        const [, , high, wide] = pixels.shape as readonly [number, number, number, number]
        if (!interpolate) requireSize('vit', pixels, imageSize, ' unless positions are interpolated')
        const places = resizedPositions(
          parts.position(),
          Math.floor(high / patchSize),
          Math.floor(wide / patchSize),
        )
        const output = parts.dropout(add(withWhole(parts.patch(patches), parts.whole()), places))
        tap(run, 'output', () => output) // [batch, 1 + patches, width]
        return output
      },
  )
}

const initialisers = ({ deviation }: VitConfig): Required<Omit<LinearOptions, 'bias'>> => ({
  weightInitialiser: truncatedNormal(deviation),
  biasInitialiser: zeroInitialiser,
})

type BodyParts = {
  readonly embeddings: Layer<VitEmbeddingsParams, VitInput, Tensor>
  readonly encoder: Layer<EncoderParams, EncoderInput, Tensor>
}

const body = (config: VitConfig): BodyParts => ({
  embeddings: embeddings(config),
  encoder: encoder({
    layers: config.layers,
    width: config.width,
    heads: config.heads,
    hidden: config.hidden,
    activation: config.activation,
    preNorm: true,
    epsilon: config.epsilon,
    dropout: config.dropout,
    attentionDropout: config.attentionDropout,
    hiddenDropout: 0,
    attention: { bias: config.attentionBias, outputBias: true },
    ...initialisers(config),
  }),
})

const see =
  ({ embeddings, encoder }: Applied<BodyParts>) =>
  (input: VitInput): Tensor =>
    encoder({ x: embeddings(input) })

/**
 * The encoder alone, and its summary of the whole.
 *
 * @throws PullbackError when images have another size, or shapes do not fit.
 * @example
 * ```ts
 * import { random, zeros } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { vit, vitConfig } from 'pullback/models'
 * const model = vit(vitConfig({ width: 16, layers: 1, heads: 2, imageSize: 8, patchSize: 4 }))
 * const { hidden } = model.apply(model.init(random.key(0)), evaluation)({ pixels: zeros([2, 3, 8, 8]) })
 * console.log(hidden.shape) // => [2, 5, 16]
 * ```
 */
export const vit = (config: VitConfig): Layer<VitParams, VitInput, VitOutput> =>
  struct(
    { ...body(config), pooler: linear(config.width, config.width, initialisers(config)) },
    (parts) => (input: VitInput) => {
      const hidden = see(parts)(input)
      return { hidden, pooled: tanh(parts.pooler(firstRow(hidden))) }
    },
  )

export interface VitForImageClassificationParams extends VitBodyParams {
  readonly classifier: LinearParams
}

export interface ImageClassificationOutput {
  /** [batch, classes] */
  readonly logits: Tensor
  /** [batch, 1 + patches, width] */
  readonly hidden: Tensor
}

/**
 * ViT that tells which of `config.labels` an image is.
 *
 * @example
 * ```ts
 * import { random, zeros } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { vitConfig, vitForImageClassification } from 'pullback/models'
 * const sizes = { width: 16, layers: 1, heads: 2, imageSize: 8, patchSize: 4 }
 * const config = vitConfig({ ...sizes, labels: ['cat', 'dog'] })
 * const model = vitForImageClassification(config)
 * const pixels = zeros([2, 3, 8, 8])
 * const { logits } = model.apply(model.init(random.key(0)), evaluation)({ pixels })
 * console.log(logits.shape) // => [2, 2]
 * ```
 */
export const vitForImageClassification = (
  config: VitConfig,
): Layer<VitForImageClassificationParams, VitInput, ImageClassificationOutput> =>
  struct(
    { ...body(config), classifier: linear(config.width, config.labels.length, initialisers(config)) },
    (parts) => (input: VitInput) => {
      const hidden = see(parts)(input)
      return { logits: parts.classifier(firstRow(hidden)), hidden }
    },
  )
