/** The tokens that stand for something else than text. */
import { tokenToId } from '../../models/index.ts'
import type { Tokenizer } from '../../models/index.ts'

type SpecialName = '[PAD]' | '[UNK]' | '[CLS]' | '[SEP]' | '[MASK]'

/** The id of a token that every WordPiece tokenizer of ours has. */
export const specialId = (tokenizer: Tokenizer, token: SpecialName): number => {
  const id = tokenToId(tokenizer, token)
  if (id === undefined) throw new Error(`the tokenizer has no ${token}`)
  return id
}
