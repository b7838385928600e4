/**
 * Conversions between float32 and the two 16-bit floating-point formats of stored weights: IEEE 754 binary16
 * (`F16`) and bfloat16 (`BF16`, the upper half of a float32). The 16-bit values are held as raw bits in a
 * `Uint16Array`, so that they work where `Float16Array` does not exist yet.
 */

const scratch = new Float32Array(1)
const bits = new Uint32Array(scratch.buffer)

const bitsOf = (x: number): number => {
  scratch[0] = x
  return bits[0] as number
}

/** Drops the lowest `shift` bits of an unsigned integer, rounding half to even. */
const shiftEven = (value: number, shift: number): number => {
  const kept = value >>> shift
  const rest = value - kept * 2 ** shift
  const half = 2 ** (shift - 1)
  return rest > half || (rest === half && kept % 2 === 1) ? kept + 1 : kept
}

/** The value of one binary16; exact, NaN and infinities included. */
const widenHalf = (half: number): number => {
  const sign = half & 0x8000 ? -1 : 1
  const exponent = (half >>> 10) & 31
  const fraction = half & 0x3ff
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25)
}

/** The bits of the binary16 nearest to `x` (already a float32), ties to even; overflow gives infinity. */
const roundHalf = (x: number): number => {
  const word = bitsOf(x)
  const sign = (word >>> 16) & 0x8000
  const exponent = (word >>> 23) & 255
  const fraction = word & 0x7fffff
  if (exponent === 255) return sign | 0x7c00 | (fraction === 0 ? 0 : 0x200)
  // A carry out of the fraction runs into the exponent, and out of the largest finite value into infinity.
  if (exponent >= 143) return sign | 0x7c00
  if (exponent >= 113) return sign | shiftEven(((exponent - 112) << 23) | fraction, 13)
  // Subnormal: units of 2^-24. Below 2^-25 everything rounds to zero.
  return exponent < 102 ? sign : sign | shiftEven(0x800000 | fraction, 126 - exponent)
}

/** The bits of the bfloat16 nearest to `x`, ties to even; NaN stays a (quiet) NaN. */
const roundBfloat = (x: number): number => {
  const word = bitsOf(x)
  return (word & 0x7fffffff) > 0x7f800000 ? (word >>> 16) | 0x40 : shiftEven(word, 16)
}

/**
 * Widens binary16 bits to float32; exact.
 *
 * @example
 * float16ToFloat32(Uint16Array.of(0x3c00, 0xc000)) // Float32Array [1, -2]
 */
export const float16ToFloat32 = (halves: Uint16Array): Float32Array => {
  const out = new Float32Array(halves.length)
  for (let i = 0; i < out.length; i++) out[i] = widenHalf(halves[i] as number)
  return out
}

/**
 * Widens bfloat16 bits to float32; exact.
 *
 * @example
 * bfloat16ToFloat32(Uint16Array.of(0x3f80, 0xc000)) // Float32Array [1, -2]
 */
export const bfloat16ToFloat32 = (values: Uint16Array): Float32Array => {
  const words = new Uint32Array(values.length)
  for (let i = 0; i < words.length; i++) words[i] = (values[i] as number) << 16
  return new Float32Array(words.buffer)
}

/**
 * Rounds float32 values to binary16 bits, nearest with ties to even (IEEE 754); beyond ±65504 they become infinite.
 *
 * @example
 * float32ToFloat16(Float32Array.of(1, 65536)) // Uint16Array [0x3c00, 0x7c00]
 */
export const float32ToFloat16 = (values: Float32Array): Uint16Array => Uint16Array.from(values, roundHalf)

/**
 * Rounds float32 values to bfloat16 bits, nearest with ties to even.
 *
 * @example
 * float32ToBfloat16(Float32Array.of(1, -2)) // Uint16Array [0x3f80, 0xc000]
 */
export const float32ToBfloat16 = (values: Float32Array): Uint16Array => Uint16Array.from(values, roundBfloat)
