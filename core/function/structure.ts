/** Functions that make, move and combine tensors without computing anything. */
import type { Dtype } from '../../kernels/index.ts'
import { sizeOf } from '../../kernels/index.ts'
import { bind, bind1 } from '../bind.ts'
import { argumentError, shapeError } from '../error.ts'
import * as p from '../primitives/structure.ts'
import type { Shape } from '../shape.ts'
import { normalAxes, normalAxis, sameShape } from '../shape.ts'
import type { Tensor } from '../tensor.ts'
import { Literal } from '../tensor.ts'
import type {
  Behind,
  Concatenated,
  Concatenates,
  DtypeOf,
  HasAxis,
  Inserted,
  Moved,
  Operand,
  Padded,
  Permuted,
  Refills,
  Reshaped,
  Sliced,
  SlicedAxis,
  SplitShapes,
  Splits,
  Spreads,
  Squeezed,
  Stacked,
  Stacks,
  Swapped,
  Within,
} from '../type.ts'
import { castTo, promote } from './basic.ts'
import { reduceSum } from '../primitives/reduce.ts'

/**
 * The tensor repeated to a shape that it broadcasts to.
 *
 * @example
 * ```ts
 * import { broadcastTo, tensor } from 'pullback'
 * console.log(broadcastTo(tensor([1, 2]), [2, 2])) // => float32[2, 2] [[1, 2], [1, 2]]
 * ```
 */
export const broadcastTo = <X extends Shape, D extends Dtype, const S extends Shape>(
  x: Tensor<X, D>,
  shape: S & Spreads<X, S>,
): Tensor<S, D> => (sameShape(x.shape, shape) ? x : bind1(p.broadcastTo, [x], { shape })) as Tensor<S, D>

/**
 * The tensor with its shape forgotten in the type, where the types know less than the program; run time checks it.
 *
 * @example
 * ```ts
 * import { dynamic, zeros } from 'pullback'
 * import type { Tensor } from 'pullback'
 * const anyRows: Tensor = dynamic(zeros([2, 3]))
 * console.log(anyRows.shape) // => [2, 3]
 * ```
 */
export const dynamic = <D extends Dtype>(x: Tensor<Shape, D>): Tensor<Shape, D> => x

/**
 * A tensor of one number.
 *
 * @example
 * ```ts
 * import { full } from 'pullback'
 * console.log(full([2, 2], 0.5)) // => float32[2, 2] [[0.5, 0.5], [0.5, 0.5]]
 * ```
 */
export const full = <const S extends Shape, D extends Dtype = 'float32'>(
  shape: S,
  value: number,
  dtype?: D,
): Tensor<S, D> => broadcastTo(new Literal(value, dtype ?? 'float32'), shape) as unknown as Tensor<S, D>

/**
 * A tensor of zeros.
 *
 * @example
 * ```ts
 * import { zeros } from 'pullback'
 * console.log(zeros([2, 2], 'int32')) // => int32[2, 2] [[0, 0], [0, 0]]
 * ```
 */
export const zeros = <const S extends Shape, D extends Dtype = 'float32'>(
  shape: S,
  dtype?: D,
): Tensor<S, D> => full(shape, 0, dtype)

/**
 * A tensor of ones.
 *
 * @example
 * ```ts
 * import { ones } from 'pullback'
 * console.log(ones([2])) // => float32[2] [1, 1]
 * ```
 */
export const ones = <const S extends Shape, D extends Dtype = 'float32'>(shape: S, dtype?: D): Tensor<S, D> =>
  full(shape, 1, dtype)

/**
 * Zeros of the shape and dtype of another tensor.
 *
 * @example
 * ```ts
 * import { arange, zerosLike } from 'pullback'
 * console.log(zerosLike(arange(3))) // => int32[3] [0, 0, 0]
 * ```
 */
export const zerosLike = <S extends Shape, D extends Dtype>(x: Tensor<S, D>): Tensor<S, D> =>
  zeros(x.shape, x.dtype)
