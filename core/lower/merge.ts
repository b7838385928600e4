/**
 * Maps over one shape, one of which reads what the other writes, made one launch: what is handed from one to the
 * other stays in registers. The update of a parameter and of all that an optimizer remembers of it becomes one pass
 * over memory.
 */
import type { BufferId, MapLaunch, Operand, Program, ScalarOp, Step } from '../../kernels/index.ts'
import { readsOf, renameArgs, writesOf } from '../../kernels/index.ts'

/** Longer bodies gain nothing more and make kernels slow to compile. */
const bodyLimit = 200
/** Launches between two that are made one, where the first one's results are not the program's. */
const reach = 8

const sameNumbers = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((n, i) => n === b[i])

/** The value of `producer` that an operand reads, if it reads exactly what is written there. */
const handed = (producer: MapLaunch, operand: Operand): number | undefined => {
  if (operand.kind === 'iota' || operand.at !== undefined) return undefined
  return producer.outputs.find(
    ({ target }) =>
      target.buffer === operand.buffer &&
      target.offset === operand.offset &&
      sameNumbers(target.strides, operand.strides),
  )?.value
}

const merged = (first: MapLaunch, second: MapLaunch): MapLaunch | undefined => {
  const written = new Set(writesOf(first))
  const values = second.operands.map((operand) => handed(first, operand))
  const others = second.operands.filter((_, i) => values[i] === undefined)
  const readsElsewhere = others.some(
    (operand) =>
      operand.kind === 'buffer' &&
      (written.has(operand.buffer) || (operand.at ?? []).some(({ index }) => written.has(index.buffer))),
  )
  if (readsElsewhere || first.body.length + second.body.length > bodyLimit) return undefined
  const operands = [...first.operands]
  const keys = operands.map((operand) => JSON.stringify(operand))
  const moved = second.operands.map((operand, i) => {
    if (values[i] !== undefined) return -1
    const key = JSON.stringify(operand)
    const known = keys.indexOf(key)
    if (known >= 0) return known
    keys.push(key)
    return operands.push(operand) - 1
  })
  const body: ScalarOp[] = [...first.body]
  const places: number[] = []
  for (const op of second.body) {
    const value = op.op === 'read' ? values[op.index] : undefined
    if (value !== undefined) places.push(value)
    else if (op.op === 'read') places.push(body.push({ ...op, index: moved[op.index] as number }) - 1)
    else places.push(body.push(renameArgs(op, (index) => places[index] as number)) - 1)
  }
  const outputs = second.outputs.map(({ target, value }) => ({ target, value: places[value] as number }))
  return { ...first, operands, body, outputs: [...first.outputs, ...outputs] }
}

interface Entry {
  readonly step: Step
  readonly reads: ReadonlySet<BufferId>
  readonly writes: ReadonlySet<BufferId>
}

const entryOf = (step: Step): Entry => ({
  step,
  reads: new Set(readsOf(step)),
  writes: new Set(writesOf(step)),
})

const meets = (a: ReadonlySet<BufferId>, b: ReadonlySet<BufferId>): boolean => {
  for (const id of a) if (b.has(id)) return true
  return false
}

/** The program with such maps made one, none of which touches more than `limit` buffers. */
export const mergeMaps = (program: Program, limit: number): Program => {
  const results = new Set(program.outputs)
  const done: Entry[] = []
  /** The entry that wrote each buffer last. */
  const writer = new Map<BufferId, Entry>()

  /** What can move down to where `entry` begins and become part of it, and the whole of both. */
  const partner = (entry: Entry): readonly [Entry, Entry] | undefined => {
    if (entry.step.kind !== 'map') return undefined
    for (const id of entry.reads) {
      const before = writer.get(id)
      if (before?.step.kind !== 'map' || !sameNumbers(before.step.shape, entry.step.shape)) continue
      if (meets(entry.writes, before.reads) || meets(entry.writes, before.writes)) continue
      const at = done.lastIndexOf(before)
      const between = done.slice(at + 1)
      const near = between.length <= reach || [...before.writes].every((one) => results.has(one))
      const blocked = between.some(
        ({ reads, writes }) =>
          meets(reads, before.writes) || meets(writes, before.writes) || meets(writes, before.reads),
      )
      if (!near || blocked) continue
      const whole = merged(before.step, entry.step)
      const both = whole && entryOf(whole)
      if (both !== undefined && both.reads.union(both.writes).size <= limit) return [before, both]
    }
    return undefined
  }

  for (const step of program.launches) {
    let entry = entryOf(step)
    for (let found = partner(entry); found !== undefined; found = partner(entry)) {
      done.splice(done.lastIndexOf(found[0]), 1)
      entry = found[1]
    }
    done.push(entry)
    for (const id of entry.writes) writer.set(id, entry)
  }
  return { ...program, launches: done.map(({ step }) => step) }
}
