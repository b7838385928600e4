/** Matrix products: packed blocks for large float32 ones, rows of folds for all others. */
import type { Dtype } from '../dtype.ts'
import type { BufferId, MatmulLaunch, Operand, ReduceLaunch } from '../program/index.ts'
import { sizeOf } from '../program/index.ts'
import type { Body, ScalarOp } from '../scalar.ts'
import { renameArgs } from '../scalar.ts'
import type { Code } from './code/index.ts'
import { call, get, globalGet, i32, set, smaller, when } from './code/index.ts'
import { emitter } from './emitter.ts'
import { epilogue, factorsOf } from './epilogue.ts'
import { blockRows } from './gemm.ts'
import { gemvKernel, isThin } from './gemv.ts'
import type { Kernel } from './kernel.ts'
import { beginParameter, endParameter, keyOf, openPointers } from './kernel.ts'
import { batchOffset, repeat, unravel } from './nest.ts'
import { packedBefore, rememberPacked } from './packed.ts'
import { reduceKernel } from './reduce/kernel.ts'
import { packedColumnsAt, packedRowsAt, sumsAt } from './scratch.ts'
import { tilingOf } from './tile.ts'

/** The product as folds of rows: one row for each element. */
const asRows = (launch: MatmulLaunch, dtype: Dtype): ReduceLaunch => {
  const { batch, rows, columns, inner, a, b, body, operands, outputs } = launch
  const lead = batch.length
  const wide = (strides: readonly number[], row: number, column: number, depth: number): number[] => [
    ...strides.slice(0, lead),
    row,
    column,
    depth,
  ]
  const extended = (operand: Operand): Operand => {
    const strides = [...operand.strides, 0]
    if (operand.kind === 'iota' || operand.at === undefined) return { ...operand, strides }
    const at = operand.at.map((one) => ({
      ...one,
      index: { ...one.index, strides: [...one.index.strides, 0] },
    }))
    return { ...operand, strides, at }
  }
  const prefix: Body = [
    { op: 'read', index: 0, dtype },
    { op: 'read', index: 1, dtype },
    { op: 'mul', args: [0, 1], dtype },
  ]
  const shifted = body.map((op): ScalarOp =>
    op.op === 'read' ? { ...op, index: op.index + 2 } : renameArgs(op, (index) => index + prefix.length),
  )
  const [ra, ka, kb, cb] = [a.strides[lead], a.strides[lead + 1], b.strides[lead], b.strides[lead + 1]] as [
    number,
    number,
    number,
    number,
  ]
  return {
    kind: 'reduce',
    outer: [...batch, rows, columns],
    inner: [inner],
    operands: [
      { ...a, kind: 'buffer', strides: wide(a.strides, ra, 0, ka) },
      { ...b, kind: 'buffer', strides: wide(b.strides, 0, cb, kb) },
      ...operands.map(extended),
    ],
    body: [...prefix, ...shifted],
    folds: [{ op: 'sum', value: 2 }],
    outputs: outputs.map(({ target, value }) => ({ target, value: value + prefix.length, over: 'outer' })),
  }
}

/** Below this many multiplications packing costs more than it saves. */
const packedFrom = 20000

export const matmulKernel = (launch: MatmulLaunch, dtypeOf: (id: BufferId) => Dtype): Kernel => {
  const { rows, columns, inner } = launch
  if (isThin(launch, dtypeOf)) return gemvKernel(launch, dtypeOf)
  const dtype = dtypeOf(launch.a.buffer)
  const small = rows * columns * inner < packedFrom || rows < 4 || columns < 4
  return dtype === 'float32' && !small
    ? packedKernel(launch, dtypeOf)
    : reduceKernel(asRows(launch, dtype), dtypeOf)
}

/**
 * Rows of a tile that lie within so many bytes are multiplied where they are, at 50 to 53 GFLOP/s where packing them
 * left 48 to 50 (128³). Those that lie further apart stand on more pages than the processor has addresses of at hand.
 */
const inPlaceBytes = 131072

