/**
 * The safetensors format over bytes: eight bytes of header length (little-endian), a JSON header that gives each
 * tensor's dtype, shape and byte range, then the tensors' bytes without gaps
 * (https://github.com/huggingface/safetensors, "Format"). Written as the reference implementation writes it, byte
 * for byte; read as strictly as it reads, because weight files come from strangers.
 */
import { either as E } from 'fp-ts'
import { bfloat16ToFloat32, float16ToFloat32 } from './half.ts'

/** The typed array that holds each dtype; 16-bit floats are raw bits (see `half.ts`), BOOL is one byte, 0 or 1. */
export interface SafetensorsArrays {
  readonly F64: Float64Array
  readonly F32: Float32Array
  readonly F16: Uint16Array
  readonly BF16: Uint16Array
  readonly I64: BigInt64Array
  readonly I32: Int32Array
  readonly I16: Int16Array
  readonly I8: Int8Array
  readonly U64: BigUint64Array
  readonly U32: Uint32Array
  readonly U16: Uint16Array
  readonly U8: Uint8Array
  readonly BOOL: Uint8Array
}

export type SafetensorsDtype = keyof SafetensorsArrays

/** One tensor's values: row-major `data` of `shape`. */
export type SafetensorsTensor = {
  readonly [D in SafetensorsDtype]: {
    readonly dtype: D
    readonly shape: readonly number[]
    readonly data: SafetensorsArrays[D]
  }
}[SafetensorsDtype]

/** A named tensor, as `encodeSafetensors` takes them. */
export type SafetensorsEntry = SafetensorsTensor & { readonly name: string }

/** Where a tensor lies: `begin` and `end` are byte positions in the whole file. */
export interface SafetensorsInfo {
  readonly dtype: SafetensorsDtype
  readonly shape: readonly number[]
  readonly begin: number
  readonly end: number
}

/** Free text pairs that travel in the header under `__metadata__`. */
export type SafetensorsMetadata = Readonly<Record<string, string>>

export interface SafetensorsHeader {
  readonly metadata: SafetensorsMetadata
  /** In the order of the bytes. */
  readonly tensors: ReadonlyMap<string, SafetensorsInfo>
}

export interface Safetensors {
  readonly metadata: SafetensorsMetadata
  readonly tensors: ReadonlyMap<string, SafetensorsTensor>
}

// In the reference implementation's order, ascending: files are laid out from its end, widest first.
const arrays = {
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
} as const

const dtypes = Object.keys(arrays) as SafetensorsDtype[]
const isDtype = (name: unknown): name is SafetensorsDtype => dtypes.some((dtype) => dtype === name)

/** The reference implementation's limit on the header. */
const longestHeader = 100_000_000
const mostAxes = 32

const refuse = (message: string): E.Either<string, never> => E.left(`safetensors: ${message}`)

/** A name for a message: quoted, and cut when somebody made it long. */
const quoted = (name: string): string => JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name)

const isCount = (x: unknown): x is number =>
  Number.isSafeInteger(x) && (x as number) >= 0 && !Object.is(x, -0)

const isRecord = (x: unknown): x is Readonly<Record<string, unknown>> =>
  typeof x === 'object' && x !== null && !Array.isArray(x)

/** Names become paths in trees of parameters, where a `__proto__` could reach into prototypes. */
const isSafeName = (name: string): boolean => name.isWellFormed() && !name.split(/[./]/).includes('__proto__')

/** Elements of a shape, or Infinity beyond what a number counts exactly. */
const elements = (shape: readonly number[]): number => {
  if (shape.includes(0)) return 0
  let product = 1
  for (const size of shape) product *= size
  return Number.isSafeInteger(product) ? product : Infinity
}

/**
 * The number of keys a header declares, counted in its bytes: JSON.parse keeps the last of two equal keys in silence.
 * Also refuses any nesting a header cannot have (`{ "name": { "shape": [] } }` at most), before a parser
 * builds it in memory. Left: what is wrong. Malformed JSON may pass; the parser finds it.
 */
const countKeys = (header: Uint8Array): E.Either<string, number> => {
  const [quote, backslash, colon] = [0x22, 0x5c, 0x3a]
  let keys = 0
  let depth = 0
  let inString = false
  for (let i = 0; i < header.length; i++) {
    const byte = header[i]
    if (inString) {
      if (byte === backslash) i++
      else if (byte === quote) inString = false
    } else if (byte === quote) inString = true
    else if (byte === colon) keys++
    else if (byte === 0x7b || byte === 0x5b) {
      depth++
      const allowed = byte === 0x7b ? depth <= 2 : depth === 3
      if (!allowed) return refuse('the header is not a table of tensors (unexpected nesting)')
    } else if (byte === 0x7d || byte === 0x5d) depth--
  }
  return E.right(keys)
}

const parseHeader = (bytes: Uint8Array): E.Either<string, Readonly<Record<string, unknown>>> => {
  const counted = countKeys(bytes)
  if (E.isLeft(counted)) return counted
  let parsed: unknown
  try {
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
  } catch {
    return refuse('the header is not valid JSON in UTF-8')
  }
  if (bytes[0] !== 0x7b || !isRecord(parsed)) return refuse('the header is not a JSON object')
  let kept = 0
  for (const value of Object.values(parsed)) kept += 1 + (isRecord(value) ? Object.keys(value).length : 0)
  return kept === counted.right ? E.right(parsed) : refuse('the header names something twice')
}

