/**
 * Configs as codecs: a `config.json` as it is on the Hub on one side, a typed record in our spelling on the
 * other. Decoding fills in defaults, accepts older spellings, and refuses with every error and its path; what the
 * codec does not know is kept, so that a config that is read and written loses nothing.
 */
import { either as E } from 'fp-ts'
import * as t from 'io-ts'
import { argumentError, checkOptions } from '../../core/error.ts'
import type { ActivationName } from '../../nn/index.ts'
import { isRecord } from '../record.ts'

/** One entry: its key in the file, its type, its default, and older keys. */
export interface Field<A> {
  readonly name: string
  readonly codec: t.Type<A, unknown>
  readonly fallback: A | undefined
  readonly optional: boolean
  readonly aliases: readonly string[]
  /** What stands in the file for a value; under `name` alone unless given. */
  readonly write?: (value: A) => ConfigFile
}

/** An entry that must be there unless it has a default. */
export const field = <A>(
  name: string,
  codec: t.Type<A, unknown>,
  fallback?: A,
  aliases: readonly string[] = [],
): Field<A> => ({ name, codec, fallback, optional: false, aliases })

/** An entry that may be missing or null. */
export const optionalField = <A>(
  name: string,
  codec: t.Type<A, unknown>,
  aliases: readonly string[] = [],
): Field<A | undefined> => ({
  name,
  codec: codec as t.Type<A | undefined, unknown>,
  fallback: undefined,
  optional: true,
  aliases,
})

/** A field of whatever type. */
interface AnyField {
  readonly name: string
  readonly codec: { readonly name: string; readonly encode: (value: never) => unknown }
  readonly aliases: readonly string[]
}

type FieldsOf<F> = { readonly [K in keyof F]: F[K] extends Field<infer A> ? A : never }

/** What a codec makes of a config: its fields, and under `extra` what it does not know. */
export type Config<F> = FieldsOf<F> & { readonly extra: Readonly<Record<string, unknown>> }

/** A config as it stands in a file. */
export type ConfigFile = Readonly<Record<string, unknown>>

/** The codec of the numbers that a predicate allows. */
export const numberOf = (what: string, allowed: (n: number) => boolean): t.Type<number, unknown> => {
  const is = (u: unknown): u is number => typeof u === 'number' && allowed(u)
  return new t.Type<number, unknown, unknown>(
    what,
    is,
    (u, context) => (is(u) ? t.success(u) : t.failure(u, context)),
    (n) => n,
  )
}

/** A positive integer, as sizes are. */
export const size: t.Type<number, unknown> = numberOf(
  'a positive integer',
  (n) => Number.isInteger(n) && n > 0,
)

const mostLayers = 4096

/** A number of layers, each of which is built before anything is read: a few thousand at most. */
export const depth: t.Type<number, unknown> = numberOf(
  `a positive integer up to ${mostLayers}`,
  (n) => size.is(n) && n <= mostLayers,
)

/** 0, 1, 2 …, as ids are. */
export const natural: t.Type<number, unknown> = numberOf(
  'an integer of at least 0',
  (n) => Number.isInteger(n) && n >= 0,
)

/** A probability below 1, as dropout's is. */
export const rate: t.Type<number, unknown> = numberOf('a number in [0, 1)', (n) => n >= 0 && n < 1)

/** A finite number. */
export const real: t.Type<number, unknown> = numberOf('a number', Number.isFinite)

/** One of several words, each meaning a value of ours. */
export const word = <A extends string>(words: Readonly<Record<string, A>>): t.Type<A, unknown> =>
  new t.Type<A, unknown, unknown>(
    `one of ${Object.keys(words).join(', ')}`,
    (u): u is A => Object.values(words).includes(u as A),
    (u, context) =>
      typeof u === 'string' && Object.hasOwn(words, u) ? t.success(words[u] as A) : t.failure(u, context),
    (a) => Object.keys(words).find((name) => words[name] === a) ?? a,
  )

/** Names of classes: a list of names in a file's `id2label`, an object from each id to its name. */
const names: t.Type<readonly string[], unknown> = new t.Type<readonly string[], unknown, unknown>(
  'an object from 0, 1, 2 … to names, from names to 0, 1, 2 …, or a number of classes',
  (u): u is readonly string[] => Array.isArray(u) && u.every((name) => typeof name === 'string'),
  (u, context) => {
    const found = namesOf(u)
    return found === undefined ? t.failure(u, context) : t.success(found)
  },
  (labels) => Object.fromEntries(labels.map((name, id) => [id, name])),
)

const mostClasses = 2 ** 20

/** Names of classes that have none. */
export const unnamed = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, i) => `LABEL_${i}`)

