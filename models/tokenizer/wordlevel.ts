/** WordLevel: a word is a token, or the unknown token. */
import { either as E } from 'fp-ts'
import * as t from 'io-ts'
import { join, made, otherwise, refuse, show, text } from './codec.ts'
import type { Reader } from './codec.ts'
import { tokensById, vocabulary } from './vocabulary.ts'
import { single } from './word.ts'
import type { Model } from './word.ts'

/** Reads the model `WordLevel`; refuses one whose unknown token is not in its vocabulary. */
export const wordLevel: Reader<Model> = made(
  t.type({ vocab: t.unknown, unk_token: otherwise(text, '<unk>') }),
  ({ vocab, unk_token }, path) => {
    const words = vocabulary(vocab, join(path, 'vocab'))
    if (E.isLeft(words)) return words
    const unknown = words.right.get(unk_token)
    if (unknown === undefined)
      return refuse(join(path, 'unk_token'), `expected a token of the vocabulary, got ${show(unk_token)}`)
    return E.right({
      tokenize: (piece) => {
        const id = words.right.get(piece)
        return id === undefined ? single(piece, unknown, unk_token) : single(piece, id, piece)
      },
      idOf: (token) => words.right.get(token),
      tokenOf: tokensById(words.right),
      vocabulary: words.right,
    })
  },
)
