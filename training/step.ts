/** One training step as a pure function: (state, batch) => [state, metrics]. */
import { add, div, jit, mul, random, tensor, tree, valueAndGradWithAux, zeros } from '../core/index.ts'
import type { Jitted, Key, Tensor } from '../core/index.ts'
import { argumentError } from '../core/error.ts'
import type { Mask, Transform } from './optimizer/index.ts'
import { applyUpdates, globalNorm } from './optimizer/index.ts'

/** All that a run is: with it and the data, the rest of the run is determined bit for bit. */
export interface TrainState<P> {
  readonly params: P
  /** What the optimizer remembers. */
  readonly optimizer: unknown
  /** The key of the run; step i uses `foldIn(key, i)`. It never changes. */
  readonly key: Key
  /** Steps done, int32: also the data cursor, as batches are a function of it. */
  readonly step: Tensor<readonly [], 'int32'>
}

/** Scalars that a step reports. */
export type Metrics = Readonly<Record<string, Tensor>>

/** What every step reports: the mean loss, and the norm of the gradients before they are clipped. */
export interface StepMetrics {
  readonly loss: Tensor
  readonly gradientNorm: Tensor
}

/** A tree of tensors of the same form, whatever is known of their shapes. */
type Alike<T> = T extends Tensor ? Tensor : T extends object ? { readonly [K in keyof T]: Alike<T[K]> } : T

/** Some of the parameters, by their names. */
export type Kept<P> = { readonly [K in keyof P]?: Alike<P[K]> }

/**
 * The loss of a batch, alone, or with metrics beside it, or with metrics and parts of the parameters that are not
 * learnt but said by the objective: the statistics of `batchNorm`. The key is fresh at each step, for dropout and
 * masking.
 */
export type Objective<P, B, M extends Metrics> = (
  params: P,
  batch: B,
  key: Key,
) => Tensor | readonly [loss: Tensor, metrics: M] | readonly [loss: Tensor, metrics: M, kept: Kept<P>]

/** The next state and the metrics. The given state's memory is taken over: it cannot be used again. */
export type Step<P, B, M extends Metrics = Metrics> = (
  state: TrainState<P>,
  batch: B,
) => readonly [state: TrainState<P>, metrics: StepMetrics & M]

export interface StepConfig<P, B, M extends Metrics> {
  readonly objective: Objective<P, B, M>
  readonly optimizer: Transform
  /** Which parameters are trained; all by default. Others stay as they are and cost no gradient. */
  readonly trainable?: Mask
}

/**
 * The state before the first step. With `trainable`, give the same mask to the step.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { initState, sgd } from 'pullback/training'
 * const state = initState({ weight: tensor([1, 2]) }, sgd({ learningRate: 0.1 }), random.key(0))
 * console.log(Object.keys(state), state.step) // => ['params', 'optimizer', 'key', 'step'] int32[] 0
 * ```
 */
export const initState = <P>(
  params: P,
  optimizer: Transform,
  key: Key,
  trainable: Mask = () => true,
): TrainState<P> => ({
  // copies, because a step takes over its state's memory and the caller may still need these
  params: tree.map(copy, params),
  optimizer: tree.map(copy, optimizer.init(tree.partition(trainable, params)[0])),
  key: copy(key),
  step: copy(zeros([], 'int32')),
})

/** The same numbers in memory of their own. */
const copy = <T extends Tensor>(x: T): T => jit((y: T) => add(y, 0) as unknown as T)(x)

interface Losses<P, M> {
  readonly loss: Tensor
  readonly metrics: M
  readonly kept: Kept<P>
  readonly gradients: P
}

const lossAndGradients = <P, B, M extends Metrics>(
  { objective, trainable = () => true }: StepConfig<P, B, M>,
  params: P,
  batch: B,
  key: Key,
): Losses<P, M> => {
  const [trained, frozen] = tree.partition(trainable, params)
  const run = (p: P): readonly [Tensor, readonly [M, Kept<P>]] => {
    const result = objective(tree.combine(p, frozen), batch, key)
    if (!isList(result)) return [result, [{} as M, {}]]
    const [value, metrics, kept = {}] = result
    return [value, [metrics, kept]]
  }
  const [loss, [metrics, kept], gradients] = valueAndGradWithAux(run)(trained)
  return { loss, metrics, kept, gradients }
}

const isList = <T extends readonly unknown[]>(x: Tensor | T): x is T => Array.isArray(x)

/** The parameters with what was kept in its places, which must be of the same form. */
const keeping = <P>(params: P, kept: Kept<P>): P => {
  const places = Object.entries(kept) as readonly (readonly [string, unknown])[]
  if (places.length === 0) return params
  const before = params as Readonly<Record<string, unknown>>
  const after = places.map(([name, value]) => {
    if (!Object.hasOwn(before, name))
      throw argumentError(
        'objective',
        `it keeps '${name}', which is none of ${Object.keys(before).join(', ')}`,
      )
    tree.map(checkForm, before[name], value)
    return [name, value]
  })
  return { ...params, ...(Object.fromEntries(after) as Partial<P>) }
}

const checkForm = (before: Tensor, after: Tensor): Tensor => {
  if (String(before) !== String(after))
    throw argumentError('objective', `what it keeps must have the form of before, ${before} became ${after}`)
  return after
}

