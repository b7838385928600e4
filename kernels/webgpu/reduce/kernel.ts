/** A reduce launch, or a step of one, as a kernel. */
import type { BufferId, Operand, View } from '../../program/index.ts'
import { sizeOf } from '../../program/index.ts'
import type { ScalarOp } from '../../scalar.ts'
import { groupsFor, unravel } from '../axis.ts'
import type { Accumulator } from '../fold.ts'
import { taken } from '../fold.ts'
import { needed, statements } from '../scalar.ts'
import type { Binder, Context, Dispatch, WgslType } from '../shader.ts'
import { binder, moduleOf } from '../shader.ts'
import { joined, sharedDeclarations } from './join.ts'
import type { Rows } from './row.ts'
import { foldsNeeded } from './row.ts'
import type { Shape } from './shape.ts'

/** A fold of parts of rows: accumulators, and positions where they are sought. */
export interface PartFold {
  readonly values: BufferId
  readonly positions: BufferId | undefined
}

export interface Plan {
  readonly rows: Rows
  readonly shape: Shape
  /** The number of parts of each row, when parts are folded first. */
  readonly parts: number
  /** What this step does: the whole, the folds of parts, or the join of the parts. */
  readonly step: 'whole' | 'parts' | 'join'
  readonly partials: readonly PartFold[]
}

export const print = (plan: Plan, context: Context): Dispatch => {
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
      const { values, positions } = partials[index] as PartFold
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
