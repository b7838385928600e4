/** What runs here: the data of `pullback doctor`, and its text. */
import { either as E } from 'fp-ts'
import { chooseEngineAsync, openPrepared } from './choose.ts'
import type { Candidate } from './choose.ts'
import type { EngineRow } from './registry.ts'
import { engines } from './registry.ts'

export interface Machine {
  /** `Node 24.1.0 on linux x64`, or the browser's own description. */
  readonly runtime: string
  readonly processor: string
  readonly cores: number
  /** Bytes of memory; `undefined` where it is not told. */
  readonly memory: number | undefined
}

export interface EngineReport {
  /** As it could be named, like `gpujs:cpu`. */
  readonly name: string
  readonly purpose: string
  readonly available: boolean
  /** What would run, or why it cannot. */
  readonly detail: string
}

export interface Diagnosis {
  readonly machine: Machine
  readonly engines: readonly EngineReport[]
  /** What would be chosen now and why, or why nothing can be. */
  readonly choice: E.Either<
    string,
    { readonly name: string; readonly why: string; readonly candidates: readonly Candidate[] }
  >
}

interface Surroundings {
  readonly process?: NodeJS.Process
  readonly navigator?: Navigator & { readonly deviceMemory?: number }
}

/**
 * The machine as far as the runtime tells; works in Node and in browsers.
 *
 * @example
 * ```ts
 * import { machine } from 'pullback/kernels'
 * console.log(machine().cores > 0) // => true
 * ```
 */
export const machine = (): Machine => {
  const { process, navigator } = globalThis as Surroundings
  const os = process?.getBuiltinModule?.('node:os')
  if (process !== undefined && os !== undefined) {
    const cpus = os.cpus()
    return {
      runtime: `Node ${process.versions.node} on ${process.platform} ${process.arch}`,
      processor: cpus[0]?.model.trim() || 'unknown',
      cores: cpus.length,
      memory: os.totalmem(),
    }
  }
  return {
    runtime: navigator?.userAgent ?? 'unknown',
    processor: 'unknown',
    cores: navigator?.hardwareConcurrency ?? 1,
    memory: navigator?.deviceMemory === undefined ? undefined : navigator.deviceMemory * 2 ** 30,
  }
}

const report = async (row: EngineRow, variant: string | undefined): Promise<EngineReport> => {
  const opened = await openPrepared(row, variant)
  const name = variant === undefined ? row.name : `${row.name}:${variant}`
  const about = { name, purpose: row.purpose, available: E.isRight(opened) }
  if (E.isLeft(opened)) return { ...about, detail: opened.left }
  const { detail } = opened.right
  await opened.right.close()
  return { ...about, detail }
}

/**
 * Opens and closes every engine in every variant, and tells what would be chosen (`named` as in `chooseEngine`).
 *
 * @example
 * ```ts
 * import { diagnose } from 'pullback/kernels'
 * const { engines, choice } = await diagnose('reference')
 * console.log(engines.length > 0, choice._tag === 'Right' && choice.right.name) // => true reference
 * ```
 */
export const diagnose = async (named?: string, rows: readonly EngineRow[] = engines): Promise<Diagnosis> => {
  const reports: EngineReport[] = []
  for (const row of rows)
    for (const variant of [undefined, ...row.variants]) reports.push(await report(row, variant))
  const choice = await chooseEngineAsync(named, rows)
  if (E.isLeft(choice)) return { machine: machine(), engines: reports, choice }
  const { engine, name, why, candidates } = choice.right
  await engine.close()
  return { machine: machine(), engines: reports, choice: E.right({ name, why, candidates }) }
}

/**
 * The diagnosis as text, one fact a line.
 *
 * @example
 * renderDiagnosis(await diagnose())
 * // runtime    Node 24.1.0 on linux x64
 * // …
 * // chosen     wasm, the best that works here
 */
export const renderDiagnosis = ({ machine: here, engines: reports, choice }: Diagnosis): string => {
  const line = (label: string, value: string): string => `${label.padEnd(11)}${value}`
  const memory = here.memory === undefined ? 'unknown' : `${(here.memory / 2 ** 30).toFixed(1)} GiB`
  const width = Math.max(0, ...reports.map(({ name }) => name.length)) + 2
  return [
    line('runtime', here.runtime),
    line('processor', `${here.processor}, ${here.cores} ${here.cores === 1 ? 'core' : 'cores'}`),
    line('memory', memory),
    '',
    'engines',
    ...reports.map(
      ({ name, available, detail }) => `  ${available ? 'yes' : 'no '}  ${name.padEnd(width)}${detail}`,
    ),
    '',
    E.isLeft(choice)
      ? line('chosen', `none: ${choice.left}`)
      : line('chosen', `${choice.right.name}, ${choice.right.why}`),
  ].join('\n')
}
