/** Positions that are data. */
import * as f from '../../../core/index.ts'
import type { Tensor } from '../../../core/index.ts'
import { sizeOf } from '../../../kernels/index.ts'
import type { Rule } from './rule.ts'
import { rule, axis, ranked, filled, index } from './rule.ts'

export const lookup: readonly Rule[] = [
  rule('take', false, (x, y, pick) => {
    if (!ranked(x) || !filled(x)) return []
    const at = axis(x, pick)
    const own = sizeOf(y.shape) > 6 ? f.sum(y) : y
    return [f.take(x, index(own as Tensor, x.shape[at] as number), at)]
  }),
  rule('sort', false, (x, _, pick) =>
    ranked(x) ? [f.sort(x, { axis: axis(x, pick), descending: pick(2) === 0 })] : [],
  ),
  rule('topK', false, (x, _, pick) =>
    ranked(x) ? [f.topK(x, pick((x.shape.at(-1) as number) + 1)).values] : [],
  ),
  rule('scatterAdd', false, (x, y) => {
    if (x.shape.length !== 1 || !filled(x)) return []
    const flat = f.reshape(y, [sizeOf(y.shape)])
    return [f.scatterAdd(x, index(flat, x.shape[0] as number), flat)]
  }),
  rule('scatterSet', false, (x, y) => {
    if (x.shape.length !== 1 || !filled(x)) return []
    const flat = f.reshape(y, [sizeOf(y.shape)])
    return [f.scatterSet(x, index(flat, x.shape[0] as number), flat)]
  }),
  rule('takeAlongAxis', false, (x, _, pick) => {
    if (!ranked(x) || !filled(x)) return []
    const at = axis(x, pick)
    return [f.takeAlongAxis(x, index(x, x.shape[at] as number), at)]
  }),
  rule('segmentSum', false, (x, _, pick) => {
    if (!ranked(x) || !filled(x)) return []
    const rows = x.shape[0] as number
    const segments = index(f.mul(f.cast(f.arange(rows), 'float64'), 1.7) as Tensor, 3)
    return [pick(2) === 0 ? f.segmentSum(x, segments, 3) : f.segmentMax(x, segments, 2)]
  }),
  rule('dynamicSlice', false, (x, y, pick) => {
    if (!ranked(x) || !filled(x)) return []
    const start = x.shape.map((size) => index((filled(y) ? f.mean(y) : f.tensor(0)) as Tensor, size))
    const sizes = x.shape.map((size) => 1 + pick(size))
    const part = f.dynamicSlice(x, start, sizes)
    return [part, f.dynamicUpdateSlice(x, f.neg(part), start)]
  }),
]
