/** The models that break pieces into tokens, by the `type` of their JSON. */
import { component } from './codec.ts'
import type { Reader } from './codec.ts'
import { bpe } from './bpe.ts'
import { unigram } from './unigram.ts'
import type { Model } from './word.ts'
import { wordLevel } from './wordlevel.ts'
import { wordPiece } from './wordpiece.ts'

const tagged: Reader<Model> = component('model', () => ({
  BPE: bpe,
  Unigram: unigram,
  WordLevel: wordLevel,
  WordPiece: wordPiece,
}))

export { tagged as model }
