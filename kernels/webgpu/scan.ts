/** Scan launches: running folds along rows. */
import type { ScanLaunch, View } from '../program/index.ts'
import { sizeOf } from '../program/index.ts'
import { collapse, groupsFor, unravel } from './axis.ts'
import { accumulatorOf, taken } from './fold.ts'
import type { Context, Dispatch } from './shader.ts'
import { binder, moduleOf } from './shader.ts'

const threads = 256
const shortRow = 64

/**
 * Short rows are scanned by one thread each. Of a long one, a group takes a block after the other: each
 * thread's element joins that of the thread 1, 2, 4, … before it (Hillis and Steele, 1986), and the block's
 * last result carries into the next.
 */
export const scanDispatches = (launch: ScanLaunch, context: Context): readonly Dispatch[] => {
  const { op, length, reverse, input } = launch
  const count = sizeOf(launch.outer)
  if (count * length === 0) return []
  const dtype = context.dtype(input.buffer)
  const { type, start, take, result } = accumulatorOf({ op }, dtype)
  const bind = binder(context)
  const { outer, inner, operands, targets } = collapse({
    outer: launch.outer,
    inner: [length],
    operands: [{ kind: 'buffer', ...input }],
    targets: [launch.target],
  })
  const { axes, code } = unravel('row', outer, 'i')
  const [view, target] = [operands[0] as View & { kind: 'buffer' }, targets[0] as View]
  // An axis of one element is dropped.
  const along = inner.length === 0 ? axes : [...axes, 'k']
  const at = (step: string): string => (reverse ? `${length - 1} - i32(${step})` : `i32(${step})`)
  const read = taken(bind.read(view, along), dtype)
  const store = (value: string): string => bind.store(target, along, result(value, ''))
  const single = length <= shortRow
  const [x, y] = groupsFor(single ? Math.ceil(count / 64) : count)
  const one = [
    `let row = (group.x + group.y * ${x}u) * 64u + local;`,
    `if (row >= ${count}u) { return; }`,
    ...code,
    `var a: ${type} = ${start};`,
    `for (var step = 0u; step < ${length}u; step++) {`,
    `let k = ${at('step')};`,
    take('a', '', read, ''),
    store('a'),
    '}',
  ]
  const shifts = Array.from({ length: Math.log2(threads) }, (_, bit) => 2 ** bit).flatMap((by) => [
    `if (local >= ${by}u) { var b = shared_${type}[local - ${by}u]; ${take('b', '', 'a', '')} a = b; }`,
    'workgroupBarrier();',
    `shared_${type}[local] = a;`,
    'workgroupBarrier();',
  ])
  const many = [
    `let place = group.x + group.y * ${x}u;`,
    `let live = place < ${count}u;`,
    `let row = min(place, ${count - 1}u);`,
    ...code,
    `var carry: ${type} = ${start};`,
    `for (var block = 0u; block < ${length}u; block += ${threads}u) {`,
    'let step = block + local;',
    `let inside = live && step < ${length}u;`,
    `let k = ${at('step')};`,
    `var a: ${type} = ${start};`,
    `if (inside) { a = ${read}; }`,
    `shared_${type}[local] = a;`,
    'workgroupBarrier();',
    ...shifts,
    `var c = carry; ${take('c', '', 'a', '')}`,
    `if (inside) { ${store('c')} }`,
    `let last = shared_${type}[${threads - 1}u];`,
    take('carry', '', 'last', ''),
    'workgroupBarrier();',
    '}',
  ]
  return [
    {
      label: `scan ${outer.join('×') || 1} of ${length}`,
      code: moduleOf(
        bind.declarations(),
        {
          parameters: '@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32',
          code: single ? one : many,
          size: single ? 64 : threads,
        },
        single ? [] : [`var<workgroup> shared_${type}: array<${type}, ${threads}>;`],
      ),
      bindings: bind.bindings(),
      groups: [x, y, 1],
    },
  ]
}