/**
 * Ones of the shape and dtype of another tensor.
 *
 * @example
 * ```ts
 * import { arange, onesLike } from 'pullback'
 * console.log(onesLike(arange(3))) // => int32[3] [1, 1, 1]
 * ```
 */
export const onesLike = <S extends Shape, D extends Dtype>(x: Tensor<S, D>): Tensor<S, D> =>
  ones(x.shape, x.dtype)

/**
 * The int32 position along `axis` at each element.
 *
 * @example
 * ```ts
 * import { iota } from 'pullback'
 * console.log(iota([2, 3], 1)) // => int32[2, 3] [[0, 1, 2], [0, 1, 2]]
 * ```
 */
export const iota = <const S extends Shape>(shape: S, axis: number): Tensor<S, 'int32'> =>
  bind1(p.iota, [], { shape, axis: normalAxis('iota', axis, shape) }) as Tensor<S, 'int32'>

/**
 * 0, 1, …, n - 1
 *
 * @example
 * ```ts
 * import { arange } from 'pullback'
 * console.log(arange(4)) // => int32[4] [0, 1, 2, 3]
 * ```
 */
export const arange = <N extends number>(n: N): Tensor<readonly [N], 'int32'> =>
  iota([n], 0) as unknown as Tensor<readonly [N], 'int32'>

/**
 * 1 on the diagonal of a square matrix, else 0.
 *
 * @example
 * ```ts
 * import { eye } from 'pullback'
 * console.log(eye(2)) // => float32[2, 2] [[1, 0], [0, 1]]
 * ```
 */
export const eye = <N extends number, D extends Dtype = 'float32'>(
  n: N,
  dtype?: D,
): Tensor<readonly [N, N], D> => {
  const pad = reshape(ones([n, 1], dtype ?? 'float32'), [n, 1])
  const wide = bind1(p.pad, [pad, new Literal(0, pad.dtype)], { low: [0, 0], high: [0, n], interior: [0, 0] })
  const flat = slice(reshape(wide, [n * (n + 1)]), [0], [n * n])
  return reshape(flat, [n, n]) as unknown as Tensor<readonly [N, N], D>
}

/**
 * The same elements in row-major order under another shape; one size may be -1 and is found.
 *
 * @example
 * ```ts
 * import { arange, reshape } from 'pullback'
 * console.log(reshape(arange(6), [2, -1])) // => int32[2, 3] [[0, 1, 2], [3, 4, 5]]
 * ```
 */
export const reshape = <X extends Shape, D extends Dtype, const S extends Shape>(
  x: Tensor<X, D>,
  shape: S & Refills<X, S>,
): Tensor<Reshaped<X, S>, D> => reshaped(x, shape) as Tensor<Reshaped<X, S>, D>

const reshaped = (x: Tensor, shape: Shape): Tensor => {
  const open = shape.filter((size) => size === -1).length
  if (open > 1) throw shapeError('reshape', 'at most one size can be -1', x.shape, shape)
  const known = shape.reduce((n, size) => (size === -1 ? n : n * size), 1)
  const size = sizeOf(x.shape)
  if (open === 1 && (known === 0 || size % known !== 0))
    throw shapeError('reshape', 'no size for -1 keeps the number of elements', x.shape, shape)
  const wanted = open === 0 ? shape : shape.map((n) => (n === -1 ? size / known : n))
  return sameShape(x.shape, wanted) ? x : bind1(p.reshape, [x], { shape: wanted })
}

/**
 * The axes in another order; reversed where none is given.
 *
 * @example
 * ```ts
 * import { tensor, transpose, zeros } from 'pullback'
 * console.log(transpose(tensor([[1, 2, 3], [4, 5, 6]]))) // => float32[3, 2] [[1, 4], [2, 5], [3, 6]]
 * console.log(transpose(zeros([2, 3, 4]), [1, 0, 2]).shape) // => [3, 2, 4]
 * ```
 */
export const transpose = <
  S extends Shape,
  D extends Dtype,
  const P extends readonly number[] | undefined = undefined,
