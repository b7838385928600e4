/**
 * Numbers of fewer bits, packed in words of 32 and unpacked in the expression of what reads them: as floats of 16 bits,
 * whose upper or lower half a word holds, or as integers of 8 or 4 bits with a scale for each row.
 */
import {
  abs,
  add,
  bitcastConvertType,
  bitwiseAnd,
  bitwiseOr,
  cast,
  clip,
  concatenate,
  div,
  equal,
  expandDims,
  isNaN,
  jit,
  less,
  max,
  mul,
  reshape,
  round,
  shiftLeft,
  shiftRight,
  sliceAxis,
  sub,
  where,
} from '../core/index.ts'
import type { Tensor } from '../core/index.ts'

export type PackedPrecision = 'bfloat16' | 'float16' | 'int8' | 'int4'

/**
 * The rows of a matrix. Floats of 16 bits stand as in a file: word j of a row holds the numbers 2j (below) and 2j + 1.
 * Of integers it holds those at j, j + words, j + 2 · words …, from its lowest bits on, so that whole rows are unpacked in
 * pieces that lie in order.
 */
export interface PackedMatrix {
  readonly form: PackedPrecision
  /** int32 [out, in · bits / 32] */
  readonly words: Tensor
  /** [out], of integers: what their row is multiplied with. */
  readonly scale?: Tensor
}

interface Format {
  readonly bits: 16 | 8 | 4
  /** The numbers at one place in each word, divided by the square of `half`: float32, of the words' shape. */
  readonly plane: (words: Tensor, place: number) => Tensor
  /** A power of two: a product takes it to both of its sides, so that nothing overflows or is lost below. */
  readonly half: number
}

/** The bits of a place that has `bits` of them, moved to the top of the word, and zeros below. */
const atTop = (words: Tensor, bits: number, place: number): Tensor => {
  const left = 32 - bits * (place + 1)
  const moved = left === 0 ? words : shiftLeft(words, left)
  return place === 0 ? moved : bitwiseAnd(moved, (-1 << (32 - bits)) | 0)
}

/** At the top of a word an integer has its sign, and is exact as a float32: no more than eight bits are set. */
const integers = (bits: 8 | 4): Format => ({
  bits,
  plane: (words, place) => cast(atTop(words, bits, place), 'float32'),
  half: 2 ** ((bits - 32) / 2),
})

const asFloat = (bits: Tensor): Tensor => bitcastConvertType(bits, 'float32') as Tensor

/** A bfloat16 is the upper half of a float32. */
const bfloat16: Format = {
  bits: 16,
  plane: (words, place) => asFloat(atTop(words, 16, place)),
  half: 1,
}

/** A binary16 has three bits of exponent less, which begins 112 lower. */
const float16: Format = {
  bits: 16,
  plane: (words, place) => {
    const top = place === 0 ? shiftLeft(words, 16) : words
    return asFloat(bitwiseAnd(shiftRight(top, 3), 0x8fffe000 | 0))
  },
  half: 2 ** 56,
}

const formats: Readonly<Record<PackedPrecision, Format>> = {
  bfloat16,
  float16,
  int8: integers(8),
  int4: integers(4),
}

/** How many numbers a word holds. */
export const placesOf = (form: PackedPrecision): number => 32 / formats[form].bits

/** The numbers of the words, place by place: float32 of the words' shape each, without their scale and the format's. */
export const planes = (words: Tensor, form: PackedPrecision): readonly Tensor[] =>
  Array.from({ length: placesOf(form) }, (_, place) => formats[form].plane(words, place))

const times = (x: Tensor, factor: number): Tensor => (factor === 1 ? x : mul(x, factor))

/** Whether a word holds neighbours of a row. */
const holdsNeighbours = (form: PackedPrecision): boolean => formats[form].bits === 16

/** What words hold, in the order of the row: float32 [..., columns], without its scale. */
export const unpacked = (words: Tensor, form: PackedPrecision): Tensor => {
  const found = planes(words, form).map((plane) => times(plane, formats[form].half ** 2))
  if (!holdsNeighbours(form)) return concatenate(found, -1)
  const beside = concatenate(
    found.map((plane) => expandDims(plane, -1)),
    -1,
  ) // [..., words, places]
  return reshape(beside, [...words.shape.slice(0, -1), found.length * (words.shape.at(-1) as number)])
}

/** Numbers at one place of each word: [rows, columns] → [rows, words]. */
const placed = (rows: Tensor, form: PackedPrecision, place: number): Tensor => {
  const many = placesOf(form)
  const [count, columns] = rows.shape as readonly [number, number]
  const words = columns / many
  if (!holdsNeighbours(form)) return sliceAxis(rows, 1, place * words, (place + 1) * words)
  const apart = reshape(rows, [count, words, many])
  return reshape(sliceAxis(apart, 2, place, place + 1), [count, words])
}

