/** One text as an encoding without special tokens, its tokens traced to the text that was given. */
import { endOf, startOf } from '../aligned.ts'
import { mergeEncodings } from '../encoding.ts'
import type { Encoding } from '../encoding.ts'
import type { Tokenizer } from '../tokenizer.ts'
import { tokenise, tokeniseFromRight } from './piece.ts'
import type { Put } from './piece.ts'
import { segments } from './segment.ts'

/** A text, or its words where something else has split it already. */
export type Input = string | readonly string[]

/** For each unit of a text the number of characters before it; null where units and characters agree. */
const characterIndex = (text: string): Int32Array | null => {
  if (!/[\ud800-\udbff]/.test(text)) return null
  const index = new Int32Array(text.length + 1)
  let characters = 0
  for (let i = 0; i < text.length; i++) {
    index[i] = characters
    const unit = text.charCodeAt(i)
    if (unit < 0xd800 || unit > 0xdbff) characters++
  }
  index[text.length] = characters
  return index
}

/** What is asked of each text of an input. */
export interface Scope {
  readonly splitSpecial: boolean
  readonly inCharacters: boolean
  readonly limit: number
  readonly fromRight: boolean
}

/** Encodes one text without special tokens. `typeId` is also which text of a pair it is. */
const encodeText = (
  tokenizer: Tokenizer,
  given: string,
  typeId: 0 | 1,
  wordId: number | null,
  scope: Scope,
): Encoding => {
  const text = given.isWellFormed() ? given : given.toWellFormed()
  const parts = segments(tokenizer, text, scope.splitSpecial)
  const index = scope.inCharacters ? characterIndex(text) : null
  const ids: number[] = []
  const tokens: string[] = []
  const offsets: (readonly [number, number])[] = []
  const wordIds: number[] = []
  let piece = -1
  const put: Put = (source, start, word, again) => {
    if (!again) piece++
    for (let i = 0; i < word.ids.length; i++) {
      const from = startOf(source, start + (word.starts[i] as number))
      const to = endOf(source, start + (word.ends[i] as number))
      ids.push(word.ids[i] as number)
      tokens.push(word.tokens[i] as string)
      offsets.push(index === null ? [from, to] : [index[from] as number, index[to] as number])
      wordIds.push(wordId ?? piece)
    }
  }
  ;(scope.fromRight ? tokeniseFromRight : tokenise)(tokenizer, parts, scope.limit, put)
  const n = ids.length
  return {
    ids,
    tokens,
    offsets,
    typeIds: new Array<number>(n).fill(typeId),
    attentionMask: new Array<number>(n).fill(1),
    specialTokensMask: new Array<number>(n).fill(0),
    wordIds,
    sequenceIds: new Array<number>(n).fill(typeId),
    overflowing: [],
  }
}

/** Encodes a text or its words; of words, each is the word that its tokens count. */
export const encodeInput = (tokenizer: Tokenizer, input: Input, typeId: 0 | 1, scope: Scope): Encoding =>
  typeof input === 'string'
    ? encodeText(tokenizer, input, typeId, null, scope)
    : mergeEncodings(input.map((word, i) => encodeText(tokenizer, word, typeId, i, scope)))
