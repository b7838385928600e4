/**
 * Products of few rows and a large matrix, such as a model's weights when it writes one token: what takes the time is
 * reading the matrix, so it is read once, in the order in which it lies in memory, and never copied.
 */
import type { Dtype } from '../dtype.ts'
import type { BufferId, MatmulLaunch } from '../program/index.ts'
import { sizeOf } from '../program/index.ts'
import { roundUp } from '../round.ts'
import type { Code } from './code/index.ts'
import { f32x4, get, globalGet, i32, set, shuffle32, smaller, v128 } from './code/index.ts'
import type { Emitter } from './emitter.ts'
import { emitter } from './emitter.ts'
import { epilogue, factorsOf } from './epilogue.ts'
import type { Kernel } from './kernel.ts'
import { beginParameter, endParameter, keyOf, openPointers } from './kernel.ts'
import { repeat } from './nest.ts'
import { sumsAt } from './scratch.ts'

/** More rows are worth packing the matrix for. */
const mostRows = 8
/** Smaller matrices stand in the cache, where other ways are as good. */
const leastSize = 4096
/** Columns of a tile at most, whose sums stay in the first cache; there are two tiles at least. */
const widestTile = 1536
/**
 * Lines of the matrix that are read side by side where columns lie beside each other. They stand far from each other,
 * an eighth of the matrix: the processor foresees what is read in places of their own better than in neighbours …
 */
const lines = 8
/** … and vectors of each that one turn reads. */
const vectors = 2

/** Whether `gemvKernel` does this product. */
export const isThin = (
  { batch, rows, columns, inner, a, b }: MatmulLaunch,
  dtypeOf: (id: BufferId) => Dtype,
): boolean => {
  const [down, along] = b.strides.slice(batch.length)
  return (
    dtypeOf(b.buffer) === 'float32' &&
    sizeOf(batch) === 1 &&
    rows > 0 &&
    rows <= mostRows &&
    columns >= 8 &&
    inner >= 8 &&
    columns * inner >= leastSize &&
    // Rows of the matrix are multiplied with rows of the left side in vectors.
    (along === 1 || (down === 1 && a.strides[batch.length + 1] === 1))
  )
}

const tileOf = (columns: number): number => roundUp(columns / Math.max(2, Math.ceil(columns / widestTile)), 4)

/** The operands of a tile, in locals, and their strides in bytes. */
interface Thin {
  readonly rows: number
  readonly inner: number
  /** The address of each row of the left operand, which is moved on. */
  readonly left: readonly number[]
  /** From one element of a row to the next. */
  readonly step: number
  /** The address of the tile's first column, which is moved on. */
  readonly matrix: number
  /** Columns of the tile. */
  readonly width: number
  /** Bytes from one row of sums to the next. */
  readonly pitch: number
}

const move = (local: number, amount: number): Code => set(local, i32.add(get(local), i32.const(amount)))
const sumsStart = (): Code => i32.add(globalGet(0), i32.const(sumsAt))

/** An address and what is added to it in the instruction, which cannot be negative. */
const ahead = (pointer: number, bytes: number): readonly [address: Code, offset: number] =>
  bytes < 0 ? [i32.add(get(pointer), i32.const(bytes)), 0] : [get(pointer), bytes]

/** Columns beside each other: a few lines of the matrix at a time are added to the sums of the tile. */
const alongColumns = (
  e: Emitter,
  { rows, inner, left, step, matrix, width, pitch }: Thin,
  down: number,
): void => {
  const [at, from] = [e.local('i32'), e.local('i32')]
  const turns = e.keep(
    i32.divU(i32.add(get(width), i32.const(4 * vectors - 1)), i32.const(4 * vectors)),
    'i32',
  )
  /** Adds `count` lines that are `apart` lines from each other. */
  const pass = (count: number, apart: number, first: boolean): void => {
    const scalars = left.map((pointer) =>
      Array.from({ length: count }, (_, k) => e.keep(v128.load32Splat(...ahead(pointer, k * apart * step)))),
    )
    e.push(set(at, sumsStart()), set(from, get(matrix)))
    repeat(e, turns, () => {
      for (let v = 0; v < vectors; v++) {
        const weights = Array.from({ length: count }, (_, k) =>
          e.keep(v128.load(...ahead(from, k * apart * down + 16 * v))),
        )
        for (let row = 0; row < rows; row++) {
          const place = row * pitch + 16 * v
          const sum = weights.reduce<Code>(
            (before, weight, k) => e.madd(weight, scalars[row]?.[k] as Code, before),
            first ? e.f32(0) : v128.load(get(at), place),
          )
          e.push(v128.store(get(at), sum, place))
        }
      }
      e.push(move(at, 16 * vectors), move(from, 16 * vectors))
    })
  }
  const forward = (count: number): void => {
    for (const pointer of left) e.push(move(pointer, count * step))
    e.push(move(matrix, count * down))
  }
  const rounds = Math.floor(inner / lines)
  const rest = inner - rounds * lines
  pass(lines, rounds, true)
  forward(1)
  if (rounds > 1)
    repeat(e, i32.const(rounds - 1), () => {
      pass(lines, rounds, false)
      forward(1)
    })
  if (rest === 0) return
  forward((lines - 1) * rounds)
  pass(rest, 1, false)
}

/**
 * Columns in lines of their own: each is multiplied with every row, a vector of its numbers at a time. With one row four
 * lines are read at once, with two rows two, in places of the tile that are far from each other.
 */
