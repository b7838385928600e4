/** Elements in the order of their size. */
import type { Dtype } from '../../../kernels/index.ts'
import { bind1 } from '../../bind.ts'
import { argumentError, checkOptions } from '../../error.ts'
import { argSort } from '../../primitives/sort.ts'
import { normalAxis } from '../../shape.ts'
import type { Shape } from '../../shape.ts'
import type { Tensor } from '../../tensor.ts'
import type { WithLast } from '../../type.ts'
import { sliceAxis } from '../structure/index.ts'
import { takenAlong } from './take.ts'

export interface SortOptions {
  readonly axis?: number
  readonly descending?: boolean
}

/**
 * The int32 permutation that sorts along an axis (the last), stable; NaN goes last.
 *
 * @example
 * ```ts
 * import { argsort, tensor } from 'pullback'
 * console.log(argsort(tensor([3, 1, 2]))) // => int32[3] [1, 2, 0]
 * ```
 */
export const argsort = <S extends Shape>(x: Tensor<S>, options: SortOptions = {}): Tensor<S, 'int32'> =>
  sorting('argsort', x, options) as Tensor<S, 'int32'>

const sorting = (operation: string, x: Tensor, options: SortOptions): Tensor => {
  checkOptions(operation, options, ['axis', 'descending'])
  const { axis = -1, descending = false } = options
  return bind1(argSort, [x], { axis: normalAxis(operation, axis, x.shape), descending })
}

/**
 * The elements in order along an axis (the last); NaN goes last.
 *
 * @example
 * ```ts
 * import { sort, tensor } from 'pullback'
 * console.log(sort(tensor([3, NaN, 1, 2]), { descending: true })) // => float32[4] [3, 2, 1, NaN]
 * ```
 */
export const sort = <S extends Shape, D extends Dtype>(
  x: Tensor<S, D>,
  options: SortOptions = {},
): Tensor<S, D> => takenAlong(x, sorting('sort', x, options), options.axis ?? -1) as Tensor<S, D>

/**
 * The `k` largest elements along the last axis in descending order, and their positions.
 *
 * @example
 * ```ts
 * import { tensor, topK } from 'pullback'
 * const { values, indices } = topK(tensor([3, 1, 4, 1, 5]), 2)
 * console.log(values, indices) // => float32[2] [5, 4] int32[2] [4, 2]
 * ```
 */
export const topK = <S extends Shape, D extends Dtype, const K extends number>(
  x: Tensor<S, D>,
  k: K,
): {
  readonly values: Tensor<WithLast<S, K>, D>
  readonly indices: Tensor<WithLast<S, K>, 'int32'>
} => {
  const size = x.shape.at(-1)
  if (size === undefined || k < 0 || k > size || !Number.isInteger(k))
    throw argumentError('topK', `k must be an integer between 0 and the last axis' ${size ?? 0}, got ${k}`)
  const indices: Tensor = sliceAxis(argsort(x as Tensor, { descending: true }), -1, 0, k)
  return {
    values: takenAlong(x, indices, -1) as Tensor<WithLast<S, K>, D>,
    indices: indices as Tensor<WithLast<S, K>, 'int32'>,
  }
}
