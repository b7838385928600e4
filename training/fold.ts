/** Training as a fold of a step over batches, and evaluation as a fold of sums. */
import { jit, toArray } from '../core/index.ts'
import type { Tensor } from '../core/index.ts'
import { nextTurn } from '../core/turn.ts'
import type { Portion } from './portion.ts'
import type { Metrics, Step, StepMetrics, TrainState } from './step.ts'

/** The data of a run: the batch of each step, 0 first. Pure, so that a run can resume anywhere. */
export type Batches<B> = (step: number) => B | Promise<B>

export interface FoldConfig<P, B, M extends Metrics> {
  readonly step: Step<P, B, M>
  readonly state: TrainState<P>
  readonly batches: Batches<B>
  /** The run ends when this many steps are done, those before `state` included. */
  readonly steps: number
  /** Ends the fold after the step that is running when it is aborted. */
  readonly signal?: AbortSignal
}

/** What a fold tells after each step. */
export interface Progress<P, M extends Metrics> {
  /** Steps done. */
  readonly step: number
  /** The state now. The next step takes over its memory: use it (save it, evaluate) before asking for more. */
  readonly state: TrainState<P>
  readonly metrics: StepMetrics & M
}

/**
 * The steps of a run, one at a time, as many as the consumer asks for; returns the last state. It starts at the
 * step that the state has reached.
 *
 * @example
 * ```ts
 * import { random, sub, square, sum, tensor } from 'pullback'
 * import type { Tensor } from 'pullback'
 * import { fold, initState, makeStep, readMetrics, sgd } from 'pullback/training'
 * const optimizer = sgd({ learningRate: 0.1 })
 * const step = makeStep({ objective: (w: Tensor, x: Tensor) => sum(square(sub(w, x))), optimizer })
 * const state = initState(tensor([0]), optimizer, random.key(0))
 * for await (const { step: done, metrics } of fold({ step, state, batches: () => tensor([1]), steps: 3 }))
 *   console.log(done, (await readMetrics(metrics)).loss) // 1 1, then 2 0.64, then 3 0.4096
 * ```
 */
export async function* fold<P, B, M extends Metrics>(
  config: FoldConfig<P, B, M>,
): AsyncGenerator<Progress<P, M>, TrainState<P>, void> {
  const { batches, steps, signal } = config
  let { state } = config
  for (let i = (await toArray(state.step))[0] as number; i < steps; i++) {
    if (signal?.aborted === true) break
    const [next, metrics] = config.step(state, await batches(i))
    state = next
    yield { step: i + 1, state, metrics }
    await nextTurn()
  }
  return state
}

/**
 * The numbers of a record of scalars.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { readMetrics } from 'pullback/training'
 * console.log(await readMetrics({ loss: tensor(0.5), norm: tensor(2) })) // => { loss: 0.5, norm: 2 }
 * ```
 */
export const readMetrics = async <M extends object>(
  metrics: M,
): Promise<{ readonly [K in keyof M]: number }> => {
  const entries = Object.entries(metrics as Readonly<Record<string, Tensor>>)
  const numbers = await Promise.all(entries.map(async ([name, x]) => [name, (await toArray(x))[0]] as const))
  return Object.fromEntries(numbers) as { readonly [K in keyof M]: number }
}

/**
 * Means over a whole data set: `measure` gives for each name the total and the count of a batch; totals and counts
 * are added over the batches and divided at the end, so that batches of different sizes count as they should.
 *
 * @param measure compiled here; give it outputs of the model in evaluation mode
 * @example
 * ```ts
 * import { add, Tensor, tensor } from 'pullback'
 * import { accuracyPortion, evaluate } from 'pullback/training'
 * const measure = (bias: Tensor, { x, labels }: { readonly x: Tensor; readonly labels: Tensor }) => ({
 *   accuracy: accuracyPortion(add(x, bias), labels),
 * })
 * const batch = { x: tensor([[2, 0], [0, 1]]), labels: tensor([0, 0], { dtype: 'int32' }) }
 * console.log(await evaluate(measure, tensor([0, 0]), [batch, batch])) // => { accuracy: 0.5 }
 * ```
 */
export const evaluate = async <P, B, N extends string>(
  measure: (params: P, batch: B) => Readonly<Record<N, Portion>>,
  params: P,
  batches: Iterable<B> | AsyncIterable<B>,
): Promise<Readonly<Record<N, number>>> => {
  const compiled = jit(measure)
  const sums = new Map<N, readonly [number, number]>()
  for await (const batch of batches) {
    const measured = Object.entries(compiled(params, batch)) as unknown as (readonly [N, Portion])[]
    for (const [name, [total, count]] of measured) {
      const [t, c] = sums.get(name) ?? [0, 0]
      const [[more], [n]] = await Promise.all([toArray(total), toArray(count)])
      sums.set(name, [t + (more as number), c + (n as number)])
    }
  }
  return Object.fromEntries([...sums].map(([name, [total, count]]) => [name, total / count])) as Record<
    N,
    number
  >
}
