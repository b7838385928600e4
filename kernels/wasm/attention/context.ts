/** What every part of the kernel knows while its code is written: locals, places, and walks over blocks. */
import { get, globalGet, i32, larger, set, smaller } from '../code/index.ts'
import type { Code } from '../code/index.ts'
import type { Emitter } from '../emitter.ts'
import { upTo } from '../gemm.ts'
import { openPointers } from '../kernel.ts'
import { batchOffset, unravel } from '../nest.ts'
import { axesOf } from '../space.ts'
import type { Access } from '../space.ts'
import { keyBlock } from './layout.ts'
import type { Launch, Layout } from './layout.ts'

interface Locals {
  readonly unit: number
  /** The batch whose parts are packed, -1 at first. */
  readonly packed: number
  readonly coordinates: readonly number[]
  /** The keys that are walked: from `start` up to `stop`; all of them, or a range of one's own. */
  readonly start: number
  readonly stop: number
  /** The first query of the block, how many there are, and how many keys the last of them sees. */
  readonly row: number
  readonly height: number
  readonly limit: number
  readonly line: number
  readonly seen: number
  readonly at: number
  readonly block: number
  readonly steps: number
}

export interface Context extends Locals {
  readonly e: Emitter
  readonly launch: Launch
  readonly layout: Layout
  readonly list: readonly Access[]
  /** The accesses of the operands, and of query, key, value, … */
  readonly ids: readonly number[]
  readonly named: readonly number[]
  readonly roots: readonly number[]
  pointers?: readonly number[]
}

export const localsOf = (e: Emitter, lead: number): Locals => {
  const local = (): number => e.local('i32')
  return {
    unit: local(),
    packed: local(),
    coordinates: Array.from({ length: lead }, local),
    start: local(),
    stop: local(),
    row: local(),
    height: local(),
    limit: local(),
    line: local(),
    seen: local(),
    at: local(),
    block: local(),
    steps: local(),
  }
}

export const openBatch = (context: Context): void => {
  context.pointers = openPointers(context.e, context.list)
}

export const scratch = (offset: number): Code => i32.add(globalGet(0), i32.const(offset))
export const plus = (a: Code, b: Code): Code => i32.add(a, b)
export const times = (a: Code, n: number): Code => (n === 0 ? i32.const(0) : i32.mul(a, i32.const(n)))

/** The bytes from one place to the next along axis 0 (rows) or 1 (columns) of a named view. */
export const strideOf = ({ list, named, launch }: Context, which: number, axis: 0 | 1): number =>
  (list[named[which] as number] as Access).strides[launch.batch.length + axis] as number

/** The address of a named view in this batch, at a row. */
export const addressOf = (context: Context, which: number, row: Code): Code => {
  const { list, named, launch, coordinates, pointers } = context
  const id = named[which] as number
  const offset = batchOffset(coordinates, axesOf(launch.batch, list), id)
  return plus(plus(get(pointers?.[id] as number), offset), times(row, strideOf(context, which, 0)))
}

/** Splits the number of a batch, in `place`, into its coordinates. */
export const setCoordinates = ({ e, launch, coordinates }: Context, place: Code): void => {
  const rest = e.local('i32')
  e.push(set(rest, place))
  unravel(e, rest, launch.batch, coordinates)
}

/** Sets height and limit of the block of queries that begins at `row`. */
export const setBlock = ({ e, launch, layout, row, height, limit, stop }: Context): void => {
  const { queries, causal } = launch
  e.push(set(height, smaller(i32.const(layout.rows), i32.sub(i32.const(queries), get(row)))))
  const ahead = plus(plus(get(row), get(height)), i32.const(causal ?? 0))
  e.push(set(limit, causal === undefined ? get(stop) : larger(i32.const(0), smaller(get(stop), ahead))))
}

/** Walks blocks of keys from `start` up to `end`: the first key is in `block`, their number in `steps`. */
export const overKeys = ({ e, start, block, steps }: Context, end: Code, body: () => void): void => {
  e.push(set(block, get(start)))
  upTo(e, block, end, i32.const(keyBlock), () => {
    e.push(set(steps, smaller(i32.const(keyBlock), i32.sub(end, get(block)))))
    body()
  })
}
