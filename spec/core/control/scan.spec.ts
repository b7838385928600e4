/** Loops and choices with random bodies: what the unrolled function gives, in every transformation. */
import * as fc from 'fast-check'
import { either as E } from 'fp-ts'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as p from '../../../core/index.ts'
import type { Tensor } from '../../../core/index.ts'
import { referenceEngine } from '../../../kernels/index.ts'
import { compositions } from '../../arbitrary/composition.ts'
import type { Composition } from '../../arbitrary/composition.ts'
import { tensors } from '../../arbitrary/tensor.ts'
import { shapes } from '../../arbitrary/shape.ts'
import { assertSame } from '../../law/close.ts'
import { differentiableAt } from '../../law/differentiable.ts'
import { enginesAgreeAt, jitEqualsEagerAt, vmapEqualsLoopAt } from '../../law/evaluation.ts'
import { directions, like } from '../../law/host.ts'
import { check, law } from '../../law/law.ts'
import { adjointAt } from '../../law/linear.ts'
import { subjects } from '../../support/engine.ts'
import { skip } from '../../support/skip.ts'

const close = { tolerance: 1e-9, absolute: 1e-11 }
const names = { actual: 'the loop', expected: 'unrolled' }

interface Looped {
  readonly looped: (...inputs: Tensor[]) => readonly Tensor[]
  readonly unrolled: (...inputs: Tensor[]) => readonly Tensor[]
  readonly inputs: readonly Tensor[]
  readonly seed: number
}

/** A step made of a random function of a constant, the carry and a slice; the carry is two tensors. */
const stepOf =
  ({ f }: Composition) =>
  (constant: Tensor, [a, b]: readonly [Tensor, Tensor], x: Tensor) => {
    const outputs = f(constant, a, x)
    const mix = outputs.reduce<Tensor>((total, out) => p.add(total, p.sum(p.tanh(out))), p.sum(b))
    const next = [p.sin(p.add(b, p.mul(mix, 0.25))), p.add(p.mul(a, 0.5), p.mean(b))] as const
    return [next, outputs] as const
  }

const cases = (smooth: boolean): fc.Arbitrary<Looped> =>
  fc
    .record({
      composition: compositions({ smooth, maxSteps: 5 }),
      constant: tensors({
        dtype: 'float64',
        shape: shapes({ maxRank: 2, minSize: 1, maxSize: 3 }),
        values: 'distinct',
      }),
      carry: shapes({ maxRank: 2, minSize: 1, maxSize: 3 }).chain((shape) =>
        fc.tuple(
          tensors({ dtype: 'float64', shape, values: 'distinct' }),
          tensors({ dtype: 'float64', shape, values: 'distinct' }),
        ),
      ),
      slice: shapes({ maxRank: 2, minSize: 1, maxSize: 3 }),
      length: fc.integer({ min: 1, max: 4 }),
      reverse: fc.boolean(),
      seed: fc.noShrink(fc.nat()),
    })
    .chain(({ composition, constant, carry, slice, length, reverse, seed }) =>
      tensors({ dtype: 'float64', shape: [length, ...slice], values: 'distinct' }).map((xs) => {
        const step = stepOf(composition)
        return {
          inputs: [constant, ...carry, xs],
          seed,
          looped: (c: Tensor, a: Tensor, b: Tensor, slices: Tensor) => {
            const [last, results] = p.scan(
              (state: readonly [Tensor, Tensor], x: Tensor) => step(c, state, x),
              [a, b] as const,
              slices,
              { reverse },
            )
            return [...last, ...results]
          },
          unrolled: (c: Tensor, a: Tensor, b: Tensor, slices: Tensor) => {
            let state = [a, b] as readonly [Tensor, Tensor]
            const all: (readonly Tensor[])[] = []
            for (let i = 0; i < length; i++) {
              const [next, results] = step(c, state, p.at(slices, reverse ? length - 1 - i : i))
              state = next
              all.push(results)
            }
            if (reverse) all.reverse()
            return [...state, ...(all[0] ?? []).map((_, k) => p.stack(all.map((each) => each[k] as Tensor)))]
          },
          [fc.toStringMethod]: () =>
            `${fc.stringify(composition)}\nscan of ${fc.stringify([constant, ...carry, xs])} ${reverse}`,
        }
      }),
    )

