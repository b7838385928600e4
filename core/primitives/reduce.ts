/** Reductions and running folds. */
import type { FoldOp } from '../../kernels/index.ts'
import { contiguous, sizeOf } from '../../kernels/index.ts'
import { dtypeError, shapeError } from '../error.ts'
import type { Operations } from '../primitive.ts'
import { pendingFold } from '../lower/builder.ts'
import type { Builder } from '../lower/builder.ts'
import type { Lazy } from '../lower/lazy.ts'
import { pending, whole } from '../lower/lazy.ts'
import { transposeView } from '../lower/view.ts'
import type { LowerSite, Primitive } from '../primitive.ts'
import type { Shape } from '../shape.ts'
import { reducedShape } from '../shape.ts'
import type { Aval, Tensor } from '../tensor.ts'
import { bind, bind1 } from './rule.ts'

/** Axes are normal and ascending; they vanish from the shape. */
export interface ReduceParams {
  readonly axes: readonly number[]
}

/** The value with `axes` behind the others, and the sizes of both parts. */
const rows = (
  lazy: Lazy,
  axes: readonly number[],
  builder: Builder,
): { readonly lazy: Lazy; readonly outer: Shape; readonly inner: Shape } => {
  const kept = lazy.shape.flatMap((_, axis) => (axes.includes(axis) ? [] : [axis]))
  return {
    lazy: builder.settle(transposeView(lazy, [...kept, ...axes])),
    outer: kept.map((axis) => lazy.shape[axis] as number),
    inner: axes.map((axis) => lazy.shape[axis] as number),
  }
}

const lowerFold =
  (op: FoldOp) =>
  ({ inputs: [x], params: { axes }, outputs: [out], builder }: LowerSite<ReduceParams>): readonly Lazy[] => {
    const { lazy, outer, inner } = rows(x as Lazy, axes, builder)
    const { dtype } = out as Aval
    const launch = pendingFold(op, lazy.node, outer, inner, dtype)
    return [pending(launch)]
  }

/** `y` (reduced) with its axes back as size 1, so that it broadcasts against the input. */
const restore = ({ reshape }: Operations, y: Tensor, shape: Shape, axes: readonly number[]): Tensor =>
  reshape(y, reducedShape(shape, axes, true))

const fold = (
  name: string,
  op: FoldOp,
  derivative:
    'none' | ((ops: Operations, g: Tensor, x: Tensor, y: Tensor, axes: readonly number[]) => Tensor),
): Primitive<ReduceParams> => {
  const arg = op === 'argmax' || op === 'argmin'
  const self: Primitive<ReduceParams> = {
    name,
    shape: ([x], { axes }) => {
      const { shape, dtype } = x as Aval
      if (dtype === 'bool' && (op === 'sum' || op === 'prod'))
        throw dtypeError(name, 'not defined on this dtype', dtype)
      if (op !== 'sum' && op !== 'prod' && axes.some((axis) => shape[axis] === 0))
        throw shapeError(name, `there is nothing to choose from along axes [${axes.join(', ')}]`, shape)
      return [{ shape: reducedShape(shape, axes, false), dtype: arg ? 'int32' : dtype }]
    },
    vjp:
      derivative === 'none'
        ? 'none'
        : (ops, { cotangents: [g], inputs: [x], outputs: [y], params: { axes } }) => [
            derivative(
              ops,
              restore(ops, g as Tensor, (x as Tensor).shape, axes),
              x as Tensor,
              restore(ops, y as Tensor, (x as Tensor).shape, axes),
              axes,
            ),
          ],
    batch: (ops, { inputs, params: { axes } }) =>
      bind(ops, self, inputs, { axes: axes.map((axis) => axis + 1) }),
    lower: lowerFold(op),
  }
  return self
}

/** Extreme elements share the cotangent evenly, as in JAX. */
const chosen = (ops: Operations, g: Tensor, x: Tensor, y: Tensor, axes: readonly number[]): Tensor => {
  const mask = ops.cast(ops.equal(x, y), x.dtype)
  const count = ops.sum(mask, { axis: axes, keepDims: true })
  return ops.mul(mask, ops.div(g, count))
}

export const reduceSum: Primitive<ReduceParams> = fold('reduceSum', 'sum', ({ broadcastTo }, g, x) =>
  broadcastTo(g, x.shape),
)
export const reduceMax: Primitive<ReduceParams> = fold('reduceMax', 'max', chosen)
export const reduceMin: Primitive<ReduceParams> = fold('reduceMin', 'min', chosen)
/** The product of all others is a product of running products from both sides: right also with zeros. */
export const reduceProd: Primitive<ReduceParams> = fold('reduceProd', 'prod', (ops, g, x, _, axes) => {
  const kept = x.shape.flatMap((_, axis) => (axes.includes(axis) ? [] : [axis]))
  const permutation = [...kept, ...axes]
  const flat = ops.reshape(ops.transpose(x, permutation), [
    ...kept.map((axis) => x.shape[axis] as number),
    axes.reduce((n, axis) => n * (x.shape[axis] as number), 1),
  ])
  const last = flat.shape.length - 1
  const length = flat.shape[last] as number
  const widths = (low: number, high: number): (readonly [number, number])[] =>
    flat.shape.map((_, axis) => (axis === last ? [low, high] : [0, 0]))
  const shifted = (reverse: boolean): Tensor => {
    const running = bind1(ops, cumulative, [flat], { op: 'prod', axis: last, reverse })
    const padded = ops.pad(running, reverse ? widths(0, 1) : widths(1, 0), 1)
    const start = flat.shape.map((_, axis) => (axis === last && reverse ? 1 : 0))
    return ops.slice(
      padded,
      start,
      start.map((from, axis) => (axis === last ? from + length : (flat.shape[axis] as number))),
    )
  }
  const others = ops.reshape(
    ops.mul(shifted(false), shifted(true)),
    permutation.map((axis) => x.shape[axis] as number),
  )
  return ops.mul(
    ops.transpose(
      others,
      permutation.map((_, axis) => permutation.indexOf(axis)),
    ),
    g,
  )
})
/** The position of the first extreme element, row-major over the axes. */
export const argMax: Primitive<ReduceParams> = fold('argMax', 'argmax', 'none')
export const argMin: Primitive<ReduceParams> = fold('argMin', 'argmin', 'none')

