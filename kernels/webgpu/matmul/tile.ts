/** Which tile, or which block of a thread, a product takes: by its size, and by what was measured. */
import type { MatmulLaunch } from '../../program/index.ts'
import { sizeOf } from '../../program/index.ts'
import type { Context } from '../shader.ts'

/** A tile of `rows` × `columns`, in steps of `depth`, of which each thread has `high` × `wide` elements. */
export interface Tile {
  readonly rows: number
  readonly columns: number
  readonly depth: number
  readonly high: number
  readonly wide: number
}

/**
 * From the largest to the smallest; all widths are multiples of four.
 *
 * @example
 * ```ts
 * import { tiles } from 'pullback/kernels'
 * console.log(tiles.length > 0) // => true
 * ```
 */
export const tiles: readonly Tile[] = [
  { rows: 128, columns: 128, depth: 8, high: 8, wide: 8 },
  { rows: 64, columns: 64, depth: 16, high: 4, wide: 4 },
  { rows: 32, columns: 32, depth: 16, high: 4, wide: 4 },
]

/** Tiles by the key of their products. */
export type TileTable = Readonly<Record<string, Tile>>

/**
 * The device and the size of a product, each side to the next power of two, and whether tiles hold float16: products of
 * a key share a tile.
 */
export const tileKey = (
  device: string,
  { batch, rows, inner, columns }: MatmulLaunch,
  factors: Context['factors'],
): string =>
  [
    device,
    ...[sizeOf(batch), rows, inner, columns].map((n) => 2 ** Math.ceil(Math.log2(Math.max(1, n)))),
    ...(factors === 'f16' ? [factors] : []),
  ].join('|')

/** A device allows as many groups along an axis. */
const mostGroups = 65535

/** Tiles enough to keep a device busy. */
const enough = 128

/** Tiles whose groups have at most so many threads. */
export const tilesWithin = (threads: number): readonly Tile[] =>
  tiles.filter(({ rows, columns, high, wide }) => (rows * columns) / (high * wide) <= threads)

/** The largest tile of which there are enough, or else the smallest. */
export const tileFor = ({ batch, rows, columns }: MatmulLaunch, threads: number): Tile => {
  const fit = tilesWithin(threads)
  const count = (tile: Tile): number =>
    sizeOf(batch) * Math.ceil(rows / tile.rows) * Math.ceil(columns / tile.columns)
  return fit.find((tile) => count(tile) >= enough) ?? (fit.at(-1) as Tile)
}

/** Whether tiles pay: below, most of a tile would lie outside of the result. */
export const isTiled = ({ batch, rows, columns, inner }: MatmulLaunch): boolean =>
  rows >= 16 && columns >= 16 && inner >= 8 && sizeOf(batch) <= mostGroups

/** Blocks of a thread, and what an element of each costs: the larger, the more often it uses what it reads. */
const blocks = [
  { high: 8, wide: 8, cost: 1 },
  { high: 4, wide: 8, cost: 1.4 },
  { high: 8, wide: 4, cost: 1.5 },
  { high: 4, wide: 4, cost: 1.9 },
] as const

/** Threads of a group without memory. */
export const plainThreads = 64
/** So many of them stand side by side. */
export const plainAcross = 8

/** The block that makes a product cheapest, with what lies beyond the result and is computed all the same. */
export const blockFor = ({ rows, columns }: MatmulLaunch): Pick<Tile, 'high' | 'wide'> => {
  const costs = blocks.map(({ high, wide, cost }) => {
    const [tall, broad] = [(plainThreads / plainAcross) * high, plainAcross * wide]
    return cost * Math.ceil(rows / tall) * tall * Math.ceil(columns / broad) * broad
  })
  return blocks[costs.indexOf(Math.min(...costs))] as (typeof blocks)[number]
}
