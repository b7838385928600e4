/**
 * Pre-tokenizers by the `type` of their JSON: from a normalised text to the pieces (words, as a rule) that the model
 * then breaks into tokens, each on its own. Names, options and results are those of Hugging Face tokenizers.
 */
import { either as E } from 'fp-ts'
import * as t from 'io-ts'
import { character, component, count, each, join, made, otherwise, simply } from '../codec.ts'
import type { Reader } from '../codec.ts'
import { pattern } from '../pattern.ts'
import type { Pattern } from '../pattern.ts'
import { finder } from '../finder.ts'
import { isNumeric, isPunctuation, isWhitespace } from '../unicode.ts'
import { bert } from './bert.ts'
import { byteLevel, byteLevelConfig } from './bytelevel.ts'
import { fixedLength } from './length.ts'
import { metaspace, metaspaceConfig } from './metaspace.ts'
import type { PreTokenizer } from './piece.ts'
import { unicodeScripts } from './script.ts'
import { byCharacter, byPattern, split } from './split.ts'

const behavior = t.keyof({
  Removed: null,
  Isolated: null,
  MergedWithPrevious: null,
  MergedWithNext: null,
  Contiguous: null,
})

const kinds: Readonly<Record<string, Reader<PreTokenizer>>> = {
  BertPreTokenizer: () => E.right(bert),
  ByteLevel: simply(byteLevelConfig, byteLevel),
  Metaspace: simply(metaspaceConfig, metaspace),
  Whitespace: () =>
    E.right(
      split(
        byPattern(
          finder(
            '[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]+|' +
              '[^\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}\\p{White_Space}]+',
          ),
          true,
        ),
        'Removed',
      ),
    ),
  WhitespaceSplit: () => E.right(split(byCharacter(isWhitespace), 'Removed')),
  CharDelimiterSplit: simply(t.type({ delimiter: character }), ({ delimiter }) =>
    split(
      byCharacter((letter) => letter === delimiter),
      'Removed',
    ),
  ),
  Split: made(t.type({ pattern: t.unknown, behavior, invert: otherwise(t.boolean, false) }), (config, path) =>
    E.map((find: Pattern) => split(byPattern(find.find, config.invert), config.behavior))(
      pattern(config.pattern, join(path, 'pattern')),
    ),
  ),
  Punctuation: simply(t.type({ behavior: otherwise(behavior, 'Isolated') }), (config) =>
    split(byCharacter(isPunctuation), config.behavior),
  ),
  Digits: simply(t.type({ individual_digits: otherwise(t.boolean, false) }), (config) =>
    split(byCharacter(isNumeric), config.individual_digits ? 'Isolated' : 'Contiguous'),
  ),
  UnicodeScripts: () => E.right(unicodeScripts),
  FixedLength: simply(t.type({ length: otherwise(count, 5) }), (config) =>
    fixedLength(Math.max(1, config.length)),
  ),
  Sequence: made(t.type({ pretokenizers: t.unknown }), (config, path) =>
    E.map(
      (steps: readonly PreTokenizer[]): PreTokenizer =>
        (pieces) =>
          steps.reduce((result, step) => step(result), pieces),
    )(each(preTokenizer)(config.pretokenizers, join(path, 'pretokenizers'))),
  ),
}

/** Reads a pre-tokenizer. */
export const preTokenizer: Reader<PreTokenizer> = component('pre-tokenizer', () => kinds)
