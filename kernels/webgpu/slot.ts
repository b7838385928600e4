/** Temporaries as few buffers as possible: each buffer holds one temporary after the other. */
import type { Placement } from '../plan/index.ts'
import { planMemory } from '../plan/index.ts'
import type { BufferId, Program } from '../program/index.ts'
import { readsOf, writesOf } from '../program/index.ts'

/** Where a buffer stands: with an argument, in a new result, or in the numbered slot. */
export type Place =
  Exclude<Placement, { readonly kind: 'arena' }> | { readonly kind: 'slot'; readonly slot: number }

export interface SlotPlan {
  readonly places: readonly Place[]
  /** Bytes of each slot, the largest first. */
  readonly slots: readonly number[]
}

/** A temporary that one launch needs for itself. */
export interface Scratch {
  readonly bytes: number
  readonly time: number
}

interface Temporary {
  readonly id: number
  readonly bytes: number
  readonly first: number
  readonly last: number
}

const spans = ({ launches }: Program): ReadonlyMap<BufferId, readonly [first: number, last: number]> => {
  const found = new Map<BufferId, readonly [number, number]>()
  launches.forEach((launch, time) => {
    for (const id of [...readsOf(launch), ...writesOf(launch)])
      found.set(id, [found.get(id)?.[0] ?? time, time])
  })
  return found
}

/** Where the shared plan puts buffers, a truth value being a whole word on the device. */
export const placementsOf = (program: Program): readonly Placement[] =>
  planMemory({
    ...program,
    buffers: program.buffers.map(({ dtype, size }) => ({
      dtype: dtype === 'bool' ? 'uint32' : dtype,
      size,
    })),
  }).placements

/**
 * Arguments and results as `planMemory` places them. Temporaries get whole buffers instead of parts of one
 * arena, shared among those that are not alive together, the largest first ("shared objects", Pisarchyk and
 * Lee, 2020): WebGPU forbids a kernel to read and write one buffer through two bindings, and limits its size.
 */
export const planSlots = (
  program: Program,
  placements: readonly Placement[],
  scratch: readonly Scratch[],
): SlotPlan => {
  const lives = spans(program)
  const temporaries: Temporary[] = placements.flatMap((place, id) => {
    const life = lives.get(id)
    if (place.kind !== 'arena' || life === undefined) return []
    return [{ id, bytes: 4 * (program.buffers[id]?.size ?? 0), first: life[0], last: life[1] }]
  })
  scratch.forEach(({ bytes, time }, index) =>
    temporaries.push({ id: placements.length + index, bytes, first: time, last: time }),
  )
  temporaries.sort((a, b) => b.bytes - a.bytes || a.id - b.id)
  const slots: { readonly bytes: number; readonly holds: Temporary[] }[] = []
  const places: Place[] = placements.map((place) =>
    place.kind === 'arena' ? { kind: 'slot', slot: 0 } : place,
  )
  for (const temporary of temporaries) {
    const apart = ({ first, last }: Temporary): boolean => last < temporary.first || temporary.last < first
    let slot = slots.findIndex(({ holds }) => holds.every(apart))
    if (slot < 0) slot = slots.push({ bytes: temporary.bytes, holds: [] }) - 1
    slots[slot]?.holds.push(temporary)
    places[temporary.id] = { kind: 'slot', slot }
  }
  return { places, slots: slots.map(({ bytes }) => bytes) }
}
