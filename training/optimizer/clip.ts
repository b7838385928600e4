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

/** Gradients scaled so that their norm is at most `limit`, as `torch.nn.utils.clip_grad_norm_` scales them. */
export const scaleToNorm = <P>(gradients: P, norm: Tensor, limit: number): P => {
  const factor = minimum(1, div(limit, add(norm, 1e-6)))
  return tree.map((x) => mul(x, factor), gradients)
}

/**
 * Scales all gradients by one factor so that their norm is at most `limit` (Pascanu et al. 2013).
 *
 * @param order of the norm; 2 by default
 */
export const clipByGlobalNorm = (limit: number, order = 2): Transform<Stateless> =>
  stateless((gradients) => scaleToNorm(gradients, globalNorm(gradients, order), limit))

/** Holds each element of the gradients in [-limit, limit]. */
export const clipByValue = (limit: number): Transform<Stateless> =>
  stateless((gradients) => tree.map((x) => clip(x, -limit, limit), gradients))
