/** Where the time of a compiled program goes, as a Chrome trace. */
import type { LaunchFact } from './launch.ts'
import type { Profile } from './run.ts'

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
