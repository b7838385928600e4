/** Instructions on vectors of bits and of integers. */
import type { Code } from './byte.ts'
import type { Lane, Load, LoadLane, One, ReplaceLane, Store, Two } from './form.ts'
import { extract, loadLane, replace, simd, store, v1, v2, v3, vload } from './form.ts'

export const v128: {
  readonly load: Load
  readonly load32Splat: Load
  readonly load64Splat: Load
  readonly load32Zero: Load
  readonly load64Zero: Load
  readonly store: Store
  readonly load32Lane: LoadLane
  readonly load64Lane: LoadLane
  readonly store8Lane: LoadLane
  readonly store16Lane: LoadLane
  readonly store32Lane: LoadLane
  readonly store64Lane: LoadLane
  readonly const: (bytes: readonly number[]) => Code
  readonly not: One
  readonly anyTrue: One
  /** Bits of `a` where `mask` is 1, else of `b`. */
  readonly select: (a: Code, b: Code, mask: Code) => Code
} & Readonly<Record<'and' | 'andnot' | 'or' | 'xor', Two>> = {
  load: vload(0x00),
  load32Splat: vload(0x09),
  load64Splat: vload(0x0a),
  load32Zero: vload(0x5c),
  load64Zero: vload(0x5d),
  store: store(0, ...simd(0x0b)),
  load32Lane: loadLane(0x56),
  load64Lane: loadLane(0x57),
  store8Lane: loadLane(0x58),
  store16Lane: loadLane(0x59),
  store32Lane: loadLane(0x5a),
  store64Lane: loadLane(0x5b),
  const: (bytes) => [...simd(0x0c), ...bytes],
  not: v1(0x4d),
  anyTrue: v1(0x53),
  select: v3(0x52),
  and: v2(0x4e),
  andnot: v2(0x4f),
  or: v2(0x50),
  xor: v2(0x51),
}

export const i8x16: {
  readonly shuffle: (a: Code, b: Code, bytes: readonly number[]) => Code
  readonly narrowI16: Two
} = {
  shuffle: (a, b, bytes) => [a, b, ...simd(0x0d), ...bytes],
  narrowI16: v2(0x65),
}

/** A shuffle of 32-bit lanes 0 to 7 of two vectors. */
export const shuffle32 = (a: Code, b: Code, lanes: readonly number[]): Code =>
  i8x16.shuffle(
    a,
    b,
    lanes.flatMap((lane) => [4 * lane, 4 * lane + 1, 4 * lane + 2, 4 * lane + 3]),
  )

export const i16x8: { readonly extendLowI8u: One; readonly narrowI32: Two } = {
  extendLowI8u: v1(0x89),
  narrowI32: v2(0x85),
}

export const i32x4: {
  readonly splat: One
  readonly extract: Lane
  readonly replace: ReplaceLane
} & Readonly<
  Record<
    'abs' | 'neg' | 'extendLowI16u' | 'truncSatF32s' | 'truncSatF32u' | 'truncSatF64s' | 'truncSatF64u',
    One
  >
> &
  Readonly<
    Record<
      | 'eq'
      | 'ne'
      | 'ltS'
      | 'ltU'
      | 'gtS'
      | 'gtU'
      | 'leS'
      | 'leU'
      | 'geS'
      | 'geU'
      | 'shl'
      | 'shrS'
      | 'shrU'
      | 'add'
      | 'sub'
      | 'mul'
      | 'minS'
      | 'minU'
      | 'maxS'
      | 'maxU',
      Two
    >
  > = {
  splat: v1(0x11),
  extract: extract(0x1b),
  replace: replace(0x1c),
  abs: v1(0xa0),
  neg: v1(0xa1),
  extendLowI16u: v1(0xa9),
  truncSatF32s: v1(0xf8),
  truncSatF32u: v1(0xf9),
  truncSatF64s: v1(0xfc),
  truncSatF64u: v1(0xfd),
  eq: v2(0x37),
  ne: v2(0x38),
  ltS: v2(0x39),
  ltU: v2(0x3a),
  gtS: v2(0x3b),
  gtU: v2(0x3c),
  leS: v2(0x3d),
  leU: v2(0x3e),
  geS: v2(0x3f),
  geU: v2(0x40),
  shl: v2(0xab),
  shrS: v2(0xac),
  shrU: v2(0xad),
  add: v2(0xae),
  sub: v2(0xb1),
  mul: v2(0xb5),
  minS: v2(0xb6),
  minU: v2(0xb7),
  maxS: v2(0xb8),
  maxU: v2(0xb9),
}

export const i64x2: { readonly extendLowI32s: One } = { extendLowI32s: v1(0xc7) }
