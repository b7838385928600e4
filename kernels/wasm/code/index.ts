/**
 * WebAssembly instructions as data: an expression is a nested list of bytes, and an instruction is a function
 * from its operands' code to code. Opcodes are those of the WebAssembly core specification 2.0 (appendix
 * "Index of Instructions") and of the relaxed SIMD proposal.
 */
export type { Code, ValueType } from './byte.ts'
export { flatten, signed, typeByte, unsigned } from './byte.ts'
export { block, branch, branchIf, call, choose, get, globalGet, loop, set, tee, when } from './control.ts'
export type { FloatVector } from './float.ts'
export { f32x4, f64x2 } from './float.ts'
export { f64, i32, larger, smaller } from './scalar.ts'
export { i16x8, i32x4, i64x2, i8x16, shuffle32, v128 } from './vector.ts'
