/** The config of a ViT. */
import * as t from 'io-ts'
import type { ActivationName } from '../../nn/index.ts'
import type { ConfigFile } from './codec.ts'
import {
  activationName,
  configCodec,
  depth,
  field,
  labelsField,
  makeConfig,
  rate,
  real,
  refined,
  size,
  unsplit,
  unsupported,
  usualHidden,
} from './codec.ts'

export interface VitConfig {
  readonly width: number
  readonly layers: number
  readonly heads: number
  /** The width inside the feed-forward parts. */
  readonly hidden: number
  readonly activation: ActivationName
  readonly dropout: number
  readonly attentionDropout: number
  /** Height and width of images. */
  readonly imageSize: number
  readonly patchSize: number
  readonly channels: number
  /** The standard deviation of initial weights. */
  readonly deviation: number
  readonly epsilon: number
  /** Whether queries, keys and values have biases. */
  readonly attentionBias: boolean
  /** The names of a classifier's classes. */
  readonly labels: readonly string[]
  readonly extra: Readonly<Record<string, unknown>>
}

/**
 * The config.json of a ViT.
 *
 * @example
 * ```ts
 * import { decodeConfig, vitCodec } from 'pullback/models'
 * const config = decodeConfig(vitCodec, { hidden_size: 64, num_attention_heads: 2 })
 * console.log(config._tag === 'Right' && config.right.width) // => 64
 * ```
 */
export const vitCodec: t.Type<VitConfig, ConfigFile, unknown> = refined(
  configCodec('vit', {
    width: field('hidden_size', size, 768),
    layers: field('num_hidden_layers', depth, 12),
    heads: field('num_attention_heads', size, 12),
    hidden: field('intermediate_size', size, 3072),
    activation: field('hidden_act', activationName, 'gelu'),
    dropout: field('hidden_dropout_prob', rate, 0),
    attentionDropout: field('attention_probs_dropout_prob', rate, 0),
    imageSize: field('image_size', size, 224),
    patchSize: field('patch_size', size, 16),
    channels: field('num_channels', size, 3),
    attentionBias: field('qkv_bias', t.boolean, true),
    deviation: field('initializer_range', real, 0.02),
    epsilon: field('layer_norm_eps', real, 1e-12),
    labels: labelsField,
  }),
  ({ width, heads, imageSize, patchSize, extra }) => [
    ...unsupported(extra, { pooler_act: 'tanh', pooler_output_size: width }),
    ...unsplit('hidden_size', width, heads),
    ...(imageSize >= patchSize ? [] : [`images of ${imageSize} cannot be cut into patches of ${patchSize}`]),
  ],
)

/**
 * A config by its sizes; what is not given is as in the base model, `hidden` four times the width.
 *
 * @throws PullbackError when an entry is impossible.
 * @example
 * ```ts
 * import { vitConfig } from 'pullback/models'
 * const config = vitConfig({ width: 64, heads: 2 })
 * console.log(config.hidden) // => 256
 * ```
 */
export const vitConfig = (entries: Partial<VitConfig> = {}): VitConfig =>
  makeConfig(vitCodec, { ...usualHidden(entries), ...entries })
