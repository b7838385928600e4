/** Transforms that scale updates, and weight decay. */
import { add, mul, neg, tree, zeros } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import { argumentError } from '../../core/error.ts'
import type { Schedule } from '../schedule/index.ts'
import type { Mask, Stateless, Transform } from './transform.ts'
import { stateless } from './transform.ts'

/** How many updates there have been: an int32 scalar. */
export interface Counted {
  readonly count: Tensor
}

export const zeroCount = (): Tensor => zeros([], 'int32')

export const nextCount = (count: Tensor): Tensor => add(count, 1)

/**
 * Updates times a number.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { scaleBy } from 'pullback/training'
 * const optimizer = scaleBy(2)
 * const params = { weight: tensor([[1, -2], [3, 4]]) }
 * const gradients = { weight: tensor([[1, 1], [-1, 0.5]]) }
 * const [updates] = optimizer.update(gradients, optimizer.init(params), params)
 * console.log(updates.weight) // => float32[2, 2] [[2, 2], [-2, 1]]
 * ```
 */
export const scaleBy = (factor: number): Transform<Stateless> =>
  stateless((gradients) => tree.map((x) => mul(x, factor), gradients))

/**
 * Updates times a schedule of the number of updates before: 0 at the first.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { scaleBySchedule, schedule } from 'pullback/training'
 * const optimizer = scaleBySchedule(schedule.exponential({ initial: 2, gamma: 0.5 }))
 * const params = { weight: tensor([[1, -2], [3, 4]]) }
 * const gradients = { weight: tensor([[1, 1], [-1, 0.5]]) }
 * const [updates] = optimizer.update(gradients, optimizer.init(params), params)
 * console.log(updates.weight) // => float32[2, 2] [[2, 2], [-2, 1]]
 * ```
 */
export const scaleBySchedule = (schedule: Schedule): Transform<Counted> => ({
  init: () => ({ count: zeroCount() }),
  update: (gradients, { count }) => {
    const factor = schedule(count)
    return [tree.map((x) => mul(x, factor), gradients), { count: nextCount(count) }]
  },
})

/**
 * Updates times minus the learning rate: downhill.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { scaleByLearningRate } from 'pullback/training'
 * const optimizer = scaleByLearningRate(0.1)
 * const params = { weight: tensor([[1, -2], [3, 4]]) }
 * const gradients = { weight: tensor([[1, 1], [-1, 0.5]]) }
 * const [updates] = optimizer.update(gradients, optimizer.init(params), params)
 * console.log(updates.weight) // => float32[2, 2] [[-0.1, -0.1], [0.1, -0.05]]
 * ```
 */
export const scaleByLearningRate = (rate: number | Schedule): Transform<Stateless | Counted> => {
  if (typeof rate === 'number' && !Number.isNaN(rate)) return scaleBy(-rate)
  if (typeof rate !== 'function')
    throw argumentError('learningRate', `expected a number or a schedule, got ${String(rate)}`)
  return scaleBySchedule(((step: Tensor) => neg(rate(step))) as Schedule)
}

/**
 * Adds `weightDecay` times each parameter to its update. Before an adaptive transform this is the L2 penalty, behind
 * it decoupled weight decay (Loshchilov and Hutter 2019).
 *
 * @param mask which parameters decay; all by default
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { addDecayedWeights } from 'pullback/training'
 * const optimizer = addDecayedWeights(0.1)
 * const params = { weight: tensor([[1, -2], [3, 4]]) }
 * const gradients = { weight: tensor([[1, 1], [-1, 0.5]]) }
 * const [updates] = optimizer.update(gradients, optimizer.init(params), params)
 * console.log(updates.weight) // => float32[2, 2] [[1.1, 0.8], [-0.7, 0.9]]
 * ```
 */
export const addDecayedWeights = (weightDecay: number, mask: Mask = () => true): Transform<Stateless> =>
  stateless((gradients, params) => {
    if (weightDecay === 0) return gradients
    const decays = new Map(tree.entries(params).map(([path, leaf]) => [path, mask(path, leaf)]))
    const paths = tree.pathsOf(gradients)
    let i = 0
    return tree.map(
      (x, p) => (decays.get(paths[i++] as string) === true ? add(x, mul(p as Tensor, weightDecay)) : x),
      gradients,
      params,
    )
  })
