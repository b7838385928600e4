/**
 * Functions of whole rows that are primitives because one pass over a row is faster, and their derivatives in
 * closed form are more stable, than the compositions they stand for. All work along the last axis.
 */
import { isFloating } from '../../kernels/index.ts'
import { dtypeError, shapeError } from '../error.ts'
import type { Operations } from '../primitive.ts'
import { emitRows, exponentials, makeFold } from '../lower/fold.ts'
import type { RowFold, RowOutput } from '../lower/fold.ts'
import type { Lazy, Node } from '../lower/lazy.ts'
import { binaryNode, constantNode, costOf, unaryNode } from '../lower/lazy.ts'
import type { LowerSite, Primitive, VjpSite } from '../primitive.ts'
import type { Aval, Tensor } from '../tensor.ts'
import { bind } from './rule.ts'

type Params = Readonly<Record<string, never>>

/** Rows are walked once for each fold and once for the output: above this cost they are computed beforehand. */
const walkCost = 8

const rowsOf = ({ inputs: [x], builder }: LowerSite<unknown>): Lazy => {
  const lazy = x as Lazy
  return costOf(lazy.node) > walkCost ? builder.materialise(lazy) : builder.settle(lazy)
}

const rowShape =
  (name: string, keep: boolean) =>
  ([x]: readonly Aval[]): readonly Aval[] => {
    const { shape, dtype } = x as Aval
    if (!isFloating(dtype)) throw dtypeError(name, 'not defined on this dtype', dtype)
    if (shape.length === 0 || shape.at(-1) === 0) throw shapeError(name, 'rows must not be empty', shape)
    return [{ shape: keep ? shape : shape.slice(0, -1), dtype }]
  }

const rowwise = (
  name: string,
  keep: boolean,
  vjp: (ops: Operations, g: Tensor, x: Tensor, y: Tensor) => Tensor,
  lower: (x: Node) => { readonly folds: readonly RowFold[]; readonly output: RowOutput },
): Primitive<Params> => {
  const self: Primitive<Params> = {
    name,
    shape: rowShape(name, keep),
    vjp: (ops, { cotangents: [g], inputs: [x], outputs: [y] }: VjpSite<Params>) => [
      vjp(ops, g as Tensor, x as Tensor, y as Tensor),
    ],
    batch: (ops, { inputs }) => bind(ops, self, inputs, {}),
    lower: (site) => {
      const source = rowsOf(site)
      const { folds, output } = lower(source.node)
      return emitRows(site, source, folds, [output])
    },
  }
  return self
}

const alongRow = { axis: -1, keepDims: true } as const

/** exp(x) / Σ exp(x). */
export const softmax: Primitive<Params> = rowwise(
  'softmax',
  true,
  ({ mul, sub, sum }, g, _, y) => mul(y, sub(g, sum(mul(g, y), alongRow))),
  (x) => {
    const { folds, shifted, total } = exponentials(x)
    return { folds, output: { node: binaryNode('div', unaryNode('exp', shifted), total), over: 'all' } }
  },
)

/** x - log Σ exp(x). */
export const logSoftmax: Primitive<Params> = rowwise(
  'logSoftmax',
  true,
  ({ mul, sub, sum, exp }, g, _, y) => sub(g, mul(exp(y), sum(g, alongRow))),
  (x) => {
    const { folds, shifted, total } = exponentials(x)
    return { folds, output: { node: binaryNode('sub', shifted, unaryNode('log', total)), over: 'all' } }
  },
)

/** log Σ exp(x). */
export const logSumExp: Primitive<Params> = rowwise(
  'logSumExp',
  false,
  ({ mul, softmax, expandDims }, g, x) => mul(expandDims(g, -1), softmax(x)),
  (x) => {
    const { folds, total, peak } = exponentials(x)
    return { folds, output: { node: binaryNode('add', peak, unaryNode('log', total)), over: 'outer' } }
  },
)

interface StandardiseParams {
  /** Whether the mean is taken off (layer norm) or not (root mean square norm). */
  readonly center: boolean
  readonly epsilon: number
}

/**
 * y = (x - mean) · r with r = 1/√(mean square + epsilon): layer norm (Ba et al. 2016) without its affine part,
 * or, uncentred, RMSNorm (Zhang and Sennrich 2019). Gives y and r, which the derivative needs.
 */
export const standardise: Primitive<StandardiseParams> = {
  name: 'standardise',
  shape: ([x]) => {
    const [all] = rowShape('standardise', true)([x as Aval])
    const [rows] = rowShape('standardise', false)([x as Aval])
    return [all as Aval, rows as Aval]
  },
  vjp: (
    { add, mul, sub, mean, expandDims },
    { cotangents: [g, gr], inputs: [x], outputs: [y, r], params },
  ) => {
    const [n, out] = [(x as Tensor).shape.at(-1) as number, y as Tensor]
    const scale = expandDims(r as Tensor, -1)
    const through = (dy: Tensor): Tensor => {
      const centred = params.center ? sub(dy, mean(dy, alongRow)) : dy
      return mul(scale, sub(centred, mul(out, mean(mul(dy, out), alongRow))))
    }
    // ∂r/∂x = -r² y / n.
    const ofScale = (dr: Tensor): Tensor => mul(mul(mul(scale, scale), expandDims(dr, -1)), mul(out, -1 / n))
    if (g === undefined) return [gr === undefined ? undefined : ofScale(gr)]
    return [gr === undefined ? through(g) : add(through(g), ofScale(gr))]
  },
  batch: (ops, { inputs, params }) => bind(ops, standardise, inputs, params),
  lower: (site) => {
    const source = rowsOf(site)
    const { center, epsilon } = site.params
    const x = source.node
    const perElement = constantNode(1 / (source.shape.at(-1) as number), x.dtype)
    const total = makeFold('sum', x)
    const centred = center ? binaryNode('sub', x, binaryNode('mul', total.result, perElement)) : x
    const squares = makeFold('sum', binaryNode('mul', centred, centred))
    const variance = binaryNode('mul', squares.result, perElement)
    const scale = unaryNode('rsqrt', binaryNode('add', variance, constantNode(epsilon, x.dtype)))
    return emitRows(site, source, center ? [total, squares] : [squares], [
      { node: binaryNode('mul', centred, scale), over: 'all' },
      { node: scale, over: 'outer' },
    ])
  },
}
