/** Scores and factors of a strip: which keys a query sees, and the expressions over them. */
import { get, i32, i32x4, larger, set, shuffle32, smaller, v128 } from '../code/index.ts'
import type { Code } from '../code/index.ts'
import { interleaved } from '../emitter.ts'
import type { Emitter } from '../emitter.ts'
import { upTo } from '../gemm.ts'
import { accessLevel } from '../map.ts'
import type { Site } from '../memory.ts'
import { batchOffset } from '../nest.ts'
import { scope, values } from '../scope.ts'
import type { Scope, Values } from '../scope.ts'
import { axesOf } from '../space.ts'
import type { Access, Axis } from '../space.ts'
import { plus, times } from './context.ts'
import type { Context } from './context.ts'

/** What computes scores and factors in a strip. */
interface Expressions {
  readonly list: readonly Access[]
  readonly along: Axis
  readonly down: Axis
  readonly values: Values
  readonly whole: Scope
  readonly site: Site
  /** The pointers of operands at the line, moved from line to line. */
  readonly own: readonly number[]
}

/** Operands at the first line of the block of queries. */
export const expressionsOf = (context: Context): Expressions => {
  const { e, launch, list: all, ids, roots, row, coordinates, pointers } = context
  const { batch, queries, keys, body } = launch
  // Only operands move along queries and keys.
  const list = all.map((access, id) =>
    ids.includes(id) ? access : { ...access, strides: access.strides.map(() => 0) },
  )
  const [down, along] = axesOf([queries, keys], list, batch.length) as [Axis, Axis]
  const batchAxes = axesOf(batch, all)
  const own = (pointers as readonly number[]).map((pointer, id) => {
    if (!ids.includes(id)) return pointer
    const moved = e.local('i32')
    const offset = batchOffset(coordinates, batchAxes, id)
    e.push(set(moved, plus(plus(get(pointer), offset), times(get(row), down.strides[id] as number))))
    return moved
  })
  const level = (operand: number): 0 | 1 | 2 =>
    accessLevel(list, ids[operand] as number, [...batchAxes, down], [along])
  const kernelValues = values(e, body, ids, level, 2, roots)
  const still = list.map(() => 0)
  const site: Site = {
    list,
    pointers: own,
    strides: still,
    lanes: 4,
    shift: 0,
    count: 4,
    resolved: new Set(),
  }
  const whole = scope(0, site)
  kernelValues.hoist(roots, whole)
  return { list, along, down, values: kernelValues, whole, site, own }
}

/** Vectors of keys that are walked at once; strips have room for as many. */
const unroll = 2
/** Keys that are walked at once. */
const stride = 4 * unroll

/** Lanes of a vector behind key `at` that the query sees. */
export const inside = ({ e, at, seen }: Context, vector: number): Code => {
  const first = 4 * vector
  const lanes = e.i32(first, first + 1, first + 2, first + 3)
  return e.keep(i32x4.ltS(i32x4.add(i32x4.splat(get(at)), lanes), i32x4.splat(get(seen))))
}

/** Runs `body` for each query of the block, `line` counting them and `seen` the keys that it looks at. */
export const overLines = (context: Context, expressions: Expressions, body: (row: Scope) => void): void => {
  const { e, launch, row, height, line, seen, stop, roots } = context
  const { causal } = launch
  const { own, down, site, whole, values: kernelValues } = expressions
  e.push(set(line, i32.const(0)))
  upTo(e, line, get(height), i32.const(1), () => {
    const ahead = plus(plus(get(row), get(line)), i32.const((causal ?? 0) + 1))
    e.push(set(seen, causal === undefined ? get(stop) : larger(i32.const(0), smaller(get(stop), ahead))))
    const rowScope = scope(1, site, whole)
    kernelValues.hoist(roots, rowScope)
    body(rowScope)
    own.forEach((pointer, id) => {
      const step = down.strides[id] as number
      if (step !== 0) e.push(set(pointer, plus(get(pointer), i32.const(step))))
    })
  })
}

/** Walks the keys that the query sees in vectors; `visit` gets a scope for operands there, and which vector it is. */
export const overVectors = (
  context: Context,
  { along, values: kernelValues, site, own }: Expressions,
  row: Scope,
  visit: (at: Scope, kernelValues: Values, vector: number) => void,
): void => {
  const { e, at, seen, start } = context
  const moving = own.map((pointer, id) => {
    if (along.strides[id] === 0) return pointer
    const copy = e.local('i32')
    e.push(set(copy, plus(get(pointer), times(get(start), along.strides[id] as number))))
    return copy
  })
  e.push(set(at, get(start)))
  upTo(e, at, get(seen), i32.const(stride), () => {
    interleaved(e, unroll, (shift) => {
      const here = { ...site, pointers: moving, strides: along.strides, shift }
      visit(scope(2, here, row), kernelValues, shift)
    })
    moving.forEach((pointer, id) => {
      const step = along.strides[id] as number
      if (step !== 0) e.push(set(pointer, plus(get(pointer), i32.const(stride * step))))
    })
  })
}

/** Zeros from the last vectors that the query sees to the last that the block sees. */
export const clearRest = ({ e, at, seen, start, limit }: Context, strips: readonly number[]): void => {
  const behind = i32.and(plus(get(seen), i32.const(stride - 1)), i32.const(-stride))
  e.push(set(at, larger(get(start), behind)))
  upTo(e, at, get(limit), i32.const(4), () => {
    for (const strip of strips) e.push(v128.store(plus(get(strip), times(get(at), 4)), e.f32(0)))
  })
}

/** The lanes of a vector joined by `join`; every lane of the result has it. */
export const joined = (e: Emitter, vector: Code, join: (a: Code, b: Code) => Code): Code => {
  const one = e.keep(vector)
  const two = e.keep(join(one, shuffle32(one, one, [2, 3, 0, 1])))
  return e.keep(join(two, shuffle32(two, two, [1, 0, 3, 2])))
}