const packedKernel = (launch: MatmulLaunch, dtypeOf: (id: BufferId) => Dtype): Kernel => {
  const { batch, rows, columns, inner, body } = launch
  const factors = factorsOf(launch, dtypeOf)
  const { a, b, slots, list, targets, roots, batchAxes, stride } = factors
  const tiling = tilingOf(launch)
  const pitch = 4 * tiling.columns
  const inPlace = Math.abs(stride(a, 0)) * tiling.rows + Math.abs(stride(a, 1)) * tiling.depth <= inPlaceBytes
  const [only] = targets
  const direct =
    targets.length === 1 &&
    (body[roots[0] as number] as ScalarOp).op === 'fold' &&
    stride(only as number, 1) === 4
  const count = sizeOf(batch)
  const units = count * tiling.rowTiles * tiling.columnTiles
  return {
    key: `matmul ${keyOf(launch, slots, dtypeOf)}`,
    slots,
    units,
    grain: 1,
    cost: (count * rows * columns * (2 * inner + 20)) / 45,
    emit: (target) => {
      const e = emitter(target, ['i32', 'i32', 'i32'])
      const [tile, place, row, column, height, width, packed, panel, c] = Array.from({ length: 9 }, () =>
        e.local('i32'),
      ) as [number, number, number, number, number, number, number, number, number]
      const coordinates = batch.map(() => e.local('i32'))
      const perBatch = tiling.rowTiles * tiling.columnTiles
      const pointers = openPointers(e, list)
      const scratch = (offset: number): Code => i32.add(globalGet(0), i32.const(offset))
      const blocks = Math.ceil(rows / blockRows)
      const [least, more] = [Math.floor(blocks / tiling.rowTiles), blocks % tiling.rowTiles]
      /** The first row of a row of tiles: they share the blocks, of which the first ones have one more. */
      const rowOf = (index: Code): Code =>
        i32.mul(
          i32.add(i32.mul(index, i32.const(least)), smaller(index, i32.const(more))),
          i32.const(blockRows),
        )
      const columnsMove = batchAxes.some(({ strides }) => strides[b] !== 0)
      e.push(set(packed, packedBefore(e, units)), set(tile, get(beginParameter)))
      repeat(e, smaller(i32.const(units), i32.sub(get(endParameter), get(beginParameter))), () => {
        e.push(set(place, i32.divU(get(tile), i32.const(perBatch))))
        e.push(set(panel, i32.remU(get(tile), i32.const(perBatch))))
        e.push(set(row, i32.remU(get(panel), i32.const(tiling.rowTiles))))
        e.push(set(height, rowOf(i32.add(get(row), i32.const(1)))), set(row, rowOf(get(row))))
        e.push(set(height, i32.sub(smaller(i32.const(rows), get(height)), get(row))))
        e.push(set(panel, i32.divU(get(panel), i32.const(tiling.rowTiles))))
        e.push(set(column, i32.mul(get(panel), i32.const(tiling.columns))))
        if (columnsMove)
          e.push(set(panel, i32.add(get(panel), i32.mul(get(place), i32.const(tiling.columnTiles)))))
        e.push(set(width, smaller(i32.const(tiling.columns), i32.sub(i32.const(columns), get(column)))))
        unravel(e, place, batch, coordinates)
        const at = (id: number, axis: 0 | 1, local: number): Code =>
          i32.add(
            i32.add(get(pointers[id] as number), batchOffset(coordinates, batchAxes, id)),
            i32.mul(get(local), i32.const(stride(id, axis))),
          )
        e.push(
          set(
            c,
            direct
              ? i32.add(at(only as number, 0, row), i32.shl(get(column), i32.const(2)))
              : scratch(sumsAt),
          ),
        )
        const from = { a: e.keep(at(a, 0, row), 'i32'), b: e.keep(at(b, 1, column), 'i32') }
        const depth = e.local('i32')
        const steps = e.local('i32')
        e.push(set(depth, i32.const(0)))
        repeat(e, i32.const(tiling.depthTiles), () => {
          e.push(set(steps, smaller(i32.const(tiling.depth), i32.sub(i32.const(inner), get(depth)))))
          const packedColumns = tiling.keepsColumns
            ? i32.add(scratch(packedColumnsAt), i32.mul(get(depth), i32.const(4 * tiling.columns)))
            : scratch(packedColumnsAt)
          const rowsOfA = [
            i32.add(from.a, i32.mul(get(depth), i32.const(stride(a, 1)))),
            i32.const(stride(a, 0)),
            i32.const(stride(a, 1)),
          ]
          const pack = call(
            e.gemm('packColumns'),
            i32.add(from.b, i32.mul(get(depth), i32.const(stride(b, 0)))),
            i32.const(stride(b, 1)),
            i32.const(stride(b, 0)),
            get(width),
            get(steps),
            packedColumns,
          )
          e.push(tiling.keepsColumns ? when(i32.ne(get(packed), get(panel)), pack) : pack)
          e.push(
            inPlace
              ? []
              : call(e.gemm('packRows'), ...rowsOfA, get(height), get(steps), scratch(packedRowsAt)),
            call(
              e.gemm('multiply'),
              get(height),
              get(width),
              get(steps),
              ...(inPlace
                ? [...rowsOfA, i32.const(blockRows * stride(a, 0))]
                : [
                    scratch(packedRowsAt),
                    i32.const(4),
                    i32.const(4 * blockRows),
                    i32.mul(get(steps), i32.const(4 * blockRows)),
                  ]),
              packedColumns,
              get(c),
              i32.const(direct ? stride(only as number, 0) : pitch),
              i32.gtS(get(depth), i32.const(0)),
            ),
            set(depth, i32.add(get(depth), get(steps))),
          )
        })
        e.push(set(packed, get(panel)))
        if (!direct) epilogue(e, factors, pitch, { pointers, coordinates, row, column, height, width })
        e.push(set(tile, i32.add(get(tile), i32.const(1))))
      })
      if (tiling.keepsColumns) rememberPacked(e, get(packed))
      return { code: e.finish(), needsCaller: e.needsCaller() }
    },
  }
}
