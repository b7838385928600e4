/**
 * The safetensors format over bytes: eight bytes of header length (little-endian), a JSON header that gives each
 * tensor's dtype, shape and byte range, then the tensors' bytes without gaps
 * (https://github.com/huggingface/safetensors, "Format"). Written as the reference implementation writes it, byte
 * for byte; read as strictly as it reads, because weight files come from strangers.
 */
import { either as E } from 'fp-ts'
import { argumentError, shapeError } from './error.ts'
import { bfloat16ToFloat32, float16ToFloat32 } from './half.ts'
import {
  elements,
  isDtype,
  isSize,
  isTensorName,
  parseHeader,
  quoted,
  safetensorsArrays,
  safetensorsDtypes,
  type SafetensorsArrays,
  type SafetensorsDtype,
  type SafetensorsHeader,
  type SafetensorsInfo,
  type SafetensorsMetadata,
} from './header.ts'

export type {
  SafetensorsArrays,
  SafetensorsDtype,
  SafetensorsHeader,
  SafetensorsInfo,
  SafetensorsMetadata,
} from './header.ts'

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

export interface Safetensors {
  readonly metadata: SafetensorsMetadata
  readonly tensors: ReadonlyMap<string, SafetensorsTensor>
}

/**
 * The longest header read, in bytes: enough for 130,000 tensors, and parsed within 300 MB. (The reference
 * implementation goes to 100 MB, which no known model comes near.)
 */
const longestHeader = 2 ** 24

const refuse = (message: string): E.Either<string, never> => E.left(`safetensors: ${message}`)

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
  return parseHeader(bytes.subarray(8, start), start, fileSize)
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
  const constructor = safetensorsArrays[dtype]
  const width = constructor.BYTES_PER_ELEMENT
  const aligned = bytes.byteOffset % width === 0 ? bytes : bytes.slice()
  const data = new constructor(aligned.buffer, aligned.byteOffset, size / width)
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
  const at = `encodeSafetensors ${quoted(name)}`
  if (!isTensorName(name)) throw argumentError(at, 'this cannot name a tensor')
  if (!isDtype(dtype) || !(data instanceof safetensorsArrays[dtype]))
    throw argumentError(at, `the data is not an array of dtype ${dtype}`)
  if (!shape.every(isSize) || elements(shape) !== data.length)
    throw shapeError(at, `the shape does not hold ${data.length} elements`, shape)
}

const compare = <A extends string | number>(a: A, b: A): number => (a < b ? -1 : a > b ? 1 : 0)

/**
 * A file in pieces, to be written one after the other: the header, then each tensor's bytes without a copy. The
 * layout is the reference implementation's: widest dtype first, then by name, the header padded to eight bytes.
 *
 * @throws PullbackError when a name is given twice or cannot be one, or when shape, dtype and data disagree.
 */
export const safetensorsPieces = (
  entries: Iterable<SafetensorsEntry>,
  metadata: SafetensorsMetadata = {},
): readonly Uint8Array[] => {
  const sorted = [...entries].sort(
    (a, b) =>
      compare(safetensorsDtypes.indexOf(b.dtype), safetensorsDtypes.indexOf(a.dtype)) ||
      compare(a.name, b.name),
  )
  const lines: string[] = []
  if (Object.keys(metadata).length > 0) lines.push(`"__metadata__":${JSON.stringify(metadata)}`)
  const names = new Set<string>()
  let position = 0
  for (const entry of sorted) {
    checkEntry(entry)
    const { name, dtype, shape, data } = entry
    if (names.has(name)) throw argumentError('encodeSafetensors', `${quoted(name)} is given twice`)
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