>(
  x: Tensor<S, D>,
  permutation?: P,
): Tensor<Permuted<S, P>, D> => {
  const order =
    permutation?.map((axis) => normalAxis('transpose', axis, x.shape)) ??
    x.shape.map((_, i) => x.shape.length - 1 - i)
  return (order.every((axis, i) => axis === i) && order.length === x.shape.length
    ? x
    : bind1(p.transpose, [x], { permutation: order })) as unknown as Tensor<Permuted<S, P>, D>
}

/**
 * Two axes exchanged.
 *
 * @example
 * ```ts
 * import { swapAxes, zeros } from 'pullback'
 * console.log(swapAxes(zeros([2, 3, 4]), 0, -1).shape) // => [4, 3, 2]
 * ```
 */
export const swapAxes = <S extends Shape, D extends Dtype, const A extends number, const B extends number>(
  x: Tensor<S, D>,
  a: A & HasAxis<'swapAxes', S, A>,
  b: B & HasAxis<'swapAxes', S, B>,
): Tensor<Swapped<S, A, B>, D> => {
  const [i, j] = [normalAxis('swapAxes', a, x.shape), normalAxis('swapAxes', b, x.shape)]
  return transpose(
    x,
    x.shape.map((_, axis) => (axis === i ? j : axis === j ? i : axis)),
  ) as unknown as Tensor<Swapped<S, A, B>, D>
}

/**
 * One axis moved to another place, the others kept in order.
 *
 * @example
 * ```ts
 * import { moveAxis, zeros } from 'pullback'
 * console.log(moveAxis(zeros([2, 3, 4]), 0, -1).shape) // => [3, 4, 2]
 * ```
 */
export const moveAxis = <S extends Shape, D extends Dtype, const A extends number, const B extends number>(
  x: Tensor<S, D>,
  from: A & HasAxis<'moveAxis', S, A>,
  to: B & HasAxis<'moveAxis', S, B>,
): Tensor<Moved<S, A, B>, D> => {
  const [source, target] = [normalAxis('moveAxis', from, x.shape), normalAxis('moveAxis', to, x.shape)]
  const order = x.shape.flatMap((_, axis) => (axis === source ? [] : [axis]))
  order.splice(target, 0, source)
  return transpose<Shape, D, readonly number[]>(x, order) as unknown as Tensor<Moved<S, A, B>, D>
}

/**
 * A new axis of size 1 at `axis` of the result.
 *
 * @example
 * ```ts
 * import { expandDims, zeros } from 'pullback'
 * console.log(expandDims(zeros([2, 3]), -1).shape) // => [2, 3, 1]
 * ```
 */
export const expandDims = <S extends Shape, D extends Dtype, const A extends number>(
  x: Tensor<S, D>,
  axis: A,
): Tensor<Inserted<S, A, 1>, D> => {
  const at = normalAxis('expandDims', axis, x.shape, 1)
  const shape: Shape = [...x.shape.slice(0, at), 1, ...x.shape.slice(at)]
  return reshaped(x, shape) as Tensor<Inserted<S, A, 1>, D>
}

/**
 * Without the given axes of size 1, or all of them.
 *
 * @example
 * ```ts
 * import { squeeze, zeros } from 'pullback'
 * console.log(squeeze(zeros([2, 1, 3, 1])).shape, squeeze(zeros([2, 1, 3, 1]), 1).shape)
 * // => [2, 3] [2, 3, 1]
 * ```
 */
export const squeeze = <
  S extends Shape,
  D extends Dtype,
  const A extends number | readonly number[] | undefined = undefined,
>(
  x: Tensor<S, D>,
  axis?: A,
): Tensor<Squeezed<S, A>, D> => {
  const axes =
    axis === undefined
      ? x.shape.flatMap((n, i) => (n === 1 ? [i] : []))
      : normalAxes('squeeze', axis, x.shape)
  if (axes.some((i) => x.shape[i] !== 1))
    throw shapeError('squeeze', 'squeezed axes must have size 1', x.shape)
  return reshaped(
    x,
    x.shape.filter((_, i) => !axes.includes(i)),
  ) as Tensor<Squeezed<S, A>, D>
}

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
 * `value` put before and behind, and between neighbours: widths are [low, high], or [low, high, between], for each
 * axis.
 *
 * @example
 * ```ts
 * import { pad, tensor } from 'pullback'
 * console.log(pad(tensor([1, 2]), [[1, 2]], 9)) // => float32[5] [9, 1, 2, 9, 9]
 * console.log(pad(tensor([1, 2]), [[0, 0, 1]], 9)) // => float32[3] [1, 9, 2]
 * ```
 */
