/** What every product ends with: results made of sums, and the kernel that they stand in. */
import type { MatmulLaunch } from '../../program/index.ts'
import { sizeOf, viewsOf } from '../../program/index.ts'
import { address } from '../axis.ts'
import { needed, statements } from '../scalar.ts'
import type { Binder, Context, Dispatch } from '../shader.ts'
import { moduleOf, storedType } from '../shader.ts'
import type { Block } from '../tile.ts'
import type { Tile } from './tile.ts'

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

export interface Epilogue {
  readonly block: Block
  /** The function that makes results of sums. */
  readonly finish: string
  readonly store: readonly string[]
}

/** Registers of sums, the function that makes results of them, and the code that writes a thread's own. */
export const epilogue = (
  launch: MatmulLaunch,
  context: Context,
  bind: Binder,
  axes: readonly string[],
  { high, wide }: Pick<Tile, 'high' | 'wide'>,
  across: number,
): Epilogue => {
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
export const dispatchOf = (
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
