/** Folds in WGSL: how each starts, takes a value, and is joined with another thread's. */
import type { Dtype } from '../dtype.ts'
import type { Fold } from '../program/index.ts'
import type { WgslType } from './shader.ts'
import { storedType } from './shader.ts'

/** How one fold is accumulated by a thread, in a variable `a` and, for a position, another `n`. */
export interface Accumulator {
  readonly type: WgslType
  /** Whether a position is sought, which takes a second variable. */
  readonly seeks: boolean
  /** What `a` starts with; `n` starts with -1, for none. */
  readonly start: string
  /** Statements that take the value `v` (of the accumulator's type) at the position `at` (an i32). */
  readonly take: (a: string, n: string, v: string, at: string) => string
  /** The result as a value of the scalar language. */
  readonly result: (a: string, n: string) => string
}

const least: Readonly<Record<WgslType, string>> = { f32: '-infinity()', i32: 'i32(-2147483648)', u32: '0u' }
const most: Readonly<Record<WgslType, string>> = { f32: 'infinity()', i32: '2147483647i', u32: '4294967295u' }

const suffix: Readonly<Record<WgslType, string>> = { f32: 'F32', i32: 'I32', u32: 'U32' }

/** The value as the accumulator takes it. */
export const taken = (value: string, dtype: Dtype): string => (dtype === 'bool' ? `u32(${value})` : value)

export const accumulatorOf = ({ op }: Pick<Fold, 'op'>, dtype: Dtype): Accumulator => {
  const type = storedType(dtype)
  const result = (a: string): string => (dtype === 'bool' ? `(${a} != 0u)` : a)
  switch (op) {
    case 'sum':
      return { type, seeks: false, start: `${type}(0)`, take: (a, _, v) => `${a} = ${a} + ${v};`, result }
    case 'prod':
      return { type, seeks: false, start: `${type}(1)`, take: (a, _, v) => `${a} = ${a} * ${v};`, result }
    case 'max':
    case 'min': {
      const call = type === 'f32' ? `fn_${op}` : op
      const start = dtype === 'bool' ? (op === 'max' ? '0u' : '1u') : (op === 'max' ? least : most)[type]
      return { type, seeks: false, start, take: (a, _, v) => `${a} = ${call}(${a}, ${v});`, result }
    }
    case 'argmax':
    case 'argmin': {
      const way = type === 'f32' ? (op === 'argmax' ? '1.0' : '-1.0') : String(op === 'argmax')
      return {
        type,
        seeks: true,
        start: `${type}(0)`,
        take: (a, n, v, at) =>
          `if (beyond${suffix[type]}(${a}, ${n}, ${v}, ${at}, ${way})) { ${a} = ${v}; ${n} = ${at}; }`,
        result: (_, n) => `max(${n}, 0)`,
      }
    }
  }
}
