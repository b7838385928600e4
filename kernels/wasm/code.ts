/**
 * WebAssembly instructions as data: an expression is a nested list of bytes, and an instruction is a function
 * from its operands' code to code. Opcodes are those of the WebAssembly core specification 2.0 (appendix
 * "Index of Instructions") and of the relaxed SIMD proposal.
 */
export type Code = readonly (number | Code)[]

/** Unsigned LEB128. */
export const unsigned = (value: number): number[] => {
  const bytes: number[] = []
  let rest = value
  while (rest > 0x7f) {
    bytes.push((rest % 128) | 0x80)
    rest = Math.floor(rest / 128)
  }
  bytes.push(rest)
  return bytes
}

/** Signed LEB128 of a 32-bit integer. */
export const signed = (value: number): number[] => {
  const bytes: number[] = []
  let rest = value | 0
  for (;;) {
    const low = rest & 0x7f
    rest >>= 7
    if ((rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0)) {
      bytes.push(low)
      return bytes
    }
    bytes.push(low | 0x80)
  }
}

/** The bytes of `code` in order. */
export const flatten = (code: Code, into: number[] = []): number[] => {
  for (const part of code) {
    if (typeof part === 'number') into.push(part)
    else flatten(part, into)
  }
  return into
}

export type ValueType = 'i32' | 'f32' | 'f64' | 'v128'

export const typeByte: Readonly<Record<ValueType, number>> = { i32: 0x7f, f32: 0x7d, f64: 0x7c, v128: 0x7b }

type One = (a: Code) => Code
type Two = (a: Code, b: Code) => Code
type Three = (a: Code, b: Code, c: Code) => Code
type Load = (address: Code, offset?: number) => Code
type Store = (address: Code, value: Code, offset?: number) => Code
type LoadLane = (address: Code, vector: Code, lane: number, offset?: number) => Code
type Lane = (vector: Code, lane: number) => Code
type ReplaceLane = (vector: Code, lane: number, value: Code) => Code

const one =
  (...op: number[]): One =>
  (a) => [a, ...op]
const two =
  (...op: number[]): Two =>
  (a, b) => [a, b, ...op]
const load =
  (align: number, ...op: number[]): Load =>
  (address, offset = 0) => [address, ...op, align, ...unsigned(offset)]
const store =
  (align: number, ...op: number[]): Store =>
  (address, value, offset = 0) => [address, value, ...op, align, ...unsigned(offset)]

const simd = (op: number): number[] => [0xfd, ...unsigned(op)]
const v1 = (op: number): One => one(...simd(op))
const v2 = (op: number): Two => two(...simd(op))
const v3 = (op: number): Three => {
  const bytes = simd(op)
  return (a, b, c) => [a, b, c, ...bytes]
}
const vload = (op: number): Load => load(0, ...simd(op))
const loadLane =
  (op: number): LoadLane =>
  (address, vector, lane, offset = 0) => [address, vector, ...simd(op), 0, ...unsigned(offset), lane]
const extract =
  (op: number): Lane =>
  (vector, lane) => [vector, ...simd(op), lane]
const replace =
  (op: number): ReplaceLane =>
  (vector, lane, value) => [vector, value, ...simd(op), lane]

export const get = (local: number): Code => [0x20, ...unsigned(local)]
export const set = (local: number, value: Code): Code => [value, 0x21, ...unsigned(local)]
export const tee = (local: number, value: Code): Code => [value, 0x22, ...unsigned(local)]
export const globalGet = (index: number): Code => [0x23, ...unsigned(index)]
export const call = (index: number, ...args: readonly Code[]): Code => [...args, 0x10, ...unsigned(index)]

const empty = 0x40
export const block = (...body: readonly Code[]): Code => [0x02, empty, ...body, 0x0b]
/** A loop; `branch(0)` inside begins the next turn. */
export const loop = (...body: readonly Code[]): Code => [0x03, empty, ...body, 0x0b]
export const when = (condition: Code, then: Code, otherwise: Code = []): Code =>
  otherwise.length === 0
    ? [condition, 0x04, empty, then, 0x0b]
    : [condition, 0x04, empty, then, 0x05, otherwise, 0x0b]
export const branch = (depth: number): Code => [0x0c, ...unsigned(depth)]
export const branchIf = (depth: number, condition: Code): Code => [condition, 0x0d, ...unsigned(depth)]
/** `condition ? a : b` of scalars, both evaluated. */
export const choose: Three = (condition, a, b) => [a, b, condition, 0x1b]

export const i32: {
  readonly const: (value: number) => Code
  readonly load: Load
  readonly load8u: Load
  readonly store: Store
  readonly store8: Store
  readonly eqz: One
} & Readonly<
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
    | 'add'
    | 'sub'
    | 'mul'
    | 'divU'
    | 'remU'
    | 'and'
    | 'or'
    | 'xor'
    | 'shl'
    | 'shrS'
    | 'shrU',
    Two
  >
