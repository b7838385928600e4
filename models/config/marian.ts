/** The config of a Marian. */
import type * as t from 'io-ts'
import type { BartBodyConfig } from './bart.ts'
import { bartComplaints, bartEntries } from './bart.ts'
import type { ConfigFile } from './codec.ts'
import { configCodec, makeConfig, refined, unsupported } from './codec.ts'

export type MarianConfig = BartBodyConfig

/**
 * The config.json of a Marian.
 *
 * @example
 * ```ts
 * import { decodeConfig, marianCodec } from 'pullback/models'
 * const config = decodeConfig(marianCodec, { d_model: 64 })
 * console.log(config._tag === 'Right' && config.right.width) // => 64
 * ```
 */
export const marianCodec: t.Type<MarianConfig, ConfigFile, unknown> = refined(
  configCodec(
    'marian',
    bartEntries({ vocabularySize: 58101, paddingId: 58100, startId: 58100, scaled: false }),
  ),
  (config) => [
    ...bartComplaints(config),
    ...unsupported(config.extra, { normalize_before: false, normalize_embedding: false }),
    ...(config.width % 2 === 0 ? [] : [`d_model ${config.width} is odd, sines and cosines need pairs`]),
  ],
)

/**
 * A config by its sizes.
 *
 * @throws PullbackError when an entry is impossible.
 * @example
 * ```ts
 * import { marianConfig } from 'pullback/models'
 * const config = marianConfig({ vocabularySize: 50, paddingId: 0, startId: 0, width: 16 })
 * console.log([config.vocabularySize, config.width]) // => [50, 16]
 * ```
 */
export const marianConfig = (entries: Partial<MarianConfig> = {}): MarianConfig =>
  makeConfig(marianCodec, entries)
