/** Generated functions of tensors: straight-line compositions of the public operations, of every kind. */
import * as fc from 'fast-check'
import * as f from '../../core/index.ts'
import type { Shape, Tensor } from '../../core/index.ts'
import { sizeOf } from '../../kernels/index.ts'
import { shapes } from './shape.ts'
import { tensors } from './tensor.ts'

type Pick = (n: number) => number

interface Rule {
  readonly name: string
  /** Whether it is smooth where its arguments are in general position. */
  readonly smooth: boolean
  /** The results; nothing where it does not fit. `pick(n)` gives a number below n; the same on every call. */
  readonly apply: (x: Tensor, y: Tensor, pick: Pick) => readonly Tensor[]
}

const largest = 400

const axis = (x: Tensor, pick: Pick): number => pick(x.shape.length)
const some = (x: Tensor, pick: Pick): number[] => x.shape.flatMap((_, i) => (pick(2) === 0 ? [] : [i]))
const ranked = (x: Tensor): boolean => x.shape.length > 0
const filled = (x: Tensor): boolean => sizeOf(x.shape) > 0

const permuted = (x: Tensor, pick: Pick): number[] => {
  const left = x.shape.map((_, i) => i)
  return x.shape.map(() => left.splice(pick(left.length), 1)[0] as number)
}

const broadcasts = (a: Shape, b: Shape): boolean =>
  a.every((_, i) => {
    const [m, n] = [a.at(-1 - i) ?? 1, b.at(-1 - i) ?? 1]
    return m === n || m === 1 || n === 1
  })

/** The second argument, made to broadcast against the first. */
const fit = (x: Tensor, y: Tensor): Tensor =>
  broadcasts(x.shape, y.shape) && broadcasts(y.shape, x.shape)
    ? y
    : (f.mean(y.shape.length === 0 || filled(y) ? y : f.zeros([1], 'float64')) as Tensor)

/** Kept in a moderate range, so that compositions of any length stay well conditioned. */
const tame = (x: Tensor): Tensor => f.tanh(x) as Tensor

const unary =
  (g: (x: Tensor) => unknown): Rule['apply'] =>
  (x) => [g(x) as Tensor]

const binary =
  (g: (x: Tensor, y: Tensor) => unknown): Rule['apply'] =>
  (x, y) => [g(x, fit(x, y)) as Tensor]

const rule = (name: string, smooth: boolean, apply: Rule['apply']): Rule => ({ name, smooth, apply })

const index = (x: Tensor, size: number): Tensor =>
  f.cast(f.mul(f.abs(f.sin(f.mul(f.stopGradient(x), 7))), size - 1e-6) as Tensor, 'int32')

/** Operations on float64 tensors; results of other dtypes are cast back. */
const rules: readonly Rule[] = [
  rule('neg', true, unary(f.neg)),
  rule('sin', true, unary(f.sin)),
  rule('tanh', true, unary(f.tanh)),
  rule('sigmoid', true, unary(f.sigmoid)),
  rule(
    'exp',
    true,
    unary((x) => f.exp(tame(x))),
  ),
  rule(
    'log1p',
    true,
    unary((x) => f.log1p(f.mul(x, x) as Tensor)),
  ),
  rule(
    'rsqrt',
    true,
    unary((x) => f.rsqrt(f.add(f.mul(x, x), 0.5) as Tensor)),
  ),
  rule(
    'affine',
    true,
    unary((x) => f.add(f.mul(x, 0.75), -0.25)),
  ),
  rule('abs', false, unary(f.abs)),
  rule('relu', false, unary(f.relu)),
  rule('round', false, unary(f.round)),
  rule('stopGradient', false, unary(f.stopGradient)),
  rule('add', true, binary(f.add)),
  rule('sub', true, binary(f.sub)),
  rule(
    'mul',
    true,
    binary((x, y) => f.mul(tame(x), tame(y))),
  ),
  rule(
    'div',
    true,
    binary((x, y) => f.div(x, f.add(f.mul(y, y), 1))),
  ),
  rule(
    'atan2',
    true,
    binary((x, y) => f.atan2(x, f.add(f.mul(y, y), 1))),
  ),
  rule('maximum', false, binary(f.maximum)),
  rule(
    'where',
    false,
    binary((x, y) => f.where(f.greater(x, 0), x, y)),
  ),
  rule(
    'less',
    false,
    binary((x, y) => f.cast(f.less(x, y), 'float64')),
  ),
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
  rule('iota', true, (x, _, pick) =>
    ranked(x) ? [f.add(f.mul(f.cast(f.iota(x.shape, axis(x, pick)), 'float64'), 0.125), x) as Tensor] : [],
  ),
  rule('full', true, (x, _, pick) => [f.mul(x, f.full(x.shape, pick(3) - 1.5, 'float64')) as Tensor]),
]

