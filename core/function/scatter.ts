/** Writing at positions that are data, slices that begin at them, and reductions of segments. */
import type { Dtype } from '../../kernels/index.ts'
import { isFloating, sizeOf, contiguous } from '../../kernels/index.ts'
import { bind1 } from '../bind.ts'
import { argumentError, shapeError } from '../error.ts'
import type { GatherParams } from '../primitives/gather.ts'
import * as p from '../primitives/gather.ts'
import type { Primitive } from '../primitive.ts'
import type { Shape } from '../shape.ts'
import { normalAxis } from '../shape.ts'
import type { Tensor } from '../tensor.ts'
import { isTensor } from '../tensor.ts'
import type { WithFirst } from '../type.ts'
import { add, clip, div, maximum, mul } from './elementwise/index.ts'
import { asTensor, castTo } from './basic.ts'
import { take } from './reduce/index.ts'
import { expandDims, full, iota, ones, reshape, zeros } from './structure/index.ts'

type Scatter = <S extends Shape, D extends Dtype>(
  base: Tensor<S, D>,
  indices: Tensor,
  updates: Tensor,
  axis?: number,
) => Tensor<S, D>

const along =
  (primitive: Primitive<GatherParams>): Scatter =>
  <S extends Shape, D extends Dtype>(base: Tensor<S, D>, indices: Tensor, updates: Tensor, axis = 0) =>
    bind1(primitive, [base, castTo(indices, 'int32'), updates], {
      axis: normalAxis(primitive.name, axis, base.shape),
      batchAxes: 0,
    }) as Tensor<S, D>

/**
 * `base` with `updates` added to the slices along an axis at `indices`: the adjoint of `take`.
 *
 * @example
 * ```ts
 * import { scatterAdd, tensor, zeros } from 'pullback'
 * console.log(scatterAdd(zeros([4]), tensor([1, 3, 1], { dtype: 'int32' }), tensor([1, 2, 3])))
 * // => float32[4] [0, 4, 0, 2]
 * ```
 */
export const scatterAdd: Scatter = along(p.scatterAdd)
/**
 * `base` with `updates` in place of the slices along an axis at `indices`; the last of several counts.
 *
 * @example
 * ```ts
 * import { scatterSet, tensor, zeros } from 'pullback'
 * console.log(scatterSet(zeros([4]), tensor([1, 3, 1], { dtype: 'int32' }), tensor([1, 2, 3])))
 * // => float32[4] [0, 3, 0, 2]
 * ```
 */
export const scatterSet: Scatter = along(p.scatterSet)
/**
 * `base` with the larger of its slices along an axis at `indices` and `updates`.
 *
 * @example
 * ```ts
 * import { scatterMax, tensor, zeros } from 'pullback'
 * console.log(scatterMax(zeros([3]), tensor([0, 0, 1], { dtype: 'int32' }), tensor([1, 2, -3])))
 * // => float32[3] [2, 0, 0]
 * ```
 */
export const scatterMax: Scatter = along(p.scatterMax)
/**
 * `base` with the smaller of its slices along an axis at `indices` and `updates`.
 *
 * @example
 * ```ts
 * import { scatterMin, tensor, zeros } from 'pullback'
 * console.log(scatterMin(zeros([3]), tensor([0, 0, 1], { dtype: 'int32' }), tensor([1, 2, -3])))
 * // => float32[3] [0, -3, 0]
 * ```
 */
export const scatterMin: Scatter = along(p.scatterMin)

type ScatterRows = <S extends Shape, D extends Dtype>(
  base: Tensor<S, D>,
  indices: Tensor,
  updates: Tensor,
) => Tensor<S, D>

const rowwise =
  (primitive: Primitive<GatherParams>): ScatterRows =>
  <S extends Shape, D extends Dtype>(base: Tensor<S, D>, indices: Tensor, updates: Tensor) => {
    const last = base.shape.length - 1
    const params = { axis: last, batchAxes: last }
    return bind1(primitive, [base, castTo(indices, 'int32'), updates], params) as Tensor<S, D>
  }

