/** Views, and what puts tensors together. */
import * as f from '../../../core/index.ts'
import type { Tensor } from '../../../core/index.ts'
import { sizeOf } from '../../../kernels/index.ts'
import type { Rule } from './rule.ts'
import { rule, axis, some, ranked, permuted } from './rule.ts'

export const structure: readonly Rule[] = [
  rule('transpose', true, (x, _, pick) => [f.transpose(x, permuted(x, pick))]),
  rule('flatten', true, (x) => [f.reshape(x, [sizeOf(x.shape)])]),
  rule('merge', true, (x, _, pick) => {
    if (x.shape.length < 2) return []
    const at = pick(x.shape.length - 1)
    const merged = (x.shape[at] as number) * (x.shape[at + 1] as number)
    return [f.reshape(x, [...x.shape.slice(0, at), merged, ...x.shape.slice(at + 2)])]
  }),
  rule('cut', true, (x, _, pick) => {
    const at = pick(Math.max(1, x.shape.length))
    const size = x.shape[at]
    const part = [2, 3].find((n) => size !== undefined && size > 0 && size % n === 0)
    if (part === undefined || size === undefined) return []
    const cut = pick(2) === 0 ? [part, size / part] : [size / part, part]
    return [f.reshape(x, [...x.shape.slice(0, at), ...cut, ...x.shape.slice(at + 1)])]
  }),
  rule('expandDims', true, (x, _, pick) => [f.expandDims(x, pick(x.shape.length + 1))]),
  rule('squeeze', true, (x) => [f.squeeze(x)]),
  rule('broadcastTo', true, (x, _, pick) => [
    f.broadcastTo(x, [1 + pick(2), ...x.shape.map((size) => (size === 1 ? 1 + pick(3) : size))]),
  ]),
  rule('slice', true, (x, _, pick) => {
    const start = x.shape.map((size) => pick(size + 1))
    return [
      f.slice(
        x,
        start,
        x.shape.map((size, i) => (start[i] as number) + pick(size - (start[i] as number) + 1)),
        x.shape.map(() => 1 + pick(2)),
      ),
    ]
  }),
  rule('sliceAxis', true, (x, _, pick) => {
    if (!ranked(x)) return []
    const at = axis(x, pick)
    const size = x.shape[at] as number
    const from = pick(size + 1)
    return [f.sliceAxis(x, at, from, from + pick(size - from + 1))]
  }),
  rule('at', true, (x, _, pick) =>
    ranked(x) && (x.shape[0] as number) > 0 ? [f.at(x, pick(x.shape[0] as number))] : [],
  ),
  rule('reverse', true, (x, _, pick) => [f.reverse(x, some(x, pick))]),
  rule('pad', true, (x, y, pick) => [
    f.pad(
      x,
      x.shape.map(() => [pick(2), pick(3)]),
      pick(2) === 0 ? pick(3) - 1 : (f.sum(y) as Tensor),
    ),
  ]),
  rule('concatenate', true, (x, y, pick) => {
    if (!ranked(x)) return []
    const at = axis(x, pick)
    const fits =
      y.shape.length === x.shape.length && y.shape.every((size, i) => i === at || size === x.shape[i])
    return [f.concatenate(fits ? [x, y, x] : [x, x], at)]
  }),
  rule('stack', true, (x, y, pick) => [
    f.stack(x.shape.join() === y.shape.join() ? [x, y] : [x, f.neg(x)], pick(x.shape.length + 1)),
  ]),
  rule('split', true, (x, _, pick) => {
    if (!ranked(x)) return []
    const at = axis(x, pick)
    const size = x.shape[at] as number
    const first = pick(size + 1)
    return f.splitAxis(x, [first, size - first], at)
  }),
  rule('iota', true, (x, _, pick) =>
    ranked(x) ? [f.add(f.mul(f.cast(f.iota(x.shape, axis(x, pick)), 'float64'), 0.125), x) as Tensor] : [],
  ),
  rule('full', true, (x, _, pick) => [f.mul(x, f.full(x.shape, pick(3) - 1.5, 'float64')) as Tensor]),
]
