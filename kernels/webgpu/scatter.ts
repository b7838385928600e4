/**
 * Scatter launches, in the order that the language promises, whoever writes where: no atomics, so that sums of
 * float32 are the same bits in every run, and `set` keeps the last. Positions are sorted by the element they
 * update; then one thread for each element walks the positions that update it, in order.
 */
import type { ScatterLaunch } from '../program/index.ts'
import { sizeOf } from '../program/index.ts'
import { isInjective } from '../region.ts'
import { address, groupsFor, unravel } from './axis.ts'
import { accumulatorOf, taken } from './fold.ts'
import { needed, statements } from './scalar.ts'
import type { Context, Dispatch } from './shader.ts'
import { binder, moduleOf } from './shader.ts'
import { pairsFor, sortPairs } from './sort.ts'

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b))

interface Split {
  /** Axes whose positions may meet at one element. */
  readonly meeting: readonly number[]
  /** Axes that lead to different elements, wherever the others lead. */
  readonly apart: readonly number[]
}

/**
 * Finds the axes along which no two positions meet: they are not indexed, no two of their positions share an
 * element, and all of them stay between the places to which the other axes can lead.
 */
const splitOf = ({ shape, target, at }: ScatterLaunch): Split => {
  const indexed = shape.map((_, axis) => at.some(({ index }) => index.strides[axis] !== 0))
  const step = (axis: number): number => Math.abs(target.strides[axis] as number)
  const candidates = shape
    .flatMap((_, axis) => (indexed[axis] || shape[axis] === 1 ? [] : [axis]))
    .sort((x, y) => step(x) - step(y))
  for (let count = candidates.length; count > 0; count--) {
    const apart = candidates.slice(0, count)
    const meeting = shape.flatMap((_, axis) => (apart.includes(axis) ? [] : [axis]))
    const strides = [
      ...at.map(({ stride }) => Math.abs(stride)),
      ...meeting.filter((axis) => shape[axis] !== 1).map(step),
    ]
    const between = strides.reduce(gcd, 0)
    const span = apart.reduce((sum, axis) => sum + step(axis) * ((shape[axis] as number) - 1), 0)
    const sizes = apart.map((axis) => shape[axis] as number)
    const own = isInjective(
      { offset: 0, strides: apart.map((axis) => target.strides[axis] as number) },
      sizes,
    )
    if (own && (between === 0 || span < between)) return { meeting, apart: [...apart].sort((x, y) => x - y) }
  }
  return { meeting: shape.map((_, axis) => axis), apart: [] }
}

const parameters = '@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32'

export const scatterDispatches = (launch: ScatterLaunch, context: Context): readonly Dispatch[] => {
  const { op, shape, operands, body, value, target, at } = launch
  if (sizeOf(shape) === 0) return []
  const { meeting, apart } = splitOf(launch)
  const sizes = (axes: readonly number[]): number[] => axes.map((axis) => shape[axis] as number)
  const [count, width] = [sizeOf(sizes(meeting)), sizeOf(sizes(apart))]
  const dtype = context.dtype(target.buffer)
  const { take, result } = accumulatorOf({ op: op === 'set' || op === 'add' ? 'sum' : op }, dtype)
  const total = count * width
  const [x, y] = groupsFor(Math.ceil(total / 64))
  const start = [
    `let thread = (group.x + group.y * ${x}u) * 64u + local;`,
    `if (thread >= ${total}u) { return; }`,
    `let slot = thread / ${width}u;`,
    `let other = thread % ${width}u;`,
  ]
  const place = unravel('place', sizes(meeting), 'm')
  const rest = unravel('other', sizes(apart), 'r')
  const axes = shape.map((_, axis) =>
    meeting.includes(axis)
      ? (place.axes[meeting.indexOf(axis)] as string)
      : (rest.axes[apart.indexOf(axis)] as string),
  )
  const bind = binder(context)
  const computed = statements(
    {
      body,
      read: (index) => bind.read(operands[index] as (typeof operands)[number], axes),
      fold: () => '0.0',
    },
    needed(body, [value]),
  )
  const element = `${bind.name(target.buffer, 'write')}[address]`
  const where = `let address = ${address(target, axes)}${bind.gathered(at, axes)};`
  const own = taken(`v${value}`, dtype)
  const write = (of: string): string => `${element} = ${dtype === 'bool' ? `u32(${of})` : of};`
  // Nothing meets: each position updates an element of its own.
  if (count === 1) {
    const update =
      op === 'set'
        ? [write(`v${value}`)]
        : [`var a = ${element};`, take('a', '', own, ''), write(result('a', ''))]
    return [
      {
        label: `scatter ${shape.join('×')}`,
        code: moduleOf(bind.declarations(), {
          parameters,
          code: [...start, 'let place = 0u;', ...place.code, ...rest.code, ...computed, where, ...update],
          size: 64,
        }),
        bindings: bind.bindings(),
        groups: [x, y, 1],
      },
    ]
  }
  const pairs = pairsFor(1, count, context)
  const first = binder(context)
  const [fx, fy] = groupsFor(Math.ceil(pairs.width / 64))
  const [keys, places] = [first.name(pairs.keys, 'write'), first.name(pairs.places, 'write')]
  const still = axes.map((name, axis) => (meeting.includes(axis) ? name : '0'))
  const fill = [
    `let place = (group.x + group.y * ${fx}u) * 64u + local;`,
    `if (place >= ${pairs.width}u) { return; }`,
    ...place.code,
    `${places}[place] = place;`,
    `${keys}[place] = 0xffffffffu;`,
    `if (place < ${count}u) { ${keys}[place] = u32(${address(target, still)}${first.gathered(
      at.map((one) => ({
        ...one,
        index: {
          ...one.index,
          strides: one.index.strides.map((s, axis) => (meeting.includes(axis) ? s : 0)),
        },
      })),
      axes,
    )}); }`,
  ]
  const [k, p] = [bind.name(pairs.keys, 'read'), bind.name(pairs.places, 'read')]
  const whole = bind.name(target.buffer, 'write')
  const walk =
    op === 'set'
      ? [
          'var last = slot;',
          `while (last + 1u < ${count}u && ${k}[last + 1u] == key) { last++; }`,
          `let place = ${p}[last];`,
          ...place.code,
          ...computed,
          where,
          write(`v${value}`),
        ]
      : [
          'var to = 0i;',
          `{ let place = ${p}[slot]; ${[...place.code, where].join(' ')} to = address; }`,
          `var a = ${whole}[to];`,
          `for (var s = slot; s < ${count}u && ${k}[s] == key; s++) {`,
          `let place = ${p}[s];`,
          ...place.code,
          ...computed,
          take('a', '', own, ''),
          '}',
          `${whole}[to] = a;`,
        ]
  const apply = [
    ...start,
    `let key = ${k}[slot];`,
    `if (slot > 0u && ${k}[slot - 1u] == key) { return; }`,
    ...rest.code,
    ...walk,
  ]
  return [
    {
      label: `scatter ${shape.join('×')}, keys`,
      code: moduleOf(first.declarations(), { parameters, code: fill, size: 64 }),
      bindings: first.bindings(),
      groups: [fx, fy, 1],
    },
    ...sortPairs(pairs, context),
    {
      label: `scatter ${shape.join('×')}`,
      code: moduleOf(bind.declarations(), { parameters, code: apply, size: 64 }),
      bindings: bind.bindings(),
      groups: [x, y, 1],
    },
  ]
}
