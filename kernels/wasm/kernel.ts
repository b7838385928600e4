/** What launches become: functions `(block, begin, end)` that do a part of a launch. */
import type { Dtype } from '../dtype.ts'
import type { BufferId } from '../program/index.ts'
import type { Body, ScalarOp } from '../scalar.ts'
import { get, globalGet, i32, set } from './code/index.ts'
import type { Emitter, Target } from './emitter.ts'
import type { WasmFunction } from './module.ts'
import type { Access } from './space.ts'

export interface Emitted {
  readonly code: WasmFunction
  /** Uses functions that only the calling thread has. */
  readonly needsCaller: boolean
}

/** A launch, or a part of one, that compiled code runs. */
export interface Kernel {
  /** Kernels with the same key are the same code. */
  readonly key: string
  /** The buffers whose addresses the block holds, in order. */
  readonly slots: readonly BufferId[]
  /** The function takes a range of 0 to `units`; parts begin at multiples of `grain`. */
  readonly units: number
  readonly grain: number
  /** Estimated nanoseconds of the whole. */
  readonly cost: number
  readonly emit: (target: Target) => Emitted
}

/** The parameters of every kernel: the address of its block of addresses, and the range. */
export const blockParameter = 0
export const beginParameter = 1
export const endParameter = 2

/** A pointer for each access, at the first position of the space. */
export const openPointers = (e: Emitter, list: readonly Access[]): number[] =>
  list.map(({ origin, offset }) => {
    const pointer = e.local('i32')
    const base =
      origin === 'position'
        ? i32.const(0)
        : origin === 'scratch'
          ? globalGet(0)
          : i32.load(get(blockParameter), 4 * origin.slot)
    e.push(set(pointer, i32.add(base, i32.const(offset))))
    return pointer
  })

/** Rough costs of operations in vector instructions. */
const weights: Partial<Record<ScalarOp['op'], number>> = {
  exp: 24,
  expm1: 30,
  log: 34,
  log1p: 60,
  sin: 60,
  cos: 60,
  tanh: 36,
  sigmoid: 30,
  erf: 44,
  erfInv: 60,
  pow: 90,
  atan2: 200,
  rem: 200,
  threefry: 130,
  div: 4,
  sqrt: 5,
  rsqrt: 9,
  max: 3,
  min: 3,
}

export const weightOf = (op: ScalarOp): number => {
  const many = op.dtype === 'float64' && (weights[op.op] ?? 1) > 20 ? 10 : 1
  if (op.op === 'constant' || op.op === 'fold') return 0
  return (weights[op.op] ?? 1) * many
}

export const usesDouble = (body: Body, list: readonly Access[]): boolean =>
  body.some(({ dtype }) => dtype === 'float64') || list.some(({ dtype }) => dtype === 'float64')

/** How many vectors to compute at once: as many as hide latencies without spilling. */
export const unrollFor = (weight: number, vectors: number): number => {
  const wanted = weight <= 150 ? 4 : weight <= 300 ? 2 : 1
  return vectors >= wanted ? wanted : vectors >= 2 ? Math.min(wanted, 2) : 1
}

/** Text that is the same for equal launches over buffers of equal dtypes, whatever their numbers. */
export const keyOf = (launch: object, slots: readonly BufferId[], dtypeOf: (id: BufferId) => Dtype): string =>
  JSON.stringify([slots.map(dtypeOf), launch], (name, value: unknown) => {
    if (name === 'buffer') return slots.indexOf(value as BufferId)
    if (typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0)))
      return Object.is(value, -0) ? '-0' : String(value)
    return value
  })
