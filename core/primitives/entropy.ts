/** The logarithm of one class's probability: the heart of cross entropy, in one pass over the scores. */
import { isFloating } from '../../kernels/index.ts'
import { dtypeError, shapeError } from '../error.ts'
import { emitRows, exponentials } from '../lower/fold.ts'
import type { Lazy } from '../lower/lazy.ts'
import { binaryNode, unaryNode } from '../lower/lazy.ts'
import type { Primitive } from '../primitive.ts'
import { sameShape } from '../shape.ts'
import type { Aval, Tensor } from '../tensor.ts'
import { bind } from './rule.ts'

/**
 * scores [..., classes], labels int32 [...] → log softmax(scores) at the label, and log Σ exp(scores), which the
 * derivative needs: neither it nor the value ever stands in memory for all classes. Labels beyond the classes are
 * clamped, as in gathering.
 */
export const logSoftmaxAt: Primitive<Readonly<Record<string, never>>> = {
  name: 'logSoftmaxAt',
  shape: ([scores, labels]) => {
    const [x, at] = [scores as Aval, labels as Aval]
    if (!isFloating(x.dtype)) throw dtypeError('logSoftmaxAt', 'scores must be floating point', x.dtype)
    if (at.dtype !== 'int32') throw dtypeError('logSoftmaxAt', 'labels must be int32', at.dtype)
    if (x.shape.length === 0 || x.shape.at(-1) === 0)
      throw shapeError('logSoftmaxAt', 'there must be a class at least', x.shape)
    const rows = x.shape.slice(0, -1)
    if (!sameShape(rows, at.shape))
      throw shapeError('logSoftmaxAt', 'there must be one label for each row of scores', x.shape, at.shape)
    return [
      { shape: rows, dtype: x.dtype },
      { shape: rows, dtype: x.dtype },
    ]
  },
  vjp: (ops, { cotangents: [g, gTotal], inputs: [scores, labels], outputs: [, total] }) => {
    const { add, sub, neg, mul, exp, where, equal, iota, expandDims, maximum, minimum } = ops
    const x = scores as Tensor
    const last = (x.shape.at(-1) as number) - 1
    const label = maximum(minimum(labels as Tensor, last), 0)
    const probability = exp(sub(x, expandDims(total as Tensor, -1)))
    // ∂/∂x_j is 1{j = label} - p_j for the value and p_j for the total.
    const through = (rows: Tensor): Tensor => mul(probability, expandDims(rows, -1))
    if (g === undefined) return [gTotal === undefined ? undefined : through(gTotal), undefined]
    const hit = equal(iota(x.shape, -1), expandDims(label, -1))
    const direct = where(hit, expandDims(g, -1), 0)
    return [add(through(gTotal === undefined ? neg(g) : sub(gTotal, g)), direct), undefined]
  },
  batch: (ops, { inputs, batched, size }) =>
    bind(
      ops,
      logSoftmaxAt,
      inputs.map((x, i) => (batched[i] === true ? x : ops.broadcastTo(x, [size, ...x.shape]))),
      {},
    ),
  lower: ({ inputs, outputs, builder }) => {
    const [scores, labels] = inputs as readonly [Lazy, Lazy]
    const { dtype, shape } = scores
    const view = builder.force(scores)
    const index = builder.force(labels)
    const source: Lazy = { shape, dtype, node: { kind: 'leaf', dtype, operand: { kind: 'buffer', ...view } } }
    const { folds, total, peak } = exponentials(source.node)
    const stride = view.strides.at(-1) as number
    const picked = {
      kind: 'leaf' as const,
      dtype,
      operand: {
        kind: 'buffer' as const,
        ...view,
        strides: [...view.strides.slice(0, -1), 0],
        at: [{ index: { ...index, strides: [...index.strides, 0] }, stride, size: shape.at(-1) as number }],
      },
    }
    const spread = unaryNode('log', total)
    return emitRows({ outputs, builder }, source, folds, [
      { node: binaryNode('sub', binaryNode('sub', picked, peak), spread), over: 'outer' },
      { node: binaryNode('add', peak, spread), over: 'outer' },
    ])
  },
}
