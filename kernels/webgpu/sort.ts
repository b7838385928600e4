/**
 * Sort launches, and the sorting of words that scatter launches need. Pairs of a key and a place are sorted by
 * a bitonic network (Batcher, 1968): places break ties, so the order is total and the result stable. Steps
 * that stay within a block run in the group's memory, all of them in one kernel.
 */
import type { Dtype } from '../dtype.ts'
import type { BufferId, SortLaunch, View } from '../program/index.ts'
import { sizeOf } from '../program/index.ts'
import { collapse, groupsFor, unravel } from './axis.ts'
import type { Context, Dispatch } from './shader.ts'
import { binder, moduleOf } from './shader.ts'

/** Pairs in one group's memory; half as many threads. */
const block = 512

/** Rows of pairs in two buffers of words, each row as long as a power of two. */
export interface Pairs {
  readonly keys: BufferId
  readonly places: BufferId
  readonly rows: number
  readonly width: number
}

export const pairsFor = (rows: number, length: number, context: Context): Pairs => {
  const width = Math.max(2, 2 ** Math.ceil(Math.log2(length)))
  return {
    keys: context.scratch('uint32', rows * width),
    places: context.scratch('uint32', rows * width),
    rows,
    width,
  }
}

/** Orders two places of which `low` is the first; `up` says whether the smaller comes first. */
const exchange = (keys: string, places: string, low: string, high: string, up: string): readonly string[] => [
  `let ka = ${keys}[${low}]; let kb = ${keys}[${high}]; let pa = ${places}[${low}]; let pb = ${places}[${high}];`,
  `if ((ka > kb || (ka == kb && pa > pb)) == ${up}) {`,
  `${keys}[${low}] = kb; ${keys}[${high}] = ka; ${places}[${low}] = pb; ${places}[${high}] = pa;`,
  '}',
]

const parameters = '@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32'

/** The steps of sizes `from` to `to` that stay within a block, in the group's memory. */
const within = (
  { keys, places, rows, width }: Pairs,
  from: number,
  to: number,
  context: Context,
): Dispatch => {
  const bind = binder(context)
  const size = Math.min(block, width)
  const [k, p] = [bind.name(keys, 'write'), bind.name(places, 'write')]
  const groups = (rows * width) / size
  const [x, y] = groupsFor(groups)
  const code = [
    `let start = (group.x + group.y * ${x}u) * ${size}u;`,
    `let live = start < ${rows * width}u;`,
    'if (live) {',
    ...[0, 1].map((half) => {
      const at = `local + ${(half * size) / 2}u`
      return `keys[${at}] = ${k}[start + ${at}]; places[${at}] = ${p}[start + ${at}];`
    }),
    '}',
    'workgroupBarrier();',
    `for (var size = ${from}u; size <= ${to}u; size = size << 1u) {`,
    `for (var step = min(size >> 1u, ${size / 2}u); step > 0u; step = step >> 1u) {`,
    'let low = 2u * local - (local & (step - 1u));',
    `let up = (((start + low) & ${width - 1}u) & size) == 0u;`,
    ...exchange('keys', 'places', 'low', 'low + step', 'up'),
    'workgroupBarrier();',
    '}',
    '}',
    'if (live) {',
    ...[0, 1].map((half) => {
      const at = `local + ${(half * size) / 2}u`
      return `${k}[start + ${at}] = keys[${at}]; ${p}[start + ${at}] = places[${at}];`
    }),
    '}',
  ]
  return {
    label: `sort ${rows}×${width}, sizes ${from} to ${to} within blocks`,
    code: moduleOf(bind.declarations(), { parameters, code, size: size / 2 }, [
      `var<workgroup> keys: array<u32, ${size}>;`,
      `var<workgroup> places: array<u32, ${size}>;`,
    ]),
    bindings: bind.bindings(),
    groups: [x, y, 1],
  }
}

