/**
 * The names of WebAssembly's instructions by their opcodes: those of the core specification 2.0 (appendix "Index of
 * Instructions") and of the relaxed SIMD proposal, grouped by what stands behind the opcode.
 */
type Names = ReadonlyMap<number, string>

/** Instructions from an opcode on; `-` stands for one that there is not. */
const runs = (table: Readonly<Record<number, string>>): Names =>
  new Map(
    Object.entries(table).flatMap(([start, names]) =>
      names
        .split(/\s+/)
        .map((name, index): [number, string] => [Number(start) + index, name])
        .filter(([, name]) => name !== '-'),
    ),
  )

const each = (type: string, names: string): string =>
  names
    .split(' ')
    .map((name) => (name === '-' ? name : `${type}.${name}`))
    .join(' ')

const compareIntegers = 'eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u'
const compareFloats = 'eq ne lt gt le ge'
const integers = 'clz ctz popcnt add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u rotl rotr'
const floats = 'abs neg ceil floor trunc nearest sqrt add sub mul div min max copysign'

/** Nothing stands behind these. */
export const plain: Names = runs({
  0x00: 'unreachable nop',
  0x0f: 'return',
  0x1a: 'drop select',
  0x45: `i32.eqz ${each('i32', compareIntegers)} i64.eqz ${each('i64', compareIntegers)}`,
  0x5b: `${each('f32', compareFloats)} ${each('f64', compareFloats)}`,
  0x67: `${each('i32', integers)} ${each('i64', integers)} ${each('f32', floats)} ${each('f64', floats)}`,
  0xa7: 'i32.wrap_i64 i32.trunc_f32_s i32.trunc_f32_u i32.trunc_f64_s i32.trunc_f64_u',
  0xac: 'i64.extend_i32_s i64.extend_i32_u i64.trunc_f32_s i64.trunc_f32_u i64.trunc_f64_s i64.trunc_f64_u',
  0xb2: 'f32.convert_i32_s f32.convert_i32_u f32.convert_i64_s f32.convert_i64_u f32.demote_f64',
  0xb7: 'f64.convert_i32_s f64.convert_i32_u f64.convert_i64_s f64.convert_i64_u f64.promote_f32',
  0xbc: 'i32.reinterpret_f32 i64.reinterpret_f64 f32.reinterpret_i32 f64.reinterpret_i64',
})

/** An alignment and an offset. */
export const memory: Names = runs({
  0x28: 'i32.load i64.load f32.load f64.load i32.load8_s i32.load8_u i32.load16_s i32.load16_u',
  0x30: 'i64.load8_s i64.load8_u i64.load16_s i64.load16_u i64.load32_s i64.load32_u',
  0x36: 'i32.store i64.store f32.store f64.store i32.store8 i32.store16 i64.store8 i64.store16 i64.store32',
})

const narrow = 'lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u'
const shifts = 'shl shr_s shr_u add'

