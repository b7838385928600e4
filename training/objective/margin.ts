/** Losses of scores and distances that must keep a margin. */
import {
  add,
  cast,
  div,
  equal,
  expandDims,
  iota,
  maximum,
  mean,
  mul,
  neg,
  relu,
  sqrt,
  square,
  sub,
  sum,
  takeAlongAxis,
  where,
} from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import type { Loss, Reduction, ReductionOptions } from './reduction.ts'
import { checkSameShape, reduce } from './reduction.ts'

export interface MarginOptions<R extends Reduction> extends ReductionOptions<R> {
  readonly margin?: number
}

const alongLast = { axis: -1 } as const

/**
 * The cosine of the angle between rows (last axis); rows shorter than `epsilon` count as that long.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { cosineSimilarity } from 'pullback/training'
 * console.log(cosineSimilarity(tensor([[1, 0], [1, 1]]), tensor([[2, 0], [-1, 1]]))) // => float32[2] [1, 0]
 * ```
 */
export const cosineSimilarity = (a: Tensor, b: Tensor, epsilon = 1e-8): Tensor => {
  checkSameShape('cosineSimilarity', 'rows', a, b)
  const length = (x: Tensor): Tensor => sqrt(maximum(sum(square(x), alongLast), epsilon ** 2))
  return div(sum(mul(a, b), alongLast), mul(length(a), length(b)))
}

/**
 * 1 - cos for pairs that belong together (target 1), max(0, cos - margin) for others (-1): `cosine_embedding_loss`.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { cosineEmbedding } from 'pullback/training'
 * console.log(cosineEmbedding(tensor([[1, 0], [1, 0]]), tensor([[1, 0], [1, 0]]), tensor([1, -1])))
 * // => float32[] 0.5
 * ```
 */
export const cosineEmbedding = <R extends Reduction = 'mean'>(
  a: Tensor,
  b: Tensor,
  targets: Tensor,
  options: MarginOptions<R> = {},
): Loss<R> => {
  const cosine = cosineSimilarity(a, b)
  const apart = relu(sub(cosine, options.margin ?? 0))
  return reduce(where(equal(targets, 1), sub(1, cosine), apart), options.reduction)
}

/**
 * max(0, margin - t (a - b)): a should be larger where t = 1, b where t = -1: `margin_ranking_loss`.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { marginRanking } from 'pullback/training'
 * console.log(marginRanking(tensor([2]), tensor([1]), tensor([-1]))) // => float32[] 1
 * ```
 */
export const marginRanking = <R extends Reduction = 'mean'>(
  a: Tensor,
  b: Tensor,
  targets: Tensor,
  options: MarginOptions<R> = {},
): Loss<R> => {
  checkSameShape('marginRanking', 'scores and targets', a, b, targets)
  return reduce(relu(add(neg(mul(targets, sub(a, b))), options.margin ?? 0)), options.reduction)
}

/** The distance between rows (last axis); PyTorch adds 1e-6 to each difference, so that it is smooth at 0. */
const distance = (a: Tensor, b: Tensor): Tensor => sqrt(sum(square(add(sub(a, b), 1e-6)), alongLast))

/**
 * max(0, |a - p| - |a - n| + margin): the positive should be nearer than the negative: `triplet_margin_loss`.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { tripletMargin } from 'pullback/training'
 * console.log(tripletMargin(tensor([[0, 0]]), tensor([[0, 1]]), tensor([[0, 1.5]]))) // => float32[] 0.5
 * ```
 */
export const tripletMargin = <R extends Reduction = 'mean'>(
  anchors: Tensor,
  positives: Tensor,
  negatives: Tensor,
  options: MarginOptions<R> = {},
): Loss<R> => {
  checkSameShape('tripletMargin', 'anchors, positives and negatives', anchors, positives, negatives)
  const gap = sub(distance(anchors, positives), distance(anchors, negatives))
  return reduce(relu(add(gap, options.margin ?? 1)), options.reduction)
}

/**
 * x where the target is 1, max(0, margin - x) where it is -1: `hinge_embedding_loss`.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { hingeEmbedding } from 'pullback/training'
 * console.log(hingeEmbedding(tensor([0.25, 0.25]), tensor([1, -1]))) // => float32[] 0.5
 * ```
 */
export const hingeEmbedding = <R extends Reduction = 'mean'>(
  distances: Tensor,
  targets: Tensor,
  options: MarginOptions<R> = {},
): Loss<R> => {
  checkSameShape('hingeEmbedding', 'distances and targets', distances, targets)
  const apart = relu(sub(options.margin ?? 1, distances))
  return reduce(where(equal(targets, 1), distances, apart), options.reduction)
}

/**
 * Σ max(0, margin - x[label] + x[c]) / classes over the other classes c: `multi_margin_loss`.
 *
 * @param scores [batch, classes]
 * @param labels [batch], integers
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { multiMargin } from 'pullback/training'
 * console.log(multiMargin(tensor([[0.5, 1, 0]]), tensor([1], { dtype: 'int32' }))) // => float32[] 0.166667
 * ```
 */
export const multiMargin = <R extends Reduction = 'mean'>(
  scores: Tensor,
  labels: Tensor,
  options: MarginOptions<R> = {},
): Loss<R> => {
  const own = takeAlongAxis(scores, expandDims(labels, -1), -1)
  const lack = relu(add(sub(scores, own), options.margin ?? 1))
  const isOwn = equal(expandDims(cast(labels, 'int32'), -1), iota(scores.shape, -1))
  return reduce(mean(where(isOwn, 0, lack), alongLast), options.reduction)
}