/** The state after an update by these gradients of the trained parameters. */
export const advance = <P>(
  { optimizer, trainable = () => true }: Pick<StepConfig<P, never, never>, 'optimizer' | 'trainable'>,
  state: TrainState<P>,
  gradients: P,
): TrainState<P> => {
  const [trained, frozen] = tree.partition(trainable, state.params)
  const [updates, remembered] = optimizer.update(gradients, state.optimizer, trained)
  return {
    params: tree.combine(applyUpdates(trained, updates), frozen),
    optimizer: remembered,
    key: state.key,
    step: add(state.step, 1) as TrainState<P>['step'],
  }
}

/**
 * A step, compiled: loss, gradients, update and metrics are one program, and the state's memory is reused for the
 * next state.
 *
 * @example
 * ```ts
 * import { item, mul, random, sub, sum, tensor } from 'pullback'
 * import type { Tensor } from 'pullback'
 * import { initState, makeStep, sgd } from 'pullback/training'
 * const optimizer = sgd({ learningRate: 0.25 })
 * const objective = (w: Tensor, target: Tensor) => sum(mul(sub(w, target), sub(w, target)))
 * const step = makeStep({ objective, optimizer })
 * const [state] = step(initState(tensor([0, 0]), optimizer, random.key(0)), tensor([2, 4]))
 * console.log(await item(sum(state.params))) // 3
 * ```
 */
export const makeStep = <P, B, M extends Metrics = Readonly<Record<never, Tensor>>>(
  config: StepConfig<P, B, M>,
): Jitted<[state: TrainState<P>, batch: B], readonly [state: TrainState<P>, metrics: StepMetrics & M]> =>
  jit(
    (state: TrainState<P>, batch: B) => {
      const key = random.foldIn(state.key, state.step)
      const { loss, metrics, kept, gradients } = lossAndGradients(config, state.params, batch, key)
      const reported = { loss, gradientNorm: globalNorm(gradients), ...metrics }
      const next = advance(config as never, state, gradients)
      return [{ ...next, params: keeping(next.params, kept) }, reported] as const
    },
    { donate: [0] },
  )

export interface AccumulatingConfig<P, B, M extends Metrics> extends StepConfig<P, B, M> {
  /**
   * How much a micro-batch's loss counts: 1 by default. With a loss that is a mean over tokens, the number of tokens
   * makes the step equal to one on all micro-batches at once.
   */
  readonly weight?: (batch: B) => Tensor
}

/**
 * A step over several micro-batches whose gradients are averaged, and so is what the objective keeps: one
 * micro-batch's activations at a time are in memory. Micro-batch j of step i uses `foldIn(foldIn(key, i), j)`.
 *
 * @example
 * ```ts
 * import { random, square, sub, sum, Tensor, tensor } from 'pullback'
 * import { initState, makeAccumulatingStep, sgd } from 'pullback/training'
 * const optimizer = sgd({ learningRate: 0.25 })
 * const objective = (w: Tensor, target: Tensor) => sum(square(sub(w, target)))
 * const step = makeAccumulatingStep({ objective, optimizer })
 * const [state] = step(initState<Tensor>(tensor([0]), optimizer, random.key(0)), [tensor([2]), tensor([4])])
 * console.log(state.params) // => float32[1] [1.5]
 * ```
 */
export const makeAccumulatingStep = <P, B, M extends Metrics = Readonly<Record<never, Tensor>>>(
  config: AccumulatingConfig<P, B, M>,
): Step<P, readonly B[], M> => {
  interface Sums {
    readonly gradients: P
    readonly metrics: { readonly loss: Tensor } & M
    readonly kept: Kept<P>
    readonly weight: Tensor
  }
  const measure = (params: P, key: Key, step: Tensor, batch: B, index: Tensor): Sums => {
    const own = random.foldIn(random.foldIn(key, step), index)
    const { loss, metrics, kept, gradients } = lossAndGradients(config, params, batch, own)
    const weight = config.weight?.(batch) ?? add(zeros([]), 1)
    const weighted = <T>(values: T): T => tree.map((x) => mul(x, weight), values)
    return {
      gradients: weighted(gradients),
      metrics: weighted({ loss, ...metrics }),
      kept: weighted(kept),
      weight,
    }
  }
  const first = jit(measure)
  const further = jit(
    (sums: Sums, ...rest: Parameters<typeof measure>) => tree.map(add, sums, measure(...rest)),
    { donate: [0] },
  )
  const finish = jit(
    (state: TrainState<P>, { gradients, metrics, kept, weight }: Sums) => {
      const averaged = <T>(values: T): T => tree.map((x) => div(x, weight), values)
      const mean = averaged(gradients)
      const reported = { gradientNorm: globalNorm(mean), ...averaged(metrics) }
      const next = advance(config as never, state, mean)
      return [{ ...next, params: keeping(next.params, averaged(kept)) }, reported] as const
    },
    { donate: [0, 1] },
  )
  return (state, batches) => {
    const [head, ...rest] = batches
    if (head === undefined)
      throw argumentError('makeAccumulatingStep', 'expected at least one micro-batch, got none')
    const { params, key, step } = state
    const sums = rest.reduce<Sums>(
      (before, batch, j) => further(before, params, key, step, batch, tensor(j + 1, { dtype: 'int32' })),
      first(params, key, step, head, tensor(0, { dtype: 'int32' })),
    )
    return finish(state, sums)
  }
}
