/** Metrics of a batch as totals and counts, to be added up over a data set by `evaluate`. */
import { argMax, cast, equal, logicalAnd, notEqual, sum } from '../core/index.ts'
import type { Shape, Tensor } from '../core/index.ts'
import { ignoreIndex } from './metric.ts'
import { crossEntropy } from './objective/index.ts'

/** A sum over a batch and how many things were summed. */
export type Portion = readonly [total: Tensor, count: Tensor]

const counted = (labels: Tensor): Tensor<Shape, 'bool'> => notEqual(labels, ignoreIndex)

/**
 * The cross entropy in nats, summed over the labels that count (those that are not -100); `evaluate` makes the mean of
 * it, whose `perplexity` one may take.
 *
 * @param logits [..., classes]
 * @param labels [...]
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { lossPortion } from 'pullback/training'
 * const labels = tensor([0, -100], { dtype: 'int32' })
 * console.log(lossPortion(tensor([[0, 0], [5, 0]]), labels)) // => [float32[] 0.693147, float32[] 1]
 * ```
 */
export const lossPortion = (logits: Tensor, labels: Tensor): Portion => [
  crossEntropy(logits, labels, { reduction: 'sum' }),
  sum(cast(counted(labels), 'float32')),
]

/**
 * How many labels that count have the highest score; `evaluate` makes the accuracy of it.
 *
 * @param logits [..., classes]
 * @param labels [...]
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { accuracyPortion } from 'pullback/training'
 * const labels = tensor([0, 1, -100], { dtype: 'int32' })
 * console.log(accuracyPortion(tensor([[2, 0], [1, 0], [0, 1]]), labels)) // => [float32[] 1, float32[] 2]
 * ```
 */
export const accuracyPortion = (logits: Tensor, labels: Tensor): Portion => {
  const counts = counted(labels)
  const right = logicalAnd(counts, equal(argMax(logits, { axis: -1 }), labels))
  return [sum(cast(right, 'float32')), sum(cast(counts, 'float32'))]
}
