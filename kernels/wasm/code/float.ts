/** Instructions on vectors of floating-point numbers. */
import type { Lane, One, ReplaceLane, Three, Two } from './form.ts'
import { extract, replace, v1, v2, v3 } from './form.ts'

export type FloatVector = {
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
