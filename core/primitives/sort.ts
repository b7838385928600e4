import { contiguous, sizeOf } from '../../kernels/index.ts'
import type { Lazy } from '../lower/lazy.ts'
import { whole } from '../lower/lazy.ts'
import { transposeView } from '../lower/view.ts'
import type { Primitive } from '../primitive.ts'
import type { Aval } from '../tensor.ts'
import { bind } from './rule.ts'

/** The stable permutation that sorts along an axis; sorted values are gathered by it and differentiate so. */
export const argSort: Primitive<{ readonly axis: number; readonly descending: boolean }> = {
  name: 'argSort',
  shape: ([x]) => [{ shape: (x as Aval).shape, dtype: 'int32' }],
  vjp: 'none',
  batch: (ops, { inputs, params }) => bind(ops, argSort, inputs, { ...params, axis: params.axis + 1 }),
  lower: ({ inputs: [x], params: { axis, descending }, outputs: [out], builder }) => {
    const { shape, dtype } = out as Aval
    const id = builder.buffer(dtype, sizeOf(shape))
    const order = [...shape.flatMap((_, i) => (i === axis ? [] : [i])), axis]
    const strides = contiguous(shape)
    builder.emit({
      kind: 'sort',
      outer: order.slice(0, -1).map((i) => shape[i] as number),
      length: shape[axis] as number,
      descending,
      input: builder.force(transposeView(x as Lazy, order)),
      target: { buffer: id, offset: 0, strides: order.map((i) => strides[i] as number) },
    })
    return [whole(id, shape, dtype)]
  },
}
