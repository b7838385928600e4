/** Reductions, running folds, sorting and looking up. */
import type { Dtype } from '../../kernels/index.ts'
import { bind1 } from '../bind.ts'
import { argumentError, shapeError } from '../error.ts'
import { gather as gatherPrimitive } from '../primitives/gather.ts'
import * as p from '../primitives/reduce.ts'
import type { ReduceParams } from '../primitives/reduce.ts'
import type { Primitive } from '../primitive.ts'
import { argSort } from '../primitives/sort.ts'
import type { Shape } from '../shape.ts'
import { normalAxes, normalAxis, reducedShape } from '../shape.ts'
import type { Tensor } from '../tensor.ts'
import type {
  Grown,
  HasAxes,
  HasAxis,
  ReducedShape,
  Taken,
  TakenAlong,
  TakesAlong,
  WithLast,
} from '../type.ts'
import { castTo } from './basic.ts'
import { equal, logicalNot, mul, notEqual, sub } from './elementwise/index.ts'
import { broadcastTo, expandDims, iota, moveAxis, reshape, sliceAxis } from './structure/index.ts'

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

const reduced = (
  primitive: Primitive<ReduceParams>,
  x: Tensor,
  { axis, keepDims }: ReduceOptions = {},
): Tensor => {
  const axes = normalAxes(primitive.name, axis, x.shape)
  const result = bind1(primitive, [x], { axes })
  return keepDims === true ? reshape(result, reducedShape(x.shape, axes, true)) : result
}

const reduction = <N extends string>(primitive: Primitive<ReduceParams>): Reduction<N> =>
  ((x: Tensor, options?: ReduceOptions) => reduced(primitive, x, options)) as Reduction<N>

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
  reduced(p.reduceSum, x.dtype === 'bool' ? castTo(x, 'int32') : x, options)) as Reduction<'sum'>
/**
 * The product over axes.
 *
 * @example
 * ```ts
 * import { prod, tensor } from 'pullback'
 * console.log(prod(tensor([[1, 2], [3, 4]]), { axis: 1 })) // => float32[2] [2, 12]
 * ```
 */
export const prod: Reduction<'prod'> = reduction(p.reduceProd)
/**
 * The largest element over axes; NaN if any is.
 *
 * @example
 * ```ts
 * import { max, tensor } from 'pullback'
 * console.log(max(tensor([[1, 5], [3, 4]]), { axis: 0 })) // => float32[2] [3, 5]
 * ```
 */
export const max: Reduction<'max'> = reduction(p.reduceMax)
/**
 * The smallest element over axes; NaN if any is.
 *
 * @example
 * ```ts
 * import { min, tensor } from 'pullback'
 * console.log(min(tensor([[1, 5], [3, 4]]), { axis: 0 })) // => float32[2] [1, 4]
 * ```
 */
export const min: Reduction<'min'> = reduction(p.reduceMin)
type Test<N extends string> = <S extends Shape, const O extends ReduceOptions | undefined = undefined>(
  x: Tensor<S>,
  options?: O & HasAxes<N, S, O>,
) => Tensor<ReducedShape<S, O>, 'bool'>

/** How many elements are true, or are not; a number is true if it is not 0. */
const countTrue = (x: Tensor, options: ReduceOptions | undefined, wanted: boolean): Tensor => {
  const truth = castTo(x, 'bool')
  return reduced(p.reduceSum, castTo(wanted ? truth : logicalNot(truth), 'int32'), options)
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
  notEqual(countTrue(x, options, true), 0)) as Test<'any'>
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
  equal(countTrue(x, options, false), 0)) as Test<'all'>

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
  const total = sum(x, options) as Tensor
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
  const centred = sub(x, mean(x, { axis: options.axis, keepDims: true }) as Tensor)
  return mean(mul(centred, centred) as Tensor, options)
}) as Reduction<'variance'>

interface ArgOptions extends ReduceOptions {
  readonly axis?: number | undefined
}

type ArgReduction<N extends string> = <S extends Shape, const O extends ArgOptions | undefined = undefined>(
  x: Tensor<S>,
  options?: O & HasAxes<N, S, O>,
) => Tensor<ReducedShape<S, O>, 'int32'>

/**
 * The int32 position of the first largest element along an axis, or row-major in the whole.
 *
 * @example
 * ```ts
 * import { argMax, tensor } from 'pullback'
 * console.log(argMax(tensor([[1, 5, 5], [7, 2, 0]]), { axis: -1 })) // => int32[2] [1, 0]
 * ```
 */
export const argMax: ArgReduction<'argMax'> = reduction(p.argMax) as ArgReduction<'argMax'>
/**
 * The int32 position of the first smallest element along an axis, or row-major in the whole.
 *
 * @example
 * ```ts
 * import { argMin, tensor } from 'pullback'
 * console.log(argMin(tensor([3, 1, 2]))) // => int32[] 1
 * ```
 */
export const argMin: ArgReduction<'argMin'> = reduction(p.argMin) as ArgReduction<'argMin'>

const running =
  (op: p.CumulativeParams['op']) =>
  <T extends Tensor>(x: T, axis = 0, options: { readonly reverse?: boolean } = {}): T =>
    bind1(p.cumulative, [x], {
      op,
      axis: normalAxis('cumulative', axis, x.shape),
      reverse: options.reverse === true,
    }) as T

