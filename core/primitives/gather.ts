/** Reading and writing at positions that are data. */
import type { Indexed } from '../../kernels/index.ts'
import { contiguous, isFloating, sizeOf } from '../../kernels/index.ts'
import { dtypeError, shapeError } from '../error.ts'
import { serialise } from '../lower/builder.ts'
import type { Builder } from '../lower/builder.ts'
import type { Lazy } from '../lower/lazy.ts'
import { whole } from '../lower/lazy.ts'
import type { Primitive } from '../primitive.ts'
import type { Shape } from '../shape.ts'
import { sameShape } from '../shape.ts'
import type { Aval, Tensor } from '../tensor.ts'
import { bind, bind1 } from './rule.ts'

/**
 * The first `batchAxes` axes of the operand and of the indices go together; `axis` of the operand is looked
 * up. Indices beyond the axis are clamped, as in JAX's indexing.
 */
export interface GatherParams {
  readonly axis: number
  readonly batchAxes: number
}

const gatheredShape = (shape: Shape, indices: Shape, { axis, batchAxes }: GatherParams): Shape => [
  ...shape.slice(0, axis),
  ...indices.slice(batchAxes),
  ...shape.slice(axis + 1),
]

const check = (name: string, x: Aval, indices: Aval, { axis, batchAxes }: GatherParams): void => {
  if (indices.dtype !== 'int32') throw dtypeError(name, 'indices must be int32', indices.dtype)
  if (axis >= x.shape.length || batchAxes > axis)
    throw shapeError(name, `axis ${axis} is not behind ${batchAxes} batch axes`, x.shape)
  if (!sameShape(x.shape.slice(0, batchAxes), indices.shape.slice(0, batchAxes)))
    throw shapeError(name, 'leading axes must agree', x.shape, indices.shape)
  if (x.shape[axis] === 0 && sizeOf(indices.shape) > 0)
    throw shapeError(name, `axis ${axis} is empty, there is nothing to look up`, x.shape)
}

/** The looked-up axis as a part of an address, walked over the gathered shape. */
const indexing = (
  indices: Lazy,
  stride: number,
  size: number,
  rank: number,
  { axis, batchAxes }: GatherParams,
  builder: Builder,
): Indexed => {
  const index = builder.force(indices)
  const own = indices.shape.length - batchAxes
  const strides = new Array<number>(rank).fill(0)
  for (let i = 0; i < batchAxes; i++) strides[i] = index.strides[i] as number
  for (let i = 0; i < own; i++) strides[axis + i] = index.strides[batchAxes + i] as number
  return { index: { ...index, strides }, stride, size }
}

/** Strides of the operand over the gathered shape: none along the looked-up positions. */
const spread = (strides: readonly number[], looked: number, axis: number): number[] => [
  ...strides.slice(0, axis),
  ...new Array<number>(looked).fill(0),
  ...strides.slice(axis + 1),
]

export const gather: Primitive<GatherParams> = {
  name: 'gather',
  shape: ([x, indices], params) => {
    const [a, i] = [x as Aval, indices as Aval]
    check('gather', a, i, params)
    return [{ shape: gatheredShape(a.shape, i.shape, params), dtype: a.dtype }]
  },
  vjp: (ops, { cotangents: [g], inputs: [x, indices], params }) => [
    bind1(
      ops,
      scatterAdd,
      [ops.zeros((x as Tensor).shape, (g as Tensor).dtype), indices as Tensor, g as Tensor],
      params,
    ),
    undefined,
  ],
  batch: (ops, { inputs: [x, indices], batched, params: { axis, batchAxes }, size }) => {
    const [a, i] = [x as Tensor, indices as Tensor]
    if (batched[1] !== true && batchAxes === 0)
      return bind(ops, gather, [a, i], { axis: axis + 1, batchAxes })
    if (batched[0] !== true && batchAxes === 0) {
      const [out] = bind(ops, gather, [a, i], { axis, batchAxes })
      return [ops.moveAxis(out as Tensor, axis, 0)]
    }
    const wide = (t: Tensor, is: boolean | undefined): Tensor =>
      is === true ? t : ops.broadcastTo(t, [size, ...t.shape])
    return bind(ops, gather, [wide(a, batched[0]), wide(i, batched[1])], {
      axis: axis + 1,
      batchAxes: batchAxes + 1,
    })
  },
  lower: ({ inputs: [x, indices], params, outputs: [out], builder }) => {
    const { shape, dtype } = out as Aval
    const { axis, batchAxes } = params
    const operand = x as Lazy
    const view = builder.force(operand)
    const looked = (indices as Lazy).shape.length - batchAxes
    const at = indexing(
      indices as Lazy,
      view.strides[axis] as number,
      operand.shape[axis] as number,
      shape.length,
      params,
      builder,
    )
    const strides = spread(view.strides, looked, axis)
    return [
      {
        shape,
        dtype,
        node: {
          kind: 'leaf',
          dtype,
          operand: { kind: 'buffer', buffer: view.buffer, offset: view.offset, strides, at: [at] },
        },
      },
    ]
  },
}

type ScatterOp = 'add' | 'set' | 'max' | 'min'

