/**
 * Matmul launches. Large ones are tiled: a group of threads computes a tile of the result, step by step along
 * the inner axis, from tiles of both operands in the group's memory; each thread holds a block of the tile in
 * registers. Small ones are rows of sums.
 */
import { restride, rowsOf } from '../../gpujs/row.ts'
import type { MatmulLaunch, View } from '../../program/index.ts'
import { sizeOf } from '../../program/index.ts'
import { reduceDispatches } from '../reduce/dispatch.ts'
import type { Context, Dispatch } from '../shader.ts'
import { direct } from './direct.ts'
import type { Tile, TileTable } from './tile.ts'
import { blockFor, isTiled, tileFor, tileKey } from './tile.ts'
import { tiled } from './tiled.ts'

/** Drops batch axes that are one axis to every view, as `collapse` does for other launches. */
const withOneBatch = (launch: MatmulLaunch): MatmulLaunch => {
  const { batch, operands, outputs, a, b } = launch
  if (batch.length < 2) return launch
  const kept = batch.flatMap((size, axis) => (size === 1 ? [] : [axis]))
  if (kept.length === batch.length) return launch
  const pick = (strides: readonly number[]): number[] => [
    ...kept.map((axis) => strides[axis] as number),
    ...strides.slice(batch.length),
  ]
  const view = (one: View): View => ({ ...one, strides: pick(one.strides) })
  return {
    ...launch,
    batch: kept.map((axis) => batch[axis] as number),
    a: view(a),
    b: view(b),
    operands: operands.map((operand) => restride(operand, pick)),
    outputs: outputs.map((output) => ({ ...output, target: view(output.target) })),
  }
}

export interface MatmulOptions {
  /** The tile of every matmul, whatever its size. */
  readonly tile: Tile | undefined
  /** Tiles that were measured, by `tileKey`, and the device whose they are. */
  readonly tiles?: TileTable
  readonly device?: string
}

export const matmulDispatches = (
  launch: MatmulLaunch,
  context: Context,
  { tile: asked, tiles: table = {}, device = '' }: MatmulOptions = { tile: undefined },
): readonly Dispatch[] => {
  const { batch, rows, columns } = launch
  if (sizeOf(batch) * rows * columns === 0) return []
  const measured = !context.plain && isTiled(launch)
  const tile = asked ?? (measured ? table[tileKey(device, launch, context.factors)] : undefined)
  const sums = tile === undefined && !isTiled(launch) ? rowsOf(launch, context.dtype) : undefined
  if (sums !== undefined) return reduceDispatches({ kind: 'reduce', ...sums }, context)
  const one = withOneBatch(launch)
  return [
    context.plain && tile === undefined
      ? direct(one, context, blockFor(launch))
      : tiled(one, context, tile ?? tileFor(launch, context.threadsPerGroup)),
  ]
}
