/**
 * Matmul launches. Large ones are tiled: a group of threads computes a tile of the result, step by step along
 * the inner axis, from tiles of both operands in the group's memory; each thread holds a block of the tile in
 * registers. Small ones are rows of sums.
 */
import { restride, rowsOf } from '../gpujs/row.ts'
import type { MatmulLaunch, View } from '../program.ts'
import { sizeOf } from '../program.ts'
import { unravel } from './axis.ts'
import { reduceDispatches, threadPerRow } from './reduce.ts'
import { needed, statements } from './scalar.ts'
import type { Context, Dispatch } from './shader.ts'
import { binder, moduleOf, storedType } from './shader.ts'

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

/** A device allows as many groups along an axis. */
const mostGroups = 65535

/** Tiles enough to keep a device busy. */
const enough = 128

/** The largest tile of which there are enough, and of which not too much lies outside of the result. */
export const tileFor = ({ batch, rows, columns }: MatmulLaunch, threads: number): Tile => {
  const fit = tiles.filter(({ rows: r, columns: c, high, wide }) => (r * c) / (high * wide) <= threads)
  const count = (tile: Tile): number =>
    sizeOf(batch) * Math.ceil(rows / tile.rows) * Math.ceil(columns / tile.columns)
  return fit.find((tile) => count(tile) >= enough) ?? (fit.at(-1) as Tile)
}

/** Whether tiles pay: below, most of a tile would lie outside of the result. */
const isTiled = ({ batch, rows, columns, inner }: MatmulLaunch): boolean =>
  rows >= 16 && columns >= 16 && inner >= 8 && sizeOf(batch) <= mostGroups

/** One operand as the tile loads it: which of its two axes is along the tile, and which along the sum. */
interface Side {
  readonly view: View
  readonly name: string
  /** The vectors in the group's memory. */
  readonly tile: string
  readonly across: number
  readonly along: number
  readonly limit: number
  readonly size: number
  readonly from: string
}

/**
 * Loads four neighbours across for each place in the sum, as one vector. Neighbouring threads take what is
 * neighbouring in memory.
 */
const load = (side: Side, { depth }: Tile, threads: number, inner: number, batchAt: string, type: string) => {
  const { view, name, tile, across, along, limit, size, from } = side
  const quads = size / 4
  const total = quads * depth
  const alongFirst = Math.abs(along) < Math.abs(across)
  const [q, k] = alongFirst ? [`at / ${depth}u`, `at % ${depth}u`] : [`at % ${quads}u`, `at / ${quads}u`]
  const part = (n: number): string =>
    `select(${type}(0), ${name}[base + ${n * across}], inside && first + ${n} < ${limit})`
  const code = [
    `let q = i32(${q});`,
    `let k = i32(${k});`,
    `let first = ${from} + q * 4;`,
    `let inside = step + k < ${inner};`,
    `let base = ${view.offset}${batchAt} + first * ${across} + (step + k) * ${along};`,
    `${tile}[k * ${quads} + q] = vec4<${type}>(${[0, 1, 2, 3].map(part).join(', ')});`,
  ]
  const rounds = Math.ceil(total / threads)
  return Array.from({ length: rounds }, (_, round) => [
    total % threads === 0 ? '{' : `if (local + ${round * threads}u < ${total}u) {`,
    `let at = local + ${round * threads}u;`,
    ...code,
    '}',
  ]).flat()
}

const batchAddress = ({ strides }: View, axes: readonly string[]): string =>
  axes.map((axis, index) => (strides[index] === 0 ? '' : ` + ${axis} * ${strides[index]}`)).join('')