/** A scatter: `base` with the positions that `gather` would read changed by the updates, in row-major order. */
const scatter = (
  name: string,
  op: ScatterOp,
  vjp: NonNullable<Primitive<GatherParams>['vjp']>,
): Primitive<GatherParams> => {
  const self: Primitive<GatherParams> = {
    name,
    shape: ([base, indices, updates], params) => {
      const [a, i, u] = [base as Aval, indices as Aval, updates as Aval]
      check(name, a, i, params)
      const expected = gatheredShape(a.shape, i.shape, params)
      if (!sameShape(expected, u.shape))
        throw shapeError(name, 'updates must have the gathered shape', expected, u.shape)
      if (a.dtype !== u.dtype) throw dtypeError(name, 'dtypes must agree', a.dtype, u.dtype)
      if (op === 'add' && a.dtype === 'bool') throw dtypeError(name, 'not defined on this dtype', a.dtype)
      return [{ shape: a.shape, dtype: a.dtype }]
    },
    vjp,
    batch: (ops, { inputs, batched, params: { axis, batchAxes }, size }) =>
      bind(
        ops,
        self,
        inputs.map((t, i) => (batched[i] === true ? t : ops.broadcastTo(t, [size, ...t.shape]))),
        { axis: axis + 1, batchAxes: batchAxes + 1 },
      ),
    lower: ({ inputs: [base, indices, updates], params, outputs: [out], builder }) => {
      const { shape, dtype } = out as Aval
      const { axis, batchAxes } = params
      const source = builder.settle(updates as Lazy)
      const id = builder.buffer(dtype, sizeOf(shape))
      const strides = contiguous(shape)
      builder.write(builder.settle(base as Lazy), { buffer: id, strides, offset: 0 })
      if (sizeOf(source.shape) === 0) return [whole(id, shape, dtype)]
      const looked = (indices as Lazy).shape.length - batchAxes
      const at = indexing(
        indices as Lazy,
        strides[axis] as number,
        shape[axis] as number,
        source.shape.length,
        params,
        builder,
      )
      const { operands, body, values } = serialise([source.node])
      builder.emit({
        kind: 'scatter',
        op,
        shape: source.shape,
        operands,
        body,
        value: values[0] as number,
        target: { buffer: id, offset: 0, strides: spread(strides, looked, axis) },
        at: [at],
      })
      return [whole(id, shape, dtype)]
    },
  }
  return self
}

/** `base` with `updates` added at the positions that `gather` would read: its adjoint. */
export const scatterAdd: Primitive<GatherParams> = scatter(
  'scatterAdd',
  'add',
  (ops, { cotangents: [g], inputs: [base, indices], params, needs }) => [
    isFloating((base as Tensor).dtype) && needs[0] === true ? (g as Tensor) : undefined,
    undefined,
    needs[2] === true ? bind1(ops, gather, [g as Tensor, indices as Tensor], params) : undefined,
  ],
)

/** `base` with the updates in place of what was there; of several for one place the last counts. */
export const scatterSet: Primitive<GatherParams> = scatter(
  'scatterSet',
  'set',
  (ops, { cotangents: [g], inputs: [base, indices, updates], params, needs }) => {
    const [ct, index, own] = [g as Tensor, indices as Tensor, updates as Tensor]
    const size = sizeOf(own.shape)
    // Who wrote last: the number of the update that is found afterwards.
    const numbers = ops.reshape(ops.iota([size], 0), own.shape)
    const winners = (): Tensor => {
      const none = ops.full((base as Tensor).shape, -1, 'int32')
      const last = bind1(ops, scatterSet, [none, index, numbers], params)
      return ops.equal(bind1(ops, gather, [last, index], params), numbers)
    }
    return [
      needs[0] === true ? bind1(ops, scatterSet, [ct, index, ops.zerosLike(own)], params) : undefined,
      undefined,
      needs[2] === true
        ? ops.where(winners() as Tensor<Shape, 'bool'>, bind1(ops, gather, [ct, index], params), 0)
        : undefined,
    ]
  },
)

/** Whoever has the extreme value gets the cotangent, shared evenly. */
const extreme: Exclude<Primitive<GatherParams>['vjp'], 'none'> = (
  ops,
  { cotangents: [g], inputs: [base, indices, updates], outputs: [y], params, needs },
) => {
  const [ct, out, index] = [g as Tensor, y as Tensor, indices as Tensor]
  const looked = (x: Tensor): Tensor => bind1(ops, gather, [x, index], params)
  const isBase = ops.cast(ops.equal(base as Tensor, out), ct.dtype)
  const isUpdate = ops.cast(ops.equal(updates as Tensor, looked(out)), ct.dtype)
  const count = bind1(ops, scatterAdd, [isBase, index, isUpdate], params)
  const share = ops.div(ct, ops.maximum(count, 1))
  return [
    needs[0] === true ? ops.mul(share, isBase) : undefined,
    undefined,
    needs[2] === true ? ops.mul(looked(share), isUpdate) : undefined,
  ]
}

/** `base` with the larger of what was there and each update. */
export const scatterMax: Primitive<GatherParams> = scatter('scatterMax', 'max', extreme)
/** `base` with the smaller of what was there and each update. */
export const scatterMin: Primitive<GatherParams> = scatter('scatterMin', 'min', extreme)
