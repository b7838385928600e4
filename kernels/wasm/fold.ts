/** Folding vectors: accumulators, the step that adds to them, and joining them in the end. */
import type { Dtype } from '../dtype.ts'
import { isFloating } from '../dtype.ts'
import type { FoldOp } from '../program/index.ts'
import type { Code } from './code/index.ts'
import { f32x4, f64x2, get, i32x4, set, shuffle32, v128 } from './code/index.ts'
import type { Emitter } from './emitter.ts'
import { narrowMask, number, widenMask } from './operation.ts'

/** One accumulator: a vector, and for extremes what else must be remembered. */
export interface Accumulator {
  readonly main: number
  /** Where a NaN was met (max, min), or the position of the best (argmax, argmin). */
  readonly side: number | undefined
}

export interface Folder {
  /** A new accumulator with nothing in it. */
  readonly start: () => Accumulator
  /** Sets it back. */
  readonly clear: (accumulator: Accumulator, firstPosition: Code | undefined) => void
  /** Takes in `value`; the first `count` lanes of it where fewer exist. */
  readonly take: (accumulator: Accumulator, value: Code, position: Code | undefined, count: number) => void
  /** Takes in a product or sum that the accumulator is already part of. */
  readonly put: (accumulator: Accumulator, value: Code) => void
  /** Joins `other` into `accumulator`, lane by lane. */
  readonly join: (accumulator: Accumulator, other: Accumulator) => void
  /** Joins the lanes; afterwards every lane that exists holds the fold of all. */
  readonly across: (accumulator: Accumulator) => void
  readonly result: (accumulator: Accumulator) => Code
}

const lowest: Readonly<Record<Dtype, number>> = {
  float32: -Infinity,
  float64: -Infinity,
  int32: -2147483648,
  uint32: 0,
  bool: 0,
}
const highest: Readonly<Record<Dtype, number>> = {
  float32: Infinity,
  float64: Infinity,
  int32: 2147483647,
  uint32: 4294967295,
  bool: 1,
}

export const identity = (op: FoldOp, dtype: Dtype): number =>
  op === 'sum' ? 0 : op === 'prod' ? 1 : op === 'max' || op === 'argmax' ? lowest[dtype] : highest[dtype]

/** Lanes below `count`, as a mask. */
const firstLanes = (e: Emitter, dtype: Dtype, count: number): Code =>
  dtype === 'float64'
    ? e.i32(...[0, 0, 1, 1].map((lane) => (lane < count ? -1 : 0)))
    : e.i32(...[0, 1, 2, 3].map((lane) => (lane < count ? -1 : 0)))

/** Lanes moved `distance` to the left within those that exist, round about. */
const rotated = (value: Code, dtype: Dtype, lanes: number, distance: number): Code => {
  if (dtype === 'float64') return shuffle32(value, value, [2, 3, 0, 1])
  if (lanes === 2) return shuffle32(value, value, [1, 0, 1, 0])
  return shuffle32(value, value, distance === 2 ? [2, 3, 0, 1] : [1, 0, 3, 2])
}

const combine = (op: FoldOp, dtype: Dtype, a: Code, b: Code): Code => {
  if (op === 'sum' || op === 'prod') {
    const v = dtype === 'float64' ? f64x2 : dtype === 'float32' ? f32x4 : i32x4
    return op === 'sum' ? v.add(a, b) : v.mul(a, b)
  }
  if (dtype === 'bool') return op === 'max' ? v128.or(a, b) : v128.and(a, b)
  if (isFloating(dtype)) return (dtype === 'float64' ? f64x2 : f32x4)[op === 'max' ? 'pmax' : 'pmin'](a, b)
  return i32x4[`${op === 'max' ? 'max' : 'min'}${dtype === 'uint32' ? 'U' : 'S'}`](a, b)
}