/** One step across blocks. */
const across = (
  { keys, places, rows, width }: Pairs,
  size: number,
  step: number,
  context: Context,
): Dispatch => {
  const bind = binder(context)
  const [k, p] = [bind.name(keys, 'write'), bind.name(places, 'write')]
  const count = (rows * width) / 2
  const [x, y] = groupsFor(Math.ceil(count / 64))
  const code = [
    `let pair = (group.x + group.y * ${x}u) * 64u + local;`,
    `if (pair >= ${count}u) { return; }`,
    `let low = 2u * pair - (pair & ${step - 1}u);`,
    `let up = ((low & ${width - 1}u) & ${size}u) == 0u;`,
    ...exchange(k, p, 'low', `low + ${step}u`, 'up'),
  ]
  return {
    label: `sort ${rows}×${width}, size ${size}, step ${step}`,
    code: moduleOf(bind.declarations(), { parameters, code, size: 64 }),
    bindings: bind.bindings(),
    groups: [x, y, 1],
  }
}

/** Sorts each row of pairs. */
export const sortPairs = (pairs: Pairs, context: Context): readonly Dispatch[] => {
  const { width } = pairs
  const dispatches = [within(pairs, 2, Math.min(block, width), context)]
  for (let size = 2 * block; size <= width; size *= 2) {
    for (let step = size / 2; step >= block; step /= 2) dispatches.push(across(pairs, size, step, context))
    dispatches.push(within(pairs, size, size, context))
  }
  return dispatches
}

/** A value as a word in the same order; NaN is last whatever the direction. */
const keyOf = (value: string, dtype: Dtype, descending: boolean): string => {
  const turned = (word: string): string => (descending ? `~(${word})` : word)
  if (dtype === 'float32') return `${descending ? 'descendingKey' : 'ascendingKey'}(${value})`
  if (dtype === 'int32') return turned(`bitcast<u32>(${value}) ^ 0x80000000u`)
  return turned(`u32(${value})`)
}

/** Functions of float32 keys: 0 and -0 are one value. */
const keyFunctions = [
  `fn ascendingKey(x: f32) -> u32 {
  if (isNan(x)) { return 0xffffffffu; }
  if (x == 0.0) { return 0x80000000u; }
  let word = bitcast<u32>(x);
  return select(word | 0x80000000u, ~word, word >= 0x80000000u);
}`,
  `fn descendingKey(x: f32) -> u32 {
  if (isNan(x)) { return 0xffffffffu; }
  return ~ascendingKey(x);
}`,
]

export const sortDispatches = (launch: SortLaunch, context: Context): readonly Dispatch[] => {
  const { length, descending, input } = launch
  const rows = sizeOf(launch.outer)
  if (rows * length === 0) return []
  const pairs = pairsFor(rows, length, context)
  const { width } = pairs
  const { outer, inner, operands, targets } = collapse({
    outer: launch.outer,
    inner: [length],
    operands: [{ kind: 'buffer', ...input }],
    targets: [launch.target],
  })
  const { axes, code } = unravel('row', outer, 'i')
  const along = inner.length === 0 ? axes : [...axes, 'k']
  const total = rows * width
  const [x, y] = groupsFor(Math.ceil(total / 64))
  const position = [
    `let at = (group.x + group.y * ${x}u) * 64u + local;`,
    `if (at >= ${total}u) { return; }`,
    `let row = at / ${width}u;`,
    `let k = i32(at % ${width}u);`,
    ...code,
  ]
  const before = binder(context)
  const [keys, places] = [before.name(pairs.keys, 'write'), before.name(pairs.places, 'write')]
  const key = keyOf(
    before.read(operands[0] as (typeof operands)[number], along),
    context.dtype(input.buffer),
    descending,
  )
  const fill = [
    ...position,
    `${places}[at] = u32(k);`,
    `${keys}[at] = 0xffffffffu;`,
    `if (k < ${length}) { ${keys}[at] = ${key}; }`,
  ]
  const after = binder(context)
  const found = after.name(pairs.places, 'read')
  const write = [
    ...position,
    `if (k < ${length}) { ${after.store(targets[0] as View, along, `i32(${found}[at])`)} }`,
  ]
  return [
    {
      label: `sort ${rows}×${length}, keys`,
      code: moduleOf(before.declarations(), { parameters, code: fill, size: 64 }, keyFunctions),
      bindings: before.bindings(),
      groups: [x, y, 1],
    },
    ...sortPairs(pairs, context),
    {
      label: `sort ${rows}×${length}, result`,
      code: moduleOf(after.declarations(), { parameters, code: write, size: 64 }),
      bindings: after.bindings(),
      groups: [x, y, 1],
    },
  ]
}
