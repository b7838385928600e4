/** Where the time of a compiled program goes: each launch timed, as rows of a table and as a Chrome trace. */
import { bytesOf } from './dtype.ts'
import { flopsOf, overLaunches } from './plan.ts'
import type { Control, Launch, Operand, Program, Step, View } from './program/index.ts'
import { attentionParts, flatLaunches, insideOf, isControl, sizeOf } from './program/index.ts'

/** One launch that has run. */
export interface Span {
  /** Its index in the program's launches. */
  readonly launch: number
  /** Milliseconds from the start of the run. */
  readonly start: number
  readonly milliseconds: number
}

/** What is known of a launch before it runs. */
export interface LaunchFact {
  /** Launches of the same work have the same name: `matmul 1024×256×768: add`. */
  readonly name: string
  readonly kind: Step['kind']
  readonly flops: number
  /** Bytes of distinct elements that it reads and writes. */
  readonly bytes: number
}

/** Runs of one program with the times of its launches. */
export interface Profile {
  /** The engine, and what really ran. */
  readonly engine: string
  readonly detail: string
  readonly launches: readonly LaunchFact[]
  readonly runs: readonly (readonly Span[])[]
}

const times = (shape: readonly number[]): string => (shape.length === 0 ? '1' : shape.join('×'))

/** The different operations of a body, in order of appearance. */
const operationsOf = (body: readonly { readonly op: string }[]): string =>
  [...new Set(body.map(({ op }) => op))]
    .filter((op) => op !== 'read' && op !== 'fold' && op !== 'constant')
    .join(' ')

const withOperations = (name: string, body: readonly { readonly op: string }[]): string => {
  const operations = operationsOf(body)
  return operations === '' ? name : `${name}: ${operations}`
}

/** A launch in a few words: what it does over which shape. */
export const launchName = (launch: Launch): string => {
  switch (launch.kind) {
    case 'map':
      return withOperations(`map ${times(launch.shape)}`, launch.body)
    case 'reduce': {
      const folds = launch.folds.map(({ op }) => op).join(' ')
      return withOperations(
        `reduce ${times(launch.outer)} of ${times(launch.inner)} by ${folds || 'nothing'}`,
        launch.body,
      )
    }
    case 'matmul': {
      const { batch, rows, inner, columns, body } = launch
      const lead = batch.length === 0 ? '' : `${times(batch)} of `
      return withOperations(`matmul ${lead}${rows}×${inner}×${columns}`, body)
    }
    case 'scatter':
      return withOperations(`scatter ${launch.op} ${times(launch.shape)}`, launch.body)
    case 'sort':
      return `sort ${times([...launch.outer, launch.length])}`
    case 'scan':
      return `scan ${launch.op} ${times([...launch.outer, launch.length])}`
    case 'attention':
    case 'attentionGradient': {
      const { kind, batch, queries, keys, width, causal } = launch
      const name = kind === 'attention' ? 'attention' : 'attention gradient'
      return `${name} ${times([...batch, queries])} to ${keys} of ${width}${causal === undefined ? '' : ', causal'}`
    }
    case 'custom':
      return `custom ${launch.size}`
  }
}

/** Bytes of the elements that a view can touch, each counted once. */
const bytesOfView = (program: Program, view: View, shape: readonly number[], gathered: boolean): number => {
  const { dtype, size } = program.buffers[view.buffer] as Program['buffers'][number]
  const moved = gathered ? shape : shape.filter((_, axis) => view.strides[axis] !== 0)
  return bytesOf(dtype) * Math.min(size, sizeOf(moved))
}

