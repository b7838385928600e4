/**
 * What both passes of attention share: a group of threads owns a block of rows (queries, or keys) and walks blocks of
 * the other side. Scores of two blocks stand in the registers of the group's threads, 4 × 4 in each.
 */
import type { AttentionGradientLaunch, AttentionLaunch, BufferId, View } from '../../program/index.ts'
import { attentionTargets, sizeOf } from '../../program/index.ts'
import { batchAddress, groupsFor, unravel } from '../axis.ts'
import { needed, statements } from '../scalar.ts'
import type { Binder, Context, Dispatch } from '../shader.ts'
import { binder, moduleOf } from '../shader.ts'
import type { Subgroups } from '../subgroup.ts'
import type { Block } from '../tile.ts'
import { loadTile, multiplyTiles, zeros } from '../tile.ts'

export type AnyAttention = AttentionLaunch | AttentionGradientLaunch

/** Steps of a sum for which both operands stand in the group's memory. */
const depth = 16
/** Columns of a result that a group computes: wider values take several groups, each with the scores anew. */
export const panel = 64

/** A view over [...batch, rows, columns] with its sizes. */
export interface Matrix {
  readonly view: View
  readonly rows: number
  readonly columns: number
}

export interface Site {
  readonly launch: AnyAttention
  readonly bind: Binder
  /** Rows, and columns, of a block; it has side / 4 threads along both. */
  readonly side: number
  readonly across: number
  readonly threads: number
  readonly subgroups: Subgroups | undefined
  /** Names of the batch axes. */
  readonly axes: readonly string[]
  /** The four rows of a thread, as the code of each by its number. */
  readonly perRow: (code: (row: number) => string) => readonly string[]
  /** `name` = rows of `left` times rows of `right`, from the block rows `top` and `beyond`. */
  readonly scores: (name: string, left: Matrix, right: Matrix, beyond: string) => readonly string[]
  /** Writes a 4 × 4 of each thread where `mix` takes weights from. */
  readonly spread: (name: string) => readonly string[]
  /** `name` += the weights times a panel of the columns of `right`, whose rows begin at `beyond`. */
  readonly mix: (name: string, right: Matrix, beyond: string) => readonly string[]
  /** Registers for a panel of results. */
  readonly mixed: (name: string) => Block
  /** Writes those that lie in `target`, each as `value` of it. */
  readonly store: (
    name: string,
    target: Matrix,
    value: (element: string, row: number) => string,
  ) => readonly string[]
}

/** Enough groups to keep a device busy. */
const enough = 64

/** How many rows a group owns: many reuse what is loaded more often, few leave none idle. */
const sideFor = ({ batch, queries, keys }: AnyAttention, context: Context): number => {
  const groups = sizeOf(batch) * Math.ceil(Math.min(queries, keys) / 64)
  const bytes = context.factors === 'f16' ? 16384 : 28672
  const roomy = context.threadsPerGroup >= 256 && context.bytesPerGroup >= bytes
  return roomy && queries > 32 && keys > 32 && groups >= enough ? 64 : 32
}

const siteOf = (launch: AnyAttention, bind: Binder, context: Context, side: number): Site => {
  const { batch } = launch
  const across = side / 4
  const threads = across * across
  const kept = context.factors
  const { axes } = unravel('element', batch, 'n')
  const written = new Set(attentionTargets(launch).map(({ buffer }) => context.home(buffer)))
  const isWritten = (id: BufferId): boolean => written.has(context.home(id))
  const block = (name: string): Block => ({ name, high: 4, broad: 1, type: 'f32' })
  const mixed = (name: string): Block => ({ name, high: 4, broad: panel / side, type: 'f32' })
  const common = (view: View) =>
    ({
      view,
      batch: batchAddress(view, axes),
      batchStrides: view.strides.slice(0, batch.length),
      depth,
      type: 'f32',
      kept,
    }) as const
  const along = ({ view, rows, columns }: Matrix, into: string, from: string): readonly string[] => {
    const [row, column] = view.strides.slice(batch.length) as [number, number]
    return loadTile(
      bind,
      {
        ...common(view),
        into,
        across: row,
        along: column,
        size: side,
        from,
        limit: rows,
        step: 'step',
        end: columns,
      },
      threads,
      isWritten,
    )
  }
  return {
    launch,
    bind,
    side,
    across,
    threads,
    subgroups: context.subgroups,
    axes,
    mixed,
    perRow: (code) => [0, 1, 2, 3].map(code),
    scores: (name, left, right, beyond) => [
      ...zeros(block(name)),
      `for (var step = 0i; step < ${left.columns}; step += ${depth}) {`,
      ...along(left, 'tileA', 'top'),
      ...along(right, 'tileB', beyond),
      'workgroupBarrier();',
      ...multiplyTiles({
        block: block(name),
        left: { tile: 'tileA', quads: across },
        right: { tile: 'tileB', quads: across },
        depth,
        across,
        kept,
      }),
      'workgroupBarrier();',
      '}',
    ],
    spread: (name) =>
      [0, 1, 2, 3].map((c) => {
        const vector = `vec4<f32>(${[0, 1, 2, 3].map((r) => `${name}${r}_0[${c}]`).join(', ')})`
        const value = kept === 'f32' ? vector : `vec4<${kept}>(${vector})`
        return `weights[(x * 4u + ${c}u) * ${across}u + y] = ${value};`
      }),
    mix: (name, { view, rows, columns }, beyond) => {
      const [row, column] = view.strides.slice(batch.length) as [number, number]
      const load = loadTile(
        bind,
        {
          ...common(view),
          into: 'tileB',
          across: column,
          along: row,
          size: panel,
          from: 'first_column',
          limit: columns,
          step: `(${beyond} + part)`,
          end: rows,
        },
        threads,
        isWritten,
      )
      return [
        `for (var part = 0i; part < min(${side}, ${rows} - ${beyond}); part += ${depth}) {`,
        ...load,
        'workgroupBarrier();',
        ...multiplyTiles({
          block: mixed(name),
          left: { tile: 'weights', quads: across, from: 'u32(part)' },
          right: { tile: 'tileB', quads: panel / 4 },
          depth,
          across,
          kept,
        }),
        'workgroupBarrier();',
        '}',
      ]
    },
    store: (name, { view, rows, columns }, value) =>
      [0, 1, 2, 3].flatMap((r) =>
        Array.from({ length: panel / side }, (_, q) => [
          `if (own + ${r} < ${rows}) {`,
          `let row = own + ${r};`,
          `var out = ${name}${r}_${q};`,
          'for (var e = 0i; e < 4; e++) {',
          `let column = first_column + (i32(x) + ${q * across}) * 4 + e;`,
          `if (column < ${columns}) { ${bind.store(view, [...axes, 'row', 'column'], value('out[e]', r))} }`,
          '}',
          '}',
        ]).flat(),
      ),
  }
}

