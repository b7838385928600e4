/** A whole training step, measured in this process: time, tokens, compilation and peak memory. */
import { item, withEngine } from '../../core/index.ts'
import { compileTimeOf, median } from '../clock.ts'
import { trialOf } from '../load.ts'
import type { LoadName } from '../size.ts'
import { loads } from '../size.ts'
import { openEngine } from './engine.ts'

/** One line of `npm run bench -- step --json`. */
export interface StepLine {
  readonly load: string
  readonly engine: string
  readonly threads: number
  readonly msPerStep: number
  readonly tokensPerSecond: number
  /** What the first step takes beyond the quickest: tracing and compiling. */
  readonly compileMs: number
  /** The most memory that the whole process has held. */
  readonly peakBytes: number
}

export interface StepOptions {
  readonly load: LoadName
  readonly engine: string
  readonly threads: number
  readonly seconds: number
}

export const measureStep = async ({ load, engine, threads, seconds }: StepOptions): Promise<StepLine> => {
  const opened = await openEngine(engine, threads)
  const trial = trialOf(loads[load])
  let { state } = trial
  const turn = async (): Promise<number> => {
    const before = performance.now()
    const [next, { loss }] = withEngine(opened, () => trial.step(state, trial.batch))
    state = next
    const value = await item(loss)
    if (!Number.isFinite(value)) throw new Error(`bench: the loss is ${value}`)
    return performance.now() - before
  }
  const first = await turn()
  for (let warm = 0; warm < 3; warm++) await turn()
  const times: number[] = []
  const start = performance.now()
  while (times.length < 5 || performance.now() - start < seconds * 1e3) times.push(await turn())
  const msPerStep = median(times)
  const peakBytes = process.resourceUsage().maxRSS * 1024
  await opened.close()
  return {
    load,
    engine,
    threads,
    msPerStep,
    tokensPerSecond: (trial.tokens / msPerStep) * 1e3,
    compileMs: compileTimeOf(first, times),
    peakBytes,
  }
}
