/** Axes folded: sums, products, extremes, means, and whether any or all are true. */
import type { Dtype } from '../../../kernels/index.ts'
import { bind1 } from '../../bind.ts'
import { checkOptions } from '../../error.ts'
import type { Primitive } from '../../primitive.ts'
import * as p from '../../primitives/reduce.ts'
import type { ReduceParams } from '../../primitives/reduce.ts'
import { normalAxes, reducedShape } from '../../shape.ts'
import type { Shape } from '../../shape.ts'
import type { Tensor } from '../../tensor.ts'
import type { HasAxes, ReducedShape } from '../../type.ts'
import { castTo } from '../basic.ts'
import { equal, logicalNot, mul, notEqual, sub } from '../elementwise/index.ts'
import { reshape } from '../structure/index.ts'

export interface ReduceOptions {
  /** The axes that are reduced; all of them where this is left out. */
  readonly axis?: number | readonly number[] | undefined
  /** Whether reduced axes stay with size 1. */
  readonly keepDims?: boolean | undefined
}

type Reduction<N extends string> = <
  S extends Shape,
  D extends Dtype,
  const O extends ReduceOptions | undefined = undefined,
>(
  x: Tensor<S, D>,
  options?: O & HasAxes<N, S, O>,
) => Tensor<ReducedShape<S, O>, D>

const reduceOptions: readonly (keyof ReduceOptions)[] = ['axis', 'keepDims']

const reduced = (
  operation: string,
  primitive: Primitive<ReduceParams>,
  x: Tensor,
  options: ReduceOptions = {},
): Tensor => {
  checkOptions(operation, options, reduceOptions)
  const { axis, keepDims } = options
  const axes = normalAxes(operation, axis, x.shape)
  const result = bind1(primitive, [x], { axes })
  return keepDims === true ? reshape(result, reducedShape(x.shape, axes, true)) : result
}

export const reduction = <N extends string>(operation: N, primitive: Primitive<ReduceParams>): Reduction<N> =>
  ((x: Tensor, options?: ReduceOptions) => reduced(operation, primitive, x, options)) as Reduction<N>

/**
 * The sum over axes; of bools, their number.
 *
 * @example
 * ```ts
 * import { sum, tensor } from 'pullback'
 * const x = tensor([[1, 2], [3, 4]])
 * console.log(sum(x), sum(x, { axis: 0 }), sum(x, { axis: -1, keepDims: true }))
 * // => float32[] 10 float32[2] [4, 6] float32[2, 1] [[3], [7]]
 * ```
 */
export const sum: Reduction<'sum'> = ((x: Tensor, options?: ReduceOptions) =>
  summed('sum', x, options)) as Reduction<'sum'>

const summed = (operation: string, x: Tensor, options: ReduceOptions | undefined): Tensor =>
  reduced(operation, p.reduceSum, x.dtype === 'bool' ? castTo(x, 'int32') : x, options)

/**
 * The product over axes.
 *
 * @example
 * ```ts
 * import { prod, tensor } from 'pullback'
 * console.log(prod(tensor([[1, 2], [3, 4]]), { axis: 1 })) // => float32[2] [2, 12]
 * ```
 */
export const prod: Reduction<'prod'> = reduction('prod', p.reduceProd)

/**
 * The largest element over axes; NaN if any is.
 *
 * @example
 * ```ts
 * import { max, tensor } from 'pullback'
 * console.log(max(tensor([[1, 5], [3, 4]]), { axis: 0 })) // => float32[2] [3, 5]
 * ```
 */
export const max: Reduction<'max'> = reduction('max', p.reduceMax)

/**
 * The smallest element over axes; NaN if any is.
 *
 * @example
 * ```ts
 * import { min, tensor } from 'pullback'
 * console.log(min(tensor([[1, 5], [3, 4]]), { axis: 0 })) // => float32[2] [1, 4]
 * ```
 */
export const min: Reduction<'min'> = reduction('min', p.reduceMin)

type Test<N extends string> = <S extends Shape, const O extends ReduceOptions | undefined = undefined>(
  x: Tensor<S>,
  options?: O & HasAxes<N, S, O>,
) => Tensor<ReducedShape<S, O>, 'bool'>

/** How many elements are true, or are not; a number is true if it is not 0. */
const countTrue = (
  operation: string,
  x: Tensor,
  options: ReduceOptions | undefined,
  wanted: boolean,
): Tensor => {
  const truth = castTo(x, 'bool')
  return reduced(operation, p.reduceSum, castTo(wanted ? truth : logicalNot(truth), 'int32'), options)
}

/**
 * Whether any element is true (of numbers: not 0); false of none.
 *
 * @example
 * ```ts
 * import { any, tensor } from 'pullback'
 * console.log(any(tensor([[0, 2], [0, 0]]), { axis: 1 })) // => bool[2] [true, false]
 * ```
 */
export const any: Test<'any'> = ((x: Tensor, options?: ReduceOptions) =>
  notEqual(countTrue('any', x, options, true), 0)) as Test<'any'>

/**
 * Whether all elements are true (of numbers: not 0); true of none.
 *
 * @example
 * ```ts
 * import { all, tensor } from 'pullback'
 * console.log(all(tensor([[1, 2], [0, 1]]), { axis: 1 })) // => bool[2] [true, false]
 * ```
 */
export const all: Test<'all'> = ((x: Tensor, options?: ReduceOptions) =>
  equal(countTrue('all', x, options, false), 0)) as Test<'all'>

const countOf = (x: Tensor, axis: ReduceOptions['axis']): number =>
  normalAxes('mean', axis, x.shape).reduce((n, i) => n * (x.shape[i] as number), 1)

/**
 * The mean over axes.
 *
 * @example
 * ```ts
 * import { mean, tensor } from 'pullback'
 * console.log(mean(tensor([[1, 2], [3, 4]]), { axis: 0 })) // => float32[2] [2, 3]
 * ```
 */
export const mean: Reduction<'mean'> = ((x: Tensor, options: ReduceOptions = {}) => {
  const total = summed('mean', x, options)
  return mul(total, 1 / countOf(x, options.axis))
}) as Reduction<'mean'>

/**
 * The variance over axes, the mean square distance from the mean (divided by n, as in NumPy and JAX).
 *
 * @example
 * ```ts
 * import { tensor, variance } from 'pullback'
 * console.log(variance(tensor([1, 2, 3, 4]))) // => float32[] 1.25
 * ```
 */
export const variance: Reduction<'variance'> = ((x: Tensor, options: ReduceOptions = {}) => {
  checkOptions('variance', options, reduceOptions)
  const centred = sub(x, mean(x, { axis: options.axis, keepDims: true }) as Tensor)
  return mean(mul(centred, centred) as Tensor, options)
}) as Reduction<'variance'>
