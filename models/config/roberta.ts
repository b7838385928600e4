/** The config of a RoBERTa. */
import type * as t from 'io-ts'
import type { BertConfig } from './bert.ts'
import { codecLikeBert } from './bert.ts'
import type { ConfigFile } from './codec.ts'
import { makeConfig, usualHidden } from './codec.ts'

/** As BERT's; `maxLength` counts the positions up to the padding id too, which no token has. */
export type RobertaConfig = BertConfig

/**
 * The config.json of a RoBERTa.
 *
 * @example
 * ```ts
 * import { decodeConfig, robertaCodec } from 'pullback/models'
 * const config = decodeConfig(robertaCodec, { hidden_size: 64, num_attention_heads: 2 })
 * console.log(config._tag === 'Right' && config.right.width) // => 64
 * ```
 */
export const robertaCodec: t.Type<RobertaConfig, ConfigFile, unknown> = codecLikeBert('roberta', {
  vocabularySize: 50265,
  maxLength: 512,
  tokenTypes: 2,
  epsilon: 1e-12,
  paddingId: 1,
})

/**
 * A config by its sizes; what is not given is as in the library's defaults, `hidden` four times the width.
 *
 * @throws PullbackError when an entry is impossible.
 * @example
 * ```ts
 * import { robertaConfig } from 'pullback/models'
 * const config = robertaConfig({ width: 64, heads: 2 })
 * console.log(config.hidden) // => 256
 * ```
 */
export const robertaConfig = (entries: Partial<RobertaConfig> = {}): RobertaConfig =>
  makeConfig(robertaCodec, {
    ...usualHidden(entries),
    ...entries,
  })
