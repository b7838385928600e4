/**
 * Several rows at once that are folded with what they share, as the lines of a matrix with a vector: what is shared is
 * read once for all of them, and memory is read in places that are far from each other, which the processor foresees
 * better than one.
 */
import type { Fold, ReduceLaunch } from '../../program/index.ts'
import type { Body, ScalarOp } from '../../scalar.ts'
import { argsOf } from '../../scalar.ts'
import type { Code } from '../code/index.ts'
import { get, i32, set } from '../code/index.ts'
import type { Pointers } from '../nest.ts'
import { move, repeat, walkVectors } from '../nest.ts'
import type { Scope } from '../scope.ts'
import { scope } from '../scope.ts'
import type { Access, Axis } from '../space.ts'
import type { Pass } from './pass.ts'
import type { Context } from './row.ts'
import { acrossRow, finishRow, passRoots, readsOfRow, siteAt, startSets, storeRow, visit } from './row.ts'
import type { Shape } from './shape.ts'

/** So many rows at once … */
const together = 4
/** … of so many vectors, whose sums fill half of the registers. */
const vectors = 2

/** Rows that are shorter gain nothing. */
const leastLength = 64

/** Whether a launch is one that rows are taken together for: sums along rows of two kinds of operands. */
export const mayJoin = (
  { folds, outputs, body }: ReduceLaunch,
  list: readonly Access[],
  { mode, rows, inner, vector }: Shape,
  passes: readonly Pass[],
): boolean => {
  const [axis] = rows
  if (mode !== 'across' || axis === undefined || rows.length > 1 || inner.length > 0 || passes.length !== 1)
    return false
  const kinds = list.map((_, id) => (vector.strides[id] === 0 ? 'still' : axis.strides[id] === 0))
  return (
    axis.size >= 2 * together &&
    vector.size >= leastLength &&
    list.every(({ at }) => at.length === 0) &&
    outputs.every(({ over }) => over === 'outer') &&
    folds.every(({ op, value }) => op === 'sum' && (body[value] as ScalarOp).dtype === 'float32') &&
    kinds.includes(true) &&
    kinds.includes(false)
  )
}

/** The operations behind `roots` that change within a row and are the same in all rows, those furthest on. */
const sharedBehind = (
  body: Body,
  roots: readonly number[],
  isSame: (operand: number) => boolean,
  changes: (index: number) => boolean,
): readonly number[] => {
  const isShared = (index: number): boolean => {
    const op = body[index] as ScalarOp
    if (op.op === 'read') return isSame(op.index)
    return op.op !== 'fold' && argsOf(op).every(isShared)
  }
  const found = new Set<number>()
  const visited = new Set<number>()
  const look = (index: number): void => {
    if (visited.has(index)) return
    visited.add(index)
    if (isShared(index) && changes(index)) found.add(index)
    else argsOf(body[index] as ScalarOp).forEach(look)
  }
  roots.forEach(look)
  return [...found]
}

/** Rows whose pointers are given, `together` of them. */
const joinedRows = (
  context: Context,
  operands: readonly number[],
  axis: Axis,
  each: readonly Pointers[],
  whole: Scope,
): void => {
  const { e, launch, list, lanes, passes, vector, values, still } = context
  const [pass] = passes as readonly [Pass]
  const rows = each.map((pointers) => scope(1, siteAt(context, pointers, still, new Set()), whole))
  const folders = rows.map((row) => {
    values.hoist(readsOfRow(context), row)
    values.hoist(passRoots(context, pass), row)
    return startSets(context, pass, vectors)
  })
  const shared = sharedBehind(
    launch.body,
    pass.folds.map((fold) => (launch.folds[fold] as Fold).value),
    (operand) => axis.strides[operands[operand] as number] === 0,
    (index) => values.level(index) === 2,
  )
  // Of what is shared the first row's pointer is the one that moves.
  const isOwn = (id: number, row: number): boolean => row === 0 || axis.strides[id] !== 0
  const all = each.flat()
  const strides = each.flatMap((_, row) =>
    list.map((_, id) => (isOwn(id, row) ? (vector.strides[id] as number) : 0)),
  )
  const wide = { axis: { size: vector.size, strides }, lanes, unroll: vectors }
  walkVectors(e, wide, all, ({ pointers: here, vectors: many, count }) => {
    for (let shift = 0; shift < many; shift++) {
      const sites = each.map((_, row) => ({
        ...siteAt(
          context,
          list.map((_, id) => here[isOwn(id, row) ? row * list.length + id : id] as number),
          vector.strides,
          new Set(),
        ),
        shift,
        count,
      }))
      const inner = sites.map((site, row) => scope(2, site, rows[row]))
      for (const index of shared) {
        const value = values.value(index, inner[0] as Scope)
        for (const one of inner) one.known.set(index, value)
      }
      inner.forEach((scope, row) => {
        const { folders: own, sets } = folders[row] as ReturnType<typeof startSets>
        visit(context, pass, scope, own, sets[shift] ?? [])
      })
    }
  })
  rows.forEach((row, at) => {
    const { folders: own, sets } = folders[at] as ReturnType<typeof startSets>
    finishRow(context, pass, own, sets, row)
    storeRow(context, row, { ...row.site, count: 1 })
  })
}

/** The rows `begin` to `end`: those at the beginning of each quarter, the next of each, …, and what is left one by one. */
export const walkJoined = (
  context: Context,
  operands: readonly number[],
  pointers: Pointers,
  begin: Code,
  end: Code,
  whole: Scope,
): void => {
  const { e } = context
  const [axis] = context.rows as readonly [Axis]
  const length = e.keep(i32.sub(end, begin), 'i32')
  const count = e.keep(i32.divU(length, i32.const(together)), 'i32')
  const each = Array.from({ length: together }, (_, row) =>
    pointers.map((pointer, id) => {
      const stride = axis.strides[id] as number
      if (stride === 0) return pointer
      const own = e.local('i32')
      const at = row === 0 ? begin : i32.add(begin, i32.mul(count, i32.const(row)))
      e.push(set(own, i32.add(get(pointer), i32.mul(at, i32.const(stride)))))
      return own
    }),
  )
  repeat(e, count, () => {
    joinedRows(context, operands, axis, each, whole)
    for (const own of each) move(e, own, axis.strides)
  })
  const last = each.at(-1) as Pointers
  // As many sums as before, so that a row has the same bits wherever it stands.
  const one = { ...context, unroll: vectors }
  repeat(e, i32.remU(length, i32.const(together)), () => {
    acrossRow(one, last, whole)
    move(e, last, axis.strides)
  })
}
