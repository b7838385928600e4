/**
 * Row programs: folds over the positions of a row, then what is made of them, fused into few passes over
 * memory. Either a row is walked in vectors (`across`), or several rows at once stand in the lanes of a
 * vector (`beside`), whichever way memory lies.
 */
import type { Dtype } from '../../dtype.ts'
import type { BufferId, ReduceLaunch } from '../../program/index.ts'
import { contiguous, readsOf, sizeOf } from '../../program/index.ts'
import { roundUp } from '../../round.ts'
import type { ScalarOp } from '../../scalar.ts'
import { argsOf, reachable } from '../../scalar.ts'
import { get } from '../code/index.ts'
import { emitter } from '../emitter.ts'
import type { Kernel } from '../kernel.ts'
import { beginParameter, endParameter, keyOf, openPointers, unrollFor, usesDouble } from '../kernel.ts'
import { accessLevel, bodyWeight, resolveIndices } from '../map.ts'
import type { Step } from '../nest.ts'
import { walkRange, walkVectorRange, walkVectors } from '../nest.ts'
import { rowScratchBytes } from '../scratch.ts'
import { scope, values } from '../scope.ts'
import type { Access, Axis } from '../space.ts'
import { accesses, countOf } from '../space.ts'
import { isPosition, passesOf } from './pass.ts'
import { acrossRow, besideRows, readsBehind, siteAt, withoutFolds } from './row.ts'
import type { Context } from './row.ts'
import { shapeOf } from './shape.ts'
import { mayJoin, walkJoined } from './together.ts'

/** Of empty rows nothing is read but what is asked for once a row: the rest may lie outside of all memory. */
const readsLess = (launch: ReduceLaunch): ReduceLaunch => {
  const once = reachable(
    launch.body,
    launch.outputs.flatMap(({ over, value }) => (over === 'outer' ? [value] : [])),
  )
  const body = launch.body.map((op, index): ScalarOp =>
    op.op === 'read' && !once.has(index) ? { op: 'constant', value: 0, dtype: op.dtype } : op,
  )
  return { ...launch, body }
}

export const reduceKernel = (given: ReduceLaunch, dtypeOf: (id: BufferId) => Dtype): Kernel => {
  const launch = given.inner.includes(0) ? readsLess(given) : given
  const { body, folds, outputs, outer, inner } = launch
  const gathered = accesses(dtypeOf)
  const operands = launch.operands.map(gathered.operand)
  const targets = outputs.map(({ target }) => gathered.view(target))
  const position = folds.some(isPosition)
    ? gathered.position({ strides: [...outer.map(() => 0), ...contiguous(inner)], offset: 0 })
    : undefined
  const { slots } = gathered
  const lanes = usesDouble(body, gathered.list) ? 2 : 4
  const count = sizeOf(inner)
  const roots = [...folds.map(({ value }) => value), ...outputs.map(({ value }) => value)]
  const weight = bodyWeight(body, roots) + folds.length
  const shape = shapeOf(launch, gathered.list, targets, lanes)
  const flat = shape.mode === 'beside' && shape.rows.length === 0
  const rowAxes = shape.mode === 'beside' ? [...shape.rows, shape.vector] : shape.rows
  const innerAxes = shape.mode === 'beside' ? shape.inner : [...shape.inner, shape.vector]
  const changing = (list: readonly Access[]): ((index: number) => boolean) => {
    const known = new Map<number, boolean>()
    const changes = (index: number): boolean => {
      const before = known.get(index)
      if (before !== undefined) return before
      const op = body[index] as ScalarOp
      const found =
        op.op === 'read'
          ? accessLevel(list, operands[op.index] as number, rowAxes, innerAxes) === 2
          : argsOf(op).some(changes)
      known.set(index, found)
      return found
    }
    return changes
  }
  const passes = passesOf(launch, new Set(readsOf(launch)), changing(gathered.list), shape.mode === 'across')
  // Each kept value has a row of scratch memory, one vector for every vector of the row.
  const bytes = 16 / lanes
  const rowBytes = roundUp(count * bytes, 64) + 64
  const wanted = [...new Set(passes.flatMap(({ keeps }) => keeps))]
  const kept = wanted.slice(0, Math.floor(rowScratchBytes / rowBytes))
  const list: Access[] = [...gathered.list]
  const innerSizes = innerAxes.map(({ size }) => size)
  const scratch = new Map(
    kept.map((index, i) => {
      list.push({ origin: 'scratch', dtype: 'float32', strides: [], offset: i * rowBytes, at: [] })
      return [index, list.length - 1]
    }),
  )
  // The scratch rows are walked like any other access, in the order of the inner axes.
  const steps = contiguous(innerSizes).map((stride) => stride * bytes)
  const extended = (axis: Axis, step: number): Axis => ({
    size: axis.size,
    strides: [...axis.strides, ...kept.map(() => step)],
  })
  const axes = {
    rows: shape.rows.map((axis) => extended(axis, 0)),
    inner: shape.inner.map((axis, i) => extended(axis, steps[i] as number)),
    vector: extended(shape.vector, shape.mode === 'across' ? (steps.at(-1) as number) : 0),
  }
  const joins = mayJoin(launch, gathered.list, shape, passes)
  const unroll = unrollFor(weight, shape.vector.size / lanes)
  return {
    key: `reduce ${keyOf(launch, slots, dtypeOf)}`,
    slots,
    units: flat ? shape.vector.size : countOf(shape.rows),
    grain: flat ? lanes * unroll : 1,
    cost: sizeOf(outer) * ((count * (2 * list.length + weight)) / (lanes * 6) + 10),
    emit: (target) => {
      const e = emitter(target, ['i32', 'i32', 'i32'])
      const kernelValues = values(
        e,
        body,
        operands,
        (operand) => accessLevel(gathered.list, operands[operand] as number, rowAxes, innerAxes),
        1,
        roots,
      )
      const context: Context = {
        e,
        launch,
        list,
        lanes,
        unroll,
        passes,
        position,
        targets,
        scratch,
        values: kernelValues,
        mode: shape.mode,
        ...axes,
        still: list.map(() => 0),
      }
      const pointers = openPointers(e, list)
      const whole = scope(0, siteAt(context, pointers, context.still, new Set()))
      kernelValues.hoist(readsBehind(body, roots), whole)
      kernelValues.hoist(withoutFolds(body, roots), whole)
      const [begin, end] = [get(beginParameter), get(endParameter)]
      if (joins) walkJoined(context, operands, pointers, begin, end, whole)
      else if (shape.mode === 'across')
        walkRange(e, axes.rows, pointers, begin, end, () => acrossRow(context, pointers, whole))
      else {
        const group =
          (resolved: ReadonlySet<number>) =>
          (step: Step): void =>
            besideRows(context, step, resolved, whole)
        const row = (): void => {
          const { pointers: own, resolved } = resolveIndices(e, list, pointers, [axes.vector, ...axes.inner])
          const vectors = { axis: axes.vector, lanes, unroll }
          if (flat) walkVectorRange(e, vectors, own, begin, end, group(resolved))
          else walkVectors(e, vectors, own, group(resolved))
        }
        if (flat) row()
        else walkRange(e, axes.rows, pointers, begin, end, row)
      }
      return { code: e.finish(), needsCaller: e.needsCaller() }
    },
  }
}
