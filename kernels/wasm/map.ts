/** Map launches: any order of positions will do, so axes are reordered, joined, and one made into vectors. */
import type { Dtype } from '../dtype.ts'
import type { BufferId, MapLaunch } from '../program/index.ts'
import type { Body, ScalarOp } from '../scalar.ts'
import { reachable } from '../scalar.ts'
import { get, set, i32 } from './code/index.ts'
import type { Emitter } from './emitter.ts'
import { emitter, interleaved } from './emitter.ts'
import type { Kernel } from './kernel.ts'
import {
  beginParameter,
  endParameter,
  keyOf,
  openPointers,
  unrollFor,
  usesDouble,
  weightOf,
} from './kernel.ts'
import type { Site } from './memory.ts'
import { indexedPart, storeVector } from './memory.ts'
import type { Pointers, Step } from './nest.ts'
import { walkRange, walkVectorRange, walkVectors } from './nest.ts'
import type { Level } from './scope.ts'
import { scope, values } from './scope.ts'
import type { Access, Axis } from './space.ts'
import { accesses, axesOf, countOf, merged, ordered, vectorAxis, without } from './space.ts'

/** How often an access moves, given the axes of the rows and the axes within them. */
export const accessLevel = (
  list: readonly Access[],
  id: number,
  rows: readonly Axis[],
  within: readonly Axis[],
): Level => {
  const moves = (axes: readonly Axis[]): boolean =>
    axes.some(({ strides }) =>
      [id, ...(list[id] as Access).at.map(({ index }) => index)].some((i) => strides[i] !== 0),
    )
  return moves(within) ? 2 : moves(rows) ? 1 : 0
}

/** Adds data-dependent parts that are the same all along the row to the pointers of the row. */
export const resolveIndices = (
  e: Emitter,
  list: readonly Access[],
  pointers: Pointers,
  within: readonly Axis[],
): { readonly pointers: Pointers; readonly resolved: ReadonlySet<number> } => {
  const resolved = new Set<number>()
  const still: Site = { list, pointers, strides: list.map(() => 0), lanes: 4, shift: 0, count: 1, resolved }
  const moved = pointers.map((pointer, id) => {
    const { at } = list[id] as Access
    if (at.length === 0 || at.some(({ index }) => within.some(({ strides }) => strides[index] !== 0)))
      return pointer
    const own = e.local('i32')
    e.push(set(own, i32.add(get(pointer), indexedPart(e, still, list[id] as Access))))
    resolved.add(id)
    return own
  })
  return { pointers: moved, resolved }
}

/** The total weight of what `roots` need. */
export const bodyWeight = (body: Body, roots: readonly number[]): number =>
  [...reachable(body, roots)].reduce((sum, index) => sum + weightOf(body[index] as ScalarOp), 0)

export const mapKernel = (launch: MapLaunch, dtypeOf: (id: BufferId) => Dtype): Kernel => {
  const { shape, body, outputs } = launch
  const gathered = accesses(dtypeOf)
  const operands = launch.operands.map(gathered.operand)
  const targets = outputs.map(({ target }) => gathered.view(target))
  const { list, slots } = gathered
  const lanes = usesDouble(body, list) ? 2 : 4
  const axes = merged(
    ordered(
      axesOf(shape, list),
      list.map((_, id) => (targets.includes(id) ? 4 : 1)),
    ),
  )
  const vector = vectorAxis(axes, list, lanes)
  const within = vector === undefined ? { size: 1, strides: list.map(() => 0) } : (axes[vector] as Axis)
  const rows = vector === undefined ? [] : without(axes, vector)
  const roots = outputs.map(({ value }) => value)
  const weight = bodyWeight(body, roots)
  const unroll = unrollFor(weight, within.size / lanes)
  const flat = rows.length === 0
  const total = countOf(axes)
  return {
    key: `map ${keyOf(launch, slots, dtypeOf)}`,
    slots,
    units: flat ? within.size : countOf(rows),
    grain: flat ? lanes * unroll : 1,
    cost: (total * (2 * list.length + weight)) / (lanes * 6),
    emit: (target) => {
      const e = emitter(target, ['i32', 'i32', 'i32'])
      const level = (operand: number): Level => accessLevel(list, operands[operand] as number, rows, [within])
      const kernelValues = values(e, body, operands, level, 0, roots)
      const still = list.map(() => 0)
      const pointers = openPointers(e, list)
      const siteOf = (at: Pointers, strides: readonly number[], resolved: ReadonlySet<number>): Site => ({
        list,
        pointers: at,
        strides,
        lanes,
        shift: 0,
        count: lanes,
        resolved,
      })
      const whole = scope(0, siteOf(pointers, still, new Set()))
      kernelValues.hoist(roots, whole)
      const row = (): void => {
        const { pointers: own, resolved } = resolveIndices(e, list, pointers, [within])
        const rowScope = scope(1, siteOf(own, still, resolved), whole)
        kernelValues.hoist(roots, rowScope)
        const step = ({ pointers: at, vectors, count }: Step): void => {
          interleaved(e, vectors, (shift) => {
            const site = { ...siteOf(at, within.strides, resolved), shift, count }
            const inner = scope(2, site, rowScope)
            const results = roots.map((root) => e.keep(kernelValues.value(root, inner)))
            results.forEach((result, index) => storeVector(e, site, targets[index] as number, result))
          })
        }
        const vectors = { axis: within, lanes, unroll }
        if (flat) walkVectorRange(e, vectors, own, get(beginParameter), get(endParameter), step)
        else walkVectors(e, vectors, own, step)
      }
      if (flat) row()
      else walkRange(e, rows, pointers, get(beginParameter), get(endParameter), row)
      return { code: e.finish(), needsCaller: e.needsCaller() }
    },
  }
}
