/** What becomes of a loss that has one value for each position. */
import { shapeError } from '../../core/error.ts'
import { mean, mul, sum } from '../../core/index.ts'
import type { Shape, Tensor } from '../../core/index.ts'

/** `none` keeps one loss for each position; `mean` and `sum` give one number. PyTorch's `reduction`. */
export type Reduction = 'mean' | 'sum' | 'none'

/** A number for `mean` and `sum`, one for each position for `none`. */
export type Loss<R extends Reduction> = R extends 'none' ? Tensor : Tensor<readonly []>

export interface ReductionOptions<R extends Reduction> {
  /** `mean` by default. */
  readonly reduction?: R
}

/** The mean, the sum, or the losses themselves. */
export const reduce = <R extends Reduction = 'mean'>(losses: Tensor, reduction?: R): Loss<R> =>
  (reduction === 'none' ? losses : reduction === 'sum' ? sum(losses) : mean(losses)) as Loss<R>

/** As `reduce`, with the mean taken over axis 0 only: the rest of each example's loss is summed. */
export const reduceBatch = (losses: Tensor<Shape>): Tensor<readonly []> =>
  mul(sum(losses), 1 / (losses.shape[0] ?? 1)) as Tensor<readonly []>

/** Throws unless the tensors have one shape. */
export const checkSameShape = (operation: string, names: string, ...tensors: readonly Tensor[]): void => {
  const shapes = tensors.map(({ shape }) => shape)
  if (shapes.some((shape) => shape.join() !== shapes[0]?.join()))
    throw shapeError(operation, `${names} must have one shape`, ...shapes)
}