/** Sums, products and extremes. NaN is remembered beside an extreme, which is faster than a max that keeps it. */
const plainFolder = (e: Emitter, op: FoldOp, dtype: Dtype, lanes: number): Folder => {
  const floating = isFloating(dtype)
  const remembers = floating && (op === 'max' || op === 'min')
  const none = number(e, dtype, identity(op, dtype))
  const v = dtype === 'float64' ? f64x2 : f32x4
  return {
    start: () => ({ main: e.local('v128'), side: remembers ? e.local('v128') : undefined }),
    clear: ({ main, side }) => {
      e.push(set(main, none))
      if (side !== undefined) e.push(set(side, e.i32(0)))
    },
    take: ({ main, side }, value, _, count) => {
      const kept = e.keep(count < lanes ? v128.select(value, none, firstLanes(e, dtype, count)) : value)
      e.push(set(main, combine(op, dtype, get(main), kept)))
      if (side !== undefined) e.push(set(side, v128.or(get(side), v.ne(kept, kept))))
    },
    put: ({ main }, value) => e.push(set(main, value)),
    join: (a, b) => {
      e.push(set(a.main, combine(op, dtype, get(a.main), get(b.main))))
      if (a.side !== undefined && b.side !== undefined) e.push(set(a.side, v128.or(get(a.side), get(b.side))))
    },
    across: ({ main, side }) => {
      for (let distance = lanes / 2; distance >= 1; distance /= 2) {
        for (const local of side === undefined ? [main] : [main, side]) {
          const turned = rotated(get(local), dtype, lanes, distance)
          e.push(
            set(local, local === side ? v128.or(get(local), turned) : combine(op, dtype, get(main), turned)),
          )
        }
      }
    },
    result: ({ main, side }) =>
      side === undefined ? get(main) : v128.select(number(e, dtype, NaN), get(main), get(side)),
  }
}

/** The position of the first extreme element; the first NaN wins, as in NumPy. */
const positionFolder = (e: Emitter, op: 'argmax' | 'argmin', given: Dtype, lanes: number): Folder => {
  // Truth values are compared as the numbers 0 and 1.
  const dtype = given === 'bool' ? 'int32' : given
  const floating = isFloating(dtype)
  const v = dtype === 'float64' ? f64x2 : f32x4
  const narrow = (mask: Code): Code => (dtype === 'float64' ? narrowMask(e.keep(mask)) : mask)
  const isNaN = (x: Code): Code => narrow(v.ne(x, x))
  const better = (x: Code, y: Code): Code => {
    const [a, b] = op === 'argmax' ? [x, y] : [y, x]
    return floating ? narrow(v.gt(a, b)) : i32x4[dtype === 'uint32' ? 'gtU' : 'gtS'](a, b)
  }
  const wide = (mask: Code): Code => (dtype === 'float64' ? widenMask(mask) : mask)
  const none = number(e, dtype, identity(op, given === 'bool' ? 'int32' : dtype))
  const join = (main: number, side: number, value: Code, position: Code): void => {
    const [x, p] = [e.keep(value), e.keep(position)]
    const best = get(main)
    const same = floating
      ? v128.or(narrow(v.eq(x, best)), v128.and(isNaN(x), isNaN(best)))
      : i32x4.eq(x, best)
    const first = floating ? v128.or(better(x, best), v128.andnot(isNaN(x), isNaN(best))) : better(x, best)
    const wins = e.keep(v128.or(first, v128.and(same, i32x4.ltS(p, get(side)))))
    e.push(set(main, v128.select(x, best, wide(wins))), set(side, v128.select(p, get(side), wins)))
  }
  return {
    start: () => ({ main: e.local('v128'), side: e.local('v128') }),
    clear: ({ main, side }, firstPosition) =>
      e.push(set(main, none), set(side as number, firstPosition ?? e.i32(0))),
    take: ({ main, side }, value, position, count) => {
      const raw = given === 'bool' ? v128.and(value, e.i32(1)) : value
      const x = e.keep(count < lanes ? v128.select(raw, none, firstLanes(e, dtype, count)) : raw)
      const best = get(main)
      const wins = e.keep(
        floating ? v128.or(better(x, best), v128.andnot(isNaN(x), isNaN(best))) : better(x, best),
      )
      e.push(
        set(main, v128.select(x, best, wide(wins))),
        set(side as number, v128.select(position as Code, get(side as number), wins)),
      )
    },
    put: ({ main }, value) => e.push(set(main, value)),
    join: (a, b) => join(a.main, a.side as number, get(b.main), get(b.side as number)),
    across: ({ main, side }) => {
      for (let distance = lanes / 2; distance >= 1; distance /= 2)
        join(
          main,
          side as number,
          rotated(get(main), dtype, lanes, distance),
          rotated(get(side as number), 'int32', lanes, distance),
        )
    },
    result: ({ side }) => get(side as number),
  }
}

export const folder = (e: Emitter, op: FoldOp, dtype: Dtype, lanes: number): Folder =>
  op === 'argmax' || op === 'argmin' ? positionFolder(e, op, dtype, lanes) : plainFolder(e, op, dtype, lanes)