/**
 * A function from a query, a key and the sum of their products to the score and the factor of the weight; no key that
 * the query may not see is looked at, and its score is -∞.
 */
const scoreFunction = ({ launch, bind, axes }: Site): string => {
  const { operands, body, score, factor, scale, causal, queries, keys } = launch
  const at = [...axes, 'i', 'j']
  const scope = {
    body,
    read: (index: number) => bind.read(operands[index] as (typeof operands)[number], at),
    fold: () => 'product',
  }
  return [
    `fn seen(${at.map((axis) => `${axis}: i32`).join(', ')}, sum: f32) -> vec2<f32> {`,
    `if (i >= ${queries} || j >= ${keys}${causal === undefined ? '' : ` || j > i + ${causal}`}) { return vec2<f32>(-infinity(), 0.0); }`,
    `let product = sum * f32(${Math.fround(scale)});`,
    ...statements(scope, needed(body, factor === undefined ? [score] : [score, factor])),
    `return vec2<f32>(v${score}, ${factor === undefined ? '1.0' : `v${factor}`});`,
    '}',
  ].join('\n')
}

export interface Kernel {
  readonly label: string
  /** Rows that the groups own, and panels of columns. */
  readonly rows: number
  readonly panels: number
  readonly code: (site: Site) => readonly string[]
}

/** The kernel as a dispatch: a group for each block of rows, panel of columns, and element of the batch. */
export const attentionDispatch = (
  launch: AnyAttention,
  context: Context,
  { label, rows, panels, code }: Kernel,
): Dispatch => {
  const side = sideFor(launch, context)
  const bind = binder(context)
  const site = siteOf(launch, bind, context, side)
  const { across, threads } = site
  const body = code(site)
  const score = scoreFunction(site)
  const blocks = Math.ceil(rows / side)
  const count = blocks * panels * sizeOf(launch.batch)
  const [gx, gy] = groupsFor(count)
  return {
    label,
    code: moduleOf(
      bind.declarations(),
      {
        parameters: '@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32',
        size: threads,
        code: [
          `let x = local % ${across}u;`,
          `let y = local / ${across}u;`,
          `let place = group.x + group.y * ${gx}u;`,
          `if (place >= ${count}u) { return; }`,
          `let top = i32(place % ${blocks}u) * ${side};`,
          `let first_column = i32((place / ${blocks}u) % ${panels}u) * ${panel};`,
          `let element = place / ${blocks * panels}u;`,
          ...unravel('element', launch.batch, 'n').code,
          // The first of the thread's own four rows.
          'let own = top + i32(y) * 4;',
          ...body,
        ],
      },
      [
        `var<workgroup> tileA: array<vec4<${context.factors}>, ${(depth * side) / 4}>;`,
        `var<workgroup> tileB: array<vec4<${context.factors}>, ${(depth * Math.max(side, panel)) / 4}>;`,
        `var<workgroup> weights: array<vec4<${context.factors}>, ${(side * side) / 4}>;`,
        `var<workgroup> shares: array<f32, ${(side * side) / 4}>;`,
        score,
      ],
    ),
    bindings: bind.bindings(),
    groups: [gx, gy, 1],
  }
}

export const panelsOf = (width: number): number => Math.max(1, Math.ceil(width / panel))
