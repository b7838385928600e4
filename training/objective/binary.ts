/** Losses of yes-or-no questions. */
import {
  abs,
  add,
  exp,
  lessEqual,
  log,
  log1p,
  maximum,
  mul,
  neg,
  relu,
  sub,
  where,
} from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import type { Loss, Reduction, ReductionOptions } from './reduction.ts'
import { checkSameShape, reduce } from './reduction.ts'

/** log(1 + e^x), without overflow. */
const softplus = (x: Tensor): Tensor => add(relu(x), log1p(exp(neg(abs(x)))))

export interface BinaryCrossEntropyOptions<R extends Reduction> extends ReductionOptions<R> {
  /** How much a yes counts against a no; broadcasts to the targets. */
  readonly positiveWeight?: Tensor
  /** How much each position counts; broadcasts to the targets. The mean still divides by their number. */
  readonly weight?: Tensor
}

/**
 * -(t log σ(x) + (1 - t) log(1 - σ(x))), from logits and without overflow:
 * `torch.nn.functional.binary_cross_entropy_with_logits`. For several labels that may hold at once.
 *
 * @param logits any shape
 * @param targets the same shape, in [0, 1]
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { binaryCrossEntropyWithLogits } from 'pullback/training'
 * console.log(binaryCrossEntropyWithLogits(tensor([0, 200]), tensor([0, 1]))) // => float32[] 0.346574
 * ```
 */
export const binaryCrossEntropyWithLogits = <R extends Reduction = 'mean'>(
  logits: Tensor,
  targets: Tensor,
  options: BinaryCrossEntropyOptions<R> = {},
): Loss<R> => {
  checkSameShape('binaryCrossEntropyWithLogits', 'logits and targets', logits, targets)
  const { positiveWeight, weight, reduction } = options
  const yes = mul(targets, softplus(neg(logits)))
  const no = mul(sub(1, targets), softplus(logits))
  const losses = add(positiveWeight === undefined ? yes : mul(yes, positiveWeight), no)
  return reduce(weight === undefined ? losses : mul(losses, weight), reduction)
}

/** The logarithm, held above -100; it has no gradient at 0, where its own would be infinite. */
const heldLog = (x: Tensor): Tensor => {
  const impossible = lessEqual(x, 0)
  return where(impossible, -100, maximum(log(where(impossible, 1, x)), -100))
}

/**
 * -(t log p + (1 - t) log(1 - p)) of probabilities, each logarithm held above -100:
 * `torch.nn.functional.binary_cross_entropy`. At probabilities of exactly 0 and 1 the gradient is that of the finite
 * logarithm alone (PyTorch's is 0 or some 10¹² there). From logits, `binaryCrossEntropyWithLogits` is more exact.
 *
 * @param probabilities any shape, in [0, 1]
 * @param targets the same shape, in [0, 1]
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { binaryCrossEntropy } from 'pullback/training'
 * console.log(binaryCrossEntropy(tensor([0.5, 0.9]), tensor([0, 1]))) // => float32[] 0.399254
 * ```
 */
export const binaryCrossEntropy = <R extends Reduction = 'mean'>(
  probabilities: Tensor,
  targets: Tensor,
  options: ReductionOptions<R> & { readonly weight?: Tensor } = {},
): Loss<R> => {
  checkSameShape('binaryCrossEntropy', 'probabilities and targets', probabilities, targets)
  const yes = heldLog(probabilities)
  const no = heldLog(sub(1, probabilities))
  const losses = neg(add(mul(targets, yes), mul(sub(1, targets), no)))
  return reduce(options.weight === undefined ? losses : mul(losses, options.weight), options.reduction)
}

/**
 * log(1 + e^(-t x)) for targets ±1: `torch.nn.functional.soft_margin_loss`.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { softMargin } from 'pullback/training'
 * console.log(softMargin(tensor([0, 3]), tensor([1, -1]))) // => float32[] 1.87087
 * ```
 */
export const softMargin = <R extends Reduction = 'mean'>(
  scores: Tensor,
  targets: Tensor,
  options: ReductionOptions<R> = {},
): Loss<R> => {
  checkSameShape('softMargin', 'scores and targets', scores, targets)
  return reduce(softplus(neg(mul(targets, scores))), options.reduction)
}
