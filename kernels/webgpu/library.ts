/**
 * Functions in WGSL that kernels call: what gpu.js' language cannot express (bits, integers, NaN), and
 * elementary functions more exact than WGSL promises, which leaves exp wrong by 100 units in the last place
 * and NaN to the driver. Those named `fn_…` are called by code that gpu.js compiles.
 */
import { elementary } from './elementary.ts'
import { random } from './random.ts'

const basic: Readonly<Record<string, string>> = {
  // A call is never a constant expression, in which WGSL would refuse infinities and NaN.
  fromBits: 'fn fromBits(x: u32) -> f32 { return bitcast<f32>(x); }',
  // By their bits, because drivers may assume that `x != x` is false.
  isNan: 'fn isNan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }',
  isFinite: 'fn isFinite(x: f32) -> bool { return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u; }',
  nan: 'fn nan() -> f32 { return fromBits(0x7fc00000u); }',
  infinity: 'fn infinity() -> f32 { return fromBits(0x7f800000u); }',
  fn_max: `fn fn_max(x: f32, y: f32) -> f32 {
  if (isNan(x) || isNan(y)) { return x + y; }
  return max(x, y);
}`,
  fn_min: `fn fn_min(x: f32, y: f32) -> f32 {
  if (isNan(x) || isNan(y)) { return x + y; }
  return min(x, y);
}`,
  fn_sign: 'fn fn_sign(x: f32) -> f32 { return select(select(x, -1.0, x < 0.0), 1.0, x > 0.0); }',
  // Half to even in WGSL, which gpu.js' Math.round is not.
  fn_round: 'fn fn_round(x: f32) -> f32 { return round(x); }',
  toI32: `fn toI32(x: f32) -> i32 {
  if (isNan(x)) { return 0i; }
  if (x >= 2147483648.0) { return 2147483647i; }
  if (x <= -2147483648.0) { return i32(-2147483648); }
  return i32(x);
}`,
  toU32: `fn toU32(x: f32) -> u32 {
  if (!(x > 0.0)) { return 0u; }
  if (x >= 4294967296.0) { return 4294967295u; }
  return u32(x);
}`,
  divI32: 'fn divI32(x: i32, y: i32) -> i32 { return select(x / select(y, 1i, y == 0i), 0i, y == 0i); }',
  remI32: `fn remI32(x: i32, y: i32) -> i32 {
  if (y == 0i || y == -1i) { return 0i; }
  return x % y;
}`,
  divU32: 'fn divU32(x: u32, y: u32) -> u32 { return select(x / select(y, 1u, y == 0u), 0u, y == 0u); }',
  remU32: 'fn remU32(x: u32, y: u32) -> u32 { return select(x % select(y, 1u, y == 0u), 0u, y == 0u); }',
  shiftLeftI32:
    'fn shiftLeftI32(x: i32, y: i32) -> i32 { return select(x << (u32(y) & 31u), 0i, u32(y) > 31u); }',
  shiftLeftU32: 'fn shiftLeftU32(x: u32, y: u32) -> u32 { return select(x << (y & 31u), 0u, y > 31u); }',
  shiftRightI32: 'fn shiftRightI32(x: i32, y: i32) -> i32 { return x >> min(u32(y), 31u); }',
  shiftRightU32: 'fn shiftRightU32(x: u32, y: u32) -> u32 { return select(x >> (y & 31u), 0u, y > 31u); }',
  // Whether the second of two places in a row is the more extreme: NaN first, then the value, then the order.
  // A place of -1 stands for none.
  beyondF32: `fn beyondF32(a: f32, at: i32, b: f32, other: i32, sign: f32) -> bool {
  if (other < 0i) { return false; }
  if (at < 0i) { return true; }
  if (isNan(a) || isNan(b)) { return isNan(b) && (!isNan(a) || other < at); }
  return sign * b > sign * a || (a == b && other < at);
}`,
  beyondI32: `fn beyondI32(a: i32, at: i32, b: i32, other: i32, most: bool) -> bool {
  if (other < 0i) { return false; }
  if (at < 0i) { return true; }
  return select((b < a), (b > a), most) || (a == b && other < at);
}`,
  beyondU32: `fn beyondU32(a: u32, at: i32, b: u32, other: i32, most: bool) -> bool {
  if (other < 0i) { return false; }
  if (at < 0i) { return true; }
  return select((b < a), (b > a), most) || (a == b && other < at);
}`,
}

const library: Readonly<Record<string, string>> = { ...basic, ...elementary, ...random }

/** The functions that the code calls, and those that they call. */
export const libraryFor = (code: string): string => {
  const found = new Map<string, string>()
  const visit = (text: string): void => {
    for (const [name] of text.matchAll(/\b[a-zA-Z_]\w*(?=\()/g)) {
      const own = library[name]
      if (own === undefined || found.has(name)) continue
      found.set(name, own)
      visit(own)
    }
  }
  visit(code)
  return [...found.values()].join('\n')
}
