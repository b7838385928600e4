/** What a task needs of a model's folder beside the weights: which architecture it is, its tokenizer, its limits. */
import { either as E, function as F, taskEither as TE } from 'fp-ts'
import { argumentError } from '../../core/error.ts'
import { optionalJson } from '../checkpoint/file.ts'
import { readConfigFile } from '../checkpoint/folder.ts'
import type { ConfigFile } from '../config/codec.ts'
import { isRecord } from '../record.ts'
import { decode } from '../tokenizer/decode.ts'
import { encode } from '../tokenizer/encode/index.ts'
import type { EncodeOptions } from '../tokenizer/encode/index.ts'
import type { Encoding, Truncation } from '../tokenizer/encoding.ts'
import { readWords } from './words.ts'
import type { Words } from './words.ts'

export interface Folder extends Words {
  readonly path: string
  /** config.json and generation_config.json as they stand there; the latter is empty where there is none. */
  readonly file: ConfigFile
  readonly generation: ConfigFile
}

/** All of a folder but its weights. */
export const readFolder = (path: string): TE.TaskEither<string, Folder> =>
  F.pipe(
    readConfigFile(path),
    TE.bindTo('file'),
    TE.bind('words', () => readWords(path)),
    TE.bind('generation', () => optionalJson(path, 'generation_config.json')),
    TE.map(({ file, words, generation }) => ({
      ...words,
      path,
      file,
      generation: isRecord(generation) ? generation : {},
    })),
  )

/** An encoding as the model is given it: of one type alone where tokenizer_config.json names no types as its inputs. */
export const asNamed = ({ config }: Words, encoding: Encoding): Encoding =>
  config.modelInputNames === null || config.modelInputNames.includes('token_type_ids')
    ? encoding
    : { ...encoding, typeIds: encoding.typeIds.map(() => 0) }

/**
 * A text, or a pair, as tokens; offsets count as `String.slice` does. `addSpecialTokens: false` where the text has its
 * special tokens written out.
 *
 * @throws PullbackError when it has more tokens than `most`, or none.
 */
export const encodeWhole = (
  task: string,
  words: Words,
  most: number,
  text: string,
  pair: string | null = null,
  { addSpecialTokens = true }: Pick<EncodeOptions, 'addSpecialTokens'> = {},
): Encoding => {
  const encoded = encode(
    words.tokenizer,
    text,
    { truncation: null, padding: null, offsetUnit: 'utf16', addSpecialTokens },
    pair,
  )
  if (E.isLeft(encoded)) throw argumentError(task, encoded.left)
  const { length } = encoded.right.ids
  if (length > most)
    throw argumentError(task, `the text has ${length} tokens, the model reads at most ${most}`)
  if (length === 0) throw argumentError(task, 'the text has no tokens')
  return asNamed(words, encoded.right)
}

/** A text as `most` tokens at most, what comes later left out. */
export const encodeCut = (task: string, words: Words, most: number, text: string): Encoding => {
  const truncation: Truncation | null = most === Infinity ? null : { maxLength: most }
  const encoded = encode(words.tokenizer, text, { truncation, padding: null, offsetUnit: 'utf16' })
  if (E.isLeft(encoded)) throw argumentError(task, encoded.left)
  if (encoded.right.ids.length === 0) throw argumentError(task, 'the text has no tokens')
  return asNamed(words, encoded.right)
}

/** What old tokenizers did to text: no spaces before punctuation and contractions. */
const cleaned = (text: string): string =>
  text
    .replaceAll(/ ([.?!,])/g, '$1')
    .replaceAll(" ' ", "'")
    .replaceAll(/ (n't|'m|'s|'ve|'re)/g, '$1')

/** The text of ids, cleaned where the folder wants it. */
export const textOf = (
  { tokenizer, config }: Words,
  ids: readonly number[],
  skipSpecialTokens: boolean,
): string => {
  const text = decode(tokenizer, ids, { skipSpecialTokens })
  return config.cleanUpTokenizationSpaces && tokenizer.json.model.type !== 'BPE' ? cleaned(text) : text
}
