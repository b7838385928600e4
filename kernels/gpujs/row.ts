/** Map, reduce and matmul launches as one form, the one that gpu.js kernels are printed from. */
import type { Fold, Launch, Operand, Output, Strided } from '../program/index.ts'
import type { Body, ScalarOp } from '../scalar.ts'
import { renameArgs } from '../scalar.ts'

/** As a reduce launch; a map is one with no inner axes and no folds. */
export interface Rows {
  readonly outer: readonly number[]
  readonly inner: readonly number[]
  readonly operands: readonly Operand[]
  readonly body: Body
  readonly folds: readonly Fold[]
  readonly outputs: readonly (Output & { readonly over: 'outer' | 'all' })[]
}

/** The operand with its strides, and those of its indices, changed. */
export const restride = (operand: Operand, change: (strides: readonly number[]) => number[]): Operand =>
  operand.kind === 'iota'
    ? { ...operand, strides: change(operand.strides) }
    : {
        ...operand,
        strides: change(operand.strides),
        ...(operand.at === undefined
          ? {}
          : {
              at: operand.at.map((at) => ({
                ...at,
                index: { ...at.index, strides: change(at.index.strides) },
              })),
            }),
      }

const shifted = (op: ScalarOp, ops: number, operands: number): ScalarOp => {
  const moved = renameArgs(op, (arg) => arg + ops)
  return moved.op === 'read' ? { ...moved, index: moved.index + operands } : moved
}

/** The launch as rows; `undefined` for the kinds that cannot be. `dtype` is that of a matmul's operands. */
export const rowsOf = (launch: Launch, dtype: (buffer: number) => ScalarOp['dtype']): Rows | undefined => {
  if (launch.kind === 'reduce') return launch
  if (launch.kind === 'map') {
    const { shape, operands, body, outputs } = launch
    const outer = outputs.map((output) => ({ ...output, over: 'outer' as const }))
    return { outer: shape, inner: [], operands, body, folds: [], outputs: outer }
  }
  if (launch.kind !== 'matmul') return undefined
  const { batch, rows, inner, columns, a, b, operands, body, outputs } = launch
  const rank = batch.length
  const of = dtype(a.buffer)
  const left = a.strides.slice(rank) as [number, number]
  const right = b.strides.slice(rank) as [number, number]
  const product: Body = [
    { op: 'read', index: 0, dtype: of },
    { op: 'read', index: 1, dtype: of },
    { op: 'mul', args: [0, 1], dtype: of },
  ]
  return {
    outer: [...batch, rows, columns],
    inner: [inner],
    operands: [
      { kind: 'buffer', ...a, strides: [...a.strides.slice(0, rank), left[0], 0, left[1]] },
      { kind: 'buffer', ...b, strides: [...b.strides.slice(0, rank), 0, right[1], right[0]] },
      ...operands.map((operand) => restride(operand, (strides) => [...strides, 0])),
    ],
    body: [...product, ...body.map((op) => shifted(op, 3, 2))],
    folds: [{ op: 'sum', value: 2 }],
    outputs: outputs.map(({ target, value }) => ({ target, value: value + 3, over: 'outer' })),
  }
}

const stridedOf = (operand: Operand): readonly Strided[] =>
  operand.kind === 'iota' ? [operand] : [operand, ...(operand.at ?? []).map(({ index }) => index)]

/**
 * Which neighbouring axes, from `from` up to `to`, are one axis to every operand: axes of one element are
 * dropped, and an axis that steps over the whole of the next joins it.
 */
const groups = (
  shape: readonly number[],
  operands: readonly Operand[],
  from: number,
  to: number,
): readonly (readonly number[])[] => {
  const views = operands.flatMap(stridedOf)
  const found: number[][] = []
  for (let axis = from; axis < to; axis++) {
    if (shape[axis] === 1) continue
    const last = found.at(-1)?.at(-1)
    const joins =
      last !== undefined &&
      views.every(({ strides }) => strides[last] === (strides[axis] as number) * (shape[axis] as number))
    if (joins) found.at(-1)?.push(axis)
    else found.push([axis])
  }
  return found
}

/** The same rows over as few axes as possible, without their outputs' targets. */
export interface CoalescedRows {
  readonly outer: readonly number[]
  readonly inner: readonly number[]
  readonly operands: readonly Operand[]
}

export const coalesced = ({ outer, inner, operands }: CoalescedRows): CoalescedRows => {
  const shape = [...outer, ...inner]
  const rows = groups(shape, operands, 0, outer.length)
  const columns = groups(shape, operands, outer.length, shape.length)
  const size = (axes: readonly number[]): number => axes.reduce((n, axis) => n * (shape[axis] as number), 1)
  const kept = [...rows, ...columns].map((axes) => axes.at(-1) as number)
  return {
    outer: rows.map(size),
    inner: columns.map(size),
    operands: operands.map((operand) =>
      restride(operand, (strides) => kept.map((axis) => strides[axis] as number)),
    ),
  }
}