/**
 * The left side of a product with `planes`: rows in the order in which words hold them, [rows, columns] → [rows, places,
 * words], in memory of its own, as every output reads it again: what makes it would be computed as often.
 */
export const arranged = (rows: Tensor, form: PackedPrecision): Tensor => {
  const [count, columns] = rows.shape as readonly [number, number]
  const many = placesOf(form)
  return concatenate(
    Array.from({ length: many }, (_, place) =>
      reshape(times(placed(rows, form, place), formats[form].half), [count, 1, columns / many]),
    ),
    1,
  )
}

/** What products with `planes` are to be multiplied with; each row of the matrix has its place along the last axis. */
export const scaled = (x: Tensor, { scale, form }: PackedMatrix): Tensor => {
  const whole = times(x, formats[form].half)
  return scale === undefined ? whole : mul(whole, scale)
}

/** Words of the bits that `own` gives for each place; what stands above a place's own bits is 0. */
const joined = (form: PackedPrecision, own: (place: number) => Tensor): Tensor => {
  const { bits } = formats[form]
  return Array.from({ length: placesOf(form) }, (_, place) => {
    const moved = own(place)
    return place === 0 ? moved : shiftLeft(moved, bits * place)
  }).reduce((a, b) => bitwiseOr(a, b) as Tensor)
}

const integersOf = (form: 'int8' | 'int4', rows: Tensor): Omit<PackedMatrix, 'form'> => {
  const { bits } = formats[form]
  const most = 2 ** (bits - 1) - 1
  const largest = max(abs(rows), { axis: -1 }) // [out]
  const scale = div(where(equal(largest, 0), 1, largest), most)
  const numbers = cast(clip(round(div(rows, expandDims(scale, -1))), -most, most), 'int32')
  const words = joined(form, (place) => bitwiseAnd(placed(numbers, form, place), 2 ** bits - 1))
  return { words, scale }
}

const bitsOf = (x: Tensor): Tensor => bitcastConvertType(x, 'int32') as Tensor

/** Without the lowest `count` bits, rounded to nearest, half to even; the upper bits stay where they are. */
const rounded = (bits: Tensor, count: number): Tensor =>
  add(add(bits, 2 ** (count - 1) - 1), bitwiseAnd(shiftRight(bits, count), 1))

/** The sixteen bits of each number, at the bottom of an int32. */
const halfBits = {
  // As a number a NaN's bits are the largest, and rounding would carry them into the sign.
  bfloat16: (x: Tensor): Tensor =>
    bitwiseAnd(where(isNaN(x), 0x7fc0, shiftRight(rounded(bitsOf(x), 16), 16)), 0xffff),
  float16: (x: Tensor): Tensor => {
    const size = clip(abs(x), 0, 65504)
    // Beside a half, numbers of float32 come in steps of 2^-24, which are those of the smallest binary16.
    const small = sub(bitsOf(add(size, 0.5)), 0x3f000000)
    const large = shiftRight(rounded(sub(bitsOf(size), 112 << 23), 13), 13)
    const own = where(isNaN(x), 0x7e00, where(less(size, 2 ** -14), small, large))
    return bitwiseOr(bitwiseAnd(shiftRight(bitsOf(x), 16), 0x8000), own)
  },
}

const packers: Readonly<Record<PackedPrecision, (rows: Tensor) => Omit<PackedMatrix, 'form'>>> = {
  bfloat16: (rows) => ({
    words: joined('bfloat16', (place) => halfBits.bfloat16(placed(rows, 'bfloat16', place))),
  }),
  float16: (rows) => ({
    words: joined('float16', (place) => halfBits.float16(placed(rows, 'float16', place))),
  }),
  int8: (rows) => integersOf('int8', rows),
  int4: (rows) => integersOf('int4', rows),
}

const compiled = (donate: readonly number[]): typeof packers => ({
  bfloat16: jit(packers.bfloat16, { donate }),
  float16: jit(packers.float16, { donate }),
  int8: jit(packers.int8, { donate }),
  int4: jit(packers.int4, { donate }),
})
const [keeping, taking] = [compiled([]), compiled([0])]

/** Rows [out, in] packed, each number rounded to the nearest that the form has; `owned` rows are given back at once. */
export const packed = (rows: Tensor, form: PackedPrecision, owned = false): PackedMatrix => ({
  form,
  ...(owned ? taking : keeping)[form](rows),
})

/** Whether rows of so many numbers fill whole words. */
export const fillsWords = (columns: number, form: PackedPrecision): boolean => columns % placesOf(form) === 0
