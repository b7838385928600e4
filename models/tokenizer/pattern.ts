/** The patterns of `Split` and `Replace`: `{"String": "…"}`, taken literally, or `{"Regex": "…"}`. */
import { either as E } from 'fp-ts'
import * as t from 'io-ts'
import { join, read, refuse, text } from './codec.ts'
import type { Reader } from './codec.ts'
import { finder } from './finder.ts'
import type { Finder } from './finder.ts'
import { literal, translate } from './regex.ts'

export interface Pattern {
  readonly find: Finder
  /** The text itself, where the pattern is one. */
  readonly literal: string | null
}

const stringPattern = t.type({ String: text })
const regexPattern = t.type({ Regex: text })

/** Reads a pattern. */
export const pattern: Reader<Pattern> = (json, path) => {
  if (stringPattern.is(json)) return E.right({ find: finder(literal(json.String)), literal: json.String })
  const regex = read(regexPattern)(json, path)
  if (E.isLeft(regex)) return refuse(path, 'expected {"String": a text} or {"Regex": a regular expression}')
  const source = translate(regex.right.Regex)
  return E.isLeft(source)
    ? refuse(join(path, 'Regex'), source.left)
    : E.right({ find: finder(source.right), literal: null })
}
