/**
 * Transformations in one another: each is applied to a function of which it makes the same function or the derivative,
 * so that any nesting has a known value: the k-th derivative of sin(2x) is 2ᵏ sin(2x + kπ/2).
 */
import * as fc from 'fast-check'
import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as p from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'

type Map = (x: Tensor) => Tensor
interface Transformation {
  readonly of: (f: Map) => Map
  /** Whether it gives the derivative. */
  readonly derives?: boolean
  /** Whether it asks for reverse mode. */
  readonly reverse?: boolean
  /** Whether it has no reverse mode. */
  readonly forwardOnly?: boolean
}

const slope = (f: Map): Map => p.grad((x: Tensor) => p.sum(f(x)))
/** The derivative of an elementwise function by forward mode. */
const push =
  (f: Map): Map =>
  (x) =>
    p.jvp(f, [x], [p.onesLike(x)])[1]

/** One element a row, so that what is inside has a shape of its own whatever the shape. */
const columns = (x: Tensor): Tensor => p.reshape(x, [x.shape.reduce((n, size) => n * size, 1), 1])

export const transformations: Readonly<Record<string, Transformation>> = {
  grad: { of: slope, derives: true, reverse: true },
  valueAndGrad: {
    of: (f) => (x) => p.valueAndGrad((y: Tensor) => p.sum(f(y)))(x)[1],
    derives: true,
    reverse: true,
  },
  vjp: {
    of: (f) => (x) => {
      const { value, pullback } = p.vjp(f, x)
      return pullback(p.onesLike(value))[0]
    },
    derives: true,
    reverse: true,
  },
  jvp: { of: push, derives: true },
  linearize: { of: (f) => (x) => p.linearize(f, x)[1](p.onesLike(x)), derives: true, reverse: true },
  jacobianForward: { of: (f) => (x) => p.sum(p.jacobianForward(f)(x), { axis: -1 }), derives: true },
  jacobianReverse: {
    of: (f) => (x) => p.sum(p.jacobianReverse(f)(x), { axis: -1 }),
    derives: true,
    reverse: true,
  },
  vmap: { of: (f) => (x) => p.reshape(p.vmap(f)(columns(x)), x.shape) },
  jit: { of: (f) => p.jit(f) },
  checkpoint: { of: (f) => p.checkpoint(f) },
  customVjp: {
    of: (f) =>
      p.customVjp((x: Tensor) => f(x), {
        forward: (x) => [f(x), x],
        backward: (x, g) => [p.mul(g, push(f)(x))],
      }),
  },
  customJvp: {
    of: (f) =>
      p.customJvp(
        (x: Tensor) => f(x),
        ([x], [dx]) => [f(x), p.mul(dx, push(f)(x))],
      ),
  },
  scan: {
    of: (f) => (x) =>
      p.reshape(p.scan((_: Tensor, row) => [_, f(row)], p.tensor(0), columns(x))[1] as Tensor, x.shape),
  },
  forLoop: { of: (f) => (x) => p.forLoop(0, 1, (_, y: Tensor) => f(y), x) },
  whileLoop: {
    of: (f) => (x) =>
      p.whileLoop(
        ([i]: readonly [Tensor, Tensor]) => p.less(i, 1),
        ([i, y]) => [p.add(i, 1), f(y)] as const,
        [p.tensor(0), x] as const,
      )[1],
    forwardOnly: true,
  },
  cond: { of: (f) => (x) => p.cond(p.greater(p.sum(p.mul(x, x)), -1), f, (y) => p.neg(y), x) },
  switchCase: {
    of: (f) => (x) => p.switchCase(p.tensor(1, { dtype: 'int32' }), [(y: Tensor) => p.neg(y), f], x),
  },
}

const names = Object.keys(transformations)
const point = p.tensor([0.1, -0.7, 1.3, 0.4], { dtype: 'float64' })
const base: Map = (x) => p.sin(p.mul(x, 2))

/** Whether some transformation needs reverse mode of one further in that has none. */
const impossible = (chain: readonly string[]): boolean =>
  chain.some(
    (name, i) =>
      transformations[name]?.reverse === true &&
      chain.slice(i + 1).some((inner) => transformations[inner]?.forwardOnly),
  )

const holds = (chain: readonly string[]): void => {
  const f = chain.reduceRight((inner, name) => (transformations[name] as Transformation).of(inner), base)
  const order = chain.filter((name) => transformations[name]?.derives).length
  if (impossible(chain)) {
    assert.throws(() => f(point), /whileLoop: it has no reverse-mode derivative/)
    return
  }
  const result = [...p.toArraySync(f(point))]
  ;[...p.toArraySync(point)].forEach((x, i) => {
    const expected = 2 ** order * Math.sin(2 * x + (order * Math.PI) / 2)
    assert.ok(
      Math.abs((result[i] as number) - expected) < 1e-9 * 2 ** order,
      `${chain.join(' of ')}: ${result[i]} is not ${expected}`,
    )
  })
}

const test = suite('nesting')
for (const outer of names)
  test(`${outer} of each`, () => {
    for (const inner of names) holds([outer, inner])
  })
test('chains of three and four', () => {
  // Rules of one's own around a loop without reverse mode decide by their own rules whether it is asked for one.
  const hidden = (chain: readonly string[]): boolean =>
    chain.includes('whileLoop') && chain.some((name) => name === 'customVjp' || name === 'customJvp')
  // Reverse mode of a derivative of a derivative grows fast, so few derivatives.
  const chains = fc
    .array(fc.constantFrom(...names), { minLength: 3, maxLength: 4 })
    .filter((chain) => chain.filter((name) => transformations[name]?.derives).length <= 2 && !hidden(chain))
  fc.assert(fc.property(chains, holds), { numRuns: 120 })
})
test('the branch that is not taken does not reach the derivative', () => {
  const f = (x: Tensor): Tensor => p.cond(p.greater(p.sum(x), -100), base, (y) => p.mul(y, NaN), x)
  assert.ok(p.toArraySync(slope(f)(point)).every((d) => Number.isFinite(d)))
})
test('the table in the documentation names them all', () => {
  const page = readFileSync(new URL('../../docs/transformations.md', import.meta.url), 'utf8')
  for (const name of names) assert.match(page, new RegExp(`\`${name}\``))
})
test.run()
