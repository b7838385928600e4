/**
 * Matmul launches. Large ones are tiled: a group of threads computes a tile of the result, step by step along
 * the inner axis, from tiles of both operands in the group's memory; each thread holds a block of the tile in
 * registers. Small ones are rows of sums.
 */
import { restride, rowsOf } from '../gpujs/row.ts'
import type { MatmulLaunch, View } from '../program/index.ts'
import { sizeOf, viewsOf } from '../program/index.ts'
import { address, batchAddress, unravel } from './axis.ts'
import { reduceDispatches } from './reduce.ts'
import { needed, statements } from './scalar.ts'
import type { Binder, Context, Dispatch } from './shader.ts'
import { binder, moduleOf, storedType } from './shader.ts'
import { loadTile, multiplyTiles, vectorsOf, zeros } from './tile.ts'
import type { Block } from './tile.ts'

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
const isTiled = ({ batch, rows, columns, inner }: MatmulLaunch): boolean =>
  rows >= 16 && columns >= 16 && inner >= 8 && sizeOf(batch) <= mostGroups

/** Whether the result can be written in whole vectors: one output that nothing else in the kernel touches. */
const writesVectors = ({ columns, outputs, operands, a, b }: MatmulLaunch, context: Context): boolean => {
  const [output, ...others] = outputs
  if (output === undefined || others.length > 0 || columns % 4 !== 0) return false
  const { target } = output
  const at = context.home(target.buffer)
  return (
    context.dtype(target.buffer) !== 'bool' &&
    target.strides.at(-1) === 1 &&
    [target.offset, ...target.strides.slice(0, -1)].every((number) => number % 4 === 0) &&
    [a, b, ...operands.flatMap(viewsOf)].every(({ buffer }) => context.home(buffer) !== at)
  )
}

/** Registers of sums, the function that makes results of them, and the code that writes a thread's own. */
const epilogue = (
  launch: MatmulLaunch,
  context: Context,
  bind: Binder,
  axes: readonly string[],
  { high, wide }: Pick<Tile, 'high' | 'wide'>,
  across: number,
) => {
  const { rows, columns, operands, body, outputs, a } = launch
  const type = storedType(context.dtype(a.buffer))
  const outer = axes.slice(0, -2)
  const block: Block = { name: 's', high, broad: wide / 4, type }
  const values = outputs.map(({ value }) => value)
  const scope = {
    body,
    read: (index: number) => bind.read(operands[index] as (typeof operands)[number], axes),
    fold: () => 'sum',
  }
  const vectors = writesVectors(launch, context)
  const computed = statements(scope, needed(body, values))
  const parameters = [...axes.map((axis) => `${axis}: i32`), `sum: ${type}`].join(', ')
  const [output] = outputs as readonly [(typeof outputs)[number], ...(typeof outputs)[number][]]
  const finish = (
    vectors
      ? [
          `fn finish(${parameters}) -> ${storedType(context.dtype(output.target.buffer))} {`,
          ...computed,
          `return v${output.value};`,
          '}',
        ]
      : [
          `fn finish(${parameters}) {`,
          `if (row >= ${rows} || column >= ${columns}) { return; }`,
          ...computed,
          ...outputs.map(({ target, value }) => bind.store(target, axes, `v${value}`)),
          '}',
        ]
  ).join('\n')
  const call = (of: string, more = ''): string =>
    `finish(${[...outer, 'row', `column${more}`, of].join(', ')})`
  const put = vectors
    ? [
        `if (row < ${rows} && column < ${columns}) {`,
        `var out = vec4<${storedType(context.dtype(output.target.buffer))}>();`,
        `for (var e = 0i; e < 4; e++) { out[e] = ${call('sums[e]', ' + e')}; }`,
        `${bind.quads(output.target.buffer, 'write')}[(${address(output.target, axes)}) >> 2u] = out;`,
        '}',
      ]
    : [`for (var e = 0i; e < 4; e++) { ${call('sums[e]', ' + e')}; }`]
  const quads = wide / 4
  const registers = Array.from(
    { length: high * quads },
    (_, n) => [Math.floor(n / quads), n % quads] as const,
  )
  const store = context.plain
    ? [
        // Once for all: a compiler in software takes long enough as it is.
        `var all = array<vec4<${type}>, ${high * quads}>(${registers.map(([r, q]) => `s${r}_${q}`).join(', ')});`,
        `for (var n = 0i; n < ${high * quads}; n++) {`,
        'var sums = all[n];',
        `let row = top + i32(y) * ${high} + n / ${quads};`,
        `let column = left + (i32(x) + n % ${quads} * ${across}) * 4;`,
        ...put,
        '}',
      ]
    : registers.flatMap(([r, q]) => [
        '{',
        `var sums = s${r}_${q};`,
        `let row = top + i32(y) * ${high} + ${r};`,
        `let column = left + (i32(x) + ${q * across}) * 4;`,
        ...put,
        '}',
      ])
  return { block, finish, store }
}

/** The kernel as a dispatch: a group for each block of `tall` × `broad` results of each element of the batch. */
const dispatchOf = (
  { batch, rows, inner, columns }: MatmulLaunch,
  bind: Binder,
  code: readonly string[],
  [tall, broad]: readonly [tall: number, broad: number],
  threads: number,
  more: readonly string[],
): Dispatch => ({
  label: `matmul ${[...batch, rows, inner, columns].join('×')}`,
  code: moduleOf(
    bind.declarations(),
    {
      parameters: '@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32',
      code,
      size: threads,
    },
    more,
  ),
  bindings: bind.bindings(),
  groups: [Math.ceil(columns / broad), Math.ceil(rows / tall), sizeOf(batch)],
})