interface Step {
  readonly rule: Rule
  readonly x: number
  readonly y: number
  readonly choices: readonly number[]
}

/** A generated function and arguments for it. */
export interface Composition {
  readonly f: (...inputs: Tensor[]) => readonly Tensor[]
  readonly inputs: readonly Tensor[]
}

const run = (
  steps: readonly Step[],
  returned: readonly number[],
  inputs: readonly Tensor[],
): readonly Tensor[] => {
  const pool = [...inputs]
  const chosen = (i: number): Tensor => pool[(pool.length - 1 - (i % pool.length)) % pool.length] as Tensor
  for (const { rule, x, y, choices } of steps) {
    let next = 0
    const pick: Pick = (n) => (n === 0 ? 0 : (choices[next++ % choices.length] as number) % n)
    pool.push(
      ...rule
        .apply(chosen(x), chosen(y), pick)
        .map((z) => (sizeOf(z.shape) > largest ? (f.sum(z) as Tensor) : z)),
    )
  }
  return returned.map(chosen)
}

export interface CompositionOptions {
  /** Only operations that are smooth, for laws of derivatives. */
  readonly smooth?: boolean
  /** 8 by default. */
  readonly maxSteps?: number
}

/**
 * Functions of one to three float64 tensors that combine views, arithmetic, folds, products and look-ups, with
 * results that are used twice, returned twice, or not at all. They shrink toward fewer steps.
 *
 * @example
 * ```ts
 * import * as fc from 'fast-check'
 * import { compositions } from 'pullback/spec'
 * const [program] = fc.sample(compositions({ maxSteps: 3 }), { numRuns: 1, seed: 1 })
 * console.log(Object.keys(program ?? {})) // => ['f', 'inputs']
 * ```
 */
export const compositions = ({
  smooth = false,
  maxSteps = 8,
}: CompositionOptions = {}): fc.Arbitrary<Composition> => {
  const known = smooth ? rules.filter((each) => each.smooth) : rules
  const steps = fc.array(
    fc.record({
      rule: fc.constantFrom(...known),
      // Small numbers mean recent values, so that chains grow long.
      x: fc.oneof({ weight: 3, arbitrary: fc.nat(1) }, { weight: 1, arbitrary: fc.nat(9) }),
      y: fc.nat(9),
      choices: fc.array(fc.nat(11), { minLength: 5, maxLength: 5 }),
    }),
    { minLength: 1, maxLength: maxSteps, size: 'max' },
  )
  return fc
    .record({
      steps,
      returned: fc.array(fc.oneof(fc.constant(0), fc.nat(5)), { minLength: 1, maxLength: 3 }),
      inputs: fc.array(tensors({ dtype: 'float64', shape: shapes({ maxSize: 4 }), values: 'distinct' }), {
        minLength: 1,
        maxLength: 3,
      }),
    })
    .map(({ steps: own, returned, inputs }) => ({
      f: (...values: Tensor[]) => run(own, returned, values),
      inputs,
      [fc.toStringMethod]: () =>
        [
          `inputs ${fc.stringify(inputs)}`,
          ...own.map(({ rule: { name }, x, y, choices }) => `${name} of ${x}, ${y} [${choices.join()}]`),
          `return ${returned.join(', ')}`,
        ].join('\n'),
    }))
}
