/** The Transformer in checkpoints of our own. */
import type { TransformerConfig } from '../config/transformer.ts'
import { transformerCodec } from '../config/transformer.ts'
import type { TransformerInput, TransformerOutput, TransformerParams } from '../transformer.ts'
import { transformer } from '../transformer.ts'
import type { Architecture } from './architecture.ts'
import { ownNames } from './name.ts'

/**
 * The Transformer of the paper in a folder of its own kind: parameters under their paths.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * import { Transformer, transformerConfig } from 'pullback/models'
 * const config = transformerConfig({
 *   sourceVocabularySize: 50,
 *   targetVocabularySize: 50,
 *   width: 16,
 *   heads: 2,
 *   hidden: 32,
 *   encoderLayers: 1,
 *   decoderLayers: 1,
 * })
 * const model = Transformer.layer(config)
 * const ids = tensor([[4, 5, 6, 1]], { dtype: 'int32' })
 * const decoderIds = tensor([[0, 7, 8]], { dtype: 'int32' })
 * const { logits } = model.apply(model.init(random.key(0)), evaluation)({ ids, decoderIds })
 * console.log(logits.shape) // => [1, 3, 50]
 * ```
 */
export const Transformer: Architecture<
  TransformerConfig,
  TransformerParams,
  TransformerInput,
  TransformerOutput
> = { name: 'Transformer', codec: transformerCodec, layer: transformer, names: () => ownNames }
