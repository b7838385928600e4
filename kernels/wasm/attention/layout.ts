/** Where blocks of queries and keys stand in scratch memory, and which launches there is a kernel for. */
import type { AttentionGradientLaunch, AttentionLaunch, Operand, Strided } from '../../program/index.ts'
import { roundUp } from '../../round.ts'
import { blockColumns, blockRows } from '../gemm.ts'
import { packedColumnBytes, packedColumnsAt, sumFloats } from '../scratch.ts'

export type Launch = AttentionLaunch | AttentionGradientLaunch

/** Keys that are packed and multiplied at once. */
export const keyBlock = 256

/** Where everything stands in scratch memory, and how many queries go together. */
export interface Layout {
  readonly rows: number
  /** Bytes from one row of a strip to the next. */
  readonly stride: number
  /** Addresses of strips of scores. */
  readonly strips: readonly number[]
  /** Addresses of the packed keys (as columns), values, and keys as rows of a product's right side. */
  readonly keys: number
  readonly values: number
  readonly keyRows: number
  /** Columns of the block of queries. */
  readonly columns: number
  /** Whether packed parts hold all blocks of keys, or are packed again for each block of queries. */
  readonly keeps: boolean
}

export const layoutOf = ({ kind, queries, keys, width, valueWidth, causal }: Launch): Layout | undefined => {
  const gradient = kind === 'attentionGradient'
  const stride = 4 * roundUp(Math.max(1, keys), blockColumns)
  const whole = roundUp(keys, keyBlock)
  const [wide, valueWide] = [roundUp(width, blockColumns), roundUp(valueWidth, blockColumns)]
  // The right sides of the products: q·k and the weights' with the values forwards; the gradient's three.
  const packed = (count: number): readonly number[] =>
    gradient
      ? [count * width * 4, count * valueWidth * 4, count * wide * 4]
      : [count * width * 4, count * valueWide * 4, 0]
  const total = (parts: readonly number[]): number =>
    parts.reduce((sum, bytes) => sum + roundUp(bytes, 64), 0)
  const keeps = total(packed(whole)) <= packedColumnBytes / 2
  const parts = packed(keeps ? whole : keyBlock)
  // What a block of queries needs besides: its own columns, where the gradient multiplies by them.
  const columns = gradient ? 4 * 64 * Math.max(wide, valueWide) : 0
  const room = packedColumnBytes - total(parts) - columns - 256
  const count = gradient ? 2 : 1
  // Shorter blocks leave out more of what lies ahead of each query; longer ones multiply faster.
  const wanted = causal === undefined ? 60 : gradient ? 42 : 30
  const fits = Math.min(
    blockRows * Math.floor(room / (count * stride * blockRows)),
    Math.max(12, Math.floor(2 ** 18 / stride)),
  )
  const rows = Math.min(wanted, queries, fits >= blockRows ? fits - (fits % blockRows) : fits)
  const sums = roundUp(Math.max(1, rows), blockRows) * valueWide * 4
  if (queries > 0 && rows < 1) return undefined
  if (sums + 16 * rows > 4 * sumFloats) return undefined
  const places = [
    ...parts,
    columns,
    ...new Array<number>(count).fill(roundUp(rows, blockRows) * stride),
  ].reduce<number[]>(
    (list, bytes) => [...list, (list.at(-1) as number) + roundUp(bytes, 64)],
    [packedColumnsAt],
  )
  const [keysAt, valuesAt, keyRowsAt, columnsAt] = places as [number, number, number, number]
  return {
    rows,
    stride,
    keys: keysAt,
    values: valuesAt,
    keyRows: keyRowsAt,
    columns: columnsAt,
    strips: places.slice(4, 4 + count),
    keeps,
  }
}

/** Whether vectors along keys are plain loads, whatever the operand. */
export const walksPlainly = (operand: Operand, axis: number): boolean =>
  operand.kind === 'iota' ||
  (operand.at === undefined && (operand.strides[axis] === 0 || operand.strides[axis] === 1))

export const sideBySide = ({ strides }: Strided, size: number): boolean => size <= 1 || strides.at(-1) === 1
