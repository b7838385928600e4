/** Rows of different lengths as one tensor. */
import { fromArray } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import { argumentError } from '../../core/error.ts'

/** int32 [batch, time] */
export type IdRows = Tensor<readonly [number, number], 'int32'>
/** bool [batch, time]: true where there is an id, false at padding. */
export type KeyMask = Tensor<readonly [number, number], 'bool'>

export interface PadOptions {
  /**
   * The length of the padded rows: a number, or several, the least of which that is long enough is taken (each new
   * length compiles a step anew, so a few are better than all). By default the longest row's.
   */
  readonly length?: number | readonly number[]
  /** Where the padding stands; behind the row by default. Before it for generation with decoders. */
  readonly side?: 'right' | 'left'
}

const lengthFor = (rows: readonly ArrayLike<number>[], length: PadOptions['length']): number => {
  const longest = rows.reduce((most, row) => Math.max(most, row.length), 0)
  const fitting = [length ?? longest].flat().filter((one) => one >= longest)
  if (fitting.length === 0)
    throw argumentError(
      'padRows',
      `row ${rows.findIndex((row) => row.length === longest)} has ${longest} ids, ` +
        `at most ${Math.max(...[length ?? []].flat())} fit: truncate before`,
    )
  return Math.min(...fitting)
}

const padded = (
  rows: readonly ArrayLike<number>[],
  length: number,
  fill: number,
  { side = 'right' }: PadOptions,
): Int32Array => {
  const all = new Int32Array(rows.length * length).fill(fill)
  rows.forEach((row, i) => all.set(row, i * length + (side === 'right' ? 0 : length - row.length)))
  return all
}

/**
 * Rows padded with `fill`.
 *
 * @throws PullbackError when a row is longer than asked for.
 * @example
 * ```ts
 * import { toNested } from 'pullback'
 * import { padRows } from 'pullback/training'
 * console.log(await toNested(padRows([[5, 6, 7], [8]], 0))) // => [ [ 5, 6, 7 ], [ 8, 0, 0 ] ]
 * ```
 */
export const padRows = (
  rows: readonly ArrayLike<number>[],
  fill: number,
  options: PadOptions = {},
): IdRows => {
  const length = lengthFor(rows, options.length)
  return fromArray(padded(rows, length, fill, options), [rows.length, length])
}

/**
 * Ids padded, and which of them are real.
 *
 * @example
 * ```ts
 * import { padIds } from 'pullback/training'
 * const { ids, keyMask } = padIds([[5, 6, 7], [8]], 0)
 * console.log(ids, keyMask)
 * // => int32[2, 3] [[5, 6, 7], [8, 0, 0]] bool[2, 3] [[true, true, true], [true, false, false]]
 * ```
 */
export const padIds = (
  rows: readonly ArrayLike<number>[],
  paddingId: number,
  options: PadOptions = {},
): { readonly ids: IdRows; readonly keyMask: KeyMask } => {
  const length = lengthFor(rows, options.length)
  const shape = [rows.length, length] as const
  const real = rows.map((row) => new Uint8Array(row.length).fill(1))
  return {
    ids: fromArray(padded(rows, length, paddingId, options), shape),
    keyMask: fromArray(Uint8Array.from(padded(real, length, 0, options)), shape),
  }
}
