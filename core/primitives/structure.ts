/** Primitives that move elements and compute nothing: most of them cost nothing once compiled. */
import { contiguous, sizeOf } from '../../kernels/index.ts'
import type { View } from '../../kernels/index.ts'
import { argumentError, describe, shapeError } from '../error.ts'
import type { Lazy } from '../lower/lazy.ts'
import { constant, costOf, whole } from '../lower/lazy.ts'
import { broadcastView, reshapeView, reverseView, sliceView, transposeView } from '../lower/view.ts'
import type { Primitive } from '../primitive.ts'
import type { Shape } from '../shape.ts'
import { broadcastShapes, sameShape } from '../shape.ts'
import type { Aval, Tensor } from '../tensor.ts'
import { bind, bind1 } from './rule.ts'

/** Throws unless every size is a count; a size that is undefined or a fraction would be found far from here. */
const checkSizes = (name: string, shape: Shape): void => {
  if (!Array.isArray(shape))
    throw argumentError(name, `the shape must be a list of sizes, such as [2, 3], got ${describe(shape)}`)
  if (shape.some((size) => !Number.isSafeInteger(size) || size < 0))
    throw argumentError(name, `sizes must be whole numbers from 0 on, got [${shape.join(', ')}]`)
}

/** NumPy's broadcast_to: the shape grows in front and where its size is 1. */
export const broadcastTo: Primitive<{ readonly shape: Shape }> = {
  name: 'broadcastTo',
  shape: ([x], { shape }) => {
    const { shape: from, dtype } = x as Aval
    checkSizes('broadcastTo', shape)
    if (!sameShape(broadcastShapes('broadcastTo', from, shape), shape))
      throw shapeError('broadcastTo', 'the shape does not broadcast to the wanted one', from, shape)
    return [{ shape, dtype }]
  },
  vjp: ({ unbroadcast }, { cotangents: [g], inputs: [x] }) => [unbroadcast(g as Tensor, (x as Tensor).shape)],
  batch: (ops, { inputs, params: { shape }, size }) => {
    const x = inputs[0] as Tensor
    const ones = new Array<number>(shape.length - x.shape.length + 1).fill(1)
    const aligned = ops.reshape(x, [size, ...ones, ...x.shape.slice(1)])
    return bind(ops, broadcastTo, [aligned], { shape: [size, ...shape] })
  },
  lower: ({ inputs: [x], params: { shape }, builder }) => [broadcastView(x as Lazy, shape, builder)],
}

export const reshape: Primitive<{ readonly shape: Shape }> = {
  name: 'reshape',
  shape: ([x], { shape }) => {
    const { shape: from, dtype } = x as Aval
    checkSizes('reshape', shape)
    if (sizeOf(from) !== sizeOf(shape))
      throw shapeError('reshape', 'the number of elements must stay', from, shape)
    return [{ shape, dtype }]
  },
  vjp: ({ reshape }, { cotangents: [g], inputs: [x] }) => [reshape(g as Tensor, (x as Tensor).shape)],
  batch: (ops, { inputs, params: { shape }, size }) =>
    bind(ops, reshape, inputs, { shape: [size, ...shape] }),
  lower: ({ inputs: [x], params: { shape }, builder }) => [reshapeView(x as Lazy, shape, builder)],
}

export const transpose: Primitive<{ readonly permutation: readonly number[] }> = {
  name: 'transpose',
  shape: ([x], { permutation }) => {
    const { shape, dtype } = x as Aval
    const sorted = [...permutation].sort((a, b) => a - b)
    if (permutation.length !== shape.length || sorted.some((axis, i) => axis !== i))
      throw shapeError('transpose', `[${permutation.join(', ')}] is no permutation of the axes`, shape)
    return [{ shape: permutation.map((axis) => shape[axis] as number), dtype }]
  },
  vjp: ({ transpose }, { cotangents: [g], params: { permutation } }) => [
    transpose(
      g as Tensor,
      permutation.map((_, axis) => permutation.indexOf(axis)),
    ),
  ],
  batch: (ops, { inputs, params: { permutation } }) =>
    bind(ops, transpose, inputs, { permutation: [0, ...permutation.map((axis) => axis + 1)] }),
  lower: ({ inputs: [x], params: { permutation } }) => [transposeView(x as Lazy, permutation)],
}

interface SliceParams {
  readonly start: readonly number[]
  readonly limit: readonly number[]
  readonly step: readonly number[]
}

const sliceSizes = ({ start, limit, step }: SliceParams): number[] =>
  start.map((from, axis) => Math.max(0, Math.ceil(((limit[axis] as number) - from) / (step[axis] as number))))

