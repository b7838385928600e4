/** Locals, calls, blocks and branches. */
import type { Code } from './byte.ts'
import { unsigned } from './byte.ts'
import type { Three } from './form.ts'

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
