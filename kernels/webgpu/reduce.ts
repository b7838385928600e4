/**
 * Reduce launches: groups of threads over rows. A group holds `rows` rows of `lanes` threads each; the lanes of
 * a row share its elements, join what they found in the group's memory, and go on to the next fold or to the
 * outputs. Few long rows are folded in two steps, parts of rows first.
 */
import type { Dtype } from '../dtype.ts'
import type { BufferId, Operand, ReduceLaunch, View } from '../program/index.ts'
import { sizeOf } from '../program/index.ts'
import type { ScalarOp } from '../scalar.ts'
import { argsOf } from '../scalar.ts'
import { collapse, groupsFor, unravel } from './axis.ts'
import type { Accumulator } from './fold.ts'
import { accumulatorOf, taken } from './fold.ts'
import { needed, statements } from './scalar.ts'
import type { Binder, Context, Dispatch, WgslType } from './shader.ts'
import { binder, moduleOf } from './shader.ts'
import type { Subgroups } from './subgroup.ts'
import { isDivided, joinedBySubgroups } from './subgroup.ts'

/** How a group's threads are divided. */
export interface Shape {
  readonly rows: number
  readonly lanes: number
  /** Neighbouring threads are lanes of one row; else they are rows. */
  readonly lanesFirst: boolean
}

const powerAtLeast = (n: number): number => 2 ** Math.ceil(Math.log2(Math.max(1, n)))

/** One thread for each row. */
const threadPerRow: Shape = { rows: 64, lanes: 1, lanesFirst: true }

/** Rows enough to keep a processor busy with a thread for each. */
const enoughRows = 32

/** Operands that neighbouring elements of a row, or neighbouring rows, read from neighbouring places. */
const contiguousAlong = (operands: readonly Operand[], axis: number): number =>
  operands.filter(({ kind, strides }) => kind === 'buffer' && Math.abs(strides[axis] ?? 0) === 1).length

/** A division of threads that reads memory in order and leaves no thread without work. */
export const shapeFor = (
  outer: readonly number[],
  inner: readonly number[],
  operands: readonly Operand[],
): Shape => {
  const [rows, length] = [sizeOf(outer), sizeOf(inner)]
  const along = contiguousAlong(operands, outer.length + inner.length - 1)
  const across = contiguousAlong(operands, outer.length - 1)
  if (outer.length > 0 && across > along) {
    const width = Math.min(32, powerAtLeast(rows))
    // Few rows need many threads each; many rows keep the device busy with one.
    const lanes = rows >= 65536 ? 1 : Math.min(256 / width, powerAtLeast(length / 8))
    return { rows: lanes === 1 ? 64 : width, lanes, lanesFirst: false }
  }
  if (length <= 8 || (length <= 32 && rows >= 4096)) return { rows: 64, lanes: 1, lanesFirst: true }
  const lanes = Math.min(256, Math.max(8, powerAtLeast(length / 4)))
  return { rows: Math.max(1, 64 / lanes), lanes, lanesFirst: true }
}

/** Rows from this length on, if they are few, are folded in two steps. */
const longRow = 16384
const partLength = 4096
const fewGroups = 64

/** The launch over as few axes as can be, and what is known of its operations. */
interface Rows {
  readonly launch: ReduceLaunch
  readonly outer: readonly number[]
  readonly inner: readonly number[]
  readonly operands: readonly Operand[]
  readonly targets: readonly View[]
  /** Operations that are the same for all elements of a row. */
  readonly rowwise: ReadonlySet<number>
  readonly accumulators: readonly Accumulator[]
}

const isRowwise = (operand: Operand, outer: number): boolean => {
  const still = ({ strides }: { readonly strides: readonly number[] }): boolean =>
    strides.slice(outer).every((stride) => stride === 0)
  return still(operand) && (operand.kind === 'iota' || (operand.at ?? []).every(({ index }) => still(index)))
}

