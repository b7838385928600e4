/** Just enough of protocol buffers to write an ONNX file. */

export type Bytes = readonly Uint8Array[]

const varint = (value: number | bigint): Uint8Array => {
  const bytes: number[] = []
  let left = BigInt.asUintN(64, BigInt(value))
  do {
    const low = Number(left & 127n)
    left >>= 7n
    bytes.push(left > 0n ? low | 128 : low)
  } while (left > 0n)
  return Uint8Array.from(bytes)
}

const lengthOf = (bytes: Bytes): number => bytes.reduce((n, { length }) => n + length, 0)

/** A field that holds an integer. */
export const int = (field: number, value: number | bigint): Bytes => [varint(field << 3), varint(value)]

/** A field that holds a 32-bit floating point number. */
export const float = (field: number, value: number): Bytes => [
  varint((field << 3) | 5),
  new Uint8Array(Float32Array.of(value).buffer),
]

/** A field that holds a message, made of fields, or bytes. */
export const message = (field: number, ...fields: readonly Bytes[]): Bytes => {
  const inside = fields.flat()
  return [varint((field << 3) | 2), varint(lengthOf(inside)), ...inside]
}

/** A field that holds a text. */
export const text = (field: number, value: string): Bytes => message(field, [new TextEncoder().encode(value)])
