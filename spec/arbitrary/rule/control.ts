/** Loops, choices, and transformations inside a function. */
import * as f from '../../../core/index.ts'
import type { Tensor } from '../../../core/index.ts'
import { axis, filled, index, ranked, rule, tame } from './rule.ts'
import type { Pick, Rule } from './rule.ts'

/** What is done with a value inside: keeps its shape. `w`, a scalar, comes from outside. */
type Inner = (x: Tensor, w: Tensor) => Tensor

const steps: readonly Inner[] = [
  (x, w) => f.tanh(f.add(x, w)) as Tensor,
  (x, w) => f.mul(f.sin(x), w) as Tensor,
  (x) => (ranked(x) && filled(x) ? f.softmax(x) : f.sigmoid(x)) as Tensor,
  (x, w) => f.sub(f.mul(x, 0.5), w) as Tensor,
  (x) => (ranked(x) ? f.reverse(f.cumSum(x, 0), [0]) : f.neg(x)) as Tensor,
  (x, w) => f.forLoop(0, 2, (i, c: Tensor) => f.tanh(f.add(f.mul(c, w), i)) as Tensor, x),
  (x, w) =>
    f.cond(
      true,
      (c: Tensor) => f.mul(c, w) as Tensor,
      (c) => f.neg(c) as Tensor,
      x,
    ),
  (x, w) =>
    ranked(x)
      ? f.scan((c: Tensor, row: Tensor) => [tame(f.add(c, f.sum(row)) as Tensor), f.mul(row, c)], w, x)[1]
      : (f.mul(x, w) as Tensor),
]

const inner = (pick: Pick): Inner => steps[pick(steps.length)] as Inner

const scalar = (y: Tensor): Tensor =>
  filled(y) ? tame(f.mean(y) as Tensor) : f.tensor(0.5, { dtype: 'float64' })

/** False or true by the choice alone, but not known before the function runs. */
const fixed = (y: Tensor, pick: Pick): Tensor =>
  f.greater(f.mul(f.sin(scalar(y)), 0), pick(2) - 0.5) as Tensor

const double = f.customVjp((x: Tensor, w: Tensor): Tensor => f.mul(f.sin(x), w) as Tensor, {
  forward: (x, w) => [f.mul(f.sin(x), w) as Tensor, [x, w] as const],
  backward: ([x, w], g) => [f.mul(g, f.mul(f.cos(x), w)), f.sum(f.mul(g, f.sin(x)))],
})

const cubed = f.customJvp(
  (x: Tensor): Tensor => f.mul(x, f.mul(x, x)) as Tensor,
  ([x], [d]) => [f.mul(x, f.mul(x, x)) as Tensor, f.mul(d, f.mul(3, f.mul(x, x))) as Tensor],
)

/** As long as a number of steps that is data, and the values are small. */
const grown = (x: Tensor, w: Tensor, pick: Pick): Tensor => {
  const step = inner(pick)
  const last = index(w, 4)
  return f.whileLoop(
    ([i, z]: readonly [Tensor<f.Shape, 'int32'>, Tensor]) =>
      f.logicalAnd(f.less(i, last), f.less(f.sum(f.mul(z, z)), 50)) as Tensor,
    ([i, z]) => [f.add(i, 1), f.mul(step(z, w), 1.5) as Tensor] as const,
    [f.tensor(0, { dtype: 'int32' }) as Tensor<f.Shape, 'int32'>, x] as const,
  )[1]
}

export const control: readonly Rule[] = [
  rule('scan', true, (x, y, pick) => {
    if (!ranked(x)) return []
    const [w, first, second] = [scalar(y), inner(pick), inner(pick)]
    const [last, results] = f.scan(
      (carry: Tensor, row: Tensor) => {
        const next = first(f.add(carry, row) as Tensor, w)
        return [next, [second(row, f.sum(tame(next)) as Tensor), f.sum(next)]]
      },
      f.full(x.shape.slice(1), 0.25, 'float64') as Tensor,
      x,
      { reverse: pick(2) === 0 },
    )
    return [last, ...(results as readonly Tensor[])]
  }),
  rule('forLoop', true, (x, y, pick) => {
    const [w, step] = [scalar(y), inner(pick)]
    return [
      f.forLoop(0, pick(4), (i, c: Tensor) => step(f.add(c, f.mul(f.cast(i, 'float64'), w)) as Tensor, w), x),
    ]
  }),
  rule('whileLoop', false, (x, y, pick) => [
    grown(f.stopGradient(x) as Tensor, f.stopGradient(scalar(y)) as Tensor, pick),
  ]),
  rule('cond', true, (x, y, pick) => {
    const [yes, no] = [inner(pick), inner(pick)]
    return [f.cond(fixed(y, pick), yes, no, x, scalar(y))]
  }),
  rule('cond by data', false, (x, y, pick) => {
    const [yes, no] = [inner(pick), inner(pick)]
    // Captured, not passed.
    const w = scalar(y)
    return [
      f.cond(
        f.greater(f.sum(x), 0),
        (c: Tensor) => yes(c, w),
        (c) => no(c, w),
        x,
      ),
    ]
  }),
  rule('switchCase', false, (x, y, pick) => {
    const w = scalar(y)
    const branches = [inner(pick), inner(pick), inner(pick)]
    return [f.switchCase(f.sub(index(w, 5), 1) as Tensor, branches, x, w)]
  }),
  rule('checkpoint', true, (x, y, pick) => {
    const [first, second] = [inner(pick), inner(pick)]
    return [f.checkpoint((c: Tensor, w: Tensor) => second(first(c, w), w))(x, scalar(y))]
  }),
  rule('customVjp', true, (x, y) => [double(x, scalar(y))]),
  rule('customJvp', true, (x) => [cubed(tame(x))]),
  rule('jit', true, (x, y, pick) => [f.jit(inner(pick))(x, scalar(y))]),
  rule('vmap', true, (x, y, pick) => {
    if (!ranked(x) || !filled(x)) return []
    const [at, out] = [axis(x, pick), axis(x, pick)]
    return [f.vmap(inner(pick), { inAxes: [at, null], outAxes: out })(x, scalar(y))]
  }),
]

/** In forward mode alone: a loop whose end is data, through which derivatives go. */
export const forward: readonly Rule[] = [
  rule('whileLoop', false, (x, y, pick) => [grown(x, scalar(y), pick)]),
]
