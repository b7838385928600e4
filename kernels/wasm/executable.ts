/** Programs made ready to run: launches compiled, memory planned, addresses written once. */
import { bytesOf } from '../dtype.ts'
import type { Executable, Memory, Profiled } from '../engine.ts'
import { apart, handoverOf } from '../handover.ts'
import type { Returned } from '../handover.ts'
import { planMemory, programPlan } from '../plan/index.ts'
import type { Span } from '../profile/index.ts'
import type { BufferId, Program } from '../program/index.ts'
import type { Arena } from './arena.ts'
import { inMegabytes } from './heap.ts'
import type { Pool } from './pool.ts'
import type { Runtime } from './runtime.ts'
import type { Store, WasmMemory } from './store.ts'
import { tasksOf } from './task.ts'
import type { Task } from './task.ts'

/** What programs of an engine share. */
export interface Machine {
  readonly runtime: Runtime
  readonly store: Store
  readonly pool: Pool
  readonly arena: Arena
}

export const executable = (
  machine: Machine,
  program: Program,
  whenGone: (f: object, free: () => void) => void,
): Executable => {
  const { runtime, store } = machine
  const { buffers, inputs, donated } = program
  const plan = planMemory(program)
  const { all, each, block, dispatches, onHost, free } = tasksOf(machine, program, plan)
  const addresses = new Float64Array(buffers.length)
  const temporaries = plan.placements.flatMap((placement, id) =>
    placement.kind === 'arena' ? [{ id, offset: placement.byteOffset }] : [],
  )
  const { returned, order, ending } = handoverOf(program, plan.placements)
  let arenaAddress = -1

  const copied = (memory: Memory): Memory => {
    const copy = store.allocate(memory.dtype, memory.size)
    const { address, bytes } = store.placeOf(memory)
    new Uint8Array(runtime.memory.buffer).copyWithin(copy.place.address, address, address + bytes)
    return copy
  }

  const newBytes = returned.reduce(
    (sum, { dtype, size: length, from }) => sum + (from === undefined ? length * bytesOf(dtype) : 0),
    0,
  )
  const results: WasmMemory[] = []
  /** Finds memory for temporaries and new results, or says what was asked for and leaves all as it was. */
  const claim = (): void => {
    try {
      if (plan.arenaBytes > 0) {
        const base = machine.arena.reserve(plan.arenaBytes)
        if (base !== arenaAddress) for (const { id, offset } of temporaries) addresses[id] = base + offset
        arenaAddress = base
      }
      for (let index = 0; index < returned.length; index++) {
        const { dtype, size: length, from } = returned[index] as Returned
        if (from === undefined) results[index] = store.allocate(dtype, length)
      }
    } catch (error) {
      for (const memory of results) if (memory !== undefined) store.release(memory)
      results.length = 0
      arenaAddress = -1
      const reason = error instanceof Error ? error.message : String(error)
      throw new Error(
        `wasm: the program does not fit and was not begun: it needs ${inMegabytes(plan.arenaBytes)} for temporaries and ${inMegabytes(newBytes)} for results; ${reason}`,
        { cause: error },
      )
    }
  }
  /** Runs the program, whose launches `go` runs once every address is known. */
  const around = (arguments_: readonly Memory[], go: () => void): readonly Memory[] => {
    const given = apart(donated, arguments_, copied)
    for (let position = 0; position < inputs.length; position++)
      addresses[inputs[position] as BufferId] = store.placeOf(given[position] as Memory).address
    claim()
    for (let index = 0; index < returned.length; index++) {
      const { id, dtype, size: length, from, takes } = returned[index] as Returned
      if (from !== undefined)
        results[index] = takes
          ? store.takeOver(given[from] as Memory, dtype, length)
          : (given[from] as WasmMemory)
      addresses[id] = (results[index] as WasmMemory).place.address
    }
    block.update(addresses)
    go()
    for (const position of ending) store.release(given[position] as Memory)
    const found = order.map((index) => results[index] as WasmMemory)
    results.length = 0
    return found
  }
  const every = (): void => {
    for (let index = 0; index < all.length; index++) (all[index] as Task)(addresses)
  }
  const run = (given: readonly Memory[]): readonly Memory[] => around(given, every)
  const profile = (given: readonly Memory[]): Profiled => {
    const spans: Span[] = []
    const jobs = each()
    const timed = (): void => {
      const begin = performance.now()
      for (const { launch, task } of jobs) {
        const start = performance.now()
        task(addresses)
        spans.push({ launch, start: start - begin, milliseconds: performance.now() - start })
      }
    }
    return { outputs: around(given, timed), spans: Promise.resolve(spans) }
  }
  whenGone(around, free)
  return { plan: { ...programPlan(program, plan.arenaBytes, onHost), dispatches }, run, profile }
}