const parseInfo = (name: string, value: unknown, start: number): E.Either<string, SafetensorsInfo> => {
  const at = `tensor ${quoted(name)}`
  if (!isRecord(value)) return refuse(`${at} is not described by an object`)
  const { dtype, shape, data_offsets: offsets } = value
  if (!isDtype(dtype))
    return refuse(`${at} has dtype ${quoted(String(dtype))}, known are ${dtypes.join(', ')}`)
  if (!Array.isArray(shape) || shape.length > mostAxes || !shape.every(isCount))
    return refuse(`${at} has no valid shape (at most ${mostAxes} sizes of at least 0)`)
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount))
    return refuse(`${at} has no valid data_offsets (two byte positions)`)
  const [begin, end] = offsets as [number, number]
  const size = elements(shape) * arrays[dtype].BYTES_PER_ELEMENT
  const needs = size === Infinity ? 'more bytes than can be counted' : `${size} bytes`
  if (end - begin !== size)
    return refuse(
      `${at} of ${dtype} [${shape.join(', ')}] needs ${needs}, but its offsets hold ${end - begin}`,
    )
  return E.right({ dtype, shape, begin: start + begin, end: start + end })
}

const parseMetadata = (value: unknown): E.Either<string, SafetensorsMetadata> =>
  value === undefined
    ? E.right({})
    : isRecord(value) &&
        Object.entries(value).every(([key, text]) => key !== '__proto__' && typeof text === 'string')
      ? E.right(value as SafetensorsMetadata)
      : refuse('__metadata__ does not map names to texts')

/**
 * How many bytes from the start of a file hold its header, told by the file's first eight bytes; `fileSize` in
 * bytes. With it, a large file is read tensor by tensor: eight bytes, then the header
 * (`decodeSafetensorsHeader`), then the ranges of the tensors wanted (`decodeSafetensorsTensor`).
 */
export const safetensorsHeaderSize = (prefix: Uint8Array, fileSize: number): E.Either<string, number> => {
  if (prefix.length < 8) return refuse(`the file is cut off: ${prefix.length} bytes, the shortest has 10`)
  const length = Number(new DataView(prefix.buffer, prefix.byteOffset, 8).getBigUint64(0, true))
  if (length > longestHeader)
    return refuse(
      `the header claims ${length} bytes, at most ${longestHeader} are allowed (is it such a file?)`,
    )
  return 8 + length > fileSize
    ? refuse(`the file is cut off: the header claims ${length} bytes, the file has ${fileSize}`)
    : E.right(8 + length)
}

/**
 * Reads a header from the first bytes of a file; more bytes than the header may be given. `fileSize` is the size
 * of the whole file in bytes (by default, what was given). Left: one sentence on what is wrong.
 */
export const decodeSafetensorsHeader = (
  bytes: Uint8Array,
  fileSize: number = bytes.length,
): E.Either<string, SafetensorsHeader> => {
  const size = safetensorsHeaderSize(bytes, fileSize)
  if (E.isLeft(size)) return size
  const start = size.right
  if (bytes.length < start) return refuse(`the header has ${start} bytes, only ${bytes.length} were given`)
  const parsed = parseHeader(bytes.subarray(8, start))
  if (E.isLeft(parsed)) return parsed
  const { __metadata__, ...rest } = parsed.right
  const metadata = parseMetadata(__metadata__)
  if (E.isLeft(metadata)) return metadata

  const infos: [string, SafetensorsInfo][] = []
  for (const [name, value] of Object.entries(rest)) {
    if (!isSafeName(name)) return refuse(`${quoted(name)} cannot name a tensor`)
    const info = parseInfo(name, value, start)
    if (E.isLeft(info)) return info
    infos.push([name, info.right])
  }
  infos.sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end)
  let position = start
  for (const [name, { begin, end }] of infos) {
    if (begin !== position)
      return refuse(
        `tensor ${quoted(name)} ${begin < position ? 'overlaps the one before' : 'comes after a gap'}` +
          ` (begins at byte ${begin - start} of the data, expected ${position - start})`,
      )
    position = end
  }
  if (position > fileSize)
    return refuse(`the file is cut off: its tensors end at byte ${position}, the file has ${fileSize}`)
  return position < fileSize
    ? refuse(`${fileSize - position} bytes follow the last tensor`)
    : E.right({ metadata: metadata.right, tensors: new Map(infos) })
}

/**
 * A tensor from its own bytes (those from `info.begin` to `info.end`). The data is a view of `bytes` where their
 * alignment allows it, otherwise a copy.
 */
