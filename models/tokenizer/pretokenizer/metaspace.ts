/** SentencePiece's words: spaces become visible and belong to what follows them. */
import * as t from 'io-ts'
import { prepend, relabel, startOf } from '../aligned.ts'
import type { Aligned } from '../aligned.ts'
import { character, otherwise } from '../codec.ts'
import { mapPieces } from './piece.ts'
import type { PreTokenizer } from './piece.ts'
import { byCharacter, split } from './split.ts'

const scheme = t.keyof({ always: null, first: null, never: null })

/** The options of Metaspace, in the older spelling (`add_prefix_space`) too. */
export interface MetaspaceConfig {
  readonly replacement: string
  readonly add_prefix_space: boolean | null
  readonly prepend_scheme: 'always' | 'first' | 'never' | null
  readonly split: boolean
}

export const metaspaceConfig: t.Decoder<unknown, MetaspaceConfig> = t.type({
  replacement: character,
  add_prefix_space: otherwise(t.union([t.boolean, t.null]), null),
  prepend_scheme: otherwise(t.union([scheme, t.null]), null),
  split: otherwise(t.boolean, true),
})

/** Before which pieces the mark of a space is put. */
export const schemeOf = (config: MetaspaceConfig): 'always' | 'first' | 'never' =>
  config.prepend_scheme ?? (config.add_prefix_space === false ? 'never' : 'always')

/** SentencePiece's: spaces become visible and stand before their word. */
export const metaspace = (config: MetaspaceConfig): PreTokenizer => {
  const { replacement } = config
  const when = schemeOf(config)
  const change = (piece: Aligned): Aligned => {
    const shown = relabel(piece, piece.text.replaceAll(' ', replacement))
    const wanted = when === 'always' || (when === 'first' && startOf(piece, 0) === 0)
    return wanted && !shown.text.startsWith(replacement) ? prepend(shown, replacement) : shown
  }
  const words = split(
    byCharacter((letter) => letter === replacement),
    'MergedWithNext',
  )
  return (pieces) => {
    const shown = mapPieces(pieces, change)
    return config.split ? words(shown) : shown
  }
}
