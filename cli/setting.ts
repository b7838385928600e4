/**
 * What can be set, in one table: the key in a config file, the flag on the command line, what it means, what it may
 * be, and what it is unless set. Flags win over the file.
 */
import { readFile } from 'node:fs/promises'
import { either as E, function as F, taskEither as TE } from 'fp-ts'
import * as t from 'io-ts'
import { readFailure } from '../core/file.ts'
import type { Tasks } from '../models/index.ts'
import type { StoredPrecision } from '../nn/index.ts'

export interface Setting<A> {
  /** What stands behind the flag in the help: `<n>`; '' where the flag alone says it. */
  readonly value: string
  readonly about: string
  readonly codec: t.Decoder<unknown, A>
  readonly fallback: A
}

const refined = (name: string, test: (x: number) => boolean): t.Type<number, number, unknown> =>
  new t.Type(
    name,
    (u): u is number => typeof u === 'number' && test(u),
    (u, context) => (typeof u === 'number' && test(u) ? t.success(u) : t.failure(u, context)),
    (x) => x,
  )

const natural = refined('a whole number from 0 on', (x) => Number.isSafeInteger(x) && x >= 0)
const positive = refined('a whole number from 1 on', (x) => Number.isSafeInteger(x) && x > 0)
const amount = refined('a number above 0', (x) => Number.isFinite(x) && x > 0)
const share = refined('a number in [0, 1)', (x) => x >= 0 && x < 1)
const weight = refined('a number from 0 on', (x) => Number.isFinite(x) && x >= 0)

const textWith = (name: string, test: (x: string) => boolean): t.Type<string, string, unknown> =>
  new t.Type(
    name,
    t.string.is,
    (u, context) => (typeof u === 'string' && test(u) ? t.success(u) : t.failure(u, context)),
    (x) => x,
  )

const text = textWith('a text', (x) => x.trim() !== '')
/** Blanks and line ends, too. */
const characters = textWith('a text', (x) => x !== '')

/** A name for a folder: no path, nothing hidden. */
const folderName = textWith('a name of letters, digits, dots, dashes and underscores', (x) =>
  /^[\w][\w.-]{0,99}$/.test(x),
)

const choice = <const A extends string>(...words: readonly A[]): t.Decoder<unknown, A> =>
  new t.Type<A, A, unknown>(
    `one of ${words.join(', ')}`,
    (u): u is A => words.includes(u as A),
    (u, context) => (words.includes(u as A) ? t.success(u as A) : t.failure(u, context)),
    (x) => x,
  )

const yes = new t.Type<boolean, boolean, unknown>(
  'true or false',
  t.boolean.is,
  (u, context) => (u === 'true' || u === 'false' ? t.success(u === 'true') : t.boolean.validate(u, context)),
  (x) => x,
)

const setting = <A>(value: string, about: string, codec: t.Decoder<unknown, A>, fallback: A): Setting<A> => ({
  value,
  about,
  codec,
  fallback,
})

const optional = <A>(value: string, about: string, codec: t.Decoder<unknown, A>): Setting<A | undefined> =>
  setting<A | undefined>(value, about, codec, undefined)

/** Every setting of every command, and what it is. */
export interface SettingTypes {
  name: string | undefined
  runs: string
  seed: number
  engine: string | undefined
  corpus: string | undefined
  characters: number
  heldOut: number
  vocabulary: number
  model: 'bert' | 'gpt'
  width: number
  layers: number
  heads: number
  hidden: number | undefined
  length: number
  dropout: number
  positionalHeads: number
  steps: number
  minutes: number | undefined
  batch: number
  learningRate: number
  optimizer: 'adamw' | 'muon'
  warmup: number
  weightDecay: number
  clip: number
  objective: 'classification' | 'tagging' | 'question-answering' | 'sequence-to-sequence'
  task: string | undefined
  labels: number
  epochs: number
  taskBatch: number
  taskRate: number
  tokens: number
  temperature: number
  topK: number
  topP: number
  top: number
  runsProfiled: number
  trace: string | undefined
  aggregation: 'none' | 'simple' | 'first' | 'average' | 'max'
  pooling: NonNullable<Tasks['feature-extraction']['options']['pooling']>
  minP: number
  beams: number
  ngram: number
  penalty: number
  stop: string | undefined
  draft: string | undefined
  promptLookup: number | undefined
  chat: boolean
  system: string | undefined
  precision: StoredPrecision
  template: string | undefined
  json: boolean
}