type Running = <T extends Tensor>(x: T, axis?: number, options?: { readonly reverse?: boolean }) => T

/**
 * Running sums along an axis.
 *
 * @example
 * ```ts
 * import { cumSum, tensor } from 'pullback'
 * console.log(cumSum(tensor([1, 2, 3, 4]))) // => float32[4] [1, 3, 6, 10]
 * ```
 */
export const cumSum: Running = running('sum')
/**
 * Running products along an axis.
 *
 * @example
 * ```ts
 * import { cumProd, tensor } from 'pullback'
 * console.log(cumProd(tensor([1, 2, 3, 4]))) // => float32[4] [1, 2, 6, 24]
 * ```
 */
export const cumProd: Running = running('prod')
/**
 * Running maxima along an axis.
 *
 * @example
 * ```ts
 * import { cumMax, tensor } from 'pullback'
 * console.log(cumMax(tensor([1, 3, 2, 4]))) // => float32[4] [1, 3, 3, 4]
 * ```
 */
export const cumMax: Running = running('max')
/**
 * Running minima along an axis.
 *
 * @example
 * ```ts
 * import { cumMin, tensor } from 'pullback'
 * console.log(cumMin(tensor([3, 4, 1, 2]))) // => float32[4] [3, 3, 1, 1]
 * ```
 */
export const cumMin: Running = running('min')

/**
 * The slices of `x` along an axis at int32 indices of any shape; indices beyond the axis are clamped.
 *
 * @example
 * ```ts
 * import { take, tensor } from 'pullback'
 * const table = tensor([[1, 2], [3, 4], [5, 6]])
 * console.log(take(table, tensor([2, 0], { dtype: 'int32' }))) // => float32[2, 2] [[5, 6], [1, 2]]
 * ```
 */
export const take = <S extends Shape, D extends Dtype, I extends Shape, const A extends number = 0>(
  x: Tensor<S, D>,
  indices: Tensor<I>,
  axis?: A & HasAxis<'take', S, A>,
): Tensor<Taken<S, I, A>, D> =>
  bind1(gatherPrimitive, [x, castTo(indices, 'int32')], {
    axis: normalAxis('take', axis ?? 0, x.shape),
    batchAxes: 0,
  }) as Tensor<Taken<S, I, A>, D>

/**
 * The elements of each row (along `axis`) at that row's own indices; other axes must agree.
 *
 * @example
 * ```ts
 * import { takeAlongAxis, tensor } from 'pullback'
 * const x = tensor([[1, 2, 3], [4, 5, 6]])
 * console.log(takeAlongAxis(x, tensor([[2], [0]], { dtype: 'int32' }), -1)) // => float32[2, 1] [[3], [4]]
 * ```
 */
export const takeAlongAxis = <S extends Shape, D extends Dtype, I extends Shape, const A extends number>(
  x: Tensor<S, D>,
  indices: Tensor<I> & TakesAlong<S, I, A>,
  axis: A & HasAxis<'takeAlongAxis', S, A>,
): Tensor<TakenAlong<S, I, A>, D> => takenAlong(x, indices, axis) as Tensor<TakenAlong<S, I, A>, D>

const takenAlong = (x: Tensor, indices: Tensor, axis: number): Tensor => {
  const along = normalAxis('takeAlongAxis', axis, x.shape)
  if (indices.shape.length !== x.shape.length)
    throw shapeError('takeAlongAxis', 'ranks must agree', x.shape, indices.shape)
  const last = x.shape.length - 1
  const [rows, index] = [moveAxis(x, along, last), moveAxis(castTo(indices, 'int32'), along, last)]
  const gathered = bind1(gatherPrimitive, [rows, index], { axis: last, batchAxes: last })
  return moveAxis(gathered, last, along)
}

/**
 * 1 at each index of a new last axis of `size`, else 0; an index beyond it gives zeros.
 *
 * @example
 * ```ts
 * import { oneHot, tensor } from 'pullback'
 * console.log(oneHot(tensor([1, 0, 5], { dtype: 'int32' }), 3))
 * // => float32[3, 3] [[0, 1, 0], [1, 0, 0], [0, 0, 0]]
 * ```
 */
export const oneHot = <S extends Shape, const N extends number, D extends Dtype = 'float32'>(
  indices: Tensor<S>,
  size: N,
  dtype?: D,
): Tensor<Grown<S, N>, D> => {
  const shape: Shape = [...indices.shape, size]
  const wanted = broadcastTo(expandDims(castTo(indices, 'int32'), -1), shape)
  return castTo(equal(wanted, iota(shape, -1)), dtype ?? 'float32') as Tensor<Grown<S, N>, D>
}

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
export const argsort = <S extends Shape>(
  x: Tensor<S>,
  { axis = -1, descending = false }: SortOptions = {},
): Tensor<S, 'int32'> =>
  bind1(argSort, [x], { axis: normalAxis('argsort', axis, x.shape), descending }) as Tensor<S, 'int32'>

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
): Tensor<S, D> => takenAlong(x, argsort(x, options), options.axis ?? -1) as Tensor<S, D>

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
