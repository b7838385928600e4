/** Where the time of a compiled program goes, as rows of a table. */
import type { Step } from '../program/index.ts'
import type { LaunchFact } from './launch.ts'
import type { Profile } from './run.ts'
import { sum } from './sum.ts'

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
