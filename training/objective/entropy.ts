/** Cross entropy between predicted and true classes. */
import {
  add,
  cast,
  div,
  equal,
  expandDims,
  logSoftmax,
  logSoftmaxAt,
  moveAxis,
  mul,
  neg,
  notEqual,
  squeeze,
  sub,
  sum,
  take,
  takeAlongAxis,
  where,
} from '../../core/index.ts'
import type { Shape, Tensor } from '../../core/index.ts'
import { dtypeError, shapeError } from '../../core/error.ts'
import { isFloating } from '../../kernels/index.ts'
import { ignoreIndex as standardIgnoreIndex } from '../metric.ts'
import type { Loss, Reduction, ReductionOptions } from './reduction.ts'
import { reduce } from './reduction.ts'

export interface CrossEntropyOptions<R extends Reduction> extends ReductionOptions<R> {
  /** The axis of the classes in the logits; the last by default (PyTorch: 1). */
  readonly axis?: number
  /** Positions with this label do not count; -100 by default. */
  readonly ignoreIndex?: number
  /** The share of the target that is spread evenly over all classes, in [0, 1] (Szegedy et al. 2016). */
  readonly labelSmoothing?: number
  /** [classes]: how much each class counts. The mean divides by the weights that were used. */
  readonly classWeights?: Tensor
}

/** total / weight, and 0 where nothing counts. */
const safeQuotient = (total: Tensor, weight: Tensor): Tensor => {
  const empty = equal(weight, 0)
  return where(empty, 0, div(total, where(empty, 1, weight)))
}

/** Each row's value (last axis) at its label. */
const valueAtLabel = (rows: Tensor, labels: Tensor): Tensor =>
  squeeze(takeAlongAxis(rows, expandDims(labels, -1), -1), -1)

/**
 * The mean of -log p(label), the cross entropy in nats, from unnormalised scores: `torch.nn.functional.
 * cross_entropy` with class indices, but with the classes on the last axis. Where no position counts the mean is
 * 0 (PyTorch gives NaN, which would end a training run).
 *
 * @param logits [..., classes]
 * @param labels [...], integers; those equal to `ignoreIndex` do not count
 * @example
 * ```ts
 * import { item, tensor } from 'pullback'
 * import { crossEntropy } from 'pullback/training'
 * const logits = tensor([[2, 0], [0, 1]])
 * console.log(await item(crossEntropy(logits, tensor([0, -100], { dtype: 'int32' })))) // 0.1269
 * ```
 */
export const crossEntropy = <R extends Reduction = 'mean'>(
  logits: Tensor,
  labels: Tensor,
  options: CrossEntropyOptions<R> = {},
): Loss<R> => likelihood('crossEntropy', fromScores, logits, labels, options)

/** How log-probabilities are got from what is given, rows of classes along the last axis. */
interface Reading {
  /** Each row's at its label. */
  readonly at: (rows: Tensor, labels: Tensor) => Tensor
  /** All of them. */
  readonly all: (rows: Tensor) => Tensor
}

const fromScores: Reading = { at: logSoftmaxAt, all: (rows) => logSoftmax(rows) }
const asGiven: Reading = { at: valueAtLabel, all: (rows) => rows }

