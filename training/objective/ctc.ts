/** Labels shorter than what was heard: connectionist temporal classification. */
import {
  add,
  arange,
  broadcastTo,
  concatenate,
  div,
  equal,
  exp,
  expandDims,
  full,
  greater,
  greaterEqual,
  less,
  log,
  logicalAnd,
  logicalOr,
  max,
  maximum,
  moveAxis,
  mul,
  neg,
  notEqual,
  reshape,
  scan,
  sliceAxis,
  squeeze,
  stack,
  stopGradient,
  sub,
  sum,
  takeAlongAxis,
  where,
} from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import { shapeError } from '../../core/error.ts'
import type { Loss, Reduction, ReductionOptions } from './reduction.ts'
import { reduce } from './reduction.ts'

export interface CtcOptions<R extends Reduction> extends ReductionOptions<R> {
  /** The class that says nothing; 0 by default. */
  readonly blank?: number
}

export interface CtcLengths {
  /** [batch], integers: how many steps of each example count; all of them where left out. */
  readonly input?: Tensor
  /** [batch], integers: how many labels each example has; all of them where left out. */
  readonly labels?: Tensor
}

/** A logarithm of what cannot be, which can still be added to. */
const never = -1e30

/** log Σ exp of tensors of one shape, element by element. */
const logSum = (...terms: readonly Tensor[]): Tensor => {
  const most = stopGradient(terms.reduce((a, b) => maximum(a, b)))
  return add(most, log(terms.map((x) => exp(sub(x, most))).reduce((a, b) => add(a, b))))
}

/** The same along the last axis. */
const logSumOver = (x: Tensor): Tensor => {
  const most = stopGradient(max(x, { axis: -1, keepDims: true }))
  return squeeze(add(most, log(sum(exp(sub(x, most)), { axis: -1, keepDims: true }))), -1)
}

/** Each row shifted right by `by`, with what cannot be in front: [batch, width]. */
const shifted = (x: Tensor, by: number): Tensor =>
  concatenate([full([x.shape[0] as number, by], never), sliceAxis(x, 1, 0, (x.shape[1] as number) - by)], 1)

/**
 * -log of the probability of all alignments that read as the labels once repetitions are merged and blanks are left
 * out (Graves et al. 2006): `torch.nn.functional.ctc_loss`, with the batch first. The mean is over the batch, of each
 * loss divided by its number of labels. (PyTorch's gradient is the one behind a log-softmax.) Infinite, without a
 * gradient, where the labels do not fit into the steps.
 *
 * @param logProbabilities [batch, time, classes], each row's exponentials summing to 1
 * @param labels [batch, length], integers, none of them blank
 * @throws PullbackError when the shapes do not belong together.
 * @example
 * ```ts
 * import { item, log, tensor } from 'pullback'
 * import { ctc } from 'pullback/training'
 * const logProbabilities = log(tensor([[[0.5, 0.5], [0.5, 0.5]]]))
 * console.log(Math.exp(-(await item(ctc(logProbabilities, tensor([[1]], { dtype: 'int32' }))))).toFixed(3)) // => 0.750
 * ```
 */
export const ctc = <R extends Reduction = 'mean'>(
  logProbabilities: Tensor,
  labels: Tensor,
  lengths: CtcLengths = {},
  { blank = 0, reduction }: CtcOptions<R> = {},
): Loss<R> => {
  const [batch, time] = logProbabilities.shape as readonly [number, number]
  if (logProbabilities.shape.length !== 3 || labels.shape.length !== 2 || labels.shape[0] !== batch)
    throw shapeError(
      'ctc',
      'log-probabilities must be [batch, time, classes] and labels [batch, length]',
      logProbabilities.shape,
      labels.shape,
    )
  const count = labels.shape[1] as number
  const width = 2 * count + 1
  const whole = (n: number): Tensor => full([batch], n, 'int32')
  const { input: steps = whole(time), labels: used = whole(count) } = lengths
  // A blank before, between and behind the labels: [batch, width].
  const blanks = full([batch, count], blank, 'int32')
  const between = reshape(stack([blanks, where(less(labels, 0), blank, labels)], 2), [batch, 2 * count])
  const path = concatenate([between, full([batch, 1], blank, 'int32')], 1)
  const before = concatenate([full([batch, 2], blank, 'int32'), path], 1)
  // A blank may be left out between two labels that differ.
  const mayJump = logicalAnd(notEqual(path, blank), notEqual(path, sliceAxis(before, 1, 0, width)))
  const scores = moveAxis(
    takeAlongAxis(logProbabilities, broadcastTo(expandDims(path, 1), [batch, time, width]), 2),
    1,
    0,
  ) // [time, batch, width]
  const places = arange(width) // [width]
  const first = where(less(places, 2), squeeze(sliceAxis(scores, 0, 0, 1), 0), never) // [batch, width]
  // without a step nothing has been said
  const start = where(expandDims(greater(steps, 0), 1), first, where(equal(places, 0), 0, never))
  const [last] = scan(
    (reached: Tensor, { score, step }: { readonly score: Tensor; readonly step: Tensor }) => {
      const jumped = where(mayJump, shifted(reached, Math.min(2, width)), never)
      const next = add(logSum(reached, shifted(reached, 1), jumped), score)
      return [where(expandDims(less(step, steps), 1), maximum(next, never), reached), []]
    },
    start,
    { score: sliceAxis(scores, 0, 1), step: add(arange(time - 1), 1) },
  )
  // It ends with the last label or the blank behind it.
  const end = expandDims(mul(used, 2), 1) // [batch, 1]
  const isEnd = logicalOr(equal(places, end), logicalAnd(equal(places, sub(end, 1)), greater(end, 0)))
  const total = logSumOver(where(isEnd, last, never)) // [batch]
  const losses = where(greaterEqual(total, never / 2), neg(total), Infinity)
  return reduce(
    reduction === 'none' || reduction === 'sum' ? losses : div(losses, maximum(used, 1)),
    reduction,
  )
}