const rowsOf = (launch: ReduceLaunch): Rows => {
  const { body, folds, outputs } = launch
  const { outer, inner, operands, targets } = collapse({
    outer: launch.outer,
    inner: launch.inner,
    operands: launch.operands,
    targets: outputs.map(({ target }) => target),
  })
  const rowwise = new Set<number>()
  body.forEach((op, index) => {
    const still =
      op.op === 'read'
        ? isRowwise(operands[op.index] as Operand, outer.length)
        : argsOf(op).every((arg) => rowwise.has(arg))
    if (still) rowwise.add(index)
  })
  const accumulators = folds.map((fold) => accumulatorOf(fold, (body[fold.value] as ScalarOp).dtype))
  return { launch, outer, inner, operands, targets, rowwise, accumulators }
}

/** What the folds that an operation needs are at least to be known: the number of them. */
const foldsNeeded = ({ launch: { body } }: Rows): readonly number[] => {
  const found: number[] = []
  for (const op of body)
    found.push(
      op.op === 'fold' ? op.index + 1 : Math.max(0, ...argsOf(op).map((arg) => found[arg] as number)),
    )
  return found
}

/** Partial results of a fold: accumulators, and positions where they are sought. */
interface Partial {
  readonly values: BufferId
  readonly positions: BufferId | undefined
}

interface Plan {
  readonly rows: Rows
  readonly shape: Shape
  /** The number of parts of each row, when parts are folded first. */
  readonly parts: number
  /** What this step does: the whole, the folds of parts, or the join of the parts. */
  readonly step: 'whole' | 'parts' | 'join'
  readonly partials: readonly Partial[]
}

/** Statements that leave in `a<i>` (and `n<i>`) of every lane what all lanes of the row found together. */
const joined = (
  index: number,
  { type, seeks, take }: Accumulator,
  { rows, lanes, lanesFirst }: Shape,
  shared: Set<WgslType>,
  subgroups: Subgroups | undefined,
): readonly string[] => {
  if (lanes === 1) return []
  const [a, n] = [`a${index}`, `n${index}`]
  const found = `shared_${type}`
  const places = seeks ? (type === 'i32' ? 'places_i32' : 'shared_i32') : ''
  if (subgroups === undefined || isDivided(lanes, subgroups)) {
    shared.add(type)
    if (seeks) shared.add('i32')
  }
  if (subgroups !== undefined)
    return joinedBySubgroups(
      subgroups,
      lanes,
      [[type, a] as const, ...(seeks ? [['i32', n] as const] : [])],
      ([v = '', at = '']) => take(a, n, v, at),
      (variable, subgroup) => `${variable === 0 ? found : places}[${subgroup}]`,
    )
  const step = lanesFirst ? 1 : rows
  const code = [
    `${found}[local] = ${a};`,
    ...(seeks ? [`${places}[local] = ${n};`] : []),
    'workgroupBarrier();',
  ]
  for (let half = lanes / 2; half >= 1; half /= 2) {
    const other = `local + ${half * step}u`
    code.push(
      `if (lane < ${half}u) {`,
      seeks
        ? `let v = ${found}[${other}]; let at = ${places}[${other}]; ${take(a, n, 'v', 'at')}`
        : take(a, n, `${found}[${other}]`, ''),
      `${found}[local] = ${a};`,
      ...(seeks ? [`${places}[local] = ${n};`] : []),
      '}',
      'workgroupBarrier();',
    )
  }
  const first = lanesFirst ? `local - lane` : `local % ${rows}u`
  return [
    ...code,
    `${a} = ${found}[${first}];`,
    ...(seeks ? [`${n} = ${places}[${first}];`] : []),
    'workgroupBarrier();',
  ]
}

const sharedDeclarations = (
  shared: ReadonlySet<WgslType>,
  rows: Rows,
  threads: number,
): readonly string[] => {
  const both = rows.accumulators.some(({ seeks, type }) => seeks && type === 'i32')
  return [
    ...[...shared].map((type) => `var<workgroup> shared_${type}: array<${type}, ${threads}>;`),
    ...(both ? [`var<workgroup> places_i32: array<i32, ${threads}>;`] : []),
  ]
}