export const settings: { readonly [N in keyof SettingTypes]: Setting<SettingTypes[N]> } = {
  name: optional('<name>', "the run's folder in --runs", folderName),
  runs: setting('<folder>', 'where runs are kept', text, 'runs'),
  seed: setting('<n>', 'decides everything that is left to chance', natural, 0),
  engine: optional('<name>', 'what computes, such as wasm, wasm:strict or gpujs:cpu', text),

  corpus: optional(
    '<path>',
    "text to learn from, a file or a folder; the installed packages' own unless given",
    text,
  ),
  characters: setting('<n>', 'how much of it is read at most', positive, 6_000_000),
  heldOut: setting('<share>', 'how much of it is kept to check with', share, 0.1),
  vocabulary: setting('<n>', 'how many tokens the tokenizer learns at most', positive, 4000),

  model: setting('<kind>', 'bert (fills in) or gpt (goes on)', choice('bert', 'gpt'), 'bert'),
  width: setting('<n>', 'numbers that stand for a token', positive, 128),
  layers: setting('<n>', 'how many layers', positive, 3),
  heads: setting('<n>', 'attention heads in each layer', positive, 4),
  hidden: optional('<n>', 'width inside the feed-forward parts; 4 times --width unless given', positive),
  length: setting('<n>', 'tokens in a sequence', positive, 64),
  dropout: setting('<share>', 'what is dropped in training', share, 0),
  positionalHeads: setting(
    '<n>',
    'heads of the first layer of a BERT that look at the nearest words to begin with',
    natural,
    4,
  ),

  steps: setting('<n>', 'pretraining steps', positive, 2000),
  minutes: optional('<n>', 'how long pretraining may take: fewer steps where they would take longer', amount),
  batch: setting('<n>', 'sequences in a pretraining step', positive, 16),
  learningRate: setting('<x>', 'the highest rate in pretraining', amount, 0.002),
  optimizer: setting(
    '<name>',
    'adamw, or muon for the matrices within the layers and adamw for the rest',
    choice('adamw', 'muon'),
    'adamw',
  ),
  warmup: setting('<share>', 'the share of steps in which the rate rises', share, 0.06),
  weightDecay: setting('<x>', 'of AdamW, on weights alone', weight, 0.01),
  clip: setting('<x>', "the largest norm of a step's gradients", amount, 1),

  objective: setting(
    '<kind>',
    'classification, tagging or question-answering (of a pretrained BERT), or sequence-to-sequence (an encoder-decoder from source and target)',
    choice('classification', 'tagging', 'question-answering', 'sequence-to-sequence'),
    'classification',
  ),
  task: optional(
    '<file>',
    'labelled texts (.tsv, .csv, .jsonl); what kind of file a passage is from unless given',
    text,
  ),
  labels: setting('<n>', 'labelled texts of each class to learn from', positive, 20),
  epochs: setting('<n>', 'how often fine-tuning goes through them', positive, 12),
  taskBatch: setting('<n>', 'texts in a fine-tuning step', positive, 16),
  taskRate: setting('<x>', 'the highest rate in fine-tuning', amount, 0.0005),

  tokens: setting('<n>', 'how many tokens are written at most', positive, 100),
  temperature: setting(
    '<x>',
    'below 1 keeps to the likely, above 1 strays; 0 takes the likeliest',
    weight,
    0.8,
  ),
  topK: setting('<n>', 'only so many of the likeliest tokens are drawn from; 0 for all', natural, 40),
  topP: setting('<share>', 'only the likeliest that together reach this probability; 1 for all', amount, 1),
  runsProfiled: setting('<n>', 'how many steps are timed', positive, 5),
  trace: optional('<file>', 'where the timeline goes, for chrome://tracing or ui.perfetto.dev', text),
  top: setting('<n>', 'how many answers are shown', positive, 5),
  aggregation: setting(
    '<name>',
    'how tokens become entities: none, simple, first, average or max',
    choice('none', 'simple', 'first', 'average', 'max'),
    'simple',
  ),
  minP: setting('<share>', 'only tokens of at least this share of the likeliest one; 0 for all', share, 0),
  beams: setting(
    '<n>',
    'search for the likeliest text with so many beams; 1 draws, 0 is what the model asks for',
    natural,
    0,
  ),
  ngram: setting('<n>', 'so many tokens in a row never come twice; 0 for no such rule', natural, 0),
  penalty: setting('<x>', 'above 1, what was there becomes less likely', weight, 1),
  stop: optional('<text>', 'a text that ends what is written', characters),
  draft: optional('<model>', 'a smaller model of the same vocabulary, which guesses tokens ahead', text),
  promptLookup: optional('<n>', 'so many tokens are guessed from where the last ones stood before', positive),
  chat: setting(
    '',
    "answer what is said, in the model's own form of conversations; a .json file holds a list of messages",
    yes,
    false,
  ),
  system: optional('<text>', 'what a conversation begins with (--chat)', text),
  precision: setting(
    '<name>',
    'how weights are held where text is written: float32, bfloat16, float16, int8 or int4',
    choice('float32', 'bfloat16', 'float16', 'int8', 'int4'),
    'float32',
  ),
  pooling: setting(
    '<name>',
    'numbers of each token (none), their mean, those of the first (cls) …, or as the folder of a sentence-transformer says (model)',
    choice('none', 'mean', 'cls', 'max', 'lasttoken', 'weightedmean', 'mean_sqrt_len_tokens', 'model'),
    'mean',
  ),
  template: optional(
    '<text>',
    'the text that is made of a label, which stands in it as {}; what the task asks for unless given',
    text,
  ),
  json: setting('', 'print JSON, one line for each input', yes, false),
}

