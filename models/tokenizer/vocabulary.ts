/** The vocabularies of tokenizer.json: a record from token to id, read without a codec's cost per entry. */
import { either as E } from 'fp-ts'
import { isRecord } from '../record.ts'
import { idLimit, join, refuse, show } from './codec.ts'
import type { Reader } from './codec.ts'

/** Token to id, ids from 0 below `idLimit`. */
export type Vocabulary = ReadonlyMap<string, number>

/** Reads `{"token": id, …}`. */
export const vocabulary: Reader<Vocabulary> = (json, path) => {
  if (!isRecord(json)) return refuse(path, `expected a record from token to id, got ${show(json)}`)
  const map = new Map<string, number>()
  for (const [token, id] of Object.entries(json)) {
    if (!token.isWellFormed()) return refuse(path, `the token ${show(token)} is not well-formed Unicode`)
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || id >= idLimit)
      return refuse(join(path, show(token)), `expected a token id below ${idLimit}, got ${show(id)}`)
    map.set(token, id)
  }
  return E.right(map)
}

/** Id to token; of several tokens with one id the last. */
export const tokensById = (
  entries: Iterable<readonly [string, number]>,
): ((id: number) => string | undefined) => {
  const byId = new Map<number, string>()
  for (const [token, id] of entries) byId.set(id, token)
  return (id) => byId.get(id)
}

/** A record in the order of ids, as files are written. */
export const inOrder = (entries: Iterable<readonly [string, number]>): Readonly<Record<string, number>> =>
  Object.fromEntries([...entries].sort((a, b) => a[1] - b[1]))
