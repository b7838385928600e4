/**
 * Scatters, in the order of the positions. The last axis is walked in vectors where its positions cannot meet:
 * rows of an embedding's gradient. Threads share the work by such columns, where no two rows meet in different ones.
 */
import type { Dtype } from '../dtype.ts'
import { isFloating } from '../dtype.ts'
import type { BufferId, ScatterLaunch } from '../program/index.ts'
import type { Code } from './code/index.ts'
import { f32x4, f64x2, get, i32x4, set, v128 } from './code/index.ts'
import type { Emitter } from './emitter.ts'
import { emitter } from './emitter.ts'
import type { Kernel } from './kernel.ts'
import { beginParameter, endParameter, keyOf, openPointers, usesDouble } from './kernel.ts'
import { accessLevel, bodyWeight, resolveIndices } from './map.ts'
import type { Site } from './memory.ts'
import { load, storeVector } from './memory.ts'
import type { Step } from './nest.ts'
import { walk, walkVectorRange } from './nest.ts'
import { scope, values } from './scope.ts'
import type { Access, Axis } from './space.ts'
import { accesses, axesOf, countOf, merged } from './space.ts'

const combine = (op: ScatterLaunch['op'], dtype: Dtype, old: Code, value: Code): Code => {
  if (op === 'set') return value
  if (dtype === 'bool') return op === 'max' ? v128.or(old, value) : v128.and(old, value)
  if (isFloating(dtype)) return (dtype === 'float64' ? f64x2 : f32x4)[op](old, value)
  if (op === 'add') return i32x4.add(old, value)
  return i32x4[`${op}${dtype === 'uint32' ? 'U' : 'S'}`](old, value)
}

/** Whether the positions along the axis address different elements. */
const apart = (axis: Axis, list: readonly Access[], target: number): boolean =>
  axis.strides[target] !== 0 && (list[target] as Access).at.every(({ index }) => axis.strides[index] === 0)

const commonDivisor = (a: number, b: number): number => (b === 0 ? a : commonDivisor(b, a % b))

/**
 * Whether positions with different coordinates along `axis` address different elements, whatever the others are: what
 * else moves the target moves it by multiples of more than the axis spans, or in all by less than one step of it.
 */
const separate = (axis: Axis, others: readonly Axis[], list: readonly Access[], target: number): boolean => {
  const { at } = list[target] as Access
  const moves = [...others.map(({ size, strides }) => ({ size, stride: strides[target] as number })), ...at]
    .map(({ size, stride }) => ({ size, stride: Math.abs(stride) }))
    .filter(({ size, stride }) => size > 1 && stride > 0)
  const step = Math.abs(axis.strides[target] as number)
  const wide = moves.filter(({ stride }) => stride >= axis.size * step)
  const narrow = moves.filter((move) => !wide.includes(move))
  const span = narrow.reduce((sum, { size, stride }) => sum + stride * (size - 1), 0)
  const jump = wide.length === 0 ? Infinity : wide.map(({ stride }) => stride).reduce(commonDivisor)
  return span < step && jump - span > (axis.size - 1) * step
}

export const scatterKernel = (launch: ScatterLaunch, dtypeOf: (id: BufferId) => Dtype): Kernel => {
  const { shape, body, value, op } = launch
  const gathered = accesses(dtypeOf)
  const operands = launch.operands.map(gathered.operand)
  const target = gathered.indexed(launch.target, launch.at)
  const { list, slots } = gathered
  const dtype = dtypeOf(launch.target.buffer)
  const still = list.map(() => 0)
  const axes = merged(axesOf(shape, list))
  const last = axes.at(-1)
  const inVectors = last !== undefined && apart(last, list, target)
  // One by one is a vector of which only the first lane exists.
  const within = inVectors ? last : { size: 1, strides: still }
  const rows = inVectors ? axes.slice(0, -1) : axes
  const lanes = usesDouble(body, list) ? 2 : 4
  const weight = bodyWeight(body, [value])
  return {
    key: `scatter ${keyOf(launch, slots, dtypeOf)}`,
    slots,
    units: countOf(axes) === 0 ? 0 : within.size,
    grain: inVectors && separate(within, rows, list, target) ? 16 : Math.max(1, within.size),
    cost: (countOf(axes) * (3 * list.length + weight)) / (inVectors ? lanes * 6 : 6),
    emit: (compiled) => {
      const e = emitter(compiled, ['i32', 'i32', 'i32'])
      const kernelValues = values(
        e,
        body,
        operands,
        (operand) => accessLevel(list, operands[operand] as number, rows, [within]),
        0,
        [value],
      )
      const pointers = openPointers(e, list)
      const resolvedNone: ReadonlySet<number> = new Set()
      const base: Site = {
        list,
        pointers,
        strides: still,
        lanes,
        shift: 0,
        count: lanes,
        resolved: resolvedNone,
      }
      const whole = scope(0, base)
      kernelValues.hoist([value], whole)
      const update = (site: Site, from: ReturnType<typeof scope>): void => {
        const result = e.keep(kernelValues.value(value, scope(2, site, from)))
        storeVector(e, site, target, combine(op, dtype, load(e, site, target), result))
      }
      walk(e, rows, pointers, (at) => {
        const { pointers: own, resolved } = resolveIndices(e, list, at, [within])
        const row = scope(1, { ...base, pointers: own, resolved }, whole)
        if (!inVectors) {
          update({ ...row.site, count: 1 }, row)
          return
        }
        kernelValues.hoist([value], row)
        const moving = forkAll(e, own, within)
        walkVectorRange(
          e,
          { axis: within, lanes, unroll: 1 },
          moving,
          get(beginParameter),
          get(endParameter),
          (step: Step) =>
            update({ ...row.site, pointers: step.pointers, strides: within.strides, count: step.count }, row),
        )
      })
      return { code: e.finish(), needsCaller: e.needsCaller() }
    },
  }
}

const forkAll = (e: Emitter, pointers: readonly number[], axis: Axis): number[] =>
  pointers.map((pointer, id) => {
    if (axis.strides[id] === 0) return pointer
    const copy = e.local('i32')
    e.push(set(copy, get(pointer)))
    return copy
  })