const tiled = (launch: MatmulLaunch, context: Context, tile: Tile): Dispatch => {
  const { batch, rows, columns, inner, a, b, operands, body, outputs } = launch
  const { depth, high, wide } = tile
  const rank = batch.length
  const type = storedType(context.dtype(a.buffer))
  const bind = binder(context)
  const across = tile.columns / wide
  const threads = (tile.rows / high) * across
  const outer = unravel('group.z', batch, 'i')
  const axes = [...outer.axes, 'row', 'column']
  const side = (view: View, index: 0 | 1): Side => {
    const [first, second] = view.strides.slice(rank) as [number, number]
    const name = bind.name(view.buffer, 'read')
    return index === 0
      ? { view, name, tile: 'tileA', across: first, along: second, limit: rows, size: tile.rows, from: 'top' }
      : {
          view,
          name,
          tile: 'tileB',
          across: second,
          along: first,
          limit: columns,
          size: tile.columns,
          from: 'left',
        }
  }
  const loads = [side(a, 0), side(b, 1)].flatMap((one) =>
    load(one, tile, threads, inner, batchAddress(one.view, outer.axes), type),
  )
  const [tall, broad] = [high / 4, wide / 4]
  const rowsOfThread = Array.from({ length: high }, (_, r) => r)
  const quads = Array.from({ length: broad }, (_, q) => q)
  const sums = rowsOfThread.flatMap((r) => quads.map((q) => `var s${r}_${q} = vec4<${type}>();`))
  const product = [
    ...Array.from(
      { length: tall },
      (_, q) => `let a${q} = tileA[k * ${tile.rows / 4}u + y * ${tall}u + ${q}u];`,
    ),
    // Threads of a row take quads that stand side by side, so that no two want the same bank at once.
    ...quads.map((q) => `let b${q} = tileB[k * ${tile.columns / 4}u + x + ${q * across}u];`),
    ...rowsOfThread.flatMap((r) =>
      quads.map((q) => `s${r}_${q} += a${Math.floor(r / 4)}[${r % 4}] * b${q};`),
    ),
  ]
  const values = outputs.map(({ value }) => value)
  const scope = {
    body,
    read: (index: number) => bind.read(operands[index] as (typeof operands)[number], axes),
    fold: () => 'sum',
  }
  const finish = [
    `fn finish(${[...outer.axes, 'row', 'column'].map((axis) => `${axis}: i32`).join(', ')}, sum: ${type}) {`,
    `if (row >= ${rows} || column >= ${columns}) { return; }`,
    ...statements(scope, needed(body, values)),
    ...outputs.map(({ target, value }) => bind.store(target, axes, `v${value}`)),
    '}',
  ].join('\n')
  const store = rowsOfThread.flatMap((r) =>
    quads.flatMap((q) => [
      '{',
      `var sums = s${r}_${q};`,
      `let row = top + i32(y) * ${high} + ${r};`,
      `let column = left + (i32(x) + ${q * across}) * 4;`,
      `for (var e = 0i; e < 4; e++) { finish(${[...outer.axes, 'row', 'column + e'].join(', ')}, sums[e]); }`,
      '}',
    ]),
  )
  const code = [
    `let x = local % ${across}u;`,
    `let y = local / ${across}u;`,
    `let top = i32(group.y) * ${tile.rows};`,
    `let left = i32(group.x) * ${tile.columns};`,
    ...outer.code,
    ...sums,
    `for (var step = 0i; step < ${inner}; step += ${depth}) {`,
    ...loads,
    'workgroupBarrier();',
    `for (var k = 0u; k < ${depth}u; k++) {`,
    ...product,
    '}',
    'workgroupBarrier();',
    '}',
    ...store,
  ]
  return {
    label: `matmul ${[...batch, rows, inner, columns].join('×')}`,
    code: moduleOf(
      bind.declarations(),
      {
        parameters: '@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32',
        code,
        size: threads,
      },
      [
        `var<workgroup> tileA: array<vec4<${type}>, ${(tile.rows * depth) / 4}>;`,
        `var<workgroup> tileB: array<vec4<${type}>, ${(tile.columns * depth) / 4}>;`,
        finish,
      ],
    ),
    bindings: bind.bindings(),
    groups: [Math.ceil(columns / tile.columns), Math.ceil(rows / tile.rows), sizeOf(batch)],
  }
}

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
  /**
   * Rows of sums, whatever the size. In software, tiles take many times longer to compile and are no faster: there
   * is no memory of a group.
   */
  readonly plain?: boolean
}

export const matmulDispatches = (
  launch: MatmulLaunch,
  context: Context,
  { tile, plain = false }: MatmulOptions = { tile: undefined },
): readonly Dispatch[] => {
  const { batch, rows, columns } = launch
  if (sizeOf(batch) * rows * columns === 0) return []
  const sums = tile === undefined && (plain || !isTiled(launch)) ? rowsOf(launch, context.dtype) : undefined
  if (sums !== undefined)
    return reduceDispatches({ kind: 'reduce', ...sums }, context, plain ? threadPerRow : undefined)
  return [tiled(withOneBatch(launch), context, tile ?? tileFor(launch, context.threadsPerGroup))]
}
