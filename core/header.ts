/**
 * The header of safetensors files: a JSON object from each tensor's name to its dtype, shape and byte range, and from
 * `__metadata__` to pairs of texts. Weight files come from strangers, so it is read by a small parser that knows
 * nothing but this shape: it stops at the first thing that does not belong, sees a name given twice (JSON.parse
 * keeps the last in silence), and needs time and memory in proportion to the header.
 */
import { either as E } from 'fp-ts'

/** The typed array that holds each dtype; 16-bit floats are raw bits (see `half.ts`), BOOL is one byte, 0 or 1. */
export interface SafetensorsArrays {
  readonly BOOL: Uint8Array
  readonly U8: Uint8Array
  readonly I8: Int8Array
  readonly I16: Int16Array
  readonly U16: Uint16Array
  readonly F16: Uint16Array
  readonly BF16: Uint16Array
  readonly I32: Int32Array
  readonly U32: Uint32Array
  readonly F32: Float32Array
  readonly F64: Float64Array
  readonly I64: BigInt64Array
  readonly U64: BigUint64Array
}

export type SafetensorsDtype = keyof SafetensorsArrays

interface ArrayConstructor<A> {
  readonly BYTES_PER_ELEMENT: number
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): A
}

// In the reference implementation's order, ascending: files are laid out from its end, widest first.
export const safetensorsArrays: { readonly [D in SafetensorsDtype]: ArrayConstructor<SafetensorsArrays[D]> } =
  {
    BOOL: Uint8Array,
    U8: Uint8Array,
    I8: Int8Array,
    I16: Int16Array,
    U16: Uint16Array,
    F16: Uint16Array,
    BF16: Uint16Array,
    I32: Int32Array,
    U32: Uint32Array,
    F32: Float32Array,
    F64: Float64Array,
    I64: BigInt64Array,
    U64: BigUint64Array,
  }

export const safetensorsDtypes: readonly SafetensorsDtype[] = Object.keys(
  safetensorsArrays,
) as SafetensorsDtype[]

/** Where a tensor lies: `begin` and `end` are byte positions in the whole file. */
export interface SafetensorsInfo {
  readonly dtype: SafetensorsDtype
  readonly shape: readonly number[]
  readonly begin: number
  readonly end: number
}

/** Pairs of texts that travel in the header under `__metadata__`. */
export type SafetensorsMetadata = Readonly<Record<string, string>>

export interface SafetensorsHeader {
  readonly metadata: SafetensorsMetadata
  /** In the order of the bytes. */
  readonly tensors: ReadonlyMap<string, SafetensorsInfo>
}

const mostAxes = 32

/** A name for a message: quoted, and cut when somebody made it long. */
export const quoted = (name: string): string =>
  JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name)

export const isDtype = (name: string): name is SafetensorsDtype => Object.hasOwn(safetensorsArrays, name)

export const isSize = (x: number): boolean => Number.isSafeInteger(x) && x >= 0

/** Names become paths in trees of parameters, where a `__proto__` could reach into prototypes. */
export const isTensorName = (name: string): boolean =>
  name !== '__metadata__' && name.isWellFormed() && !name.split(/[./]/).includes('__proto__')

/** Elements of a shape, or Infinity beyond what a number counts exactly. */
export const elements = (shape: readonly number[]): number => {
  if (shape.includes(0)) return 0
  const product = shape.reduce((size, axis) => size * axis, 1)
  return Number.isSafeInteger(product) ? product : Infinity
}

/** Leaves the parser from anywhere within; caught in `parseHeader` and nowhere else. */
class Refusal extends Error {}

const refuse = (message: string): never => {
  throw new Refusal(message)
}

/** Reads the JSON of a header from its start to its end. */
interface Cursor {
  /** Whether `mark` comes next; if so it is read. */
  readonly takes: (mark: string) => boolean
  /** Reads `mark`, or refuses. */
  readonly expect: (mark: string) => void
  readonly text: (what: string) => string
  /** A list of at most `most` integers of at least 0. */
  readonly sizes: (what: string, most: number) => readonly number[]
  /** An object, one call of `field` for each of its keys, which are told only once. */
  readonly object: (where: string, field: (key: string) => void) => void
}

