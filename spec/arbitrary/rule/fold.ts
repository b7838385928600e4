/** Folds, rows and products. */
import * as f from '../../../core/index.ts'
import type { Tensor } from '../../../core/index.ts'
import type { Rule } from './rule.ts'
import { rule, tame, axis, some, ranked, filled, broadcasts } from './rule.ts'

export const fold: readonly Rule[] = [
  rule('sum', true, (x, _, pick) => [f.sum(x, { axis: some(x, pick), keepDims: pick(2) === 0 })]),
  rule('mean', true, (x, _, pick) =>
    filled(x) ? [f.mean(x, { axis: some(x, pick), keepDims: pick(2) === 0 })] : [],
  ),
  rule('variance', true, (x, _, pick) => (filled(x) ? [f.variance(x, { axis: some(x, pick) })] : [])),
  rule('max', false, (x, _, pick) => (filled(x) ? [f.max(x, { axis: some(x, pick) })] : [])),
  rule('prod', true, (x, _, pick) => [f.prod(tame(x), { axis: some(x, pick) })]),
  rule('argMax', false, (x, _, pick) =>
    filled(x) && ranked(x) ? [f.cast(f.argMax(x, { axis: axis(x, pick) }), 'float64')] : [],
  ),
  rule('cumSum', true, (x, _, pick) =>
    ranked(x) ? [f.cumSum(x, axis(x, pick), { reverse: pick(2) === 0 })] : [],
  ),
  rule('cumMax', false, (x, _, pick) => (ranked(x) ? [f.cumMax(x, axis(x, pick))] : [])),
  rule('softmax', true, (x, _, pick) => (ranked(x) && filled(x) ? [f.softmax(x, axis(x, pick))] : [])),
  rule('logSoftmax', true, (x, _, pick) => (ranked(x) && filled(x) ? [f.logSoftmax(x, axis(x, pick))] : [])),
  rule('logSumExp', true, (x, _, pick) => (ranked(x) && filled(x) ? [f.logSumExp(x, axis(x, pick))] : [])),
  rule('standardise', true, (x, _, pick) =>
    ranked(x) && filled(x) ? [f.standardise(x, { center: pick(2) === 0, epsilon: 0.1 })] : [],
  ),
  rule('norm', true, (x, _, pick) =>
    ranked(x) && filled(x) ? [f.norm(f.add(f.mul(x, x), 0.5) as Tensor, { axis: axis(x, pick) })] : [],
  ),
  rule('einsum', true, (x) => {
    if (x.shape.length < 1) return []
    const own = tame(x)
    return [x.shape.length === 1 ? f.einsum('i,j->ij', own, own) : f.einsum('...ij,...kj->...ki', own, own)]
  }),
  rule('cholesky', true, (x) => {
    if (x.shape.length < 2 || !filled(x)) return []
    const own = tame(x)
    const gram = f.add(
      f.matmul(own, f.swapAxes(own, -1, -2)),
      f.eye(x.shape.at(-2) as number, 'float64'),
    ) as Tensor
    const lower = f.cholesky(gram)
    return [lower, f.triangularSolve(lower, own)]
  }),
  rule('matmul', true, (x, y, pick) => {
    if (x.shape.length < 2) return []
    const turned = f.swapAxes(x, -1, -2)
    if (pick(3) === 0) return [f.matmul(turned, x)]
    const fits = y.shape.length >= 1 && y.shape.at(y.shape.length === 1 ? -1 : -2) === x.shape.at(-1)
    const batch =
      broadcasts(x.shape.slice(0, -2), y.shape.slice(0, -2)) &&
      broadcasts(y.shape.slice(0, -2), x.shape.slice(0, -2))
    return [fits && batch ? f.matmul(x, y) : f.matmul(x, turned)]
  }),
]