/** Blocks of a thread, and what an element of each costs: the larger, the more often it uses what it reads. */
const blocks = [
  { high: 8, wide: 8, cost: 1 },
  { high: 4, wide: 8, cost: 1.4 },
  { high: 8, wide: 4, cost: 1.5 },
  { high: 4, wide: 4, cost: 1.9 },
] as const

/** Threads of a group without memory, and how many of them stand side by side. */
const [plainThreads, plainAcross] = [64, 8]

/** The block that makes a product cheapest, with what lies beyond the result and is computed all the same. */
const blockFor = ({ rows, columns }: MatmulLaunch): Pick<Tile, 'high' | 'wide'> => {
  const costs = blocks.map(({ high, wide, cost }) => {
    const [tall, broad] = [(plainThreads / plainAcross) * high, plainAcross * wide]
    return cost * Math.ceil(rows / tall) * tall * Math.ceil(columns / broad) * broad
  })
  return blocks[costs.indexOf(Math.min(...costs))] as (typeof blocks)[number]
}

/**
 * Without the memory of a group: each thread reads what it needs for its block itself. Where threads run one after the
 * other, as in software, waiting for each other costs more than reading twice.
 */
const direct = (
  launch: MatmulLaunch,
  context: Context,
  { high, wide }: Pick<Tile, 'high' | 'wide'>,
): Dispatch => {
  const { batch, rows, columns, inner, a, b, outputs } = launch
  const rank = batch.length
  const type = storedType(context.dtype(a.buffer))
  const bind = binder(context)
  const [threads, across] = [plainThreads, plainAcross]
  const [tall, broad] = [(threads / across) * high, across * wide]
  const outer = unravel('group.z', batch, 'i')
  const axes = [...outer.axes, 'row', 'column']
  const { block, finish, store } = epilogue(launch, context, bind, axes, { high, wide }, across)
  const written = new Set(outputs.map(({ target }) => context.home(target.buffer)))
  const vectors = (view: View, acrossStride: number, along: number) =>
    written.has(context.home(view.buffer))
      ? undefined
      : vectorsOf({
          view,
          batchStrides: view.strides.slice(0, rank),
          across: acrossStride,
          along,
          end: inner,
        })
  const [aRow, aStep] = a.strides.slice(rank) as [number, number]
  const [bStep, bColumn] = b.strides.slice(rank) as [number, number]
  const left = vectors(a, aRow, aStep) === 'along' ? bind.quads(a.buffer, 'read') : undefined
  const right = vectors(b, bColumn, bStep) === 'across' ? bind.quads(b.buffer, 'read') : undefined
  const steps = inner % 4 === 0 ? [0, 1, 2, 3] : [0]
  const ofRows = Array.from({ length: high }, (_, r) => r)
  const quads = Array.from({ length: wide / 4 }, (_, q) => q)
  const element = (step: number): string => (step === 0 ? 'k' : `(k + ${step})`)
  const readLeft = ofRows.flatMap((r) =>
    left === undefined
      ? steps.map(
          (k) => `let a${r}_${k} = ${bind.name(a.buffer, 'read')}[left${r} + ${element(k)} * ${aStep}];`,
        )
      : [`let a${r} = ${left}[(left${r} + k) >> 2u];`],
  )
  const leftAt = (r: number, k: number): string => (left === undefined ? `a${r}_${k}` : `a${r}[${k}]`)
  const readRight = (k: number, q: number): string =>
    right === undefined
      ? `vec4<${type}>(${[0, 1, 2, 3].map((e) => `${bind.name(b.buffer, 'read')}[right${q} + ${element(k)} * ${bStep}${e === 0 ? '' : ` + ${e * bColumn}`}]`).join(', ')})`
      : `${right}[(right${q} + ${element(k)} * ${bStep}) >> 2u]`
  const code = [
    `let x = local % ${across}u;`,
    `let y = local / ${across}u;`,
    `let top = i32(group.y) * ${tall};`,
    `let left = i32(group.x) * ${broad};`,
    ...outer.code,
    ...zeros(block),
    // What lies beyond the result is computed of what lies in it, and not written.
    ...ofRows.map(
      (r) =>
        `let left${r} = ${a.offset}${batchAddress(a, outer.axes)} + min(top + i32(y) * ${high} + ${r}, ${rows - 1}) * ${aRow};`,
    ),
    ...quads.map(
      (q) =>
        `let right${q} = ${b.offset}${batchAddress(b, outer.axes)} + min(left + (i32(x) + ${q * across}) * 4, ${4 * Math.ceil(columns / 4) - 4}) * ${bColumn};`,
    ),
    `for (var k = 0i; k < ${inner}; k += ${steps.length}) {`,
    ...readLeft,
    ...steps.flatMap((k) => [
      '{',
      ...quads.map((q) => `let b${q} = ${readRight(k, q)};`),
      ...ofRows.flatMap((r) => quads.map((q) => `s${r}_${q} += ${leftAt(r, k)} * b${q};`)),
      '}',
    ]),
    '}',
    ...store,
  ]
  return dispatchOf(launch, bind, code, [tall, broad], threads, [finish])
}

const tiled = (launch: MatmulLaunch, context: Context, tile: Tile): Dispatch => {
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