/**
 * `base` with `updates` added along the last axis at each row's own indices: the adjoint of `takeAlongAxis`.
 *
 * @example
 * ```ts
 * import { scatterAddAlongAxis, tensor, zeros } from 'pullback'
 * const indices = tensor([[0, 0], [2, 1]], { dtype: 'int32' })
 * console.log(scatterAddAlongAxis(zeros([2, 3]), indices, tensor([[1, 2], [3, 4]])))
 * // => float32[2, 3] [[3, 0, 0], [0, 4, 3]]
 * ```
 */
export const scatterAddAlongAxis: ScatterRows = rowwise(p.scatterAdd)
/**
 * `base` with `updates` put along the last axis at each row's own indices.
 *
 * @example
 * ```ts
 * import { putAlongAxis, tensor, zeros } from 'pullback'
 * const indices = tensor([[0], [2]], { dtype: 'int32' })
 * console.log(putAlongAxis(zeros([2, 3]), indices, tensor([[7], [8]])))
 * // => float32[2, 3] [[7, 0, 0], [0, 0, 8]]
 * ```
 */
export const putAlongAxis: ScatterRows = rowwise(p.scatterSet)

/** Where a slice begins on each axis: numbers, int32 scalars, or one tensor [rank]. */
export type Starts = readonly (Tensor | number)[] | Tensor

const startsOf = (operation: string, starts: Starts, shape: Shape): readonly Tensor[] => {
  const list = isTensor(starts)
    ? shape.map((_, axis) => reshape(take(starts, full([], axis, 'int32')), []))
    : starts.map((start) => castTo(asTensor(start, 'int32'), 'int32'))
  if (list.length !== shape.length || (isTensor(starts) && starts.shape.join() !== String(shape.length)))
    throw shapeError(
      operation,
      'one start for each axis',
      shape,
      isTensor(starts) ? starts.shape : [list.length],
    )
  return list
}

const within = (operation: string, sizes: Shape, shape: Shape): void => {
  if (sizes.length !== shape.length || sizes.some((n, axis) => n > (shape[axis] as number)))
    throw shapeError(operation, 'the part must fit on every axis', shape, sizes)
}

/**
 * The part of the given sizes that begins at positions that may be data. As in JAX, a start from which the part
 * would not fit is moved until it does.
 *
 * @example
 * ```ts
 * import { arange, dynamicSlice, tensor } from 'pullback'
 * console.log(dynamicSlice(arange(10), [tensor(7, { dtype: 'int32' })], [3])) // => int32[3] [7, 8, 9]
 * ```
 */
export const dynamicSlice = <D extends Dtype, const S extends Shape>(
  x: Tensor<Shape, D>,
  starts: Starts,
  sizes: S,
): Tensor<S, D> => {
  within('dynamicSlice', sizes, x.shape)
  return startsOf('dynamicSlice', starts, x.shape).reduce<Tensor>((part, start, axis) => {
    const [from, to] = [x.shape[axis] as number, sizes[axis] as number]
    if (from === to) return part
    return take(part, add(iota([to], 0), clip(start, 0, from - to)), axis)
  }, x) as Tensor<S, D>
}

/**
 * `x` with a part replaced by `update`, which begins at positions that may be data; see `dynamicSlice`.
 *
 * @example
 * ```ts
 * import { dynamicUpdateSlice, tensor, zeros } from 'pullback'
 * console.log(dynamicUpdateSlice(zeros([5]), tensor([1, 2]), [3])) // => float32[5] [0, 0, 0, 1, 2]
 * ```
 */
export const dynamicUpdateSlice = <S extends Shape, D extends Dtype>(
  x: Tensor<S, D>,
  update: Tensor,
  starts: Starts,
): Tensor<S, D> => {
  within('dynamicUpdateSlice', update.shape, x.shape)
  const strides = contiguous(x.shape)
  const flat = startsOf('dynamicUpdateSlice', starts, x.shape).reduce<Tensor>(
    (total, start, axis) => {
      const room = (x.shape[axis] as number) - (update.shape[axis] as number)
      const position = add(iota(update.shape, axis), clip(start, 0, room))
      return add(total, mul(position, strides[axis] as number))
    },
    zeros(update.shape, 'int32'),
  )
  const size = sizeOf(update.shape)
  if (size === 0) return x
  const all = scatterSet(
    reshape(x, [sizeOf(x.shape)]),
    reshape(flat, [size]),
    castTo(reshape(update, [size]), x.dtype),
  )
  return reshape(all, x.shape as Shape) as Tensor<S, D>
}

