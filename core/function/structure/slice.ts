/** Parts of a tensor. */
import type { Dtype } from '../../../kernels/index.ts'
import { bind, bind1 } from '../../bind.ts'
import { argumentError, shapeError } from '../../error.ts'
import * as p from '../../primitives/structure.ts'
import { normalAxis } from '../../shape.ts'
import type { Shape } from '../../shape.ts'
import type { Tensor } from '../../tensor.ts'
import type { Behind, HasAxis, Sliced, SlicedAxis, Splits, SplitShapes, Within } from '../../type.ts'
import { reshaped } from './shape.ts'

/**
 * Elements from `start` up to `limit` on every axis, in steps.
 *
 * @example
 * ```ts
 * import { arange, reshape, slice } from 'pullback'
 * console.log(slice(reshape(arange(12), [3, 4]), [0, 1], [3, 4], [2, 1]))
 * // => int32[2, 3] [[1, 2, 3], [9, 10, 11]]
 * ```
 */
export const slice = <
  S extends Shape,
  D extends Dtype,
  const From extends Shape,
  const To extends Shape,
  const Step extends Shape | undefined = undefined,
>(
  x: Tensor<S, D>,
  start: From,
  limit: To,
  step?: Step,
): Tensor<Sliced<S, From, To, Step>, D> =>
  sliced(x, start, limit, step) as Tensor<Sliced<S, From, To, Step>, D>

const sliced = (x: Tensor, start: Shape, limit: Shape, step: Shape = start.map(() => 1)): Tensor => {
  if (start.length !== x.shape.length || limit.length !== x.shape.length || step.length !== x.shape.length)
    throw shapeError('slice', 'one start, limit and step for each axis', x.shape, start, limit, step)
  return bind1(p.slice, [x], { start, limit, step })
}

/**
 * The part `from … to - 1` of one axis; negative positions count from the end.
 *
 * @example
 * ```ts
 * import { arange, sliceAxis } from 'pullback'
 * console.log(sliceAxis(arange(6), 0, 1, -1)) // => int32[4] [1, 2, 3, 4]
 * ```
 */
export const sliceAxis = <
  S extends Shape,
  D extends Dtype,
  const A extends number,
  const From extends number,
  const To extends number | undefined = undefined,
>(
  x: Tensor<S, D>,
  axis: A & HasAxis<'sliceAxis', S, A>,
  from: From,
  to?: To,
): Tensor<SlicedAxis<S, A, From, To>, D> => {
  const at = normalAxis('sliceAxis', axis, x.shape)
  const size = x.shape[at] as number
  const position = (i: number): number => (i < 0 ? i + size : i)
  return sliced(
    x,
    x.shape.map((_, i) => (i === at ? position(from) : 0)),
    x.shape.map((n, i) => (i === at ? position(to ?? size) : n)),
  ) as Tensor<SlicedAxis<S, A, From, To>, D>
}

/**
 * The element at a position of the first axes: x[i], x[i, j] …; negative positions count from the end.
 *
 * @example
 * ```ts
 * import { arange, at, reshape } from 'pullback'
 * console.log(at(reshape(arange(6), [2, 3]), 1), at(reshape(arange(6), [2, 3]), 0, -1))
 * // => int32[3] [3, 4, 5] int32[] 2
 * ```
 */
export const at = <S extends Shape, D extends Dtype, const P extends readonly number[]>(
  x: Tensor<S, D>,
  ...position: P & Within<S, P>
): Tensor<Behind<S, P>, D> => {
  if (position.length > x.shape.length)
    throw shapeError('at', `${position.length} positions are too many`, x.shape)
  const start = x.shape.map((n, axis) => {
    const i = position[axis] ?? 0
    if (axis < position.length && (i < -n || i >= n || !Number.isInteger(i)))
      throw argumentError('at', `position ${i} is out of range for axis ${axis} of size ${n}`)
    return i < 0 ? i + n : i
  })
  const limit = x.shape.map((n, axis) => (axis < position.length ? (start[axis] as number) + 1 : n))
  const shape: Shape = x.shape.slice(position.length)
  return reshaped(sliced(x, start, limit), shape) as Tensor<Behind<S, P>, D>
}

/**
 * The tensor cut along an axis into parts of equal or of the given sizes.
 *
 * @example
 * ```ts
 * import { arange, splitAxis } from 'pullback'
 * console.log(splitAxis(arange(6), [2, 4])) // => [int32[2] [0, 1], int32[4] [2, 3, 4, 5]]
 * ```
 */
export const splitAxis = <
  S extends Shape,
  D extends Dtype,
  const P extends number | readonly number[],
  const A extends number = 0,
>(
  x: Tensor<S, D>,
  parts: P & Splits<S, P, A>,
  axis?: A & HasAxis<'splitAxis', S, A>,
): SplitParts<S, D, P, A> => {
  const along = normalAxis('splitAxis', axis ?? 0, x.shape)
  const total = x.shape[along] as number
  const given: number | readonly number[] = parts
  const sizes = typeof given === 'number' ? Array.from({ length: given }, () => total / given) : given
  return bind(p.split, [x], { axis: along, sizes }) as SplitParts<S, D, P, A>
}

/** The parts into which a tensor is cut. */
export type SplitParts<S extends Shape, D extends Dtype, P, A> = Tensors<SplitShapes<S, P, A>, D>

type Tensors<L extends readonly Shape[], D extends Dtype> = { readonly [I in keyof L]: Tensor<L[I], D> }
