/** Matrix products and functions of whole rows. */
import type { Dtype } from '../../kernels/index.ts'
import { isFloating, sizeOf } from '../../kernels/index.ts'
import { bind, bind1 } from '../bind.ts'
import { checkOptions, shapeError } from '../error.ts'
import { logSoftmaxAt as logSoftmaxAtPrimitive } from '../primitives/entropy.ts'
import { matmul as matmulPrimitive } from '../primitives/matmul.ts'
import type { Primitive } from '../primitive.ts'
import * as rows from '../primitives/row.ts'
import type { Shape } from '../shape.ts'
import { broadcastShapes, normalAxis, sameShape } from '../shape.ts'
import type { Tensor } from '../tensor.ts'
import type { MatMul, Multiplies, HasAxis, WithoutAxis } from '../type.ts'
import { castTo, promote } from './basic.ts'
import { broadcastTo, moveAxis, reshape } from './structure/index.ts'

/**
 * The matrix product of the last two axes; axes before them are batches and broadcast, as in NumPy. A vector is
 * a row on the left and a column on the right.
 *
 * @example
 * ```ts
 * import { matmul, tensor, zeros } from 'pullback'
 * console.log(matmul(tensor([[1, 2], [3, 4]]), tensor([[1], [1]]))) // => float32[2, 1] [[3], [7]]
 * console.log(matmul(zeros([8, 1, 2, 3]), zeros([5, 3, 4])).shape) // => [8, 5, 2, 4]
 * ```
 */
export const matmul = <A extends Shape, B extends Shape, D extends Dtype>(
  a: Tensor<A, D>,
  b: Tensor<B, D> & Multiplies<A, B>,
): Tensor<MatMul<A, B>, D> => product(a, b) as unknown as Tensor<MatMul<A, B>, D>

const product = (left: Tensor, right: Tensor): Tensor => {
  const [a, b] = promote(left, right) as [Tensor, Tensor]
  if (a.shape.length === 0 || b.shape.length === 0)
    throw shapeError('matmul', 'operands must have at least one axis', a.shape, b.shape)
  if (a.shape.length === 1) {
    const out = product(reshape(a, [1, ...a.shape]), b)
    return reshape(out, b.shape.length === 1 ? [] : [...out.shape.slice(0, -2), ...out.shape.slice(-1)])
  }
  if (b.shape.length === 1) {
    const out = product(a, reshape(b, [...b.shape, 1]))
    return reshape(out, out.shape.slice(0, -1))
  }
  const [k, l] = [a.shape.at(-1) as number, b.shape.at(-2) as number]
  if (k !== l) throw shapeError('matmul', 'inner sizes must agree', a.shape, b.shape)
  const batchA = a.shape.slice(0, -2)
  const batchB = b.shape.slice(0, -2)
  // A weight without batch axes: all rows of all batches make one large product.
  if (batchB.length === 0 && batchA.length > 0) {
    const flat = reshape(a, [sizeOf(a.shape.slice(0, -1)), k])
    const out = bind1(matmulPrimitive, [flat, b], {})
    return reshape(out, [...a.shape.slice(0, -1), b.shape.at(-1) as number])
  }
  const batch = broadcastShapes('matmul', batchA, batchB)
  const spread = (x: Tensor, own: Shape): Tensor =>
    sameShape(own, batch) ? x : broadcastTo(x, [...batch, ...x.shape.slice(-2)])
  return bind1(matmulPrimitive, [spread(a, batchA), spread(b, batchB)], {})
}

const alongAxis = (x: Tensor, axis: number, f: (x: Tensor) => Tensor): Tensor => {
  const floating = isFloating(x.dtype) ? x : castTo(x, 'float32')
  const at = normalAxis('softmax', axis, x.shape)
  const last = x.shape.length - 1
  return at === last ? f(floating) : moveAxis(f(moveAxis(floating, at, last)), last, at)
}

const row =
  (primitive: Primitive<Readonly<Record<string, never>>>) =>
  <T extends Tensor>(x: T, axis = -1): T =>
    alongAxis(x, axis, (moved) => bind1(primitive, [moved], {})) as T

type Row = <T extends Tensor>(x: T, axis?: number) => T

/**
 * exp(x) / Σ exp(x) along an axis (the last), computed from x - max x.
 *
 * @example
 * ```ts
 * import { softmax, tensor } from 'pullback'
 * console.log(softmax(tensor([[0, Math.log(3)], [1000, 1000]])))
 * // => float32[2, 2] [[0.25, 0.75], [0.5, 0.5]]
 * ```
 */
export const softmax: Row = row(rows.softmax)
/**
 * log of `softmax`, exact where that underflows.
 *
 * @example
 * ```ts
 * import { logSoftmax, tensor } from 'pullback'
 * console.log(logSoftmax(tensor([0, 200]))) // => float32[2] [-200, 0]
 * ```
 */
export const logSoftmax: Row = row(rows.logSoftmax)

/**
 * log Σ exp(x) along an axis (the last), without overflow.
 *
 * @example
 * ```ts
 * import { logSumExp, tensor } from 'pullback'
 * console.log(logSumExp(tensor([[0, 0], [1000, 1000]]))) // => float32[2] [0.693147, 1000.69]
 * ```
 */
export const logSumExp = <S extends Shape, D extends Dtype, const A extends number = -1>(
  x: Tensor<S, D>,
  axis?: A & HasAxis<'logSumExp', S, A>,
): Tensor<WithoutAxis<S, A>, D> => {
  const at = normalAxis('logSumExp', axis ?? -1, x.shape)
  const moved = moveAxis(x as Tensor, at, x.shape.length - 1)
  return bind1(rows.logSumExp, [moved], {}) as Tensor<WithoutAxis<S, A>, D>
}

/**
 * `logSoftmax(scores)` at one class of each row, for scores [..., classes] and integer labels [...]: as taking it
 * from there, but no value or gradient of all classes is held besides the scores' own gradient. Labels beyond the
 * classes are clamped.
 *
 * @example
 * ```ts
 * import { logSoftmaxAt, tensor } from 'pullback'
 * console.log(logSoftmaxAt(tensor([[0, 0], [0, 200]]), tensor([1, 0], { dtype: 'int32' })))
 * // => float32[2] [-0.693147, -200]
 * ```
 */
export const logSoftmaxAt = <S extends Shape, D extends Dtype>(
  scores: Tensor<S, D>,
  labels: Tensor,
): Tensor<WithoutAxis<S, -1>, D> =>
  bind(logSoftmaxAtPrimitive, [scores, castTo(labels, 'int32')], {})[0] as Tensor<WithoutAxis<S, -1>, D>

/**
 * Rows (the last axis) moved to mean 0 and scaled to mean square 1: layer norm without gain and bias. With
 * `center: false` rows are only scaled, as RMSNorm does.
 *
 * @example
 * ```ts
 * import { standardise, tensor } from 'pullback'
 * console.log(standardise(tensor([1, 2, 3]), { epsilon: 0 })) // => float32[3] [-1.22474, 0, 1.22474]
 * ```
 */
export const standardise = <T extends Tensor>(
  x: T,
  options: { readonly epsilon?: number; readonly center?: boolean } = {},
): T => {
  checkOptions('standardise', options, ['epsilon', 'center'])
  const { epsilon = 1e-5, center = true } = options
  return bind(rows.standardise, [x], { epsilon, center })[0] as T
}
