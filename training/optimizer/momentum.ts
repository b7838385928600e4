/** Momentum and the optimizers that need no more. */
import { add, equal, mul, tree, where, zerosLike } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import type { Schedule } from '../schedule/index.ts'
import type { Counted } from './scale.ts'
import { addDecayedWeights, nextCount, scaleByLearningRate, zeroCount } from './scale.ts'
import type { Mask, Transform } from './transform.ts'
import { chain, identity } from './transform.ts'

export interface TraceConfig {
  /** What is kept of the velocity at each step. */
  readonly momentum: number
  /** How much of each gradient is left out of the velocity (but for the first); 0 by default. */
  readonly dampening?: number
  /** Looks ahead by one step of the velocity (Nesterov 1983, in Sutskever's form). */
  readonly nesterov?: boolean
}

export interface TraceState extends Counted {
  readonly velocity: unknown
}

/**
 * The velocity, v ← momentum · v + (1 - dampening) · g, begun at the first gradient, as in PyTorch.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { trace } from 'pullback/training'
 * const optimizer = trace({ momentum: 0.9 })
 * const params = { weight: tensor([[1, -2], [3, 4]]) }
 * const gradients = { weight: tensor([[1, 1], [-1, 0.5]]) }
 * const [updates] = optimizer.update(gradients, optimizer.init(params), params)
 * console.log(updates.weight) // => float32[2, 2] [[1, 1], [-1, 0.5]]
 * ```
 */
export const trace = ({ momentum, dampening = 0, nesterov = false }: TraceConfig): Transform<TraceState> => ({
  init: (params) => ({ count: zeroCount(), velocity: tree.map(zerosLike, params) }),
  update: (gradients, { count, velocity }) => {
    const isFirst = equal(count, 0)
    const fresh = (g: Tensor): Tensor => (dampening === 0 ? g : mul(g, where(isFirst, 1, 1 - dampening)))
    const next = tree.map((g, v) => add(mul(v as Tensor, momentum), fresh(g)), gradients, velocity)
    const updates = nesterov ? tree.map((g, v) => add(g, mul(v as Tensor, momentum)), gradients, next) : next
    return [updates, { count: nextCount(count), velocity: next }]
  },
})

export interface SgdConfig {
  readonly learningRate: number | Schedule
  readonly momentum?: number
  readonly dampening?: number
  readonly nesterov?: boolean
  /** The L2 penalty's factor; 0 by default. */
  readonly weightDecay?: number
  /** Which parameters decay; all by default. */
  readonly mask?: Mask
}

/**
 * Stochastic gradient descent: `torch.optim.SGD`.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { sgd } from 'pullback/training'
 * const optimizer = sgd({ learningRate: 0.1, momentum: 0.9 })
 * const params = { weight: tensor([[1, -2], [3, 4]]) }
 * const gradients = { weight: tensor([[1, 1], [-1, 0.5]]) }
 * const [updates] = optimizer.update(gradients, optimizer.init(params), params)
 * console.log(updates.weight) // => float32[2, 2] [[-0.1, -0.1], [0.1, -0.05]]
 * ```
 */
export const sgd = (config: SgdConfig): Transform => {
  const { learningRate, momentum = 0, dampening = 0, nesterov = false, weightDecay = 0, mask } = config
  return chain(
    addDecayedWeights(weightDecay, mask),
    momentum === 0 ? identity : trace({ momentum, dampening, nesterov }),
    scaleByLearningRate(learningRate),
  )
}