const draw = (all: readonly Tensor[], seed: number): Tensor[] => {
  const next = directions(seed)
  return all.map((x) => like(x, next(x.shape.reduce((n, size) => n * size, 1))))
}

const pulled =
  (f: Looped['looped']) =>
  (...inputs: Tensor[]): readonly Tensor[] => {
    const { value, pullback } = p.vjp(f, ...inputs)
    return [...value, ...pullback(draw(value, 7))]
  }
const pushed =
  (f: Looped['looped']) =>
  (...inputs: Tensor[]): unknown =>
    p.jvp(f, inputs, draw(inputs, 5))

const test = suite('scan with random bodies')
const each = (
  name: string,
  runs: number,
  smooth: boolean,
  body: (example: Looped) => Promise<boolean | void>,
): void => test(name, () => check(law(name, cases(smooth), body), { numRuns: runs }))

each('= unrolled', 120, false, ({ looped, unrolled, inputs }) =>
  assertSame(looped(...inputs), unrolled(...inputs), names, close),
)
each('pullback = unrolled', 100, false, ({ looped, unrolled, inputs }) =>
  assertSame(pulled(looped)(...inputs), pulled(unrolled)(...inputs), names, close),
)
each('forward mode = unrolled', 60, false, ({ looped, unrolled, inputs }) =>
  assertSame(pushed(looped)(...inputs), pushed(unrolled)(...inputs), names, close),
)
each('jit of all = eager', 40, false, async ({ looped, inputs }) => {
  await jitEqualsEagerAt(looped, inputs, close)
  await jitEqualsEagerAt(pulled(looped), inputs, close)
  await jitEqualsEagerAt(pushed(looped), inputs, close)
})
each('adjoint, and finite differences to second order', 15, true, async ({ looped, inputs, seed }) => {
  await adjointAt(looped, inputs, seed)
  return differentiableAt(looped, inputs, seed)
})
each('vmap = loop, also of the pullback', 40, false, async ({ looped, inputs, seed }) => {
  const axes = inputs.map((_, i) => ((seed >> i) % 2 === 1 || i === seed % 4 ? 0 : null))
  const batch = inputs.map((x, i) => (axes[i] === null ? x : p.stack([x, p.mul(x, -0.5), p.sin(x)])))
  await vmapEqualsLoopAt(looped, batch, axes, close)
  await vmapEqualsLoopAt(pulled(looped), batch, axes, close)
})
each(
  'under checkpoint and twice differentiated = unrolled',
  15,
  true,
  async ({ looped, unrolled, inputs }) => {
    const twice =
      (f: Looped['looped']) =>
      (...own: Tensor[]): unknown =>
        pulled((...args) => pulled(p.checkpoint(f))(...args))(...own)
    await assertSame(twice(looped)(...inputs), twice(unrolled)(...inputs), names, {
      tolerance: 1e-7,
      absolute: 1e-9,
    })
  },
)
for (const { label, engine } of await subjects(['wasm'])) {
  if (E.isLeft(engine)) skip(test, `scan on ${label}`, engine.left)
  else {
    each(`on ${label} = on the reference`, 40, false, ({ looped, inputs }) =>
      enginesAgreeAt(pulled(looped), inputs, engine.right, referenceEngine(), close),
    )
    test.after(() => engine.right.close())
  }
}
test.run()

const use = suite('loops')
const x = p.tensor([1, 2, 3])
const numbers = (y: Tensor): number[] => [...p.toArraySync(y)]

