/** What is measured on held-out data, as sums and counts that add up over batches. */
import { argMax, cast, equal, notEqual, sum } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import { crossEntropy, ignoreIndex } from '../../training/index.ts'
import type { Portion } from '../../training/index.ts'

/** How many labels count. */
const counted = (labels: Tensor): Tensor => sum(cast(notEqual(labels, ignoreIndex), 'float32'))

/** The cross entropy of scores [..., classes]. */
export const lossPortion = (logits: Tensor, labels: Tensor): Portion => [
  crossEntropy(logits, labels, { reduction: 'sum' }),
  counted(labels),
]

/** How often the highest score is the label's. */
export const accuracyPortion = (logits: Tensor, labels: Tensor): Portion => [
  sum(cast(equal(argMax(logits, { axis: -1 }), labels), 'float32')),
  counted(labels),
]