export const decodeSafetensorsTensor = (
  info: SafetensorsInfo,
  bytes: Uint8Array,
): E.Either<string, SafetensorsTensor> => {
  const { dtype, shape } = info
  const size = info.end - info.begin
  if (bytes.length !== size) return refuse(`a tensor of ${size} bytes was given ${bytes.length}`)
  if (dtype === 'BOOL' && bytes.some((byte) => byte > 1))
    return refuse('a BOOL tensor holds other bytes than 0 and 1')
  const constructor = arrays[dtype]
  const width = constructor.BYTES_PER_ELEMENT
  const aligned = bytes.byteOffset % width === 0 ? bytes : bytes.slice()
  const data = new constructor(aligned.buffer as ArrayBuffer, aligned.byteOffset, size / width)
  return E.right({ dtype, shape, data } as SafetensorsTensor)
}

/**
 * Reads a whole file. Tensors come in the order of their bytes, as views of `bytes` wherever aligned.
 *
 * @returns Left: one sentence on what is wrong: cut off, foreign, overlapping, gaps, sizes that do not fit.
 * @example
 * const bytes = encodeSafetensors([{ name: 'w', dtype: 'F32', shape: [2], data: Float32Array.of(1, 2) }])
 * decodeSafetensors(bytes) // right({ metadata: {}, tensors: Map { 'w' => { dtype: 'F32', shape: [2], … } } })
 */
export const decodeSafetensors = (bytes: Uint8Array): E.Either<string, Safetensors> => {
  const header = decodeSafetensorsHeader(bytes)
  if (E.isLeft(header)) return header
  const tensors = new Map<string, SafetensorsTensor>()
  for (const [name, info] of header.right.tensors) {
    const tensor = decodeSafetensorsTensor(info, bytes.subarray(info.begin, info.end))
    if (E.isLeft(tensor)) return E.left(`${tensor.left}, in ${quoted(name)}`)
    tensors.set(name, tensor.right)
  }
  return E.right({ metadata: header.right.metadata, tensors })
}

/** Throws on what only a mistake in the calling program can bring about. */
const checkEntry = ({ name, dtype, shape, data }: SafetensorsEntry): void => {
  const wrong = (what: string): never => {
    throw new TypeError(`encodeSafetensors: ${what}, in ${quoted(name)}`)
  }
  if (name === '__metadata__' || !isSafeName(name)) wrong('this cannot name a tensor')
  if (!isDtype(dtype) || !(data instanceof arrays[dtype])) wrong(`the data is not that of dtype ${dtype}`)
  if (shape.length > mostAxes || !shape.every(isCount) || elements(shape) !== data.length)
    wrong(`shape [${shape.join(', ')}] does not hold ${data.length} elements`)
}

const compare = <A extends string | number>(a: A, b: A): number => (a < b ? -1 : a > b ? 1 : 0)

/**
 * A file in pieces, to be written one after the other: the header, then each tensor's bytes without a copy. The
 * layout is the reference implementation's: widest dtype first, then by name, the header padded to eight bytes.
 *
 * @throws TypeError when a name is given twice or cannot be one, or when shape, dtype and data disagree.
 */
export const safetensorsPieces = (
  entries: Iterable<SafetensorsEntry>,
  metadata: SafetensorsMetadata = {},
): readonly Uint8Array[] => {
  const sorted = [...entries].sort(
    (a, b) => compare(dtypes.indexOf(b.dtype), dtypes.indexOf(a.dtype)) || compare(a.name, b.name),
  )
  const lines: string[] = []
  if (Object.keys(metadata).length > 0) lines.push(`"__metadata__":${JSON.stringify(metadata)}`)
  const names = new Set<string>()
  let position = 0
  for (const entry of sorted) {
    checkEntry(entry)
    const { name, dtype, shape, data } = entry
    if (names.has(name)) throw new TypeError(`encodeSafetensors: ${quoted(name)} is given twice`)
    names.add(name)
    const offsets = [position, (position += data.byteLength)]
    lines.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: offsets })}`)
  }
  const json = new TextEncoder().encode(`{${lines.join(',')}}`)
  const header = new Uint8Array(8 + Math.ceil(json.length / 8) * 8).fill(0x20)
  new DataView(header.buffer).setBigUint64(0, BigInt(header.length - 8), true)
  header.set(json, 8)
  return [header, ...sorted.map(({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength))]
}

/** A whole file in one array: `safetensorsPieces`, joined. */
export const encodeSafetensors = (
  entries: Iterable<SafetensorsEntry>,
  metadata: SafetensorsMetadata = {},
): Uint8Array => {
  const pieces = safetensorsPieces(entries, metadata)
  const out = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0))
  let position = 0
  for (const piece of pieces) {
    out.set(piece, position)
    position += piece.length
  }
  return out
}

/** The values of a floating-point tensor as float32; 64-bit ones are rounded. Left for other dtypes. */
export const toFloat32 = (tensor: SafetensorsTensor): E.Either<string, Float32Array> => {
  switch (tensor.dtype) {
    case 'F32':
      return E.right(tensor.data)
    case 'F64':
      return E.right(Float32Array.from(tensor.data))
    case 'F16':
      return E.right(float16ToFloat32(tensor.data))
    case 'BF16':
      return E.right(bfloat16ToFloat32(tensor.data))
    default:
      return refuse(`expected a floating-point tensor, got ${tensor.dtype}`)
  }
}
