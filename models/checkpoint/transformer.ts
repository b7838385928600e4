/** The Transformer in checkpoints of our own. */
import type {
  TransformerConfig,
  TransformerInput,
  TransformerOutput,
  TransformerParams,
} from '../transformer.ts'
import { transformer, transformerCodec } from '../transformer.ts'
import type { Architecture } from './architecture.ts'
import { ownNames } from './name.ts'

export const Transformer: Architecture<
  TransformerConfig,
  TransformerParams,
  TransformerInput,
  TransformerOutput
> = { name: 'Transformer', codec: transformerCodec, layer: transformer, names: () => ownNames }
