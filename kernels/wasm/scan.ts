/**
 * Running folds, one element after the other as the reference does, so that every bit is the same. Several rows
 * stand in the lanes of a vector where memory lies so.
 */
import type { Dtype } from '../dtype.ts'
import { isFloating } from '../dtype.ts'
import type { BufferId, ScanLaunch, View } from '../program/index.ts'
import type { Code } from './code/index.ts'
import { f32x4, f64x2, get, i32, i32x4, set, v128 } from './code/index.ts'
import type { Emitter } from './emitter.ts'
import { emitter } from './emitter.ts'
import { identity } from './fold.ts'
import type { Kernel } from './kernel.ts'
import { beginParameter, endParameter, keyOf, openPointers } from './kernel.ts'
import type { Site } from './memory.ts'
import { load, storeVector } from './memory.ts'
import type { Pointers } from './nest.ts'
import { repeat, walkRange, walkVectorRange, walkVectors } from './nest.ts'
import { number } from './operation.ts'
import type { Axis } from './space.ts'
import { accesses, axesOf, countOf, merged, ordered, vectorAxis, vectorCost, without } from './space.ts'

const combine = (op: ScanLaunch['op'], dtype: Dtype, a: Code, b: Code): Code => {
  if (dtype === 'bool') return op === 'max' ? v128.or(a, b) : v128.and(a, b)
  const v = dtype === 'float64' ? f64x2 : f32x4
  if (op === 'sum') return isFloating(dtype) ? v.add(a, b) : i32x4.add(a, b)
  if (op === 'prod') return isFloating(dtype) ? v.mul(a, b) : i32x4.mul(a, b)
  return isFloating(dtype) ? v[op](a, b) : i32x4[`${op}${dtype === 'uint32' ? 'U' : 'S'}`](a, b)
}

export const scanKernel = (launch: ScanLaunch, dtypeOf: (id: BufferId) => Dtype): Kernel => {
  const { op, outer, length, reverse } = launch
  const dtype = dtypeOf(launch.input.buffer)
  const rank = outer.length
  // Backwards is forwards from the other end.
  const turned = (view: View): View => {
    const step = view.strides[rank] as number
    return reverse && length > 0
      ? {
          ...view,
          offset: view.offset + (length - 1) * step,
          strides: [...view.strides.slice(0, rank), -step],
        }
      : view
  }
  const gathered = accesses(dtypeOf)
  const input = gathered.view(turned(launch.input))
  const target = gathered.view(turned(launch.target))
  const { list, slots } = gathered
  const lanes = dtype === 'float64' ? 2 : 4
  const rows = merged(ordered(axesOf(outer, list), [1, 2]))
  const [along] = axesOf([length], list, rank) as [Axis]
  const best = vectorAxis(rows, list, lanes)
  // One by one, a load, a step and a store are no cheaper than a vector of them.
  const beside = best !== undefined && vectorCost(rows[best], list, lanes) < 2 * lanes ? best : undefined
  const vector = beside === undefined ? { size: 1, strides: list.map(() => 0) } : (rows[beside] as Axis)
  const others = beside === undefined ? rows : without(rows, beside)
  const flat = beside !== undefined && others.length === 0
  const count = countOf(rows)
  const still = list.map(() => 0)
  return {
    key: `scan ${keyOf(launch, slots, dtypeOf)}`,
    slots,
    units: length === 0 ? 0 : flat ? vector.size : countOf(others),
    grain: flat ? lanes : 1,
    cost: (count * length * 2) / (beside === undefined ? 1 : lanes),
    emit: (compiled) => {
      const e = emitter(compiled, ['i32', 'i32', 'i32'])
      const running = e.local('v128')
      const site = (pointers: Pointers, lane: Axis, present: number): Site => ({
        list,
        pointers,
        strides: lane.strides,
        lanes,
        shift: 0,
        count: present,
        resolved: new Set(),
      })
      const walkRow = (start: Pointers, lane: Axis, present: number): void => {
        const own = copied(e, start)
        e.push(set(running, number(e, dtype, identity(op, dtype))))
        repeat(e, i32.const(length), () => {
          const here = site(own, lane, present)
          e.push(set(running, combine(op, dtype, get(running), e.keep(load(e, here, input)))))
          storeVector(e, here, target, get(running))
          own.forEach((pointer, id) => {
            const step = along.strides[id] as number
            if (step !== 0) e.push(set(pointer, i32.add(get(pointer), i32.const(step))))
          })
        })
      }
      const pointers = openPointers(e, list)
      const [begin, end] = [get(beginParameter), get(endParameter)]
      const vectors = { axis: vector, lanes, unroll: 1 }
      const group = ({ pointers: at, count: present }: { pointers: Pointers; count: number }): void =>
        walkRow(at, vector, present)
      if (flat) walkVectorRange(e, vectors, pointers, begin, end, group)
      else
        walkRange(e, others, pointers, begin, end, () => {
          if (beside === undefined) walkRow(pointers, { size: 1, strides: still }, 1)
          else walkVectors(e, vectors, pointers, group)
        })
      return { code: e.finish(), needsCaller: e.needsCaller() }
    },
  }
}

const copied = (e: Emitter, pointers: Pointers): number[] =>
  pointers.map((pointer) => {
    const copy = e.local('i32')
    e.push(set(copy, get(pointer)))
    return copy
  })
