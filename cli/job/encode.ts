/** Texts as ids. */
import { either as E } from 'fp-ts'
import { encode, encodeIds } from '../../models/index.ts'
import type { Encoding, Tokenizer } from '../../models/index.ts'
import { documentSentences } from '../../training/index.ts'
import type { Document } from '../../training/index.ts'

/** The sentences of each document, as ids without special tokens. */
export const encodeDocuments = (
  tokenizer: Tokenizer,
  documents: readonly Document[],
): readonly (readonly Int32Array[])[] =>
  documents.map((document) =>
    documentSentences(document).map((sentence) =>
      Int32Array.from(encodeIds(tokenizer, sentence, { addSpecialTokens: false })),
    ),
  )

/** All ids of documents, end to end. */
export const idsOf = (documents: readonly (readonly Int32Array[])[]): Int32Array => {
  const all = documents.flat()
  const joined = new Int32Array(all.reduce((n, { length }) => n + length, 0))
  let at = 0
  for (const ids of all) {
    joined.set(ids, at)
    at += ids.length
  }
  return joined
}

/** A text with its special tokens, cut to a length; offsets count as `String.slice` does. */
export const encodeWithin = (tokenizer: Tokenizer, text: string, maxLength: number): Encoding => {
  const encoded = encode(tokenizer, text, { truncation: { maxLength }, padding: null, offsetUnit: 'utf16' })
  if (E.isLeft(encoded)) throw new Error(encoded.left)
  return encoded.right
}

/** A text as ids without special tokens. */
export const encodeText = (tokenizer: Tokenizer, text: string): readonly number[] =>
  encodeIds(tokenizer, text, { addSpecialTokens: false })
