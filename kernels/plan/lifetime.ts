/** When buffers are in use. */
import type { BufferId, Launch, Program, Step } from '../program/index.ts'
import { isControl, readsOf, writesOf } from '../program/index.ts'

/** The first and last time at which a buffer is touched. */
export interface Lifetime {
  first: number
  last: number
}

/** Steps in a row: each launch has a time of its own, and so have the beginning and the end of every loop. */
export interface Timeline {
  /** The launch at each time; `undefined` where a control begins or ends. */
  readonly at: readonly (Launch | undefined)[]
  /** When buffers are read and written, in order; decisions read too. */
  readonly touches: readonly {
    readonly time: number
    readonly reads: readonly BufferId[]
    readonly writes: readonly BufferId[]
  }[]
  /** First and last time of each loop, inner ones first. */
  readonly loops: readonly (readonly [start: number, end: number])[]
}

export const timelineOf = (steps: readonly Step[]): Timeline => {
  const at: (Launch | undefined)[] = []
  const touches: { time: number; reads: readonly BufferId[]; writes: readonly BufferId[] }[] = []
  const loops: (readonly [number, number])[] = []
  const touch = (reads: readonly BufferId[], writes: readonly BufferId[] = []): void => {
    touches.push({ time: at.length, reads, writes })
  }
  const walk = (step: Step): void => {
    if (!isControl(step)) {
      touch(readsOf(step), writesOf(step))
      at.push(step)
      return
    }
    const start = at.length
    if (step.kind === 'when') touch([step.index])
    at.push(undefined)
    if (step.kind === 'while') {
      step.condition.forEach(walk)
      touch([step.flag])
      at.push(undefined)
    }
    step.launches.forEach(walk)
    if (step.kind !== 'when') loops.push([start, at.length])
    at.push(undefined)
  }
  steps.forEach(walk)
  return { at, touches, loops }
}

/**
 * From the first to the last time at which a buffer is touched. One that carries something from round to round of
 * a loop, or into or out of it, lives as long as the loop; one that is written first and only used inside lives
 * within each round.
 */
export const lifetimes = (program: Program, { touches, loops }: Timeline): Lifetime[] => {
  const own = program.buffers.map((): Lifetime => ({ first: Infinity, last: -1 }))
  for (const { time, reads, writes } of touches)
    for (const id of [...reads, ...writes]) {
      const life = own[id] as Lifetime
      life.first = Math.min(life.first, time)
      life.last = time
    }
  const lives = own.map((life) => ({ ...life }))
  const kept = new Set([...program.inputs, ...program.outputs])
  for (const [start, end] of loops) {
    const begun = new Map<BufferId, 'read' | 'written'>()
    for (const { time, reads, writes } of touches) {
      if (time < start || time > end) continue
      for (const id of reads) if (!begun.has(id)) begun.set(id, 'read')
      for (const id of writes) if (!begun.has(id)) begun.set(id, 'written')
    }
    for (const [id, how] of begun) {
      const { first, last } = own[id] as Lifetime
      if (how === 'written' && first >= start && last <= end && !kept.has(id)) continue
      const life = lives[id] as Lifetime
      life.first = Math.min(life.first, start)
      life.last = Math.max(life.last, end)
    }
  }
  return lives
}

/** Whether there is a time that two lifetimes share. */
export const overlaps = (a: Lifetime, b: Lifetime): boolean => a.first <= b.last && b.first <= a.last
