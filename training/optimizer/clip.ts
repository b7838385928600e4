/** Gradients held within bounds. */
import {
  abs,
  add,
  clip,
  div,
  maximum,
  max,
  minimum,
  mul,
  pow,
  sqrt,
  square,
  sum,
  tree,
  zeros,
} from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import type { Stateless, Transform } from './transform.ts'
import { stateless } from './transform.ts'

const total = (parts: readonly Tensor[], join: (a: Tensor, b: Tensor) => Tensor): Tensor => parts.reduce(join)

/**
 * The norm of all leaves together as of one long vector: the root of the sum of squares by default, of any order,
 * and the largest size for `Infinity`.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { globalNorm } from 'pullback/training'
 * console.log(globalNorm({ a: tensor([3]), b: tensor([0, 4]) })) // => float32[] 5
 * ```
 */
export const globalNorm = (gradients: unknown, order = 2): Tensor => {
  const leaves = tree.leaves(gradients)
  if (leaves.length === 0) return zeros([])
  if (order === Infinity)
    return total(
      leaves.map((x) => max(abs(x))),
      maximum,
    )
  if (order === 2)
    return sqrt(
      total(
        leaves.map((x) => sum(square(x))),
        add,
      ),
    )
  if (order === 1)
    return total(
      leaves.map((x) => sum(abs(x))),
      add,
    )
  return pow(
    total(
      leaves.map((x) => sum(pow(abs(x), order))),
      add,
    ),
    1 / order,
  )
}

/**
 * Gradients scaled so that their norm is at most `limit`, as `torch.nn.utils.clip_grad_norm_` scales them.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { globalNorm, scaleToNorm } from 'pullback/training'
 * const gradients = { a: tensor([3]), b: tensor([0, 4]) }
 * console.log(scaleToNorm(gradients, globalNorm(gradients), 1))
 * // => { a: float32[1] [0.6], b: float32[2] [0, 0.8] }
 * ```
 */
export const scaleToNorm = <P>(gradients: P, norm: Tensor, limit: number): P => {
  const factor = minimum(1, div(limit, add(norm, 1e-6)))
  return tree.map((x) => mul(x, factor), gradients)
}

/**
 * Scales all gradients by one factor so that their norm is at most `limit` (Pascanu et al. 2013).
 *
 * @param order of the norm; 2 by default
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { clipByGlobalNorm } from 'pullback/training'
 * const optimizer = clipByGlobalNorm(1)
 * const params = { weight: tensor([[1, -2], [3, 4]]) }
 * const gradients = { weight: tensor([[1, 1], [-1, 0.5]]) }
 * const [updates] = optimizer.update(gradients, optimizer.init(params), params)
 * console.log(updates.weight) // => float32[2, 2] [[0.5547, 0.5547], [-0.5547, 0.27735]]
 * ```
 */
export const clipByGlobalNorm = (limit: number, order = 2): Transform<Stateless> =>
  stateless((gradients) => scaleToNorm(gradients, globalNorm(gradients, order), limit))

/**
 * Holds each element of the gradients in [-limit, limit].
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { clipByValue } from 'pullback/training'
 * const optimizer = clipByValue(0.75)
 * const params = { weight: tensor([[1, -2], [3, 4]]) }
 * const gradients = { weight: tensor([[1, 1], [-1, 0.5]]) }
 * const [updates] = optimizer.update(gradients, optimizer.init(params), params)
 * console.log(updates.weight) // => float32[2, 2] [[0.75, 0.75], [-0.75, 0.5]]
 * ```
 */
export const clipByValue = (limit: number): Transform<Stateless> =>
  stateless((gradients) => tree.map((x) => clip(x, -limit, limit), gradients))
