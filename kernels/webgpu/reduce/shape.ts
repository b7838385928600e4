/** How the threads of a group are divided among rows. */
import type { Operand } from '../../program/index.ts'
import { sizeOf } from '../../program/index.ts'

/** How a group's threads are divided. */
export interface Shape {
  readonly rows: number
  readonly lanes: number
  /** Neighbouring threads are lanes of one row; else they are rows. */
  readonly lanesFirst: boolean
}

export const powerAtLeast = (n: number): number => 2 ** Math.ceil(Math.log2(Math.max(1, n)))

/** One thread for each row. */
export const threadPerRow: Shape = { rows: 64, lanes: 1, lanesFirst: true }

/** Rows enough to keep a processor busy with a thread for each. */
export const enoughRows = 32

/** Operands that neighbouring elements of a row, or neighbouring rows, read from neighbouring places. */
const contiguousAlong = (operands: readonly Operand[], axis: number): number =>
  operands.filter(({ kind, strides }) => kind === 'buffer' && Math.abs(strides[axis] ?? 0) === 1).length

/** A division of threads that reads memory in order and leaves no thread without work. */
export const shapeFor = (
  outer: readonly number[],
  inner: readonly number[],
  operands: readonly Operand[],
): Shape => {
  const [rows, length] = [sizeOf(outer), sizeOf(inner)]
  const along = contiguousAlong(operands, outer.length + inner.length - 1)
  const across = contiguousAlong(operands, outer.length - 1)
  if (outer.length > 0 && across > along) {
    const width = Math.min(32, powerAtLeast(rows))
    // Few rows need many threads each; many rows keep the device busy with one.
    const lanes = rows >= 65536 ? 1 : Math.min(256 / width, powerAtLeast(length / 8))
    return { rows: lanes === 1 ? 64 : width, lanes, lanesFirst: false }
  }
  if (length <= 8 || (length <= 32 && rows >= 4096)) return { rows: 64, lanes: 1, lanesFirst: true }
  const lanes = Math.min(256, Math.max(8, powerAtLeast(length / 4)))
  return { rows: Math.max(1, 64 / lanes), lanes, lanesFirst: true }
}