const namesOf = (u: unknown): readonly string[] | undefined => {
  if (Number.isInteger(u) && (u as number) > 0 && (u as number) <= mostClasses) return unnamed(u as number)
  if (!isRecord(u)) return undefined
  const pairs = Object.entries(u).map(([key, value]): readonly [unknown, unknown] =>
    typeof value === 'number' ? [value, key] : [Number(key), value],
  )
  const labels = new Map(pairs)
  const list = Array.from(pairs, (_, i) => labels.get(i))
  return list.length > 0 && list.every((name) => typeof name === 'string') ? list : undefined
}

/** The names of the classes, two without names by default. */
export const labelsField: Field<readonly string[]> = {
  ...field('id2label', names, unnamed(2), ['num_labels', 'label2id']),
  write: (labels) => ({
    id2label: names.encode(labels) as unknown,
    label2id: Object.fromEntries(labels.map((name, id) => [name, id])),
  }),
}

/** The names that Hugging Face's configs have for activations. */
export const activationName: t.Type<ActivationName, unknown> = word<ActivationName>({
  gelu: 'gelu',
  gelu_python: 'gelu',
  gelu_new: 'geluTanh',
  gelu_pytorch_tanh: 'geluTanh',
  gelu_fast: 'geluTanh',
  gelu_accurate: 'geluTanh',
  quick_gelu: 'quickGelu',
  relu: 'relu',
  silu: 'silu',
  swish: 'silu',
  tanh: 'tanh',
  sigmoid: 'sigmoid',
  mish: 'mish',
  relu6: 'relu6',
  leaky_relu: 'leakyRelu',
  linear: 'linear',
  relu2: 'reluSquared',
  gelu_10: 'clippedGelu',
  laplace: 'laplace',
})

/** Complaints about entries that are none of ours, where they ask for what is not there. */
export const unsupported = (extra: ConfigFile, only: ConfigFile): readonly string[] =>
  Object.entries(only).flatMap(([name, value]) =>
    extra[name] === undefined || extra[name] === null || extra[name] === value
      ? []
      : [`${name} ${JSON.stringify(extra[name])} is not supported, only ${JSON.stringify(value)}`],
  )

/** A complaint where a width, called `name` in files, does not fall into the heads. */
export const unsplit = (name: string, width: number, heads: number): readonly string[] =>
  width % heads === 0 ? [] : [`${name} ${width} cannot be split into ${heads} heads`]

/** A complaint where the id of padding is none of the vocabulary's. */
export const strangePadding = (paddingId: number, vocabularySize: number): readonly string[] =>
  paddingId < vocabularySize ? [] : [`pad_token_id ${paddingId} is none of ${vocabularySize} ids`]

/** The codec of files that are first made to speak as it does; `prepare` gets objects alone. */
export const prepared = <C>(
  prepare: (file: ConfigFile) => ConfigFile,
  codec: t.Type<C, ConfigFile, unknown>,
): t.Type<C, ConfigFile, unknown> =>
  new t.Type<C, ConfigFile, unknown>(
    codec.name,
    (u): u is C => codec.is(u),
    (u, context) => codec.validate(isRecord(u) ? prepare(u) : u, context),
    (config) => codec.encode(config),
  )

/** The codec, refusing also what `wrong` finds in a config whose entries are each right: a list of sentences. */
export const refined = <C>(
  codec: t.Type<C, ConfigFile, unknown>,
  wrong: (config: C) => readonly string[],
): t.Type<C, ConfigFile, unknown> =>
  new t.Type<C, ConfigFile, unknown>(
    codec.name,
    (u): u is C => codec.is(u) && wrong(u).length === 0,
    (u, context) => {
      const decoded = codec.validate(u, context)
      if (E.isLeft(decoded)) return decoded
      const found = wrong(decoded.right)
      return found.length === 0
        ? decoded
        : t.failures(found.map((message) => ({ value: u, context, message })))
    },
    (config) => codec.encode(config),
  )

const decoded = <C>(codec: t.Type<C, ConfigFile, unknown>, file: unknown): C => {
  const config = decodeConfig(codec, file)
  if (E.isLeft(config)) throw argumentError(codec.name, config.left.join('; '))
  return config.right
}

/**
 * A config of our own making: the entries given, defaults for the others.
 *
 * @throws PullbackError when an entry is not what the codec asks for, or there is no such entry.
 */
export const makeConfig = <C extends { readonly extra: ConfigFile }>(
  codec: t.Type<C, ConfigFile, unknown>,
  entries: Partial<C>,
): C => {
  const defaults = decoded(codec, {})
  checkOptions(codec.name, entries, Object.keys(defaults))
  const given = Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined))
  const config = { ...defaults, ...given } as C
  decoded(codec, codec.encode(config))
  return config
}

/** The usual width inside the feed-forward parts of a model whose width is given: four times that. */
export const usualHidden = ({
  width,
}: {
  readonly width?: number | undefined
}): { readonly hidden?: number } => (width === undefined ? {} : { hidden: 4 * width })