const acrossColumns = (
  e: Emitter,
  { rows, inner, left, matrix, width, pitch }: Thin,
  along: number,
): void => {
  const unroll = rows <= 4 ? 2 : 1
  const at = e.local('i32')
  const xs = left.map(() => e.local('i32'))
  e.push(set(at, sumsStart()))
  /** As many lines as the local `count` says, `together` times, which are read side by side. */
  const dots = (count: number, together: number): void => {
    const behind = (of: number, step: number, many: number): Code =>
      many === 0 ? get(of) : i32.add(get(of), i32.mul(get(count), i32.const(many * step)))
    const lanes = Array.from({ length: together }, (_, line) => ({
      line,
      from: e.local('i32'),
      sums: left.map(() => Array.from({ length: unroll }, () => e.local('v128'))),
    }))
    const take = (many: number, load: (pointer: number, offset: number) => Code): void => {
      for (let v = 0; v < many; v++) {
        const numbers = xs.map((x) => e.keep(load(x, 16 * v)))
        for (const { from, sums } of lanes) {
          const weight = e.keep(load(from, 16 * v))
          sums.forEach((own, row) => {
            const sum = own[v] as number
            e.push(set(sum, e.madd(weight, numbers[row] as Code, get(sum))))
          })
        }
      }
    }
    const forward = (bytes: number): void =>
      e.push(...[...lanes.map(({ from }) => from), ...xs].map((pointer) => move(pointer, bytes)))
    const whole = (pointer: number, offset: number): Code => v128.load(get(pointer), offset)
    const single = (pointer: number, offset: number): Code => v128.load32Zero(get(pointer), offset)
    repeat(e, get(count), () => {
      left.forEach((pointer, row) => e.push(set(xs[row] as number, get(pointer))))
      for (const { line, from, sums } of lanes) {
        e.push(set(from, behind(matrix, along, line)))
        for (const sum of sums.flat()) e.push(set(sum, e.f32(0)))
      }
      const turns = Math.floor(inner / (4 * unroll))
      if (turns > 0)
        repeat(e, i32.const(turns), () => {
          take(unroll, whole)
          forward(16 * unroll)
        })
      for (let rest = inner - turns * 4 * unroll; rest > 0; rest -= rest >= 4 ? 4 : 1) {
        take(1, rest >= 4 ? whole : single)
        forward(rest >= 4 ? 16 : 4)
      }
      for (const { line, sums } of lanes)
        sums.forEach((own, row) => {
          const all = own.map(get).reduce((sum, one) => f32x4.add(sum, one))
          const pairs = e.keep(all)
          const halves = e.keep(f32x4.add(pairs, shuffle32(pairs, pairs, [2, 3, 2, 3])))
          const sum = f32x4.add(halves, shuffle32(halves, halves, [1, 1, 1, 1]))
          e.push(v128.store32Lane(behind(at, 4, line), sum, 0, row * pitch))
        })
      e.push(move(at, 4), move(matrix, along))
    })
    e.push(set(at, behind(at, 4, together - 1)), set(matrix, behind(matrix, along, together - 1)))
  }
  const count = e.local('i32')
  const together = Math.max(1, Math.floor(4 / rows))
  e.push(set(count, i32.divU(get(width), i32.const(together))))
  dots(count, together)
  if (together === 1) return
  e.push(set(count, i32.remU(get(width), i32.const(together))))
  dots(count, 1)
}

/** The kernel of a product that `isThin`; tiles of columns are its units. */
export const gemvKernel = (launch: MatmulLaunch, dtypeOf: (id: BufferId) => Dtype): Kernel => {
  const { batch, rows, columns, inner } = launch
  const factors = factorsOf(launch, dtypeOf)
  const { a, b, slots, list, stride } = factors
  const tile = tileOf(columns)
  const units = Math.ceil(columns / tile)
  // Rows of sums, each with room for what a turn writes beyond the tile.
  const room = roundUp(tile, 4 * vectors)
  return {
    key: `gemv ${keyOf(launch, slots, dtypeOf)}`,
    slots,
    units,
    grain: 1,
    // What is read comes from memory, at some eight bytes a nanosecond.
    cost: (columns * inner * (4 + rows)) / 8,
    emit: (target) => {
      const e = emitter(target, ['i32', 'i32', 'i32'])
      const [unit, row, height, column, width, matrix] = Array.from({ length: 6 }, () => e.local('i32')) as [
        number,
        number,
        number,
        number,
        number,
        number,
      ]
      const coordinates = batch.map(() => e.local('i32'))
      const pointers = openPointers(e, list)
      const left = Array.from({ length: rows }, () => e.local('i32'))
      e.push(set(unit, get(beginParameter)), set(height, i32.const(rows)), set(row, i32.const(0)))
      repeat(e, i32.sub(get(endParameter), get(beginParameter)), () => {
        e.push(set(column, i32.mul(get(unit), i32.const(tile))))
        const rest = e.keep(i32.sub(i32.const(columns), get(column)), 'i32')
        e.push(set(width, smaller(rest, i32.const(tile))))
        e.push(
          set(matrix, i32.add(get(pointers[b] as number), i32.mul(get(column), i32.const(stride(b, 1))))),
        )
        left.forEach((pointer, i) =>
          e.push(set(pointer, i32.add(get(pointers[a] as number), i32.const(i * stride(a, 0))))),
        )
        const thin: Thin = { rows, inner, left, step: stride(a, 1), matrix, width, pitch: 4 * room }
        if (stride(b, 1) === 4) alongColumns(e, thin, stride(b, 0))
        else acrossColumns(e, thin, stride(b, 1))
        epilogue(e, factors, thin.pitch, { pointers, coordinates, row, column, height, width })
        e.push(move(unit, 1))
      })
      return { code: e.finish(), needsCaller: e.needsCaller() }
    },
  }
}
