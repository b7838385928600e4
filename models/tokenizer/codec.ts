/**
 * Reading JSON with io-ts: every complaint says the path, what was expected and what came. The parts of a
 * tokenizer.json are records told apart by `type`; `component` picks the codec by it, so that only that one complains.
 */
import { either as E } from 'fp-ts'
import * as t from 'io-ts'
import { isRecord } from '../record.ts'

/** Either the value, or every complaint as `path: sentence`. */
export type Read<A> = E.Either<readonly string[], A>

/** Reads JSON found at `path`. */
export type Reader<A> = (json: unknown, path: string) => Read<A>

export const refuse = (path: string, sentence: string): Read<never> =>
  E.left([path === '' ? sentence : `${path}: ${sentence}`])

export const join = (path: string, key: string | number): string =>
  path === '' ? `${key}` : `${path}/${key}`

/** A value for a message: its JSON, cut when somebody made it long. */
export const show = (value: unknown): string => {
  if (value === undefined) return 'nothing'
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (isRecord(value)) return 'a record'
  const text = JSON.stringify(value)
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}

const isUnion = (type: object | undefined): boolean =>
  type !== undefined && '_tag' in type && type._tag === 'UnionType'

/** Reads with an io-ts codec. */
export const read =
  <A>(codec: t.Decoder<unknown, A>): Reader<A> =>
  (json, path) => {
    const result = codec.decode(json)
    if (E.isRight(result)) return result
    const complaints = result.left.map((error) => {
      // io-ts counts the members of a union as steps of the path
      const keys = error.context
        .slice(1)
        .filter((_, i) => !isUnion(error.context[i]?.type))
        .map((entry) => entry.key)
      const expected = error.message ?? error.context[error.context.length - 1]?.type.name ?? codec.name
      return `${keys.reduce(join, path)}: expected ${expected}, got ${show(error.value)}`
    })
    return E.left([...new Set(complaints)])
  }

const whole = (name: string, least: number, most: number): t.Type<number, number> =>
  new t.Type<number, number>(
    name,
    (x): x is number => Number.isSafeInteger(x) && (x as number) >= least && (x as number) <= most,
    (x, context) =>
      typeof x === 'number' && Number.isSafeInteger(x) && x >= least && x <= most
        ? t.success(x)
        : t.failure(x, context),
    t.identity,
  )

/** One more than the greatest token id that is read: far beyond any vocabulary, and small enough to index by. */
export const idLimit: number = 2 ** 24

/** A token id. */
export const tokenId: t.Type<number, number> = whole(`a token id below ${idLimit}`, 0, idLimit - 1)

/** A count. */
export const count: t.Type<number, number> = whole('a whole number', 0, 2 ** 31 - 1)

/** A text without lone surrogates, which no file in UTF-8 can hold. */
export const text: t.Type<string, string> = new t.Type<string, string>(
  'a text',
  (x): x is string => typeof x === 'string' && x.isWellFormed(),
  (x, context) => (typeof x === 'string' && x.isWellFormed() ? t.success(x) : t.failure(x, context)),
  t.identity,
)

/** A text of one character. */
export const character: t.Type<string, string> = new t.Type<string, string>(
  'one character',
  (x): x is string => typeof x === 'string' && x.isWellFormed() && [...x].length === 1,
  (x, context) =>
    typeof x === 'string' && x.isWellFormed() && x.length <= 2 && [...x].length === 1
      ? t.success(x)
      : t.failure(x, context),
  t.identity,
)

/** `codec`, with a value for what is absent or null. */
export const otherwise = <A>(codec: t.Type<A, unknown>, value: A): t.Type<A, unknown> =>
  new t.Type<A, unknown>(
    codec.name,
    codec.is,
    (x, context) => (x === undefined || x === null ? t.success(value) : codec.validate(x, context)),
    codec.encode,
  )

/** Reads what `codec` describes and makes of it what `build` makes, or refuses. */
export const made =
  <A, B>(codec: t.Decoder<unknown, A>, build: (config: A, path: string) => Read<B>): Reader<B> =>
  (json, path) => {
    const config = read(codec)(json, path)
    return E.isLeft(config) ? config : build(config.right, path)
  }

/** `made`, where nothing can go wrong after reading. */
export const simply = <A, B>(codec: t.Decoder<unknown, A>, build: (config: A) => B): Reader<B> =>
  made(codec, (config) => E.right(build(config)))

/** The kinds of a component by their `type`; `what` is its name in messages. */
export const component =
  <A>(what: string, kinds: () => Readonly<Record<string, Reader<A>>>): Reader<A> =>
  (json, path) => {
    if (!isRecord(json)) return refuse(path, `expected a ${what}, got ${show(json)}`)
    const type = json['type']
    const table = kinds()
    const reader = typeof type === 'string' && Object.hasOwn(table, type) ? table[type] : undefined
    return reader === undefined
      ? refuse(join(path, 'type'), `expected a ${what} (${Object.keys(table).join(', ')}), got ${show(type)}`)
      : reader(json, path)
  }

/** Reads every element of a list; the complaints of all of them together. */
export const each =
  <A>(reader: Reader<A>): Reader<readonly A[]> =>
  (json, path) => {
    if (!Array.isArray(json)) return refuse(path, `expected a list, got ${show(json)}`)
    const values: A[] = []
    const complaints: string[] = []
    json.forEach((element: unknown, i) => {
      const result = reader(element, join(path, i))
      if (E.isLeft(result)) complaints.push(...result.left)
      else values.push(result.right)
    })
    return complaints.length > 0 ? E.left(complaints) : E.right(values)
  }

/** `reader`, with null for null and absence. */
export const nullable =
  <A>(reader: Reader<A>): Reader<A | null> =>
  (json, path) =>
    json === null || json === undefined ? E.right(null) : reader(json, path)

/** Refuses JSON nested deeper than any real component, before a recursive reader walks into it. */
export const shallow = (json: unknown, path: string, limit = 24): Read<unknown> => {
  const deep = (value: unknown, depth: number): boolean =>
    typeof value === 'object' &&
    value !== null &&
    (depth === 0 || Object.values(value).some((inner) => deep(inner, depth - 1)))
  return deep(json, limit) ? refuse(path, `nested deeper than ${limit} levels`) : E.right(json)
}
