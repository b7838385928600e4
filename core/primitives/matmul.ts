import { isFloating } from '../../kernels/index.ts'
import type { Operand, ScalarOp } from '../../kernels/index.ts'
import { dtypeError, shapeError } from '../error.ts'
import type { Pending } from '../lower/builder.ts'
import type { Lazy } from '../lower/lazy.ts'
import { binaryNode, pending } from '../lower/lazy.ts'
import { broadcastView } from '../lower/view.ts'
import type { Primitive } from '../primitive.ts'
import { sameShape } from '../shape.ts'
import type { Aval, Tensor } from '../tensor.ts'
import { bind } from './rule.ts'

/**
 * [...batch, m, k] × [...batch, k, n] → [...batch, m, n] with equal batch axes; transposed operands are read in
 * place. The public `matmul` broadcasts before it comes here.
 */
export const matmul: Primitive<Readonly<Record<string, never>>> = {
  name: 'matmul',
  shape: ([x, y]) => {
    const [a, b] = [x as Aval, y as Aval]
    if (a.dtype !== b.dtype) throw dtypeError('matmul', 'dtypes must agree', a.dtype, b.dtype)
    if (!isFloating(a.dtype)) throw dtypeError('matmul', 'the operands must be floating point', a.dtype)
    if (
      a.shape.length < 2 ||
      a.shape.length !== b.shape.length ||
      !sameShape(a.shape.slice(0, -2), b.shape.slice(0, -2))
    )
      throw shapeError('matmul', 'batch axes must agree', a.shape, b.shape)
    if (a.shape.at(-1) !== b.shape.at(-2))
      throw shapeError('matmul', 'inner sizes must agree', a.shape, b.shape)
    return [{ shape: [...a.shape.slice(0, -1), b.shape.at(-1) as number], dtype: a.dtype }]
  },
  vjp: ({ matmul, swapAxes }, { cotangents: [g], inputs: [x, y], needs }) => [
    needs[0] === true ? matmul(g as Tensor, swapAxes(y as Tensor, -1, -2)) : undefined,
    needs[1] === true ? matmul(swapAxes(x as Tensor, -1, -2), g as Tensor) : undefined,
  ],
  batch: (ops, { inputs: [x, y], batched, size }) => {
    const [a, b] = [x as Tensor, y as Tensor]
    const broadcast = (t: Tensor, is: boolean | undefined): Tensor =>
      is === true ? t : ops.broadcastTo(t, [size, ...t.shape])
    // One side without batch axes of its own: the batch joins the rows, and it stays one large product.
    if (batched[1] !== true && b.shape.length === 2) {
      const flat = ops.reshape(a, [size * (a.shape[1] as number), a.shape[2] as number])
      const [out] = bind(ops, matmul, [flat, b], {})
      return [ops.reshape(out as Tensor, [size, a.shape[1] as number, b.shape[1] as number])]
    }
    return bind(ops, matmul, [broadcast(a, batched[0]), broadcast(b, batched[1])], {})
  },
  lower: ({ inputs: [x, y], outputs: [out], builder }) => {
    const { shape, dtype } = out as Aval
    // An outer product sums nothing: it is arithmetic like any other, and fuses so (gradients of single examples).
    if ((x as Lazy).shape.at(-1) === 1) {
      const [left, right] = [
        broadcastView(x as Lazy, shape, builder),
        broadcastView(y as Lazy, shape, builder),
      ]
      return [{ shape, dtype, node: binaryNode('mul', left.node, right.node) }]
    }
    const [a, b] = [builder.force(x as Lazy), builder.force(y as Lazy)]
    const rank = shape.length
    const launch: Pending = {
      shape,
      dtype,
      launch: ({ operands, body, values }, target) => ({
        kind: 'matmul',
        batch: shape.slice(0, -2),
        rows: shape[rank - 2] as number,
        inner: (x as Lazy).shape[rank - 1] as number,
        columns: shape[rank - 1] as number,
        a,
        b,
        operands: operands as readonly Operand[],
        body: body as readonly ScalarOp[],
        outputs: [{ target, value: values[0] as number }],
      }),
    }
    return [pending(launch)]
  },
}