/** The codec of a config of these fields; `modelType` is what the file must say, where it says anything. */
export const configCodec = <F extends Readonly<Record<keyof F, AnyField>>>(
  modelType: string,
  fields: F,
): t.Type<Config<F>, ConfigFile, unknown> => {
  const entries = Object.entries(fields as Readonly<Record<string, unknown>>) as [string, Field<unknown>][]
  const known = new Set(['model_type', ...entries.flatMap(([, { name, aliases }]) => [name, ...aliases])])
  return new t.Type<Config<F>, ConfigFile, unknown>(
    `${modelType} config`,
    (u): u is Config<F> =>
      isRecord(u) &&
      entries.every(([key, { codec, optional }]) => (optional && u[key] === undefined) || codec.is(u[key])),
    (u, context) => {
      if (!isRecord(u))
        return t.failure(
          u,
          context,
          `expected an object, got ${JSON.stringify(u)?.slice(0, 80) ?? 'nothing'}`,
        )
      const errors: t.Errors = []
      if (u['model_type'] !== undefined && u['model_type'] !== modelType)
        errors.push({
          value: u['model_type'],
          context: t.appendContext(context, 'model_type', t.literal(modelType)),
        })
      const result: Record<string, unknown> = {}
      for (const [key, { name, codec, fallback, optional, aliases }] of entries) {
        const present = [name, ...aliases].find(
          (spelling) => u[spelling] !== undefined && u[spelling] !== null,
        )
        if (present === undefined) {
          if (fallback !== undefined || optional) result[key] = fallback
          else errors.push({ value: undefined, context: t.appendContext(context, name, codec) })
          continue
        }
        const decoded = codec.validate(u[present], t.appendContext(context, present, codec))
        if (E.isLeft(decoded)) errors.push(...decoded.left)
        else result[key] = decoded.right
      }
      if (errors.length > 0) return t.failures(errors)
      const extra = Object.fromEntries(Object.entries(u).filter(([key]) => !known.has(key)))
      return t.success({ ...result, extra } as unknown as Config<F>)
    },
    (config) => {
      const values = config as unknown as Readonly<Record<string, unknown>>
      const written = entries.flatMap(([key, { name, codec, optional, write }]) => {
        // Left out, some entries would get a default of the library's.
        if (values[key] === undefined && write === undefined) return optional ? [[name, null] as const] : []
        return write === undefined
          ? [[name, codec.encode(values[key])] as const]
          : Object.entries(write(values[key]))
      })
      return { model_type: modelType, ...Object.fromEntries(written), ...config.extra }
    },
  )
}

/** Entries that are fractions even where they are whole: Python's library tells 0 from 0.0. */
const fractions =
  /drop|_probs?$|eps(ilon)?$|theta$|factor$|_std$|_range$|temperature$|top_p$|typical_p$|penalty$|scale_init_value$/

/** Whether JSON has a number without a point or an exponent. */
const isWhole = (value: unknown): boolean => Number.isInteger(value) && Math.abs(value as number) < 1e21

/** A config.json as text. */
export const configText = (file: ConfigFile): string => {
  // No text of a config begins with this mark.
  const mark = '\u0000'
  const written = JSON.stringify(
    file,
    (key, value: unknown) => (isWhole(value) && fractions.test(key) ? `${mark}${String(value)}.0` : value),
    2,
  )
  return `${written.replaceAll(/"\\u0000(-?\d+\.0)"/g, '$1')}\n`
}

/** Every error of a refused config in words: where, what was expected, what came. */
const explain = (errors: t.Errors): readonly string[] =>
  errors.map(({ value, context, message }) => {
    const path = context.map(({ key }) => key).filter((key) => key !== '')
    if (path.length === 0 && message !== undefined) return `config: ${message}`
    const expected = message ?? `expected ${context.at(-1)?.type.name ?? 'something else'}`
    const came = value === undefined ? 'nothing' : (JSON.stringify(value) ?? String(value))
    return `${path.length === 0 ? 'config' : path.join('/')}: ${expected}, got ${came.length > 80 ? `${came.slice(0, 77)}…` : came}`
  })

/**
 * A config from what a file holds; a left lists everything that is wrong with it.
 *
 * @example
 * ```ts
 * import { bertCodec, decodeConfig } from 'pullback/models'
 * const config = decodeConfig(bertCodec, { hidden_size: 'wide', num_hidden_layers: 2 })
 * console.log(config._tag === 'Left' && config.left)
 * // => ['hidden_size: expected a positive integer, got "wide"']
 * ```
 */
export const decodeConfig = <C>(
  codec: t.Type<C, ConfigFile, unknown>,
  file: unknown,
): E.Either<readonly string[], C> => E.mapLeft(explain)(codec.decode(file))