use('carries and results are trees, numbers take part', () => {
  const [last, results] = p.scan(
    (state, y) => [
      { n: p.add(state.n, 1), sum: p.add(state.sum, y.a) },
      { double: p.mul(y.a, 2), n: state.n },
    ],
    { n: p.tensor(0, { dtype: 'int32' }), sum: p.tensor(0) },
    { a: x },
  )
  assert.equal([last.n.dtype, numbers(last.n), numbers(last.sum)], ['int32', [3], [6]])
  assert.equal(
    [numbers(results.double), numbers(results.n)],
    [
      [2, 4, 6],
      [0, 1, 2],
    ],
  )
})
use('a length without slices, and no steps at all', () => {
  const [last, ys] = p.scan((c: Tensor) => [p.mul(c, 2), c], p.tensor(1), null, { length: 4 })
  assert.equal([numbers(last), numbers(ys)], [[16], [1, 2, 4, 8]])
  const [same, none] = p.scan(
    (c: Tensor, y: Tensor) => [p.add(c, y), p.stack([y, y])],
    p.tensor(5),
    p.zeros([0]),
  )
  assert.equal([numbers(same), none.shape], [[5], [0, 2]])
  assert.equal(
    numbers(
      p.grad((c: Tensor) => p.scan((k: Tensor, y: Tensor) => [p.mul(k, y), []], c, p.zeros([0]))[0])(
        p.tensor(5),
      ),
    ),
    [1],
  )
})
use('carries that change places', () => {
  const [[a, b]] = p.scan(
    ([u, v]: readonly [Tensor, Tensor]) => [[v, u] as const, []],
    [x, p.neg(x)] as const,
    null,
    { length: 3 },
  )
  assert.equal(
    [numbers(a), numbers(b)],
    [
      [-1, -2, -3],
      [1, 2, 3],
    ],
  )
  const [turned] = p.scan((m: Tensor) => [p.reverse(m), []], x, null, { length: 3 })
  assert.equal(numbers(turned), [3, 2, 1])
})
use('loops in loops', () => {
  const powers = (y: Tensor): Tensor =>
    p.forLoop(
      0,
      3,
      (i, total) =>
        p.add(
          total,
          p.forLoop(0, 2, (_, k) => p.mul(k, p.add(y, i)), y),
        ),
      p.zerosLike(y),
    )
  const plain = (y: Tensor): Tensor =>
    [0, 1, 2].reduce<Tensor>(
      (total, i) => p.add(total, p.mul(y, p.mul(p.add(y, i), p.add(y, i)))),
      p.zerosLike(y),
    )
  assert.equal(numbers(powers(x)), numbers(plain(x)))
  const slope = (f: typeof powers): Tensor => p.grad((y: Tensor) => p.sum(f(y)))(x)
  assert.equal(numbers(slope(powers)), numbers(slope(plain)))
  assert.equal(numbers(p.jit(() => slope(powers))()), numbers(slope(plain)))
})
use('the program does not grow with the number of steps', () => {
  const deep = (n: number): number => {
    const f = p.jit((y: Tensor) =>
      p.grad((z: Tensor) => p.sum(p.scan((c: Tensor) => [p.tanh(c), []], z, null, { length: n })[0]))(y),
    )
    return f.program(x).launches.length
  }
  assert.is(deep(2), deep(1000))
})
use('mistakes are told', () => {
  const told = (f: () => unknown, pattern: RegExp): void => assert.throws(f, pattern)
  told(
    () => p.scan((c: Tensor, y) => [p.concatenate([c, c]), y], x, x),
    /scan: the carry must keep its shape; make the first one as large as the last, or return a slice, got \[3\] and \[6\]/,
  )
  told(
    () => p.scan((c: Tensor) => [p.cast(c, 'int32'), []], x, x),
    /scan: the carry must keep its dtype; cast the first one or the result, got float32 and int32/,
  )
  told(
    () => p.scan((c) => [[c] as never, []], x, x),
    /scan: the carry must keep its structure, but a step makes \[\*\] of \*/,
  )
  told(() => p.scan((c) => c as never, x, x), /a step must return \[carry, result\]/)
  told(() => p.scan((c) => [c, []], x, null), /without slices it needs a length/)
  told(
    () => p.scan((c) => [c, []], x, [x, p.zeros([2])]),
    /slices need a first axis, of one size, got \[3\] and \[2\]/,
  )
  told(() => p.scan((c) => [c, []], x, x, { length: 2 }), /length is 2, but there are 3 slices/)
  told(() => p.forLoop(0, 1.5, (_, c: Tensor) => c, x), /start and end must be whole numbers/)
})