> = {
  const: (value) => [0x41, ...signed(value)],
  load: load(2, 0x28),
  load8u: load(0, 0x2d),
  store: store(2, 0x36),
  store8: store(0, 0x3a),
  eqz: one(0x45),
  eq: two(0x46),
  ne: two(0x47),
  ltS: two(0x48),
  ltU: two(0x49),
  gtS: two(0x4a),
  gtU: two(0x4b),
  leS: two(0x4c),
  leU: two(0x4d),
  geS: two(0x4e),
  geU: two(0x4f),
  add: two(0x6a),
  sub: two(0x6b),
  mul: two(0x6c),
  divU: two(0x6e),
  remU: two(0x70),
  and: two(0x71),
  or: two(0x72),
  xor: two(0x73),
  shl: two(0x74),
  shrS: two(0x75),
  shrU: two(0x76),
}

export const f32: { readonly load: Load; readonly store: Store; readonly add: Two } = {
  load: load(2, 0x2a),
  store: store(2, 0x38),
  add: two(0x92),
}

export const f64: { readonly promoteF32: One; readonly demoteToF32: One } = {
  promoteF32: one(0xbb),
  demoteToF32: one(0xb6),
}

export const v128: {
  readonly load: Load
  readonly load8Splat: Load
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
  load8Splat: vload(0x07),
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

export const i64x2: Readonly<Record<'extendLowI32s' | 'extendLowI32u', One>> &
  Readonly<Record<'shl' | 'shrS' | 'shrU' | 'add' | 'sub', Two>> = {
  extendLowI32s: v1(0xc7),
  extendLowI32u: v1(0xc9),
  shl: v2(0xcb),
  shrS: v2(0xcc),
  shrU: v2(0xcd),
  add: v2(0xce),
  sub: v2(0xd1),
}

type FloatVector = {
  readonly splat: One
  readonly extract: Lane
  readonly replace: ReplaceLane
  /** a · b + c, rounded once or twice, as the machine has it. */
  readonly relaxedMadd: Three
  /** c - a · b. */
  readonly relaxedNmadd: Three
} & Readonly<Record<'abs' | 'neg' | 'sqrt' | 'ceil' | 'floor' | 'trunc' | 'nearest', One>> &
  Readonly<
    Record<
      | 'eq'
      | 'ne'
      | 'lt'
      | 'gt'
      | 'le'
      | 'ge'
      | 'add'
      | 'sub'
      | 'mul'
      | 'div'
      | 'min'
      | 'max'
      | 'pmin'
      | 'pmax',
      Two
    >
  >

export const f32x4: FloatVector & Readonly<Record<'convertI32s' | 'convertI32u' | 'demoteF64', One>> = {
  splat: v1(0x13),
  extract: extract(0x1f),
  replace: replace(0x20),
  relaxedMadd: v3(0x105),
  relaxedNmadd: v3(0x106),
  abs: v1(0xe0),
  neg: v1(0xe1),
  sqrt: v1(0xe3),
  ceil: v1(0x67),
  floor: v1(0x68),
  trunc: v1(0x69),
  nearest: v1(0x6a),
  eq: v2(0x41),
  ne: v2(0x42),
  lt: v2(0x43),
  gt: v2(0x44),
  le: v2(0x45),
  ge: v2(0x46),
  add: v2(0xe4),
  sub: v2(0xe5),
  mul: v2(0xe6),
  div: v2(0xe7),
  min: v2(0xe8),
  max: v2(0xe9),
  pmin: v2(0xea),
  pmax: v2(0xeb),
  convertI32s: v1(0xfa),
  convertI32u: v1(0xfb),
  demoteF64: v1(0x5e),
}

export const f64x2: FloatVector & Readonly<Record<'promoteF32' | 'convertI32s' | 'convertI32u', One>> = {
  splat: v1(0x14),
  extract: extract(0x21),
  replace: replace(0x22),
  relaxedMadd: v3(0x107),
  relaxedNmadd: v3(0x108),
  abs: v1(0xec),
  neg: v1(0xed),
  sqrt: v1(0xef),
  ceil: v1(0x74),
  floor: v1(0x75),
  trunc: v1(0x7a),
  nearest: v1(0x94),
  eq: v2(0x47),
  ne: v2(0x48),
  lt: v2(0x49),
  gt: v2(0x4a),
  le: v2(0x4b),
  ge: v2(0x4c),
  add: v2(0xf0),
  sub: v2(0xf1),
  mul: v2(0xf2),
  div: v2(0xf3),
  min: v2(0xf4),
  max: v2(0xf5),
  pmin: v2(0xf6),
  pmax: v2(0xf7),
  promoteF32: v1(0x5f),
  convertI32s: v1(0xfe),
  convertI32u: v1(0xff),
}

export type { FloatVector }
