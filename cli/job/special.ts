/** The tokens that stand for something else than text. */
import { tokenToId } from '../../models/index.ts'
import type { Tokenizer } from '../../models/index.ts'

/** Their ids in a BERT's vocabulary. */
export interface Specials {
  readonly padding: number
  readonly unknown: number
  readonly first: number
  readonly separator: number
  readonly mask: number
}

/** The ids that a WordPiece tokenizer trained here gives them. */
export const usualSpecials: Specials = { padding: 0, unknown: 1, first: 2, separator: 3, mask: 4 }

const names: Readonly<Record<keyof Specials, string>> = {
  padding: '[PAD]',
  unknown: '[UNK]',
  first: '[CLS]',
  separator: '[SEP]',
  mask: '[MASK]',
}

/** The ids that a tokenizer gives them. */
export const specialsOf = (tokenizer: Tokenizer): Specials => {
  const idOf = (name: string): number => {
    const id = tokenToId(tokenizer, name)
    if (id === undefined) throw new Error(`the tokenizer has no ${name}`)
    return id
  }
  return Object.fromEntries(
    Object.entries(names).map(([key, name]) => [key, idOf(name)]),
  ) as unknown as Specials
}