/** Elements from `start` up to `limit` in steps, on every axis. */
export const slice: Primitive<SliceParams> = {
  name: 'slice',
  shape: ([x], params) => {
    const { shape, dtype } = x as Aval
    const { start, limit, step } = params
    shape.forEach((size, axis) => {
      const [from, to, by] = [start[axis] as number, limit[axis] as number, step[axis] as number]
      if (!(from >= 0 && to <= size && from <= to && by > 0))
        throw shapeError('slice', `axis ${axis} has no part ${from}:${to}:${by}`, shape)
    })
    return [{ shape: sliceSizes(params), dtype }]
  },
  vjp: (ops, { cotangents: [g], inputs: [x], params }) => {
    const from = (x as Tensor).shape
    const sizes = sliceSizes(params)
    const interior = params.step.map((by) => by - 1)
    const span = sizes.map((n, axis) => (n === 0 ? 0 : (n - 1) * (params.step[axis] as number) + 1))
    const high = from.map((size, axis) => size - (params.start[axis] as number) - (span[axis] as number))
    return [
      bind1(ops, pad, [g as Tensor, ops.zeros([], (g as Tensor).dtype)], {
        low: params.start,
        high,
        interior,
      }),
    ]
  },
  batch: (ops, { inputs, params: { start, limit, step }, size }) =>
    bind(ops, slice, inputs, { start: [0, ...start], limit: [size, ...limit], step: [1, ...step] }),
  lower: ({ inputs: [x], params, builder }) => [
    sliceView(x as Lazy, params.start, sliceSizes(params), params.step, builder),
  ],
}

interface PadParams {
  readonly low: readonly number[]
  readonly high: readonly number[]
  readonly interior: readonly number[]
}

/** XLA's Pad without negative widths: a scalar before, behind and between the elements. */
export const pad: Primitive<PadParams> = {
  name: 'pad',
  shape: ([x, fill], { low, high, interior }) => {
    const { shape, dtype } = x as Aval
    if ((fill as Aval).shape.length !== 0)
      throw shapeError('pad', 'the fill must be a scalar', (fill as Aval).shape)
    if (
      low.length !== shape.length ||
      [...low, ...high, ...interior].some((n) => n < 0 || !Number.isInteger(n))
    )
      throw shapeError('pad', 'widths must be non-negative integers, one for each axis', shape, low, high)
    return [
      {
        shape: shape.map(
          (n, axis) =>
            (low[axis] as number) +
            (high[axis] as number) +
            n +
            Math.max(0, n - 1) * (interior[axis] as number),
        ),
        dtype,
      },
    ]
  },
  vjp: (ops, { cotangents: [g], inputs: [x], params: { low, high, interior }, needs }) => {
    const wide = g as Tensor
    const inner = bind1(ops, slice, [wide], {
      start: (x as Tensor).shape.map((n, axis) => (n === 0 ? 0 : (low[axis] as number))),
      limit: wide.shape.map((n, axis) => ((x as Tensor).shape[axis] === 0 ? 0 : n - (high[axis] as number))),
      step: interior.map((n) => n + 1),
    })
    return [inner, needs[1] === true ? ops.sub(ops.sum(wide), ops.sum(inner)) : undefined]
  },
  batch: (ops, { inputs: [x, fill], batched, params: { low, high, interior }, size }) => {
    const params = { low: [0, ...low], high: [0, ...high], interior: [0, ...interior] }
    const body =
      batched[0] === true ? (x as Tensor) : ops.broadcastTo(x as Tensor, [size, ...(x as Tensor).shape])
    if (batched[1] !== true) return bind(ops, pad, [body, fill as Tensor], params)
    // A fill of its own for each example: pad zeros, and the fill where nothing was put.
    const ones = ops.full(body.shape, 1, body.dtype)
    const zero = ops.zeros([], body.dtype)
    const [inside, mask] = [bind1(ops, pad, [body, zero], params), bind1(ops, pad, [ones, zero], params)]
    const fills = ops.reshape(fill as Tensor, [size, ...low.map(() => 1)])
    return [ops.where(ops.equal(mask, 1), inside, fills)]
  },
  lower: ({ inputs: [x, fill], params: { low, interior }, outputs: [out], builder }) => {
    const { shape, dtype } = out as Aval
    const id = builder.buffer(dtype, sizeOf(shape))
    const strides = contiguous(shape)
    builder.write(broadcastView(fill as Lazy, shape, builder), { buffer: id, strides, offset: 0 })
    const target: View = {
      buffer: id,
      offset: strides.reduce((at, stride, axis) => at + stride * (low[axis] as number), 0),
      strides: strides.map((stride, axis) => stride * ((interior[axis] as number) + 1)),
    }
    const source = builder.settle(x as Lazy)
    if (sizeOf(source.shape) > 0) builder.write(source, target)
    return [whole(id, shape, dtype)]
  },
}

