/** A function under construction: its locals, its constants, and the statements written so far. */
import type { Code, ValueType } from './code/index.ts'
import { f32x4, f64x2, get, i32, set, v128 } from './code/index.ts'
import type { HostFunction, WasmFunction } from './module.ts'

/** What code is written for. */
export interface Target {
  /** Fused multiply-add may be used: the runtime has relaxed SIMD and the engine is not strict. */
  readonly fused: boolean
  /** The address of a 16-byte constant in the table in memory; `undefined` once the table is full. */
  readonly constantAddress: (bytes: Uint8Array) => number | undefined
}

/** Functions of the host, on float64 numbers, for what has no vector form. */
export const hostNames = [
  'exp',
  'expm1',
  'log',
  'log1p',
  'sin',
  'cos',
  'tanh',
  'sigmoid',
  'erf',
  'erfInv',
  'pow',
  'atan2',
  'rem',
] as const

export type HostName = (typeof hostNames)[number]

const binaryHosts: ReadonlySet<HostName> = new Set(['pow', 'atan2', 'rem'])

/** The parts of a matrix product: exports of a module of their own (gemm.ts), imports of every other. */
export const gemmNames = ['packRows', 'packColumns', 'multiply'] as const

/** How many parameters they take (gemm.ts). */
const packParameters = 6
export const multiplyParameters = 11

/** The imports of every module: `hostNames`, then `gemmNames`. */
export const imports: readonly HostFunction[] = [
  ...hostNames.map((name): HostFunction => ({
    name,
    params: binaryHosts.has(name) ? ['f64', 'f64'] : ['f64'],
    results: ['f64'],
  })),
  ...gemmNames.map((name): HostFunction => ({
    name,
    params: new Array<ValueType>(name === 'multiply' ? multiplyParameters : packParameters).fill('i32'),
    results: [],
  })),
]

/** Those that only the calling thread has: workers run what JavaScript itself can. */
const callingThreadOnly: ReadonlySet<HostName> = new Set(['sigmoid', 'erf', 'erfInv', 'pow'])

export interface Emitter {
  readonly target: Target
  readonly local: (type: ValueType) => number
  /** Writes statements. */
  readonly push: (...statements: readonly Code[]) => void
  /** Computes `value` once, here; the result reads it. */
  readonly keep: (value: Code, type?: ValueType) => Code
  /** The statements that `write` writes, not written here. */
  readonly capture: (write: () => void) => Code
  /** A vector constant, by what stands in each of its lanes. */
  readonly f32: (value: number) => Code
  readonly f64: (value: number) => Code
  readonly i32: (...lanes: readonly number[]) => Code
  /** a · b + c in float32 and c - a · b, fused where allowed. */
  readonly madd: (a: Code, b: Code, c: Code) => Code
  readonly nmadd: (a: Code, b: Code, c: Code) => Code
  readonly maddDouble: (a: Code, b: Code, c: Code) => Code
  /** The index of a function of the host. */
  readonly host: (name: HostName) => number
  /** The index of a part of the matrix product. */
  readonly gemm: (name: (typeof gemmNames)[number]) => number
  /** Whether the code can run on the calling thread only. */
  readonly needsCaller: () => boolean
  readonly finish: () => WasmFunction
}

/** An emitter of a function without results; its parameters are the first locals. */
export const emitter = (target: Target, params: readonly ValueType[]): Emitter => {
  const locals: ValueType[] = []
  let statements: Code[] = []
  let caller = false
  const local = (type: ValueType): number => params.length + locals.push(type) - 1
  const constant = (bytes: Uint8Array): Code => {
    const address = target.constantAddress(bytes)
    return address === undefined ? v128.const([...bytes]) : v128.load(i32.const(0), address)
  }
  return {
    target,
    local,
    push: (...more) => void statements.push(...more),
    keep: (value, type = 'v128') => {
      const index = local(type)
      statements.push(set(index, value))
      return get(index)
    },
    capture: (write) => {
      const before = statements
      statements = []
      write()
      const captured = statements
      statements = before
      return captured
    },
    f32: (value) => constant(new Uint8Array(new Float32Array(4).fill(value).buffer)),
    f64: (value) => constant(new Uint8Array(new Float64Array(2).fill(value).buffer)),
    i32: (...lanes) =>
      constant(
        new Uint8Array(Int32Array.from({ length: 4 }, (_, i) => lanes[i % lanes.length] as number).buffer),
      ),
    madd: (a, b, c) => (target.fused ? f32x4.relaxedMadd(a, b, c) : f32x4.add(f32x4.mul(a, b), c)),
    nmadd: (a, b, c) => (target.fused ? f32x4.relaxedNmadd(a, b, c) : f32x4.sub(c, f32x4.mul(a, b))),
    maddDouble: (a, b, c) => (target.fused ? f64x2.relaxedMadd(a, b, c) : f64x2.add(f64x2.mul(a, b), c)),
    host: (name) => {
      caller ||= callingThreadOnly.has(name)
      return hostNames.indexOf(name)
    },
    gemm: (name) => hostNames.length + gemmNames.indexOf(name),
    needsCaller: () => caller,
    finish: () => ({ params, results: [], locals, body: statements }),
  }
}

/**
 * The same statements for each of `count` vectors, in turns: what depends on each other stands so far apart that a
 * processor, which looks ahead over some thirty operations, finds others to do in between.
 */
export const interleaved = (e: Emitter, count: number, write: (vector: number) => void): void => {
  const each = Array.from({ length: count }, (_, vector) => e.capture(() => write(vector)))
  const longest = Math.max(0, ...each.map(({ length }) => length))
  for (let at = 0; at < longest; at++)
    for (const statements of each) if (at < statements.length) e.push(statements[at] as Code)
}
