/** The forms that instructions have: what they take, and what stands behind the opcode. */
import type { Code } from './byte.ts'
import { unsigned } from './byte.ts'

export type One = (a: Code) => Code
export type Two = (a: Code, b: Code) => Code
export type Three = (a: Code, b: Code, c: Code) => Code
export type Load = (address: Code, offset?: number) => Code
export type Store = (address: Code, value: Code, offset?: number) => Code
export type LoadLane = (address: Code, vector: Code, lane: number, offset?: number) => Code
export type Lane = (vector: Code, lane: number) => Code
export type ReplaceLane = (vector: Code, lane: number, value: Code) => Code

export const one =
  (...op: number[]): One =>
  (a) => [a, ...op]
export const two =
  (...op: number[]): Two =>
  (a, b) => [a, b, ...op]
export const load =
  (align: number, ...op: number[]): Load =>
  (address, offset = 0) => [address, ...op, align, ...unsigned(offset)]
export const store =
  (align: number, ...op: number[]): Store =>
  (address, value, offset = 0) => [address, value, ...op, align, ...unsigned(offset)]

export const simd = (op: number): number[] => [0xfd, ...unsigned(op)]
export const v1 = (op: number): One => one(...simd(op))
export const v2 = (op: number): Two => two(...simd(op))
export const v3 = (op: number): Three => {
  const bytes = simd(op)
  return (a, b, c) => [a, b, c, ...bytes]
}
export const vload = (op: number): Load => load(0, ...simd(op))
export const loadLane =
  (op: number): LoadLane =>
  (address, vector, lane, offset = 0) => [address, vector, ...simd(op), 0, ...unsigned(offset), lane]
export const extract =
  (op: number): Lane =>
  (vector, lane) => [vector, ...simd(op), lane]
export const replace =
  (op: number): ReplaceLane =>
  (vector, lane, value) => [vector, value, ...simd(op), lane]
