/**
 * Loops over axes. Each access has a pointer, a local that holds the address of its element; a loop moves the
 * pointers by their strides.
 */
import type { Code } from './code/index.ts'
import { block, branch, branchIf, get, i32, loop, set, tee, when } from './code/index.ts'
import type { Emitter } from './emitter.ts'
import type { Axis } from './space.ts'

/** The local of each access. */
export type Pointers = readonly number[]

export const move = (e: Emitter, pointers: Pointers, steps: readonly number[], times = 1): void =>
  pointers.forEach((pointer, access) => {
    const step = (steps[access] as number) * times
    if (step !== 0) e.push(set(pointer, i32.add(get(pointer), i32.const(step))))
  })

/** Pointers of their own for those that `strides` moves. */
const forked = (e: Emitter, pointers: Pointers, strides: readonly number[]): Pointers =>
  pointers.map((pointer, access) => {
    if (strides[access] === 0) return pointer
    const copy = e.local('i32')
    e.push(set(copy, get(pointer)))
    return copy
  })

/** Runs `body` `count` times. */
export const repeat = (e: Emitter, count: Code, body: () => void): void => {
  const left = e.local('i32')
  const inside = e.capture(body)
  e.push(when(tee(left, count), [loop(inside, branchIf(0, tee(left, i32.sub(get(left), i32.const(1)))))]))
}

/** Walks all of `axes`, the first one outermost. */
export const walk = (
  e: Emitter,
  axes: readonly Axis[],
  pointers: Pointers,
  body: (pointers: Pointers) => void,
): void => {
  const [axis, ...rest] = axes
  if (axis === undefined) return body(pointers)
  const own = forked(e, pointers, axis.strides)
  repeat(e, i32.const(axis.size), () => {
    walk(e, rest, own, body)
    move(e, own, axis.strides)
  })
}

/**
 * Walks the positions `begin` to `end` of the row-major product of `axes`. The pointers are moved in place.
 */
export const walkRange = (
  e: Emitter,
  axes: readonly Axis[],
  pointers: Pointers,
  begin: Code,
  end: Code,
  body: () => void,
): void => {
  const coordinates = axes.map(() => e.local('i32'))
  const left = e.local('i32')
  const rest = e.local('i32')
  e.push(set(left, i32.sub(end, begin)), set(rest, begin))
  for (let axis = axes.length - 1; axis >= 0; axis--) {
    const { size, strides } = axes[axis] as Axis
    const at = coordinates[axis] as number
    if (axis > 0) {
      e.push(set(at, i32.remU(get(rest), i32.const(size))))
      e.push(set(rest, i32.divU(get(rest), i32.const(size))))
    } else e.push(set(at, get(rest)))
    pointers.forEach((pointer, access) => {
      const stride = strides[access] as number
      if (stride !== 0) e.push(set(pointer, i32.add(get(pointer), i32.mul(get(at), i32.const(stride)))))
    })
  }
  const next = e.capture(() => {
    for (let axis = axes.length - 1; axis >= 0; axis--) {
      const { size, strides } = axes[axis] as Axis
      const at = coordinates[axis] as number
      move(e, pointers, strides)
      if (axis === 0) break
      e.push(
        set(at, i32.add(get(at), i32.const(1))),
        branchIf(0, i32.ne(get(at), i32.const(size))),
        set(at, i32.const(0)),
      )
      move(e, pointers, strides, -size)
    }
  })
  const inside = e.capture(body)
  e.push(
    block(
      branchIf(0, i32.leS(get(left), i32.const(0))),
      loop(
        inside,
        set(left, i32.sub(get(left), i32.const(1))),
        branchIf(1, i32.eqz(get(left))),
        block(next),
        branch(0),
      ),
    ),
  )
}

/** Some vectors side by side, from a pointer on. */
export interface Step {
  readonly pointers: Pointers
  /** How many vectors. */
  readonly vectors: number
  /** How many lanes of the last vector exist. */
  readonly count: number
}

export interface Vectors {
  readonly axis: Axis
  readonly lanes: number
  readonly unroll: number
}

/** Walks the whole axis in vectors: many at once, then one by one, then what is left of one. */
export const walkVectors = (
  e: Emitter,
  { axis, lanes, unroll }: Vectors,
  pointers: Pointers,
  body: (step: Step) => void,
): void => {
  const own = forked(e, pointers, axis.strides)
  const run = (times: number, vectors: number, last: boolean): void => {
    if (times === 0) return
    const turn = (): void => body({ pointers: own, vectors, count: lanes })
    if (times === 1) {
      turn()
      if (!last) move(e, own, axis.strides, lanes * vectors)
    } else
      repeat(e, i32.const(times), () => {
        turn()
        move(e, own, axis.strides, lanes * vectors)
      })
  }
  const tail = axis.size % lanes
  const whole = Math.floor(axis.size / lanes)
  const singles = unroll > 1 ? whole % unroll : 0
  run(Math.floor(whole / unroll), unroll, singles === 0 && tail === 0)
  run(singles, 1, tail === 0)
  if (tail > 0) body({ pointers: own, vectors: 1, count: tail })
}

/** Walks the positions `begin` to `end` of the axis; a part that is not the last is whole in vectors. */
export const walkVectorRange = (
  e: Emitter,
  { axis, lanes, unroll }: Vectors,
  pointers: Pointers,
  begin: Code,
  end: Code,
  body: (step: Step) => void,
): void => {
  pointers.forEach((pointer, access) => {
    const stride = axis.strides[access] as number
    if (stride !== 0) e.push(set(pointer, i32.add(get(pointer), i32.mul(begin, i32.const(stride)))))
  })
  const length = e.keep(i32.sub(end, begin), 'i32')
  const run = (times: Code, vectors: number): void =>
    repeat(e, times, () => {
      body({ pointers, vectors, count: lanes })
      move(e, pointers, axis.strides, lanes * vectors)
    })
  run(i32.divU(length, i32.const(lanes * unroll)), unroll)
  if (unroll > 1) run(i32.divU(i32.remU(length, i32.const(lanes * unroll)), i32.const(lanes)), 1)
  const tail = axis.size % lanes
  if (tail === 0) return
  const inside = e.capture(() => body({ pointers, vectors: 1, count: tail }))
  e.push(when(i32.eq(end, i32.const(axis.size)), inside))
}

/** Splits a row-major position in `shape`, which the local `place` holds and loses, into its coordinates. */
export const unravel = (
  e: Emitter,
  place: number,
  shape: readonly number[],
  coordinates: readonly number[],
): void => {
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = i32.const(shape[axis] as number)
    e.push(set(coordinates[axis] as number, i32.remU(get(place), size)))
    e.push(set(place, i32.divU(get(place), size)))
  }
}

/** What moves the pointer of an access to the batch, whose coordinates are in locals. */
export const batchOffset = (coordinates: readonly number[], axes: readonly Axis[], id: number): Code =>
  coordinates.reduce<Code>((sum, at, axis) => {
    const stride = (axes[axis] as Axis).strides[id] as number
    return stride === 0 ? sum : i32.add(sum, i32.mul(get(at), i32.const(stride)))
  }, i32.const(0))