const print = (plan: Plan, context: Context): Dispatch => {
  const { rows, shape, parts, step, partials } = plan
  const { launch, outer, inner, operands, targets, rowwise, accumulators } = rows
  const { body, folds, outputs } = launch
  const bind: Binder = binder(context)
  const threads = shape.rows * shape.lanes
  const count = sizeOf(outer) * (step === 'parts' ? parts : 1)
  const length = sizeOf(inner)
  const shared = new Set<WgslType>()
  // Lanes that are no neighbours share no subgroup.
  const subgroups = shape.lanesFirst && shape.lanes > 1 ? context.subgroups : undefined
  const outerAxes = unravel(step === 'parts' ? 'whole' : 'row', outer, 'i')
  const innerAxes = unravel('j', inner, 'j')
  const axes = [...outerAxes.axes, ...innerAxes.axes]
  const scope = {
    body,
    read: (index: number) => bind.read(operands[index] as Operand, axes),
    fold: (index: number) => `f${index}`,
  }
  const defined = new Set<number>()
  const needs = foldsNeeded(rows)
  const wanted =
    step === 'join'
      ? outputs.map(({ value }) => value)
      : [...folds, ...(step === 'whole' ? outputs : [])].map(({ value }) => value)
  /** Definitions of what is the same for a row, as soon as the folds that it needs are known. */
  const rowStatements = (known: number): readonly string[] => {
    const now = needed(body, wanted, defined).filter(
      (index) => rowwise.has(index) && (needs[index] as number) <= known,
    )
    const code = statements(scope, now)
    now.forEach((index) => defined.add(index))
    return code
  }
  const each = (from: string, to: string, code: readonly string[]): readonly string[] => [
    `for (var j = ${from} + lane; j < ${to}; j += ${shape.lanes}u) {`,
    ...code,
    '}',
  ]
  const accumulate = (index: number): readonly string[] => {
    const { value } = folds[index] as { value: number }
    const { type, seeks, start, take } = accumulators[index] as Accumulator
    const [a, n] = [`a${index}`, `n${index}`]
    const begin = [`var ${a}: ${type} = ${start};`, ...(seeks ? [`var ${n}: i32 = -1;`] : [])]
    if (step === 'join') {
      const { values, positions } = partials[index] as Partial
      const from = `[row * ${parts}u + j]`
      const at = positions === undefined ? '0' : `${bind.name(positions, 'read')}${from}`
      return [
        ...begin,
        ...each('0u', `${parts}u`, [
          `let part = ${bind.name(values, 'read')}${from};`,
          take(a, n, 'part', at),
        ]),
      ]
    }
    const dtype = (body[value] as ScalarOp).dtype
    const [from, to] = step === 'parts' ? ['start', 'end'] : ['0u', `${length}u`]
    return [
      ...begin,
      ...each(from, to, [
        ...innerAxes.code,
        ...statements(scope, needed(body, [value], defined)),
        take(a, n, taken(`v${value}`, dtype), 'i32(j)'),
      ]),
    ]
  }
  const foldCode = folds.flatMap((_, index) => {
    const accumulator = accumulators[index] as Accumulator
    return [
      ...rowStatements(index),
      ...accumulate(index),
      ...joined(index, accumulator, shape, shared, subgroups),
      ...(step === 'parts' ? [] : [`let f${index} = ${accumulator.result(`a${index}`, `n${index}`)};`]),
    ]
  })
  const chosen = (over: 'outer' | 'all') =>
    outputs.flatMap((output, index) =>
      output.over === over ? [{ ...output, target: targets[index] as View }] : [],
    )
  const write = (over: 'outer' | 'all'): readonly string[] => {
    const out = chosen(over)
    if (out.length === 0 || step === 'parts') return []
    const code = [
      ...statements(
        scope,
        needed(
          body,
          out.map(({ value }) => value),
          defined,
        ),
      ),
      ...out.map(({ target, value }) =>
        bind.store(target, over === 'all' ? axes : outerAxes.axes, `v${value}`),
      ),
    ]
    return over === 'outer'
      ? ['if (live && lane == 0u) {', ...code, '}']
      : ['if (live) {', ...each('0u', `${length}u`, [...innerAxes.code, ...code]), '}']
  }
  const storePartials =
    step === 'parts'
      ? [
          'if (live && lane == 0u) {',
          ...partials.flatMap(({ values, positions }, index) => [
            `${bind.name(values, 'write')}[row] = a${index};`,
            ...(positions === undefined ? [] : [`${bind.name(positions, 'write')}[row] = n${index};`]),
          ]),
          '}',
        ]
      : []
  const before = rowStatements(folds.length)
  // Lanes that still read what a row's first lane overwrites must have read it before.
  const reading = new Set(
    operands.flatMap((operand) => (operand.kind === 'buffer' ? [context.home(operand.buffer)] : [])),
  )
  const inPlace = outputs.some(({ target }) => reading.has(context.home(target.buffer)))
  const barrier = inPlace && shape.lanes > 1 ? ['storageBarrier();', 'workgroupBarrier();'] : []
  const [x, y] = groupsFor(Math.ceil(count / shape.rows))
  const [lane, slot] = shape.lanesFirst
    ? [`local % ${shape.lanes}u`, `local / ${shape.lanes}u`]
    : [`local / ${shape.rows}u`, `local % ${shape.rows}u`]
  const code = [
    `let lane = ${lane};`,
    `let place = (group.x + group.y * ${x}u) * ${shape.rows}u + ${slot};`,
    `let live = place < ${count}u;`,
    `let row = min(place, ${count - 1}u);`,
    ...(step === 'parts'
      ? [
          `let whole = row / ${parts}u;`,
          `let start = (row % ${parts}u) * ${Math.ceil(length / parts)}u;`,
          `let end = min(start + ${Math.ceil(length / parts)}u, ${length}u);`,
        ]
      : []),
    ...outerAxes.code,
    ...foldCode,
    ...(step === 'parts' ? [] : before),
    ...barrier,
    ...write('all'),
    ...write('outer'),
    ...storePartials,
  ]
  return {
    label: `reduce ${outer.join('×') || 1} of ${inner.join('×') || 1}${step === 'whole' ? '' : `, ${step}`}`,
    code: moduleOf(
      bind.declarations(),
      {
        parameters: '@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32',
        code,
        size: threads,
      },
      sharedDeclarations(shared, rows, threads),
    ),
    bindings: bind.bindings(),
    groups: [x, y, 1],
  }
}

