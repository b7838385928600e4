/** ViT in checkpoints. */
import type { VitConfig } from '../config/vit.ts'
import { vitCodec } from '../config/vit.ts'
import type {
  ImageClassificationOutput,
  VitForImageClassificationParams,
  VitInput,
  VitOutput,
  VitParams,
} from '../vit.ts'
import { vit, vitForImageClassification } from '../vit.ts'
import type { Architecture } from './architecture.ts'
import type { Names, Rules } from './name.ts'
import { convolution, dense, led, plain } from './name.ts'

const layer = 'encoder.layer.*'

const body = ({ channels, patchSize }: VitConfig): Rules => ({
  'embeddings/patch': convolution('embeddings.patch_embeddings.projection', [channels, patchSize, patchSize]),
  'embeddings/whole': led('embeddings.cls_token', 2),
  'embeddings/position': led('embeddings.position_embeddings', 1),
  'encoder/block/*/attentionNorm': plain(`${layer}.layernorm_before`),
  'encoder/block/*/attention/query': dense(`${layer}.attention.attention.query`),
  'encoder/block/*/attention/key': dense(`${layer}.attention.attention.key`),
  'encoder/block/*/attention/value': dense(`${layer}.attention.attention.value`),
  'encoder/block/*/attention/output': dense(`${layer}.attention.output.dense`),
  'encoder/block/*/feedForwardNorm': plain(`${layer}.layernorm_after`),
  'encoder/block/*/feedForward/up': dense(`${layer}.intermediate.dense`),
  'encoder/block/*/feedForward/down': dense(`${layer}.output.dense`),
  'encoder/norm': plain('layernorm'),
  pooler: dense('pooler.dense'),
})

const named = (config: VitConfig, prefix: string, otherPrefix: string): Names => ({
  body: body(config),
  prefix,
  otherPrefix,
  head: { classifier: dense('classifier') },
  tied: {},
  ignored: [],
})

/**
 * ViT without a head, and its names in files: `transformers.ViTModel`.
 *
 * @example
 * ```ts
 * import { random, zeros } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { vitConfig, ViTModel } from 'pullback/models'
 * const config = vitConfig({ width: 16, layers: 1, heads: 2, imageSize: 8, patchSize: 4 })
 * const model = ViTModel.layer(config)
 * const pixels = zeros([2, 3, 8, 8])
 * const { hidden, pooled } = model.apply(model.init(random.key(0)), evaluation)({ pixels })
 * console.log(hidden.shape, pooled.shape) // => [2, 5, 16] [2, 16]
 * ```
 */
export const ViTModel: Architecture<VitConfig, VitParams, VitInput, VitOutput> = {
  name: 'ViTModel',
  codec: vitCodec,
  layer: vit,
  names: (config) => named(config, '', 'vit.'),
}

/**
 * ViT that tells what an image shows, and its names in files: `transformers.ViTForImageClassification`.
 *
 * @example
 * ```ts
 * import { random, zeros } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { vitConfig, ViTForImageClassification } from 'pullback/models'
 * const sizes = { width: 16, layers: 1, heads: 2, imageSize: 8, patchSize: 4 }
 * const config = vitConfig({ ...sizes, labels: ['cat', 'dog'] })
 * const model = ViTForImageClassification.layer(config)
 * const pixels = zeros([2, 3, 8, 8])
 * const { logits } = model.apply(model.init(random.key(0)), evaluation)({ pixels })
 * console.log(logits.shape) // => [2, 2]
 * ```
 */
export const ViTForImageClassification: Architecture<
  VitConfig,
  VitForImageClassificationParams,
  VitInput,
  ImageClassificationOutput
> = {
  name: 'ViTForImageClassification',
  codec: vitCodec,
  layer: vitForImageClassification,
  names: (config) => named(config, 'vit.', ''),
}
