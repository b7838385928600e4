/** Products from tiles of both operands in the group's memory. */
import type { MatmulLaunch, View } from '../../program/index.ts'
import { batchAddress, unravel } from '../axis.ts'
import type { Context, Dispatch } from '../shader.ts'
import { binder, storedType } from '../shader.ts'
import { loadTile, multiplyTiles, zeros } from '../tile.ts'
import { dispatchOf, epilogue } from './epilogue.ts'
import type { Tile } from './tile.ts'

/** A group for each tile of the result, which goes along the inner axis a tile of both operands at a time. */
export const tiled = (launch: MatmulLaunch, context: Context, tile: Tile): Dispatch => {
  const { batch, rows, columns, inner, a, b, outputs } = launch
  const { depth, high, wide } = tile
  const rank = batch.length
  const type = storedType(context.dtype(a.buffer))
  const kept = type === 'f32' ? context.factors : type
  const bind = binder(context)
  const across = tile.columns / wide
  const threads = (tile.rows / high) * across
  const outer = unravel('group.z', batch, 'i')
  const axes = [...outer.axes, 'row', 'column']
  const written = new Set(outputs.map(({ target }) => context.home(target.buffer)))
  const load = (view: View, index: 0 | 1): readonly string[] => {
    const [first, second] = view.strides.slice(rank) as [number, number]
    const side =
      index === 0
        ? { into: 'tileA', across: first, along: second, limit: rows, size: tile.rows, from: 'top' }
        : { into: 'tileB', across: second, along: first, limit: columns, size: tile.columns, from: 'left' }
    return loadTile(
      bind,
      {
        ...side,
        view,
        batch: batchAddress(view, outer.axes),
        batchStrides: view.strides.slice(0, rank),
        depth,
        step: 'step',
        end: inner,
        type,
        kept,
      },
      threads,
      (id) => written.has(context.home(id)),
    )
  }
  const { block, finish, store } = epilogue(launch, context, bind, axes, tile, across)
  const loads = [...load(a, 0), ...load(b, 1)]
  const code = [
    `let x = local % ${across}u;`,
    `let y = local / ${across}u;`,
    `let top = i32(group.y) * ${tile.rows};`,
    `let left = i32(group.x) * ${tile.columns};`,
    ...outer.code,
    ...zeros(block),
    `for (var step = 0i; step < ${inner}; step += ${depth}) {`,
    ...loads,
    'workgroupBarrier();',
    ...multiplyTiles({
      block,
      left: { tile: 'tileA', quads: tile.rows / 4 },
      right: { tile: 'tileB', quads: tile.columns / 4 },
      depth,
      across,
      kept,
    }),
    'workgroupBarrier();',
    '}',
    ...store,
  ]
  return dispatchOf(launch, bind, code, [tile.rows, tile.columns], threads, [
    `var<workgroup> tileA: array<vec4<${kept}>, ${(tile.rows * depth) / 4}>;`,
    `var<workgroup> tileB: array<vec4<${kept}>, ${(tile.columns * depth) / 4}>;`,
    finish,
  ])
}