use('whileLoop: values, forward mode, batches', async () => {
  const root = (y: Tensor): Tensor =>
    // Newton's square root.
    p.whileLoop(
      (g: Tensor) => p.greater(p.abs(p.sub(p.mul(g, g), y)), 1e-9),
      (g) => p.mul(p.add(g, p.div(y, g)), 0.5),
      y,
    )
  const nine = p.tensor(9, { dtype: 'float64' })
  assert.ok(Math.abs(p.itemSync(root(nine)) - 3) < 1e-9)
  const [, slope] = p.jvp(root, [nine], [p.tensor(1, { dtype: 'float64' })])
  assert.ok(Math.abs(p.itemSync(slope) - 1 / 6) < 1e-6)
  assert.ok(
    Math.abs(p.itemSync(p.jit((y: Tensor) => p.jvp(root, [y], [p.onesLike(y)])[1])(nine)) - 1 / 6) < 1e-6,
  )
  const many = p.tensor([1, 4, 100], { dtype: 'float64' })
  await vmapEqualsLoopAt(root, [many], [0], { tolerance: 1e-12 })
  await vmapEqualsLoopAt((y: Tensor) => p.jvp(root, [y], [p.onesLike(y)]), [many], [0], { tolerance: 1e-12 })
  // The condition depends on what all examples share; the carry does not.
  const count = (y: Tensor, n: Tensor): unknown =>
    p.whileLoop(
      ([i]: readonly [Tensor, Tensor]) => p.less(i, n),
      ([i, total]) => [p.add(i, 1), p.add(total, y)] as const,
      [p.tensor(0), p.zerosLike(y)] as const,
    )
  await vmapEqualsLoopAt(count, [many, p.tensor(3)], [0, null])
  await vmapEqualsLoopAt(count, [many, p.tensor([1, 0, 2])], [0, 0])
  await vmapEqualsLoopAt(count, [nine, p.tensor([1, 0, 2])], [null, 0])
  assert.throws(() => p.grad(root)(nine), /whileLoop: it has no reverse-mode derivative.*use scan or forLoop/)
  assert.throws(
    () =>
      p.whileLoop(
        (y: Tensor) => p.less(y, 3),
        (y) => y,
        x,
      ),
    /whileLoop: the condition must be one truth, a scalar; got bool\[3\]; reduce it with any or all/,
  )
})

