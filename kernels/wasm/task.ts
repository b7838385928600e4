/** A program's launches as what is to be done in order: kernels compiled, neighbours that can run together joined. */
import type { Dtype } from '../dtype.ts'
import { compileLaunch } from '../javascript/launch.ts'
import type { MemoryPlan } from '../plan/index.ts'
import { isIdle } from '../plan/index.ts'
import type { BufferId, BufferSpec, Control, Launch, Program, Step } from '../program/index.ts'
import { flatLaunches, isControl, readsOf, writesOf } from '../program/index.ts'
import { Block } from './block.ts'
import type { Work } from './dispatch.ts'
import { grouped, touching } from './group.ts'
import type { Touched } from './group.ts'
import type { Kernel } from './kernel.ts'
import { kernelOf } from './launch.ts'
import type { Dispatch, Pool } from './pool.ts'
import type { CompiledKernel, Runtime } from './runtime.ts'
import { viewOf } from './view.ts'

/** Runs a part of the program, given the address of each buffer. */
export type Task = (addresses: Float64Array) => void

/** A launch of the program, ready to run by itself. */
export interface Job {
  readonly launch: number
  readonly task: Task
}

export interface Tasks {
  /** The whole program. */
  readonly all: readonly Task[]
  /** The same, each launch by itself. */
  readonly each: () => readonly Job[]
  /** Where kernels find addresses. */
  readonly block: Block
  /** How many tasks there are, those of loops as often as they run. */
  readonly dispatches: number
  /** What JavaScript runs, and why. */
  readonly onHost: readonly string[]
  /** Gives back what the tasks hold in memory. */
  readonly free: () => void
}

/** A step of the program: a launch with a kernel, or whatever else. */
type Item =
  | { readonly launch: number; readonly work: Work; readonly touched: Touched }
  | { readonly launch: number; readonly task: Task; readonly count: number }

const emptyView = new Uint8Array(0)

/** A launch that JavaScript runs on views of the memory. */
const hostTask = ({ memory }: Runtime, launch: Launch, buffers: readonly BufferSpec[]): Task => {
  const run = compileLaunch(launch, (id) => (buffers[id] as BufferSpec).dtype, buffers.length)
  const used = new Set([...readsOf(launch), ...writesOf(launch)])
  return (addresses) =>
    run(
      ...buffers.map(({ dtype, size }, id) =>
        used.has(id) ? viewOf(memory, dtype, addresses[id] as number, size) : emptyView,
      ),
    )
}

const inOrder =
  (tasks: readonly Task[]): Task =>
  (addresses) => {
    for (const task of tasks) task(addresses)
  }

export const tasksOf = (
  { runtime, pool }: { readonly runtime: Runtime; readonly pool: Pool },
  program: Program,
  plan: MemoryPlan,
): Tasks => {
  const { buffers, launches } = program
  const dtypeOf = (id: BufferId): Dtype => (buffers[id] as BufferSpec).dtype
  const flat = flatLaunches(launches)
  const kernels = flat.map((launch) => {
    const kernel = kernelOf(launch, dtypeOf, pool.threads())
    return kernel !== undefined && isIdle(launch, plan) ? { ...kernel, units: 0 } : kernel
  })
  const compiled = runtime.compile(
    kernels.filter((kernel) => kernel !== undefined && kernel.units > 0) as Kernel[],
  )
  const touchedBy = touching(program, plan)
  const wordsOf: number[][] = buffers.map(() => [])
  const size = kernels.reduce((n, kernel) => n + (kernel?.slots.length ?? 0), 0)
  const blockAddress = runtime.heap.allocate(4 * size)
  const held: Dispatch[] = []
  const onHost: string[] = []

  let [word, next, leaf] = [0, 0, 0]
  const leafItem = (launch: Launch, index: number): Item | undefined => {
    const kernel = kernels[leaf]
    const number = leaf++
    if (kernel === undefined) {
      onHost.push(`launch ${number} (${launch.kind}): it has no WebAssembly form and runs as JavaScript`)
      return { launch: index, task: hostTask(runtime, launch, buffers), count: 1 }
    }
    if (kernel.units === 0) return undefined
    const block = blockAddress + 4 * word
    for (const id of kernel.slots) wordsOf[id]?.push(word++)
    const { units, grain, cost } = kernel
    const work: Work = { kernel: compiled[next++] as CompiledKernel, block, units, grain, cost }
    return { launch: index, work, touched: touchedBy(launch) }
  }
  const first = (id: BufferId, addresses: Float64Array): number =>
    viewOf(runtime.memory, dtypeOf(id), addresses[id] as number, 1)[0] as number
  const controlItem = (control: Control, launch: number): Item => {
    const condition = control.kind === 'while' ? together(itemsOf(control.condition)) : nothingToDo
    const inside = together(itemsOf(control.launches))
    const count = condition.count + (control.kind === 'loop' ? control.count : 1) * inside.count
    const test = inOrder(condition.tasks)
    const body = inOrder(inside.tasks)
    switch (control.kind) {
      case 'loop':
        return {
          launch,
          count,
          task: (addresses) => {
            for (let round = 0; round < control.count; round++) body(addresses)
          },
        }
      case 'when':
        return {
          launch,
          count,
          task: (addresses) => {
            if (first(control.index, addresses) === control.value) body(addresses)
          },
        }
      case 'while':
        return {
          launch,
          count,
          task: (addresses) => {
            for (test(addresses); first(control.flag, addresses) !== 0; test(addresses)) body(addresses)
          },
        }
    }
  }
  const itemsOf = (steps: readonly Step[]): readonly Item[] =>
    steps.flatMap((step, index) => {
      const item = isControl(step) ? controlItem(step, index) : leafItem(step, index)
      return item === undefined ? [] : [item]
    })
  const dispatched = (works: readonly Work[]): Task => {
    const dispatch = pool.dispatch(works)
    held.push(dispatch)
    return dispatch.run
  }
  const nothingToDo = { tasks: [] as readonly Task[], count: 0 }
  const together = (items: readonly Item[]): typeof nothingToDo => {
    // What only the calling thread can run would keep all that runs with it from being shared.
    const groups = grouped(items, (item) =>
      'work' in item && !item.work.kernel.needsCaller ? item.touched : undefined,
    )
    const tasks = groups.map((group): Task => {
      const [one] = group as readonly [Item]
      return 'task' in one
        ? one.task
        : dispatched(group.flatMap((item) => ('work' in item ? [item.work] : [])))
    })
    const count = groups.reduce(
      (sum, [one]) => sum + (one !== undefined && 'count' in one ? one.count : 1),
      0,
    )
    return { tasks, count }
  }

  const items = itemsOf(launches)
  const { tasks, count } = together(items)
  let jobs: readonly Job[] | undefined
  return {
    all: tasks,
    each: () =>
      (jobs ??= items.map((item) => ({
        launch: item.launch,
        task: 'task' in item ? item.task : dispatched([item.work]),
      }))),
    block: new Block(runtime.memory, blockAddress, size, wordsOf),
    dispatches: count,
    onHost,
    free: () => {
      for (const dispatch of held) dispatch.free()
      runtime.heap.free(blockAddress, 4 * size)
    },
  }
}