const likelihood = <R extends Reduction>(
  operation: string,
  reading: Reading,
  scores: Tensor,
  labels: Tensor,
  options: CrossEntropyOptions<R>,
): Loss<R> => {
  const {
    axis = -1,
    ignoreIndex = standardIgnoreIndex,
    labelSmoothing = 0,
    classWeights,
    reduction,
  } = options
  const rows = moveAxis(scores, axis, -1)
  const classes = rows.shape.at(-1) as number
  if (rows.shape.slice(0, -1).join() !== labels.shape.join())
    throw shapeError(
      operation,
      'labels must have the shape of the scores without the axis of the classes',
      scores.shape,
      labels.shape,
    )
  if (classWeights !== undefined && classWeights.shape.join() !== String(classes))
    throw shapeError(operation, 'class weights must be one for each class', scores.shape, classWeights.shape)

  if (isFloating(labels.dtype))
    throw dtypeError(operation, 'labels must be integers; softCrossEntropy takes distributions', labels.dtype)
  const counts = notEqual(labels, ignoreIndex)
  const safe = where(counts, labels, 0)
  const weights =
    classWeights === undefined
      ? cast(counts, scores.dtype)
      : where(counts, take(cast(classWeights, scores.dtype), safe), 0)
  const own = neg(reading.at(rows, safe))
  // chosen and not multiplied by 0: where nothing counts the score of class 0 may be that of what cannot be
  const certain = where(counts, classWeights === undefined ? own : mul(own, weights), 0)
  const losses =
    labelSmoothing === 0
      ? certain
      : smoothed(reading.all(rows), certain, counts, labelSmoothing, classWeights)
  if (reduction === 'none') return losses as Loss<R>
  const total = sum(losses)
  return (reduction === 'sum' ? total : safeQuotient(total, sum(weights))) as Loss<R>
}

/** (1 - ε) of the label's loss and ε of the mean of all classes' losses, each class by its own weight. */
const smoothed = (
  logProbabilities: Tensor,
  certain: Tensor,
  counts: Tensor<Shape, 'bool'>,
  labelSmoothing: number,
  classWeights: Tensor | undefined,
): Tensor => {
  const classes = logProbabilities.shape.at(-1) as number
  const weighted = classWeights === undefined ? logProbabilities : mul(logProbabilities, classWeights)
  const even = where(counts, sum(weighted, { axis: -1 }), 0)
  return sub(mul(certain, 1 - labelSmoothing), mul(even, labelSmoothing / classes))
}

/**
 * Cross entropy with whole distributions as targets: -Σ p log q over the classes, for one distribution a row.
 * `torch.nn.functional.cross_entropy` with class probabilities; its mean is over rows.
 *
 * @param logits [..., classes]
 * @param targets [..., classes], each row summing to 1
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { softCrossEntropy } from 'pullback/training'
 * console.log(softCrossEntropy(tensor([[0, 0]]), tensor([[0.25, 0.75]]))) // => float32[] 0.693147
 * ```
 */
export const softCrossEntropy = <R extends Reduction = 'mean'>(
  logits: Tensor,
  targets: Tensor,
  options: Pick<CrossEntropyOptions<R>, 'axis' | 'labelSmoothing' | 'classWeights' | 'reduction'> = {},
): Loss<R> => {
  const { axis = -1, labelSmoothing = 0, classWeights, reduction } = options
  if (logits.shape.join() !== targets.shape.join())
    throw shapeError(
      'softCrossEntropy',
      'targets must have the shape of the logits',
      logits.shape,
      targets.shape,
    )
  const aligned = moveAxis(logSoftmax(logits, axis), axis, -1)
  const classes = aligned.shape.at(-1) as number
  const given = moveAxis(targets, axis, -1)
  const wanted = labelSmoothing === 0 ? given : add(mul(given, 1 - labelSmoothing), labelSmoothing / classes)
  const weighted = classWeights === undefined ? wanted : mul(wanted, classWeights)
  return reduce(neg(sum(mul(aligned, weighted), { axis: -1 })), reduction)
}

/**
 * The mean of -logProbabilities[label], for log-probabilities that are computed already: `torch.nn.functional.
 * nll_loss`, classes on the last axis. Options and labels as in `crossEntropy`.
 *
 * @example
 * ```ts
 * import { logSoftmax, tensor } from 'pullback'
 * import { negativeLogLikelihood } from 'pullback/training'
 * const labels = tensor([1, -100], { dtype: 'int32' })
 * console.log(negativeLogLikelihood(logSoftmax(tensor([[0, 0], [5, 0]])), labels)) // => float32[] 0.693147
 * ```
 */
export const negativeLogLikelihood = <R extends Reduction = 'mean'>(
  logProbabilities: Tensor,
  labels: Tensor,
  options: Omit<CrossEntropyOptions<R>, 'labelSmoothing'> = {},
): Loss<R> => likelihood('negativeLogLikelihood', asGiven, logProbabilities, labels, options)
