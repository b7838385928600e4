/** What is made of the sums of a product, tile by tile: bias, activation, residual, scale, mask. */
import type { Dtype } from '../dtype.ts'
import type { BufferId, MatmulLaunch } from '../program/index.ts'
import { get, globalGet, i32, set } from './code/index.ts'
import { interleaved } from './emitter.ts'
import type { Emitter } from './emitter.ts'
import { usesDouble, unrollFor } from './kernel.ts'
import { accessLevel, bodyWeight, resolveIndices } from './map.ts'
import type { Site } from './memory.ts'
import { load, storeVector } from './memory.ts'
import { batchOffset, repeat, walkVectorRange } from './nest.ts'
import { scope, values } from './scope.ts'
import { sumsAt } from './scratch.ts'
import type { Access, Axis } from './space.ts'
import { accesses, axesOf } from './space.ts'

/** What a product reads and writes: `list` has the two factors, then operands and targets. */
export interface Factors {
  readonly launch: MatmulLaunch
  readonly list: readonly Access[]
  readonly slots: readonly BufferId[]
  readonly a: number
  readonly b: number
  readonly operands: readonly number[]
  readonly targets: readonly number[]
  readonly roots: readonly number[]
  readonly batchAxes: readonly Axis[]
  /** The bytes from one element to the next of a factor or target, down (0) or along (1). */
  readonly stride: (id: number, axis: 0 | 1) => number
}

export const factorsOf = (launch: MatmulLaunch, dtypeOf: (id: BufferId) => Dtype): Factors => {
  const { batch, outputs } = launch
  const gathered = accesses(dtypeOf)
  const a = gathered.view(launch.a)
  const b = gathered.view(launch.b)
  const operands = launch.operands.map(gathered.operand)
  const targets = outputs.map(({ target }) => gathered.view(target))
  const { slots, list } = gathered
  return {
    launch,
    list,
    slots,
    a,
    b,
    operands,
    targets,
    roots: outputs.map(({ value }) => value),
    batchAxes: axesOf(batch, list),
    stride: (id, axis) => (list[id] as Access).strides[batch.length + axis] as number,
  }
}

interface Tile {
  readonly pointers: readonly number[]
  readonly coordinates: readonly number[]
  readonly row: number
  readonly column: number
  readonly height: number
  readonly width: number
}

/** The body over one tile, whose sums stand in scratch memory, in rows of `pitch` bytes. */
export const epilogue = (e: Emitter, factors: Factors, pitch: number, tile: Tile): void => {
  const { launch, operands, targets, roots, batchAxes } = factors
  const { batch, rows, columns, body } = launch
  const lead = batch.length
  // The operands a and b have other axes; nothing here moves them.
  const list = factors.list.map((access, id) =>
    id < 2 ? { ...access, strides: access.strides.map(() => 0) } : access,
  )
  const sums: Access = {
    origin: 'scratch',
    dtype: 'float32',
    strides: [...batch.map(() => 0), pitch, 4],
    offset: 0,
    at: [],
  }
  const all = [...list, sums]
  const lanes = usesDouble(body, all) ? 2 : 4
  const [down, along] = axesOf([rows, columns], all, lead) as [Axis, Axis]
  const own = tile.pointers.map((pointer, id) => {
    const moved = e.local('i32')
    e.push(
      set(
        moved,
        i32.add(
          i32.add(get(pointer), batchOffset(tile.coordinates, batchAxes, id)),
          i32.mul(get(tile.row), i32.const(down.strides[id] as number)),
        ),
      ),
    )
    return moved
  })
  // The tile's first column stands at the beginning of its sums.
  const start = e.local('i32')
  e.push(
    set(start, i32.sub(i32.add(globalGet(0), i32.const(sumsAt)), i32.shl(get(tile.column), i32.const(2)))),
  )
  own.push(start)
  const level = (operand: number): 0 | 1 | 2 =>
    accessLevel(all, operands[operand] as number, [...batchAxes, down], [along])
  const kernelValues = values(e, body, operands, level, 2, roots)
  const still = all.map(() => 0)
  const site: Site = {
    list: all,
    pointers: own,
    strides: still,
    lanes,
    shift: 0,
    count: lanes,
    resolved: new Set(),
  }
  const whole = scope(0, site)
  kernelValues.hoist(roots, whole)
  const unroll = unrollFor(bodyWeight(body, roots) + 4, columns / lanes)
  const end = e.keep(i32.add(get(tile.column), get(tile.width)), 'i32')
  repeat(e, get(tile.height), () => {
    const { pointers: here, resolved } = resolveIndices(e, all, own, [along])
    const rowScope = scope(1, { ...site, pointers: here, resolved }, whole)
    kernelValues.hoist(roots, rowScope)
    const moving = here.map((pointer, id) => {
      if (along.strides[id] === 0) return pointer
      const copy = e.local('i32')
      e.push(set(copy, get(pointer)))
      return copy
    })
    const vectors = { axis: along, lanes, unroll }
    walkVectorRange(e, vectors, moving, get(tile.column), end, ({ pointers, vectors: many, count }) => {
      interleaved(e, many, (shift) => {
        const at: Site = { ...site, pointers, strides: along.strides, shift, count, resolved }
        const inner = scope(2, at, rowScope)
        kernelValues.setFold(0, e.keep(load(e, at, all.length - 1)), inner)
        const results = roots.map((root) => e.keep(kernelValues.value(root, inner)))
        results.forEach((result, index) => storeVector(e, at, targets[index] as number, result))
      })
    })
    own.forEach((pointer, id) => {
      const step = down.strides[id] as number
      if (step !== 0) e.push(set(pointer, i32.add(get(pointer), i32.const(step))))
    })
  })
}
