/** How a matrix product is cut into tiles, by its shape alone. */
import { roundUp } from '../round.ts'
import { sizeOf } from '../program/index.ts'
import type { MatmulLaunch } from '../program/index.ts'
import { blockColumns, blockRows } from './gemm.ts'
import { packedColumnBytes, tileColumns, tileDepth, tileRows } from './scratch.ts'

export interface Tiling {
  readonly rows: number
  readonly columns: number
  readonly depth: number
  readonly rowTiles: number
  readonly columnTiles: number
  readonly depthTiles: number
  /** Whether the packed columns of a tile fit as a whole, to be used again by the tiles below it. */
  readonly keepsColumns: boolean
}

/** So many tiles at least, where they do not become too small: threads that share few end apart. */
const wantedTiles = 16
/** Tiles are not made smaller than this for it: each row and column of them is packed once more. */
const leastRows = 24
const leastColumns = 64

export const tilingOf = ({ batch, rows, columns, inner }: MatmulLaunch): Tiling => {
  const depthTiles = Math.max(1, Math.ceil(inner / tileDepth))
  const depth = Math.ceil(inner / depthTiles)
  const widest =
    Math.floor(packedColumnBytes / 4 / Math.max(1, depth * depthTiles) / blockColumns) * blockColumns
  const keepsColumns = widest >= 128
  const limit = keepsColumns ? Math.min(tileColumns, widest) : tileColumns
  const wanted = Math.ceil(wantedTiles / Math.max(1, sizeOf(batch)))
  const parts = (size: number, most: number, least: number, others: number): number =>
    Math.max(Math.ceil(size / most), Math.min(Math.ceil(wanted / others), Math.floor(size / least)))
  const fewRows = Math.ceil(rows / tileRows)
  const wide = parts(columns, limit, 2 * leastColumns, fewRows)
  const rowTiles = parts(rows, tileRows, leastRows, wide)
  const columnTiles = parts(columns, limit, leastColumns, rowTiles)
  const height = roundUp(Math.ceil(rows / rowTiles), blockRows)
  const width = roundUp(Math.ceil(columns / columnTiles), blockColumns)
  return {
    rows: height,
    columns: width,
    depth,
    rowTiles: Math.ceil(rows / height),
    columnTiles: Math.ceil(columns / width),
    depthTiles,
    keepsColumns,
  }
}
