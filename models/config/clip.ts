/** The configs of a CLIP and of its towers. */
import type * as t from 'io-ts'
import type { ActivationName } from '../../nn/index.ts'
import type { ConfigFile, Field } from './codec.ts'
import {
  activationName,
  configCodec,
  depth,
  field,
  makeConfig,
  natural,
  prepared,
  rate,
  real,
  refined,
  size,
  unsplit,
  usualHidden,
} from './codec.ts'
import { isRecord } from '../record.ts'

/** What both towers have. */
export interface TowerConfig {
  readonly width: number
  readonly layers: number
  readonly heads: number
  /** The width inside the feed-forward parts. */
  readonly hidden: number
  readonly activation: ActivationName
  readonly attentionDropout: number
  readonly epsilon: number
  /** By what initial deviations are multiplied. */
  readonly deviationFactor: number
  readonly extra: Readonly<Record<string, unknown>>
}

export interface ClipTextConfig extends TowerConfig {
  readonly vocabularySize: number
  readonly maxLength: number
  /** The id at whose first place a text is summed up; where it is 2, as in old files, the largest id is. */
  readonly endId: number
}

export interface ClipVisionConfig extends TowerConfig {
  readonly imageSize: number
  readonly patchSize: number
  readonly channels: number
}

export interface ClipConfig {
  readonly text: ClipTextConfig
  readonly vision: ClipVisionConfig
  /** The width in which texts and images are compared. */
  readonly projectionWidth: number
  /** The initial logarithm of the factor of similarities. */
  readonly logitScale: number
  readonly extra: Readonly<Record<string, unknown>>
}

type TowerEntries = { readonly [K in keyof Omit<TowerConfig, 'extra'>]: Field<TowerConfig[K]> }

const towerEntries = (width: number, heads: number): TowerEntries => ({
  width: field('hidden_size', size, width),
  layers: field('num_hidden_layers', depth, 12),
  heads: field('num_attention_heads', size, heads),
  hidden: field('intermediate_size', size, 4 * width),
  activation: field('hidden_act', activationName, 'quickGelu'),
  attentionDropout: field('attention_dropout', rate, 0),
  epsilon: field('layer_norm_eps', real, 1e-5),
  deviationFactor: field('initializer_factor', real, 1),
})

const heads = ({ width, heads }: TowerConfig): readonly string[] => unsplit('hidden_size', width, heads)

const textEntries = {
  ...towerEntries(512, 8),
  vocabularySize: field('vocab_size', size, 49408),
  maxLength: field('max_position_embeddings', size, 77),
  endId: field('eos_token_id', natural, 49407),
}

const visionEntries = {
  ...towerEntries(768, 12),
  imageSize: field('image_size', size, 224),
  patchSize: field('patch_size', size, 32),
  channels: field('num_channels', size, 3),
}

/** What patches leave at the right and the bottom of an image is read by none. */
const patched = (config: ClipVisionConfig): readonly string[] => [
  ...heads(config),
  ...(config.imageSize >= config.patchSize
    ? []
    : [`images of ${config.imageSize} cannot be cut into patches of ${config.patchSize}`]),
]

const textCodec: t.Type<ClipTextConfig, ConfigFile, unknown> = refined(
  configCodec('clip_text_model', textEntries),
  heads,
)

const visionCodec: t.Type<ClipVisionConfig, ConfigFile, unknown> = refined(
  configCodec('clip_vision_model', visionEntries),
  patched,
)

/** A tower alone may be projected, too. */
const alone = { projectionWidth: field('projection_dim', size, 512) }

/** A tower's part of the config of both, as it would stand alone. */
const partOf =
  (part: 'text_config' | 'vision_config') =>
  (file: ConfigFile): ConfigFile => {
    const own = file[part]
    if (file['model_type'] !== 'clip' || !isRecord(own)) return file
    return { projection_dim: file['projection_dim'], ...own }
  }

/** A tower that reads texts, without the other. */
export interface ClipTextModelConfig extends ClipTextConfig {
  readonly projectionWidth: number
}

/** A tower that sees images, without the other. */
export interface ClipVisionModelConfig extends ClipVisionConfig {
  readonly projectionWidth: number
}

/**
 * The config.json of the tower that reads texts, or of a CLIP that has one.
 *
 * @example
 * ```ts
 * import { clipTextCodec, decodeConfig } from 'pullback/models'
 * const config = decodeConfig(clipTextCodec, { model_type: 'clip', text_config: { hidden_size: 64 } })
 * console.log(config._tag === 'Right' && config.right.width) // => 64
 * ```
 */
export const clipTextCodec: t.Type<ClipTextModelConfig, ConfigFile, unknown> = prepared(
  partOf('text_config'),
  refined(configCodec('clip_text_model', { ...textEntries, ...alone }), heads),
)

/**
 * The config.json of the tower that sees images, or of a CLIP that has one.
 *
 * @example
 * ```ts
 * import { clipVisionCodec, decodeConfig } from 'pullback/models'
 * const config = decodeConfig(clipVisionCodec, { hidden_size: 48 })
 * console.log(config._tag === 'Right' && config.right.width) // => 48
 * ```
 */
export const clipVisionCodec: t.Type<ClipVisionModelConfig, ConfigFile, unknown> = prepared(
  partOf('vision_config'),
  refined(configCodec('clip_vision_model', { ...visionEntries, ...alone }), patched),
)

/**
 * The config.json of a CLIP.
 *
 * @example
 * ```ts
 * import { clipCodec, decodeConfig } from 'pullback/models'
 * const config = decodeConfig(clipCodec, { projection_dim: 64 })
 * console.log(config._tag === 'Right' && config.right.projectionWidth) // => 64
 * ```
 */
export const clipCodec: t.Type<ClipConfig, ConfigFile, unknown> = configCodec('clip', {
  text: field('text_config', textCodec as t.Type<ClipTextConfig, unknown>, makeConfig(textCodec, {})),
  vision: field(
    'vision_config',
    visionCodec as t.Type<ClipVisionConfig, unknown>,
    makeConfig(visionCodec, {}),
  ),
  projectionWidth: field('projection_dim', size, 512),
  logitScale: field('logit_scale_init_value', real, 2.6592),
})

export interface ClipEntries {
  readonly text?: Partial<ClipTextConfig>
  readonly vision?: Partial<ClipVisionConfig>
  readonly projectionWidth?: number
  readonly logitScale?: number
}

/**
 * A config by its sizes; what is not given is as in the base model, `hidden` four times the width.
 *
 * @throws PullbackError when an entry is impossible.
 * @example
 * ```ts
 * import { clipConfig } from 'pullback/models'
 * const config = clipConfig({ projectionWidth: 8 })
 * console.log(config.projectionWidth) // => 8
 * ```
 */
export const clipConfig = ({ text = {}, vision = {}, ...entries }: ClipEntries = {}): ClipConfig =>
  makeConfig(clipCodec, {
    ...entries,
    text: makeConfig(textCodec, { ...usualHidden(text), ...text }),
    vision: makeConfig(visionCodec, { ...usualHidden(vision), ...vision }),
  })