const partialDtype: Readonly<Record<WgslType, Dtype>> = { f32: 'float32', i32: 'int32', u32: 'uint32' }

/** Whether parts of rows can be folded apart: folds that need no other, and outputs that read no element. */
const divides = (rows: Rows, groups: number): boolean => {
  const { launch, inner } = rows
  const needs = foldsNeeded(rows)
  return (
    sizeOf(inner) >= longRow &&
    groups < fewGroups &&
    launch.folds.length > 0 &&
    launch.folds.every(({ value }) => needs[value] === 0) &&
    launch.outputs.every(({ over }) => over === 'outer')
  )
}

export const reduceDispatches = (launch: ReduceLaunch, context: Context): readonly Dispatch[] => {
  const count = sizeOf(launch.outer)
  if (count === 0) return []
  const rows = rowsOf(launch)
  const { outer, inner, operands, accumulators } = rows
  const alone = context.plain && count >= enoughRows
  const shape = alone ? threadPerRow : shapeFor(outer, inner, operands)
  if (alone || !divides(rows, Math.ceil(count / shape.rows)))
    return [print({ rows, shape, parts: 1, step: 'whole', partials: [] }, context)]
  const parts = Math.min(1024, Math.ceil(sizeOf(inner) / partLength))
  const partials = accumulators.map(({ type, seeks }): Partial => ({
    values: context.scratch(partialDtype[type], count * parts),
    positions: seeks ? context.scratch('int32', count * parts) : undefined,
  }))
  const joinShape: Shape = { rows: 1, lanes: Math.min(64, powerAtLeast(parts)), lanesFirst: true }
  return [
    print({ rows, shape, parts, step: 'parts', partials }, context),
    print({ rows, shape: joinShape, parts, step: 'join', partials }, context),
  ]
}