export interface CumulativeParams {
  readonly op: 'sum' | 'prod' | 'max' | 'min'
  readonly axis: number
  readonly reverse: boolean
}

/** Running sum, product, maximum or minimum along an axis. */
export const cumulative: Primitive<CumulativeParams> = {
  name: 'cumulative',
  shape: ([x]) => {
    const { shape, dtype } = x as Aval
    if (dtype === 'bool') throw dtypeError('cumulative', 'not defined on this dtype', dtype)
    return [{ shape, dtype }]
  },
  vjp: (ops, { cotangents: [g], inputs: [x], outputs: [y], params: { op, axis, reverse } }) => {
    const [ct, input, out] = [g as Tensor, x as Tensor, y as Tensor]
    const back = (value: Tensor): Tensor =>
      bind1(ops, cumulative, [value], { op: 'sum', axis, reverse: !reverse })
    if (op === 'sum') return [back(ct)]
    if (op === 'prod') return [cumulativeProductVjp(ops, ct, input, axis, reverse)]
    // The element that set the running extreme gets the cotangents of the whole stretch it held; the one that
    // set it first keeps it at a tie.
    const length = input.shape[axis] as number
    const shape = input.shape
    const index = ops.iota(shape, axis)
    const one = shape.map((_, i) => (i === axis ? 1 : 0))
    const before = ops.slice(
      ops.pad(
        out,
        shape.map((_, i) => (i === axis ? (reverse ? [0, 1] : [1, 0]) : [0, 0])),
        op === 'max' ? -Infinity : Infinity,
      ),
      reverse ? one : shape.map(() => 0),
      shape.map((n, i) => (i === axis && reverse ? n + 1 : n)),
    )
    const sets = op === 'max' ? ops.greater(input, before) : ops.less(input, before)
    const none = reverse ? length - 1 : 0
    const source = bind1(ops, cumulative, [ops.where(sets, index, none)], {
      op: reverse ? 'min' : 'max',
      axis,
      reverse,
    })
    const last = shape.length - 1
    const moved = ops.swapAxes(ct, axis, last)
    const scattered = ops.scatterAddAlongAxis(
      ops.zeros(moved.shape, ct.dtype),
      ops.swapAxes(source, axis, last),
      moved,
    )
    return [ops.swapAxes(scattered, axis, last)]
  },
  batch: (ops, { inputs, params }) => bind(ops, cumulative, inputs, { ...params, axis: params.axis + 1 }),
  lower: ({ inputs: [x], params: { op, axis, reverse }, outputs: [out], builder }) => {
    const { shape, dtype } = out as Aval
    const id = builder.buffer(dtype, sizeOf(shape))
    const order = [...shape.flatMap((_, i) => (i === axis ? [] : [i])), axis]
    const input = builder.force(transposeView(x as Lazy, order))
    const strides = contiguous(shape)
    builder.emit({
      kind: 'scan',
      op,
      outer: order.slice(0, -1).map((i) => shape[i] as number),
      length: shape[axis] as number,
      reverse,
      input,
      target: { buffer: id, offset: 0, strides: order.map((i) => strides[i] as number) },
    })
    return [whole(id, shape, dtype)]
  },
}

/**
 * Σ_i g_i ∂(Π_{j≤i} x_j)/∂x_k over a triangle of products that leave k out: quadratic in the length, and right
 * where factors are zero.
 */
const cumulativeProductVjp = (
  ops: Operations,
  g: Tensor,
  x: Tensor,
  axis: number,
  reverse: boolean,
): Tensor => {
  const last = x.shape.length - 1
  const length = x.shape[axis] as number
  const flip = (value: Tensor): Tensor => (reverse ? ops.reverse(value, [last]) : value)
  const moved = flip(ops.swapAxes(x, axis, last))
  const ct = flip(ops.swapAxes(g, axis, last))
  // [..., k, j]: the factors with the k-th one replaced by 1.
  const square = [...moved.shape, length]
  const diagonal = ops.equal(ops.iota([length, length], 0), ops.iota([length, length], 1))
  const without = ops.where(diagonal, 1, ops.broadcastTo(ops.expandDims(moved, last), square))
  const products = bind1(ops, cumulative, [without], { op: 'prod', axis: last + 1, reverse: false })
  const reached = ops.lessEqual(ops.iota([length, length], 0), ops.iota([length, length], 1))
  const terms = ops.where(reached, ops.mul(products, ops.expandDims(ct, last)), 0)
  return ops.swapAxes(flip(ops.sum(terms, { axis: last + 1 })), axis, last)
}