export const concatenate: Primitive<{ readonly axis: number }> = {
  name: 'concatenate',
  shape: (inputs, { axis }) => {
    const [first] = inputs
    if (first === undefined) throw argumentError('concatenate', 'expected at least one tensor, got none')
    for (const { shape, dtype } of inputs) {
      const fits =
        shape.length === first.shape.length && shape.every((n, i) => i === axis || n === first.shape[i])
      if (!fits || dtype !== first.dtype)
        throw shapeError(
          'concatenate',
          `dtypes, and sizes apart from axis ${axis}, must agree`,
          ...inputs.map((input) => input.shape),
        )
    }
    const total = inputs.reduce((sum, { shape }) => sum + (shape[axis] as number), 0)
    return [{ shape: first.shape.map((n, i) => (i === axis ? total : n)), dtype: first.dtype }]
  },
  vjp: (ops, { cotangents: [g], inputs, params: { axis } }) => {
    let at = 0
    return inputs.map((x) => {
      const start = (g as Tensor).shape.map((_, i) => (i === axis ? at : 0))
      at += x.shape[axis] as number
      const limit = (g as Tensor).shape.map((n, i) => (i === axis ? at : n))
      return bind1(ops, slice, [g as Tensor], { start, limit, step: start.map(() => 1) })
    })
  },
  batch: (ops, { inputs, batched, params: { axis }, size }) =>
    bind(
      ops,
      concatenate,
      inputs.map((x, i) => (batched[i] === true ? x : ops.broadcastTo(x, [size, ...x.shape]))),
      { axis: axis + 1 },
    ),
  lower: ({ inputs, params: { axis }, outputs: [out], builder }) => {
    const { shape, dtype } = out as Aval
    const id = builder.buffer(dtype, sizeOf(shape))
    const strides = contiguous(shape)
    let at = 0
    for (const input of inputs) {
      if (sizeOf(input.shape) > 0)
        builder.write(input, { buffer: id, strides, offset: at * (strides[axis] as number) })
      at += input.shape[axis] as number
    }
    return [whole(id, shape, dtype)]
  },
}

/** The parts of a tensor along an axis. One primitive, so that its derivative is one concatenation. */
export const split: Primitive<{ readonly axis: number; readonly sizes: readonly number[] }> = {
  name: 'split',
  shape: ([x], { axis, sizes }) => {
    const { shape, dtype } = x as Aval
    if (
      sizes.length === 0 ||
      sizes.some((n) => !Number.isInteger(n) || n < 0) ||
      total(sizes) !== shape[axis]
    )
      throw shapeError('split', `axis ${axis} cannot be cut into parts of [${sizes.join(', ')}]`, shape)
    return sizes.map((size) => ({ shape: shape.map((n, i) => (i === axis ? size : n)), dtype }))
  },
  vjp: (ops, { cotangents, outputs, params: { axis } }) => [
    bind1(
      ops,
      concatenate,
      cotangents.map((g, i) => g ?? ops.zerosLike(outputs[i] as Tensor)),
      { axis },
    ),
  ],
  batch: (ops, { inputs, params: { axis, sizes } }) => bind(ops, split, inputs, { axis: axis + 1, sizes }),
  lower: ({ inputs: [x], params: { axis }, outputs, builder }) => {
    // The parts share what they are cut from, so it is computed once.
    const lazy = x as Lazy
    const source = costOf(lazy.node) > 0 || lazy.node.kind === 'pending' ? builder.materialise(lazy) : lazy
    let at = 0
    return outputs.map(({ shape }) => {
      const start = shape.map((_, i) => (i === axis ? at : 0))
      at += shape[axis] as number
      return sliceView(
        source,
        start,
        shape,
        shape.map(() => 1),
        builder,
      )
    })
  },
}

const total = (sizes: readonly number[]): number => sizes.reduce((sum, n) => sum + n, 0)

export const reverse: Primitive<{ readonly axes: readonly number[] }> = {
  name: 'reverse',
  shape: ([x]) => [x as Aval],
  vjp: (ops, { cotangents: [g], params }) => bind(ops, reverse, [g as Tensor], params),
  batch: (ops, { inputs, params: { axes } }) =>
    bind(ops, reverse, inputs, { axes: axes.map((axis) => axis + 1) }),
  lower: ({ inputs: [x], params: { axes }, builder }) => [reverseView(x as Lazy, axes, builder)],
}

/** The position along one axis, as int32. */
export const iota: Primitive<{ readonly shape: Shape; readonly axis: number }> = {
  name: 'iota',
  shape: (_, { shape }) => {
    checkSizes('iota', shape)
    return [{ shape, dtype: 'int32' }]
  },
  vjp: 'none',
  batch: (ops, { params }) => bind(ops, iota, [], params),
  lower: ({ params: { shape, axis } }) => [
    {
      ...constant(0, 'int32', shape),
      node: {
        kind: 'leaf',
        dtype: 'int32',
        operand: { kind: 'iota', offset: 0, strides: shape.map((_, i) => (i === axis ? 1 : 0)) },
      },
    },
  ],
}

/**
 * Its inputs as they are, but as values of their own: what is computed from them is not taken for what was
 * computed before from the same.
 */
export const barrier: Primitive<Readonly<Record<string, never>>> = {
  name: 'barrier',
  shape: (inputs) => inputs.map(({ shape, dtype }) => ({ shape, dtype })),
  vjp: (_, { cotangents }) => cotangents,
  batch: (ops, { inputs, batched, params, size }) =>
    bind(
      ops,
      barrier,
      inputs.map((x, i) => (batched[i] === true ? x : ops.broadcastTo(x, [size, ...x.shape]))),
      params,
    ),
  lower: ({ inputs }) => inputs,
  distinct: true,
}