const segments =
  (operation: string, start: (dtype: Dtype) => number, scatter: Scatter): Segments =>
  <S extends Shape, D extends Dtype, N extends number>(data: Tensor<S, D>, ids: Tensor, count: N) => {
    if (ids.shape.length !== 1 || ids.shape[0] !== data.shape[0])
      throw shapeError(operation, 'there must be one segment for each slice of axis 0', data.shape, ids.shape)
    if (!Number.isInteger(count) || count < 1)
      throw argumentError(operation, `the number of segments must be at least 1, got ${count}`)
    const base = full([count, ...data.shape.slice(1)], start(data.dtype), data.dtype)
    return scatter(base, ids, data) as unknown as Tensor<WithFirst<S, N>, D>
  }

const lowest = (dtype: Dtype): number => (isFloating(dtype) ? -Infinity : dtype === 'int32' ? -2147483648 : 0)
const highest = (dtype: Dtype): number =>
  isFloating(dtype) ? Infinity : dtype === 'int32' ? 2147483647 : dtype === 'uint32' ? 4294967295 : 1

type Segments = <S extends Shape, D extends Dtype, const N extends number>(
  data: Tensor<S, D>,
  ids: Tensor,
  count: N,
) => Tensor<WithFirst<S, N>, D>

/**
 * The sum of the slices of axis 0 that have the same segment id, for each of `count` segments: [count, ...].
 *
 * @example
 * ```ts
 * import { segmentSum, tensor } from 'pullback'
 * const ids = tensor([0, 0, 2], { dtype: 'int32' })
 * console.log(segmentSum(tensor([1, 2, 3]), ids, 3)) // => float32[3] [3, 0, 3]
 * ```
 */
export const segmentSum: Segments = segments('segmentSum', () => 0, scatterAdd)
/**
 * The largest of each segment's slices, elementwise; the dtype's lowest number for a segment without any.
 *
 * @example
 * ```ts
 * import { segmentMax, tensor } from 'pullback'
 * const ids = tensor([0, 0, 1], { dtype: 'int32' })
 * console.log(segmentMax(tensor([1, 2, 3]), ids, 2)) // => float32[2] [2, 3]
 * ```
 */
export const segmentMax: Segments = segments('segmentMax', lowest, scatterMax)
/**
 * The smallest of each segment's slices, elementwise; the dtype's highest number for a segment without any.
 *
 * @example
 * ```ts
 * import { segmentMin, tensor } from 'pullback'
 * const ids = tensor([0, 0, 1], { dtype: 'int32' })
 * console.log(segmentMin(tensor([1, 2, 3]), ids, 2)) // => float32[2] [1, 3]
 * ```
 */
export const segmentMin: Segments = segments('segmentMin', highest, scatterMin)

/**
 * The mean of each segment's slices; 0 for a segment without any.
 *
 * @example
 * ```ts
 * import { segmentMean, tensor } from 'pullback'
 * const ids = tensor([0, 0, 2], { dtype: 'int32' })
 * console.log(segmentMean(tensor([1, 2, 3]), ids, 3)) // => float32[3] [1.5, 0, 3]
 * ```
 */
export const segmentMean: Segments = ((data: Tensor, ids: Tensor, count: number): Tensor => {
  const floating = isFloating(data.dtype) ? data : castTo(data, 'float32')
  const sums = segmentSum(floating, ids, count)
  const counts = segmentSum(ones([...ids.shape], floating.dtype), ids, count)
  const wide = sums.shape.slice(1).reduce<Tensor>((x) => expandDims(x, -1), maximum(counts, 1))
  return div(sums, wide)
}) as Segments