export type SettingName = keyof SettingTypes

/** The settings of these names, as a command gets them. */
export type Values<N extends SettingName> = Readonly<Pick<SettingTypes, N>>

/** `learningRate` as `--learning-rate`. */
export const flagOf = (name: string): string => `--${name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`

/** What was given: a value, and the text that stands for it where no number is wanted: a folder may be named 7. */
interface Given {
  readonly value: unknown
  readonly text?: string | undefined
}

/** A word of the command line: the number it is, and how it is spelled. */
const fromWord = (word: string): Given =>
  word.trim() !== '' && Number.isFinite(Number(word)) ? { value: Number(word), text: word } : { value: word }

/** A value of a file; of a number JSON keeps no spelling. */
const fromJson = (value: unknown): Given =>
  typeof value === 'number' ? { value, text: String(value) } : { value }

const shown = (u: unknown): string => {
  const json = JSON.stringify(u) ?? String(u)
  return json.length > 60 ? `${json.slice(0, 59)}…` : json
}

const decodeOne = (
  place: string,
  { codec }: Setting<unknown>,
  { value, text }: Given,
): E.Either<string, unknown> =>
  F.pipe(
    codec.decode(value),
    E.orElse((errors) => (text === undefined ? E.left(errors) : codec.decode(text))),
    E.mapLeft(() => `${place}: expected ${codec.name}, got ${shown(value)}`),
  )

const merge = (
  names: readonly SettingName[],
  given: readonly (readonly [name: string, given: Given])[],
  place: (name: string) => string,
): E.Either<string, Readonly<Record<string, unknown>>> => {
  const found: Record<string, unknown> = {}
  for (const [name, one] of given) {
    if (!names.includes(name as SettingName))
      return E.left(`${place(name)} is not known here; there are ${names.join(', ')}`)
    const decoded = decodeOne(place(name), settings[name as SettingName] as Setting<unknown>, one)
    if (E.isLeft(decoded)) return decoded
    found[name] = decoded.right
  }
  return E.right(found)
}

const readFileSettings = (
  path: string,
  names: readonly SettingName[],
): TE.TaskEither<string, Readonly<Record<string, unknown>>> =>
  F.pipe(
    TE.tryCatch(
      () => readFile(path, 'utf8'),
      (error) => `config: ${path} ${readFailure(error)}`,
    ),
    TE.flatMapEither((content) =>
      E.tryCatch(
        () => JSON.parse(content) as unknown,
        (error) => `config: ${path} is not JSON: ${error instanceof Error ? error.message : String(error)}`,
      ),
    ),
    TE.flatMapEither((json) =>
      typeof json === 'object' && json !== null && !Array.isArray(json)
        ? merge(
            names,
            Object.entries(json).map(([name, value]) => [name, fromJson(value)]),
            (name) => `config: ${path}: ${name}`,
          )
        : E.left(`config: ${path}: expected an object of settings, got ${shown(json)}`),
    ),
  )

/** The values of a command's settings: what is unless set, then the file, then the flags. Left: one sentence. */
export const readSettings = <N extends SettingName>(
  names: readonly N[],
  fallbacks: Partial<Values<N>>,
  file: string | undefined,
  flags: Readonly<Record<string, string | undefined>>,
): TE.TaskEither<string, Values<N>> => {
  const words = Object.entries(flags).flatMap(([name, word]) =>
    word === undefined ? [] : [[name, fromWord(word)] as const],
  )
  const standing = Object.fromEntries(names.map((name) => [name, settings[name].fallback]))
  return F.pipe(
    file === undefined ? TE.right({}) : readFileSettings(file, names),
    TE.flatMapEither((fromFile) =>
      F.pipe(
        merge(names, words, flagOf),
        E.map((fromFlags) => ({ ...standing, ...fallbacks, ...fromFile, ...fromFlags }) as Values<N>),
      ),
    ),
  )
}