const cursor = (json: string): Cursor => {
  let at = 0

  const takes = (mark: string): boolean => {
    while (json[at] === ' ' || json[at] === '\n' || json[at] === '\t' || json[at] === '\r') at++
    if (mark === '' ? at < json.length : json[at] !== mark) return false
    at += mark.length
    return true
  }
  const expect = (mark: string): void => {
    if (!takes(mark)) refuse(`the header is not valid at its character ${at}: expected ${mark || 'its end'}`)
  }
  const text = (what: string): string => {
    if (!takes('"')) refuse(`${what} is not a text`)
    const start = at
    while (at < json.length && json[at] !== '"') at += json[at] === '\\' ? 2 : 1
    expect('"')
    try {
      return JSON.parse(json.slice(start - 1, at)) as string
    } catch {
      return refuse(`the header is not valid at its character ${start}: expected a text`)
    }
  }
  const sizes = (what: string, most: number): readonly number[] => {
    const found: number[] = []
    if (!takes('[')) refuse(`${what} is not a list of sizes`)
    if (takes(']')) return found
    do {
      takes('')
      const start = at
      while (at - start < 17 && (json[at] as string) >= '0' && (json[at] as string) <= '9') at++
      const digits = json.slice(start, at)
      const size = Number(digits)
      if (
        digits === '' ||
        (digits.length > 1 && digits.startsWith('0')) ||
        !isSize(size) ||
        found.push(size) > most
      )
        refuse(`${what} is not a list of at most ${most} integers of at least 0`)
    } while (takes(','))
    if (!takes(']')) refuse(`${what} is not a list of at most ${most} integers of at least 0`)
    return found
  }
  const object = (where: string, field: (key: string) => void): void => {
    if (!takes('{')) refuse(`${where} is not an object`)
    if (takes('}')) return
    const seen = new Set<string>()
    do {
      const key = text(`a name in ${where}`)
      if (seen.has(key)) refuse(`${quoted(key)} is given twice in ${where}`)
      seen.add(key)
      expect(':')
      field(key)
    } while (takes(','))
    expect('}')
  }
  return { takes, expect, text, sizes, object }
}

const parseInfo = (json: Cursor, name: string, start: number): SafetensorsInfo => {
  const at = `tensor ${quoted(name)}`
  let dtype: SafetensorsDtype | undefined
  let shape: readonly number[] | undefined
  let offsets: readonly number[] | undefined
  json.object(at, (key) => {
    if (key === 'dtype') {
      const told = json.text(`the dtype of ${at}`)
      dtype = isDtype(told)
        ? told
        : refuse(`${at} has dtype ${quoted(told)}, known are ${safetensorsDtypes.join(', ')}`)
    } else if (key === 'shape') shape = json.sizes(`the shape of ${at}`, mostAxes)
    else if (key === 'data_offsets') offsets = json.sizes(`data_offsets of ${at}`, 2)
    else refuse(`${at} has an unknown field ${quoted(key)}`)
  })
  if (dtype === undefined || shape === undefined || offsets === undefined || offsets.length !== 2)
    return refuse(`${at} lacks a dtype, a shape or two data_offsets`)
  const [begin, end] = offsets as readonly [number, number]
  const size = elements(shape) * safetensorsArrays[dtype].BYTES_PER_ELEMENT
  const needs = Number.isSafeInteger(size) ? `${size} bytes` : 'more bytes than can be counted'
  if (end - begin !== size)
    refuse(`${at} of ${dtype} [${shape.join(', ')}] needs ${needs}, but its offsets hold ${end - begin}`)
  return { dtype, shape, begin: start + begin, end: start + end }
}

const parseMetadata = (json: Cursor): SafetensorsMetadata => {
  const pairs: [string, string][] = []
  json.object('__metadata__', (key) => {
    if (key === '__proto__') refuse('"__proto__" cannot be a name in __metadata__')
    pairs.push([key, json.text(`${quoted(key)} in __metadata__`)])
  })
  return Object.fromEntries(pairs)
}

/** The tensors by their bytes; they must follow one another from `start` to `fileSize` without gap or overlap. */
const inOrder = (
  infos: readonly (readonly [string, SafetensorsInfo])[],
  start: number,
  fileSize: number,
): ReadonlyMap<string, SafetensorsInfo> => {
  const sorted = [...infos].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end)
  let position = start
  for (const [name, { begin, end }] of sorted) {
    const how = begin < position ? 'overlaps the one before' : 'comes after a gap'
    if (begin !== position)
      refuse(
        `tensor ${quoted(name)} ${how} (byte ${begin - start} of the data, expected ${position - start})`,
      )
    position = end
  }
  if (position > fileSize)
    refuse(`the file is cut off: its tensors end at byte ${position}, it has ${fileSize}`)
  if (position < fileSize) refuse(`${fileSize - position} bytes follow the last tensor`)
  return new Map(sorted)
}

/**
 * Reads the JSON of a header whose data lies from byte `start` to byte `fileSize`.
 *
 * @returns Left: one sentence on what is wrong.
 */
export const parseHeader = (
  bytes: Uint8Array,
  start: number,
  fileSize: number,
): E.Either<string, SafetensorsHeader> => {
  try {
    if (bytes[0] !== 0x7b) refuse('the header is not an object')
    const json = cursor(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
    const infos: [string, SafetensorsInfo][] = []
    let metadata: SafetensorsMetadata = {}
    json.object('the header', (name) => {
      if (name === '__metadata__') metadata = parseMetadata(json)
      else if (isTensorName(name)) infos.push([name, parseInfo(json, name, start)])
      else refuse(`${quoted(name)} cannot name a tensor`)
    })
    json.expect('')
    return E.right({ metadata, tensors: inOrder(infos, start, fileSize) })
  } catch (error) {
    if (error instanceof Refusal) return E.left(`safetensors: ${error.message}`)
    if (error instanceof TypeError) return E.left('safetensors: the header is not UTF-8')
    throw error
  }
}