export const pad = <S extends Shape, D extends Dtype, const P extends readonly Shape[]>(
  x: Tensor<S, D>,
  widths: P,
  value: Operand = 0,
): Tensor<Padded<S, P>, D> => {
  const fill = typeof value === 'number' ? new Literal(value, x.dtype) : castTo(value, x.dtype)
  const low = widths.map(([n]) => n ?? 0)
  const high = widths.map(([, n]) => n ?? 0)
  const interior = widths.map(([, , n]) => n ?? 0)
  const isNothing =
    typeof value === 'number' && widths.length === x.shape.length && widths.flat().every((n) => n === 0)
  return (isNothing ? x : bind1(p.pad, [x, fill], { low, high, interior })) as Tensor<Padded<S, P>, D>
}

/**
 * Tensors one behind the other along an axis.
 *
 * @example
 * ```ts
 * import { concatenate, tensor } from 'pullback'
 * console.log(concatenate([tensor([1, 2]), tensor([3])])) // => float32[3] [1, 2, 3]
 * ```
 */
export const concatenate = <const T extends readonly Tensor[], const A extends number = 0>(
  tensors: T & Concatenates<T, A>,
  axis?: A,
): Tensor<Concatenated<T, A>, DtypeOf<T[number]>> => joined(tensors, axis ?? 0) as never

const joined = (tensors: readonly Tensor[], axis: number): Tensor => {
  const promoted = promote(...tensors)
  const [first] = promoted
  if (first === undefined) throw argumentError('concatenate', 'expected at least one tensor, got none')
  return promoted.length === 1
    ? first
    : bind1(p.concatenate, promoted, { axis: normalAxis('concatenate', axis, first.shape) })
}

/**
 * Tensors of one shape beside each other along a new axis.
 *
 * @example
 * ```ts
 * import { stack, tensor } from 'pullback'
 * console.log(stack([tensor([1, 2]), tensor([3, 4])], -1)) // => float32[2, 2] [[1, 3], [2, 4]]
 * ```
 */
export const stack = <const T extends readonly Tensor[], const A extends number = 0>(
  tensors: T & Stacks<T>,
  axis?: A,
): Tensor<Stacked<T, A>, DtypeOf<T[number]>> => {
  const place: number = axis ?? 0
  return joined(
    tensors.map((x) => expandDims(x, place)),
    place,
  ) as never
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

/**
 * The elements in reverse order along axes.
 *
 * @example
 * ```ts
 * import { reverse, tensor } from 'pullback'
 * console.log(reverse(tensor([[1, 2], [3, 4]]), 1)) // => float32[2, 2] [[2, 1], [4, 3]]
 * ```
 */
export const reverse = <T extends Tensor>(x: T, axis?: number | readonly number[]): T =>
  bind1(p.reverse, [x], { axes: normalAxes('reverse', axis, x.shape) }) as T

/**
 * The sum of `x` over the axes along which `shape` was broadcast to its shape: broadcasting's adjoint.
 *
 * @example
 * ```ts
 * import { ones, unbroadcast } from 'pullback'
 * console.log(unbroadcast(ones([4, 3]), [1, 3])) // => float32[1, 3] [[4, 4, 4]]
 * ```
 */
export const unbroadcast = (x: Tensor, shape: Shape): Tensor => {
  if (sameShape(x.shape, shape)) return x
  const lead = x.shape.length - shape.length
  const axes = x.shape.flatMap((n, i) => (i < lead || (shape[i - lead] === 1 && n !== 1) ? [i] : []))
  const summed = axes.length === 0 ? x : bind1(reduceSum, [x], { axes })
  return reshape(summed, shape)
}