const bytesOfOperand = (program: Program, operand: Operand, shape: readonly number[]): number => {
  if (operand.kind === 'iota') return 0
  const { at = [] } = operand
  const own = bytesOfView(program, operand, shape, at.length > 0)
  return at.reduce((sum, { index }) => sum + bytesOfView(program, index, shape, false), own)
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

/** Bytes of distinct elements that a launch reads and writes. */
export const trafficOf = (program: Program, launch: Launch): number => {
  const read = (operands: readonly Operand[], shape: readonly number[]): number =>
    sum(operands.map((operand) => bytesOfOperand(program, operand, shape)))
  const view = (one: View, shape: readonly number[]): number => bytesOfView(program, one, shape, false)
  switch (launch.kind) {
    case 'map':
      return (
        read(launch.operands, launch.shape) +
        sum(launch.outputs.map(({ target }) => view(target, launch.shape)))
      )
    case 'reduce': {
      const all = [...launch.outer, ...launch.inner]
      const written = launch.outputs.map(({ target, over }) =>
        view(target, over === 'outer' ? launch.outer : all),
      )
      return read(launch.operands, all) + sum(written)
    }
    case 'matmul': {
      const { batch, rows, inner, columns, a, b, operands, outputs } = launch
      const out = [...batch, rows, columns]
      const factors = view(a, [...batch, rows, inner]) + view(b, [...batch, inner, columns])
      return factors + read(operands, out) + sum(outputs.map(({ target }) => view(target, out)))
    }
    case 'scatter': {
      const { shape, operands, target, at } = launch
      const indices = sum(at.map(({ index }) => view(index, shape)))
      return read(operands, shape) + indices + 2 * bytesOfView(program, target, shape, at.length > 0)
    }
    case 'sort':
    case 'scan': {
      const shape = [...launch.outer, launch.length]
      return view(launch.input, shape) + view(launch.target, shape)
    }
    case 'attention':
    case 'attentionGradient': {
      const { reads, writes } = attentionParts(launch)
      const { batch, queries, keys, operands } = launch
      const parts = [...reads, ...writes].map(([, one, shape]) => view(one, shape))
      return sum(parts) + read(operands, [...batch, queries, keys])
    }
    case 'custom':
      return sum(
        [...launch.inputs, launch.target].map((id) => {
          const { dtype, size } = program.buffers[id] as Program['buffers'][number]
          return bytesOf(dtype) * size
        }),
      )
  }
}

const controlName = (control: Control): string => {
  const inside = `${flatLaunches(insideOf(control)).length} launches`
  if (control.kind === 'loop') return `loop ${control.count} × ${inside}`
  return control.kind === 'while' ? `while ${inside}` : `when ${control.value}: ${inside}`
}

/**
 * What can be told of every launch of a program without running it.
 *
 * @example
 * ```ts
 * import { launchFacts } from 'pullback/kernels'
 * import type { Program } from 'pullback/kernels'
 * // y = x + 1, for three numbers
 * const view = { strides: [1], offset: 0 }
 * const program: Program = {
 *   buffers: [{ dtype: 'float32', size: 3 }, { dtype: 'float32', size: 3 }],
 *   inputs: [0],
 *   outputs: [1],
 *   donated: [],
 *   launches: [
 *     {
 *       kind: 'map',
 *       shape: [3],
 *       operands: [{ kind: 'buffer', buffer: 0, ...view }],
 *       body: [
 *         { op: 'read', index: 0, dtype: 'float32' },
 *         { op: 'constant', value: 1, dtype: 'float32' },
 *         { op: 'add', args: [0, 1], dtype: 'float32' },
 *       ],
 *       outputs: [{ target: { buffer: 1, ...view }, value: 2 }],
 *     },
 *   ],
 * }
 * console.log(launchFacts(program)[0]) // => { name: 'map 3: add', kind: 'map', flops: 3, bytes: 24 }
 * ```
 */
export const launchFacts = (program: Program): readonly LaunchFact[] =>
  program.launches.map((step) => ({
    name: isControl(step) ? controlName(step) : launchName(step),
    kind: step.kind,
    flops: overLaunches([step], flopsOf),
    bytes: overLaunches([step], (launch) => trafficOf(program, launch)),
  }))

/**
 * Several profiles of the same program as one with all their runs.
 *
 * @example
 * ```ts
 * import { exp, jit, sum, tensor } from 'pullback'
 * import type { Tensor } from 'pullback'
 * import { joinProfiles } from 'pullback/kernels'
 * const f = jit((x: Tensor) => sum(exp(x)))
 * const [, profile] = await f.profile(tensor([1, 2, 3]))
 * console.log(joinProfiles(profile, profile).runs.length) // => 2
 * ```
 */
export const joinProfiles = (first: Profile, ...others: readonly Profile[]): Profile => ({
  ...first,
  runs: [...first.runs, ...others.flatMap(({ runs }) => runs)],
})

/** What one run spends on all launches of one name. */
export interface KernelRow {
  readonly name: string
  readonly kind: Step['kind']
  /** Launches in a run. */
  readonly calls: number
  /** Milliseconds in a run: each launch's median over the runs, added up. */
  readonly milliseconds: number
  /** The part of all milliseconds, 0 to 1. */
  readonly share: number
  readonly flops: number
  readonly gflops: number
  readonly bytes: number
  readonly gigabytesPerSecond: number
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

/**
 * One row for each kernel, the longest first.
 *
 * @example
 * ```ts
 * import { exp, jit, sum, tensor } from 'pullback'
 * import type { Tensor } from 'pullback'
 * import { kernelTable } from 'pullback/kernels'
 * const f = jit((x: Tensor) => sum(exp(x)))
 * const [, profile] = await f.profile(tensor([1, 2, 3]))
 * console.log(kernelTable(profile).length) // => 1
 * ```
 */
export const kernelTable = ({ launches, runs }: Profile): readonly KernelRow[] => {
  const seen = launches.map((): number[] => [])
  for (const run of runs) for (const { launch, milliseconds } of run) seen[launch]?.push(milliseconds)
  const spent = seen.map(median)
  const total = sum(spent)
  const groups = Map.groupBy(
    launches.map((fact, index) => ({ ...fact, milliseconds: spent[index] as number })),
    ({ name }) => name,
  )
  return [...groups]
    .map(([name, group]): KernelRow => {
      const milliseconds = sum(group.map((one) => one.milliseconds))
      const [flops, bytes] = [sum(group.map((one) => one.flops)), sum(group.map((one) => one.bytes))]
      const rate = (amount: number): number => (milliseconds > 0 ? amount / milliseconds / 1e6 : 0)
      return {
        name,
        kind: (group[0] as LaunchFact).kind,
        calls: group.length,
        milliseconds,
        share: total > 0 ? milliseconds / total : 0,
        flops,
        gflops: rate(flops),
        bytes,
        gigabytesPerSecond: rate(bytes),
      }
    })
    .sort((a, b) => b.milliseconds - a.milliseconds)
}

/**
 * The table as text, `limit` rows of it.
 *
 * @example
 * ```ts
 * import { exp, jit, sum, tensor } from 'pullback'
 * import type { Tensor } from 'pullback'
 * import { renderProfile } from 'pullback/kernels'
 * const f = jit((x: Tensor) => sum(exp(x)))
 * const [, profile] = await f.profile(tensor([1, 2, 3]))
 * console.log(renderProfile(profile, 3).includes('launch')) // => true
 * ```
 */
export const renderProfile = (profile: Profile, limit: number = Infinity): string => {
  const rows = kernelTable(profile)
  const total = sum(rows.map(({ milliseconds }) => milliseconds))
  const cells = rows
    .slice(0, limit)
    .map(({ name, calls, milliseconds, share, gflops, bytes, gigabytesPerSecond }) => [
      milliseconds.toFixed(3),
      `${(100 * share).toFixed(1)}%`,
      String(calls),
      gflops.toFixed(1),
      (bytes / 1e6).toFixed(2),
      gigabytesPerSecond.toFixed(1),
      name.length > 100 ? `${name.slice(0, 99)}…` : name,
    ])
  const all = [['ms', 'share', 'calls', 'GFLOP/s', 'MB', 'GB/s', 'kernel'], ...cells]
  const widths = all[0]?.map((_, column) => Math.max(...all.map((row) => (row[column] as string).length)))
  const lines = all.map((row) =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : cell.padStart(widths?.[column] ?? 0)))
      .join('  '),
  )
  return [
    `${profile.engine}: ${profile.detail}`,
    `${total.toFixed(3)} ms in ${profile.launches.length} launches, medians of ${profile.runs.length} runs`,
    ...lines,
  ].join('\n')
}

