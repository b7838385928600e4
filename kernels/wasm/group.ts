/** Launches in a row that do not depend on each other: they run in any order, or at the same time. */
import { bytesOf } from '../dtype.ts'
import type { MemoryPlan } from '../plan/index.ts'
import type { BufferId, BufferSpec, Launch, Program } from '../program/index.ts'
import { readsOf, writesOf } from '../program/index.ts'

/** Addresses from `start` up to `end`, of a memory that holds the arena and behind it all that stands elsewhere. */
interface Extent {
  readonly start: number
  readonly end: number
}

export interface Touched {
  readonly reads: readonly Extent[]
  readonly writes: readonly Extent[]
}

/** Where a launch reads and writes, such that buffers which share memory share addresses. */
export const touching = (
  { buffers, inputs }: Program,
  { placements, arenaBytes }: MemoryPlan,
): ((launch: Launch) => Touched) => {
  const homes = new Map<BufferId, number>()
  let free = arenaBytes
  const extents = buffers.map(({ dtype, size }, id): Extent => {
    const bytes = Math.max(1, size * bytesOf(dtype))
    const placement = placements[id]
    if (placement?.kind === 'arena') return { start: placement.byteOffset, end: placement.byteOffset + bytes }
    const home =
      placement !== undefined && 'position' in placement ? (inputs[placement.position] as BufferId) : id
    let start = homes.get(home)
    if (start === undefined) {
      start = free
      const { dtype: type, size: length } = buffers[home] as BufferSpec
      free += Math.max(1, length * bytesOf(type))
      homes.set(home, start)
    }
    return { start, end: start + bytes }
  })
  const of = (ids: readonly BufferId[]): readonly Extent[] =>
    [...new Set(ids)].map((id) => extents[id] as Extent)
  return (launch) => ({ reads: of(readsOf(launch)), writes: of(writesOf(launch)) })
}

const meet = (a: readonly Extent[], b: readonly Extent[]): boolean =>
  a.some((one) => b.some((other) => one.start < other.end && other.start < one.end))

/** Whether one of the two must run before the other. */
const depend = (a: Touched, b: Touched): boolean =>
  meet(a.writes, b.writes) || meet(a.writes, b.reads) || meet(a.reads, b.writes)

/** Neighbours that can run together, as lists; what is `undefined` stays alone. */
export const grouped = <A>(
  items: readonly A[],
  touched: (item: A) => Touched | undefined,
): readonly (readonly A[])[] => {
  const groups: A[][] = []
  let open: { readonly reads: Extent[]; readonly writes: Extent[] } | undefined
  for (const item of items) {
    const own = touched(item)
    if (own === undefined || open === undefined || depend(open, own)) {
      groups.push([item])
      open = own && { reads: [...own.reads], writes: [...own.writes] }
      continue
    }
    groups.at(-1)?.push(item)
    open.reads.push(...own.reads)
    open.writes.push(...own.writes)
  }
  return groups
}