/** After the prefix 0xfd; nothing stands behind these. */
export const vectors: Names = runs({
  0x0e: 'i8x16.swizzle i8x16.splat i16x8.splat i32x4.splat i64x2.splat f32x4.splat f64x2.splat',
  0x23: `${each('i8x16', `eq ne ${narrow}`)} ${each('i16x8', `eq ne ${narrow}`)} ${each('i32x4', `eq ne ${narrow}`)}`,
  0x41: `${each('f32x4', compareFloats)} ${each('f64x2', compareFloats)}`,
  0x4d: each('v128', 'not and andnot or xor bitselect any_true'),
  0x5e: 'f32x4.demote_f64x2_zero f64x2.promote_low_f32x4',
  0x60: each('i8x16', 'abs neg popcnt all_true bitmask narrow_i16x8_s narrow_i16x8_u'),
  0x67: each('f32x4', 'ceil floor trunc nearest'),
  0x6b: each('i8x16', `${shifts} add_sat_s add_sat_u sub sub_sat_s sub_sat_u`),
  0x74: 'f64x2.ceil f64x2.floor i8x16.min_s i8x16.min_u i8x16.max_s i8x16.max_u f64x2.trunc i8x16.avgr_u',
  0x7c: 'i16x8.extadd_pairwise_i8x16_s i16x8.extadd_pairwise_i8x16_u i32x4.extadd_pairwise_i16x8_s i32x4.extadd_pairwise_i16x8_u',
  0x80: each('i16x8', 'abs neg q15mulr_sat_s all_true bitmask narrow_i32x4_s narrow_i32x4_u'),
  0x87: each('i16x8', 'extend_low_i8x16_s extend_high_i8x16_s extend_low_i8x16_u extend_high_i8x16_u'),
  0x8b: each('i16x8', `${shifts} add_sat_s add_sat_u sub sub_sat_s sub_sat_u`),
  0x94: 'f64x2.nearest i16x8.mul i16x8.min_s i16x8.min_u i16x8.max_s i16x8.max_u - i16x8.avgr_u',
  0x9c: each('i16x8', 'extmul_low_i8x16_s extmul_high_i8x16_s extmul_low_i8x16_u extmul_high_i8x16_u'),
  0xa0: each('i32x4', 'abs neg - all_true bitmask'),
  0xa7: each('i32x4', 'extend_low_i16x8_s extend_high_i16x8_s extend_low_i16x8_u extend_high_i16x8_u'),
  0xab: each('i32x4', shifts),
  0xb1: each('i32x4', 'sub - - - mul min_s min_u max_s max_u dot_i16x8_s'),
  0xbc: each('i32x4', 'extmul_low_i16x8_s extmul_high_i16x8_s extmul_low_i16x8_u extmul_high_i16x8_u'),
  0xc0: each('i64x2', 'abs neg - all_true bitmask'),
  0xc7: each('i64x2', 'extend_low_i32x4_s extend_high_i32x4_s extend_low_i32x4_u extend_high_i32x4_u'),
  0xcb: each('i64x2', shifts),
  0xd1: each('i64x2', 'sub - - - mul eq ne lt_s gt_s le_s ge_s'),
  0xdc: each('i64x2', 'extmul_low_i32x4_s extmul_high_i32x4_s extmul_low_i32x4_u extmul_high_i32x4_u'),
  0xe0: each('f32x4', 'abs neg - sqrt add sub mul div min max pmin pmax'),
  0xec: each('f64x2', 'abs neg - sqrt add sub mul div min max pmin pmax'),
  0xf8: each('i32x4', 'trunc_sat_f32x4_s trunc_sat_f32x4_u'),
  0xfa: each('f32x4', 'convert_i32x4_s convert_i32x4_u'),
  0xfc: each('i32x4', 'trunc_sat_f64x2_s_zero trunc_sat_f64x2_u_zero'),
  0xfe: each('f64x2', 'convert_low_i32x4_s convert_low_i32x4_u'),
  0x100: 'i8x16.relaxed_swizzle i32x4.relaxed_trunc_f32x4_s i32x4.relaxed_trunc_f32x4_u',
  0x105: 'f32x4.relaxed_madd f32x4.relaxed_nmadd f64x2.relaxed_madd f64x2.relaxed_nmadd',
})

/** After 0xfd: an alignment and an offset. */
export const vectorMemory: Names = runs({
  0x00: each(
    'v128',
    'load load8x8_s load8x8_u load16x4_s load16x4_u load32x2_s load32x2_u load8_splat load16_splat load32_splat load64_splat store',
  ),
  0x5c: each('v128', 'load32_zero load64_zero'),
})

/** After 0xfd: an alignment, an offset and a lane. */
export const vectorLaneMemory: Names = runs({
  0x54: each(
    'v128',
    'load8_lane load16_lane load32_lane load64_lane store8_lane store16_lane store32_lane store64_lane',
  ),
})

/** After 0xfd: a lane. */
export const vectorLanes: Names = runs({
  0x15: 'i8x16.extract_lane_s i8x16.extract_lane_u i8x16.replace_lane i16x8.extract_lane_s i16x8.extract_lane_u i16x8.replace_lane',
  0x1b: 'i32x4.extract_lane i32x4.replace_lane i64x2.extract_lane i64x2.replace_lane f32x4.extract_lane f32x4.replace_lane f64x2.extract_lane f64x2.replace_lane',
})
