/** What forward and reverse mode have in common: values are computed while a function is traced. */
import { isFloating } from '../../kernels/index.ts'
import { dtypeError, shapeError } from '../error.ts'
import { sameShape } from '../shape.ts'
import type { Aval, Tensor } from '../tensor.ts'
import { Tracer } from '../tensor.ts'

/** A tracer on a value of the level below. */
export abstract class ValueTracer extends Tracer {
  readonly value: Tensor

  constructor(value: Tensor) {
    super(value.shape, value.dtype)
    this.value = value
  }

  override get known(): Tensor {
    return this.value
  }
}

/** Refuses a tangent or cotangent that is not like what it belongs to; that of an integer is not looked at. */
export const checkLike = (
  operation: string,
  [what, owner]: readonly [string, string],
  given: Aval,
  of: Aval,
): void => {
  if (!sameShape(given.shape, of.shape))
    throw shapeError(operation, `${what} must have the shape of its ${owner}`, of.shape, given.shape)
  if (isFloating(of.dtype) && given.dtype !== of.dtype)
    throw dtypeError(operation, `${what} must have the dtype of its ${owner}`, of.dtype, given.dtype)
}
