import type { Dtype } from '../../kernels/index.ts'
import { argumentError, checkOptions } from '../error.ts'
import * as f from '../function/index.ts'
import type { ReduceOptions } from '../function/reduce/index.ts'
import type { Shape } from '../shape.ts'
import type { Tensor } from '../tensor.ts'
import type { HasAxes, ReducedShape } from '../type.ts'

export interface NormOptions extends ReduceOptions {
  /** Which: 2 (the default, of a matrix Frobenius'), 1, Infinity, or any p ≥ 1. */
  readonly order?: number
}

/**
 * (Σ |x|ᵖ)^(1/p) over axes, all of them by default. Scaled by the largest element, so that it neither over- nor
 * underflows; at 0 its gradient is 0.
 *
 * @example
 * ```ts
 * import { item, tensor } from 'pullback'
 * console.log(await item(norm(tensor([3, 4]))), await item(norm(tensor([3, -4]), { order: 1 }))) // => 5 7
 * ```
 */
export const norm = <S extends Shape, D extends Dtype, const O extends NormOptions | undefined = undefined>(
  x: Tensor<S, D>,
  options?: O & HasAxes<'norm', S, O>,
): Tensor<ReducedShape<S, O>, D> => normed(x, options) as Tensor<ReducedShape<S, O>, D>

const normed = (x: Tensor, given: NormOptions = {}): Tensor => {
  checkOptions('norm', given, ['order', 'axis', 'keepDims'])
  const { order = 2, axis, keepDims = false } = given
  if (!(order >= 1)) throw argumentError('norm', `the order must be at least 1, got ${order}`)
  const sizes = f.abs(x)
  const options = { axis, keepDims }
  if (order === 1) return f.sum(sizes, options)
  if (x.shape.includes(0)) return f.sum(sizes, options)
  if (order === Infinity) return f.max(sizes, options)
  const kept = { axis, keepDims: true }
  const largest = f.stopGradient(f.max(sizes, kept) as Tensor)
  const usable = f.logicalAnd(f.greater(largest, 0), f.isFinite(largest)) as Tensor<Shape, 'bool'>
  const scale = f.where(usable, largest, 1)
  const scaled = f.div(x, scale)
  const total = f.sum(order === 2 ? f.mul(scaled, scaled) : f.pow(f.abs(scaled), order), kept)
  const positive = f.greater(total, 0) as Tensor<Shape, 'bool'>
  const safe = f.where(positive, total, 1)
  const root = order === 2 ? f.sqrt(safe) : f.pow(safe, 1 / order)
  const result = f.mul(f.where(positive, root, 0), scale)
  return keepDims ? result : f.sum(result, { axis })
}