/** The JSON of chrome://tracing and of Perfetto (Trace Event Format, complete events), times in microseconds. */
export interface ChromeTrace {
  readonly displayTimeUnit: 'ms'
  readonly traceEvents: readonly {
    readonly name: string
    readonly cat: string
    readonly ph: 'X'
    readonly ts: number
    readonly dur: number
    readonly pid: number
    readonly tid: number
    readonly args: Readonly<Record<string, number>>
  }[]
}

/**
 * Every launch of every run, one run behind the other.
 *
 * @example
 * ```ts
 * import { exp, jit, sum, tensor } from 'pullback'
 * import type { Tensor } from 'pullback'
 * import { chromeTrace } from 'pullback/kernels'
 * const f = jit((x: Tensor) => sum(exp(x)))
 * const [, profile] = await f.profile(tensor([1, 2, 3]))
 * console.log(chromeTrace(profile).traceEvents.length > 0) // => true
 * ```
 */
export const chromeTrace = ({ launches, runs }: Profile): ChromeTrace => {
  let from = 0
  const traceEvents = runs.flatMap((run, index) => {
    const start = from
    from += run.reduce((end, { start: at, milliseconds }) => Math.max(end, at + milliseconds), 0)
    return run.map(({ launch, start: at, milliseconds }) => {
      const { name, kind, flops, bytes } = launches[launch] as LaunchFact
      const gflops = milliseconds > 0 ? flops / milliseconds / 1e6 : 0
      return {
        name,
        cat: kind,
        ph: 'X' as const,
        ts: (start + at) * 1e3,
        dur: milliseconds * 1e3,
        pid: 1,
        tid: 1,
        args: { run: index, launch, flops, bytes, gflops },
      }
    })
  })
  return { displayTimeUnit: 'ms', traceEvents }
}