use('cond and switchCase: values, derivatives, batches, on what they close over too', async () => {
  const scale = p.tensor(3, { dtype: 'float64' })
  const pieces = (y: Tensor, a: Tensor): Tensor =>
    p.switchCase(
      p.cast(p.floor(p.mean(y)), 'int32'),
      [
        (z: Tensor) => p.mul(p.sin(z), a),
        (z: Tensor) => p.add(p.mul(z, z), scale),
        (z: Tensor) =>
          p.mul(
            z,
            p.forLoop(0, 2, (_, k) => p.mul(k, a), a),
          ),
      ],
      y,
    )
  const plain = [
    (y: Tensor, a: Tensor) => p.mul(p.sin(y), a),
    (y: Tensor) => p.add(p.mul(y, y), scale),
    (y: Tensor, a: Tensor) => p.mul(y, p.mul(a, p.mul(a, a))),
  ]
  const a = p.tensor(1.5, { dtype: 'float64' })
  for (const [value, k] of [
    [-4, 0],
    [0.5, 0],
    [1.5, 1],
    [2.5, 2],
    [9, 2],
  ] as const) {
    const y = p.tensor([value, value], { dtype: 'float64' })
    const own = plain[k] as (y: Tensor, a: Tensor) => Tensor
    for (const wrap of [
      (f: typeof own) => f,
      (f: typeof own) =>
        (...args: [Tensor, Tensor]) =>
          p.jit(f)(...args),
    ]) {
      const both = (f: typeof own): unknown => [
        f(y, a),
        p.grad((...args: [Tensor, Tensor]) => p.sum(wrap(f)(...args)), { argnums: [0, 1] })(y, a),
        p.jvp(wrap(f), [y, a], [p.onesLike(y), p.onesLike(a)]),
        p.hessian((z: Tensor) => p.sum(wrap(f)(z, a)))(y),
      ]
      await assertSame(both(pieces), both(own), names, close)
    }
  }
  await differentiableAt(pieces, [p.tensor([2.4, 2.2], { dtype: 'float64' }), a], 1)
  const many = p.tensor(
    [
      [0.5, 0.5],
      [1.5, 1.2],
      [7, 3],
    ],
    { dtype: 'float64' },
  )
  await vmapEqualsLoopAt(pieces, [many, a], [0, null], close)
  await vmapEqualsLoopAt(
    (y: Tensor, b: Tensor) => p.grad((z: Tensor) => p.sum(pieces(z, b)))(y),
    [many, a],
    [0, null],
    close,
  )
  const fixed = (y: Tensor, b: Tensor): Tensor =>
    p.cond(
      p.greater(a, 1),
      (z: Tensor) => p.mul(z, b),
      (z) => z,
      y,
    )
  await vmapEqualsLoopAt(fixed, [many, a], [0, null], close)
  const index = p.tensor([0, 1, 5], { dtype: 'int32' })
  await vmapEqualsLoopAt((i: Tensor) => p.switchCase(i, [p.sin, p.cos], a), [index], [0], close)
})
use('the reverse pass of a choice computes no branch again, unless it is told to by checkpoint', () => {
  const w = p.full([8, 8], 0.1)
  const deep = (y: Tensor): Tensor =>
    Array.from({ length: 5 }).reduce<Tensor>((z) => p.tanh(p.matmul(z, w)), y)
  const chosen =
    (f: (y: Tensor) => Tensor) =>
    (y: Tensor): Tensor =>
      p.sum(p.cond(p.greater(p.sum(y), 0), f, (z) => z, y))
  const flopsOf = (f: (y: Tensor) => Tensor): number => p.jit(p.valueAndGrad(f)).plan(p.ones([8, 8])).flops
  const plain = flopsOf((y) => p.sum(deep(y)))
  assert.ok(flopsOf(chosen(deep)) < 1.2 * plain)
  assert.ok(flopsOf(chosen(p.checkpoint(deep))) > 1.25 * plain)
})
use('only the chosen branch runs', () => {
  const broken = p.customOperation({
    name: 'broken',
    kernel: `function (x) { const nothing = null; return x[0] + nothing[this.thread.x] }`,
  })
  const f = (y: Tensor): Tensor =>
    p.cond(
      p.greater(p.sum(y), 100),
      (z: Tensor) => broken(z),
      (z) => p.mul(z, 2),
      y,
    )
  assert.equal(numbers(f(x)), [2, 4, 6])
  assert.equal(numbers(p.jit(f)(x)), [2, 4, 6])
  assert.throws(() => f(p.mul(x, 100)), /null/)
})
use('branches that disagree are told', () => {
  const told = (onFalse: (y: Tensor) => unknown, pattern: RegExp): void =>
    assert.throws(() => p.cond(true, (y: Tensor) => y as unknown, onFalse, x), pattern)
  told(
    (y) => p.sum(y),
    /cond: branches must return the same shapes, but onFalse and onTrue differ; reshape, broadcast or pad one of them, got \[\] and \[3\]/,
  )
  told(
    (y) => p.cast(y, 'int32'),
    /cond: branches must return the same dtypes, but onFalse and onTrue differ; cast one of them, got int32 and float32/,
  )
  told((y) => [y], /cond: branches must return the same structure, but onFalse returns \[\*\] and onTrue \*/)
  assert.throws(
    () =>
      p.cond(
        p.greater(x, 0),
        (y: Tensor) => y,
        (y) => y,
        x,
      ),
    /cond: the condition must be one truth/,
  )
  assert.throws(
    () => p.switchCase(p.tensor(1.5), [(y: Tensor) => y], x),
    /switchCase: the index must be one integer, got float32\[\]/,
  )
  assert.throws(() => p.switchCase(0, [], x), /expected at least one branch/)
})
use.run()
