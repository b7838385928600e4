/** customVjp, customJvp, checkpoint and linearize: laws, in one another, and clear refusals. */
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  add,
  cast,
  checkpoint,
  cos,
  customJvp,
  customVjp,
  exp,
  grad,
  hessian,
  inspect,
  itemSync,
  jacobianForward,
  jacobianReverse,
  jit,
  jvp,
  linearize,
  log1p,
  matmul,
  mul,
  sigmoid,
  sin,
  sub,
  sum,
  tanh,
  tensor,
  toArraySync,
  vjp,
  vmap,
  zeros,
} from '../../../core/index.ts'
import type { Tensor } from '../../../core/index.ts'
import { compositions } from '../../arbitrary/composition.ts'
import { shapes } from '../../arbitrary/shape.ts'
import { tensors } from '../../arbitrary/tensor.ts'
import { assertSame } from '../../law/close.ts'
import { differentiable, differentiableAt, withSeed } from '../../law/differentiable.ts'
import { jitEqualsEager, shapeRule, vmapEqualsLoop } from '../../law/evaluation.ts'
import { directions, like } from '../../law/host.ts'
import { check, law } from '../../law/law.ts'
import { adjoint, adjointAt, linear, symmetric } from '../../law/linear.ts'

const softplus: (x: Tensor) => Tensor = customJvp(
  (x: Tensor) => log1p(exp(x)),
  ([x], [dx]) => [softplus(x), mul(sigmoid(x), dx)],
)

/** sin(a) · b of a record, with a derivative by hand that uses what the forward pass kept. */
const wave = customVjp(({ a, b }: { readonly a: Tensor; readonly b: Tensor }) => mul(sin(a), b), {
  forward: ({ a, b }) => [mul(sin(a), b), { slope: mul(cos(a), b), height: sin(a), note: 'kept' }],
  backward: ({ slope, height, note }, g) => {
    assert.is(note, 'kept')
    return [{ a: mul(g, slope), b: mul(g, height) }]
  },
})
const waves = (a: Tensor, b: Tensor): Tensor => wave({ a, b })

const pairs = shapes().chain((shape) =>
  fc.tuple(tensors({ shape, dtype: 'float64' }), tensors({ shape, dtype: 'float64' })),
)
const one = fc.tuple(tensors({ dtype: 'float64' }))

const laws = suite('laws of custom derivatives')
laws('differentiable to second order, adjoint, linear, symmetric', async () => {
  await check(differentiable(waves, pairs), { numRuns: 40 })
  await check(differentiable(softplus, one), { numRuns: 40 })
  for (const each of [adjoint, linear, symmetric]) {
    await check(each(waves, pairs), { numRuns: 20 })
    await check(each(softplus, one), { numRuns: 20 })
  }
})
laws('jit = eager, also of the gradient', async () => {
  const slope = (a: Tensor, b: Tensor): unknown =>
    grad((x: Tensor, y: Tensor) => sum(softplus(waves(x, y))), { argnums: [0, 1] })(a, b)
  await check(jitEqualsEager(waves, pairs), { numRuns: 30 })
  await check(shapeRule(waves, pairs), { numRuns: 30 })
  await check(jitEqualsEager(slope, pairs), { numRuns: 30 })
})
laws('vmap = loop, also of the gradient and of forward mode', async () => {
  const cases = shapes({ maxRank: 2 }).chain((shape) =>
    fc.tuple(tensors({ shape: [3, ...shape], dtype: 'float64' }), tensors({ shape, dtype: 'float64' })),
  )
  const slope = (a: Tensor, b: Tensor): unknown =>
    grad((x: Tensor, y: Tensor) => sum(softplus(waves(x, y))), { argnums: [0, 1] })(a, b)
  const push = (a: Tensor, b: Tensor): unknown =>
    jvp((x: Tensor, y: Tensor) => softplus(waves(x, y)), [a, b], [b, a])
  for (const f of [waves, slope, push, (a: Tensor, b: Tensor) => jit(slope)(a, b)])
    await check(vmapEqualsLoop(f, cases, [0, null], { tolerance: 1e-12 }), { numRuns: 20 })
  // The derivative of a batch in what all examples share is a sum over them.
  const shared = (a: Tensor, b: Tensor): Tensor => vmap(waves, { inAxes: [0, null] })(a, b)
  await check(differentiable(shared, cases), { numRuns: 20 })
  await check(
    differentiable((a: Tensor, b: Tensor) => vmap((x: Tensor) => add(softplus(x), b))(a), cases),
    { numRuns: 20 },
  )
})

type Pulled = (...inputs: Tensor[]) => readonly Tensor[]
const pulled =
  (f: Pulled): Pulled =>
  (...inputs) => {
    const { value, pullback } = vjp(f, ...inputs)
    const draw = directions(7)
    return [...value, ...pullback(value.map((out) => like(out, draw(out.shape.reduce((n, s) => n * s, 1)))))]
  }

const points = suite('checkpoint')
for (const policy of ['nothing', 'matmuls', (name: string) => name === 'sin' || name === 'mul'] as const) {
  const name = typeof policy === 'string' ? policy : 'by name'
  points(`= plain on random functions, saving ${name}`, () =>
    check(
      law('checkpoint = plain', compositions(), async ({ f, inputs }) => {
        const own = checkpoint(f, { policy })
        const names = { actual: 'checkpoint', expected: 'plain' }
        const close = { tolerance: 1e-10, absolute: 1e-12 }
        await assertSame(pulled(own)(...inputs), pulled(f)(...inputs), names, close)
        await assertSame(jit(pulled(own))(...inputs), pulled(f)(...inputs), names, close)
      }),
      { numRuns: 100 },
    ),
  )
}
points('differentiates to second order, forward and batched', async () => {
  const cases = withSeed(compositions({ smooth: true, maxSteps: 4 }))
  await check(
    law('checkpoint is differentiable', cases, ({ args, seed }) =>
      differentiableAt(checkpoint(args.f), args.inputs, seed),
    ),
    { numRuns: 30 },
  )
  await check(
    law('checkpoint is adjoint', cases, ({ args, seed }) => adjointAt(checkpoint(args.f), args.inputs, seed)),
    { numRuns: 20 },
  )
  const f = checkpoint((x: Tensor) => sin(mul(x, sum(x))))
  await check(
    vmapEqualsLoop(
      (x: Tensor) => grad((y: Tensor) => sum(f(y)))(x),
      fc.tuple(tensors({ shape: [3, 4], dtype: 'float64' })),
      [0],
    ),
    { numRuns: 10 },
  )
})
points('keeps less for the backward pass', () => {
  const layer = (x: Tensor, w: Tensor): Tensor => tanh(matmul(x, w))
  const deep =
    (step: typeof layer) =>
    (x: Tensor, w: Tensor): Tensor => {
      let y = x
      for (let i = 0; i < 16; i++) y = step(y, w)
      return sum(y)
    }
  const blocks = checkpoint((x: Tensor, w: Tensor) => {
    let y = x
    for (let i = 0; i < 4; i++) y = layer(y, w)
    return y
  })
  const parts = (x: Tensor, w: Tensor): Tensor => {
    let y = x
    for (let i = 0; i < 4; i++) y = blocks(y, w)
    return sum(y)
  }
  const [x, w] = [
    mul(tensor(new Array<number[]>(64).fill(new Array<number>(8).fill(0.1))), 1),
    mul(tensor(new Array<number[]>(8).fill(new Array<number>(8).fill(0.1))), 1),
  ]
  const bytes = (f: typeof parts): number => jit(grad(f, { argnums: 1 })).plan(x, w).temporaryBytes
  assert.ok(bytes(parts) < 0.7 * bytes(deep(layer)), `${bytes(parts)} and ${bytes(deep(layer))}`)
})
points('what it uses from outside is differentiated too', () => {
  const slope = grad((a: Tensor) => sum(checkpoint((x: Tensor) => mul(x, a))(tensor([2, 3]))))(tensor(1))
  assert.equal(itemSync(slope), 5)
})

const push = suite('linearize')
push('= jvp on random functions', () =>
  check(
    law('linearize = jvp', compositions(), async ({ f, inputs }) => {
      const draw = directions(3)
      const tangents = inputs.map((x) => like(x, draw(x.shape.reduce((n, s) => n * s, 1))))
      const [value, forward] = linearize(f, ...inputs)
      await assertSame(
        [value, forward(...tangents)],
        jvp(f, [...inputs], tangents),
        { actual: 'linearize', expected: 'jvp' },
        { tolerance: 1e-10, absolute: 1e-12 },
      )
    }),
    { numRuns: 60 },
  ),
)

const use = suite('custom derivatives')
use('the given rule is the one that is used, also where the call is compiled first', () => {
  const odd = customVjp((x: Tensor) => mul(x, 2), {
    forward: (x) => [mul(x, 2), null],
    backward: (_, g) => [mul(g, 10)],
  })
  const f = (x: Tensor): Tensor => sum(odd(x))
  for (const g of [grad(f), jit(grad(f)), grad(jit(f)), (x: Tensor) => vmap(grad(f))(x)])
    assert.equal([...toArraySync(g(tensor([1, 2])))], [10, 10])
  assert.equal(toArraySync(jvp(odd, [tensor(1)], [tensor(1)])[1])[0], 10)
})
use('numerically sound where the plain function is not', () => {
  assert.equal(itemSync(grad(softplus)(tensor(100))), 1)
  assert.ok(Number.isNaN(itemSync(grad((x: Tensor) => log1p(exp(x)))(tensor(100)))))
  assert.equal(itemSync(hessian(softplus)(tensor(0))), 0.25)
})
use('arguments at nondiff come first and get no cotangent', () => {
  const clipped = customVjp((scale: number, x: Tensor, f: (x: Tensor) => Tensor) => mul(f(x), scale), {
    forward: (scale, x, f) => [mul(f(x), scale), x],
    backward: (scale, f, x, g) => [mul(g, mul(f(x), scale))],
    nondiff: [0, 2],
  })
  assert.equal(itemSync(grad((x: Tensor) => clipped(3, x, cos))(tensor(0))), 3)
})
use('integers and what has no derivative', () => {
  const pick = customVjp((x: Tensor, i: Tensor) => mul(x, i), {
    forward: (x, i) => [mul(x, i), i],
    backward: (i, g) => [mul(g, i), undefined],
  })
  const index = tensor([1, 2], { dtype: 'int32' })
  assert.equal([...toArraySync(grad((x: Tensor) => sum(pick(x, index)))(tensor([5, 5])))], [1, 2])
})
use('mistakes are told', () => {
  const wrong = (backward: (r: null, g: Tensor) => readonly unknown[]): (() => unknown) => {
    const f = customVjp((x: Tensor) => mul(x, 2), {
      forward: (x) => [mul(x, 2), null],
      backward: backward as never,
    })
    return () => grad((x: Tensor) => sum(f(x)))(tensor([1, 2]))
  }
  assert.throws(
    wrong(() => []),
    /customVjp: 'backward' must give a list of 1 cotangents, one for each differentiated argument, got 0/,
  )
  assert.throws(
    wrong((_, g) => [[g]]),
    /customVjp: the cotangent of argument 0 has another structure: \[\*\] for \*/,
  )
  assert.throws(
    wrong((_, g) => [sum(g)]),
    /customVjp: the cotangent of argument 0 has another shape, got \[2\] and \[\]/,
  )
  const closing = (a: Tensor): Tensor => {
    const f = customVjp((x: Tensor) => mul(x, a), {
      forward: (x) => [mul(x, a), null],
      backward: (_, g) => [mul(g, a)],
    })
    return sum(f(tensor([1, 2])))
  }
  assert.throws(
    () => grad(closing)(tensor(1)),
    /uses a tensor from outside that is being differentiated.*pass it as an argument/,
  )
  assert.throws(() => vmap(closing)(tensor([1])), /uses a tensor from outside that is being batched/)
  const bent = customJvp(
    (x: Tensor) => mul(x, 2),
    ([x], [dx]) => [mul(x, 2), sum(dx)],
  )
  assert.throws(
    () => jvp(bent, [tensor([1, 2])], [tensor([1, 2])]),
    /customJvp: the tangent that its rule gives has another shape/,
  )
})
use('a printed graph shows what they stand for', () => {
  assert.match(inspect(softplus)(tensor([1])), /log1p/)
  assert.match(inspect(grad((x: Tensor) => sum(checkpoint(sin)(x))))(tensor([1])), /barrier/)
})

const errors = suite('gradients of what has none')
const x = tensor([1, 2])
errors('arguments by number, and auxiliary outputs', () => {
  const f = (a: Tensor, b: { readonly c: Tensor }): readonly [Tensor, { readonly sum: Tensor }] => [
    sum(mul(a, b.c)),
    { sum: sub(a, b.c) },
  ]
  const [[da, db], aux] = grad(f, { argnums: [0, 1], hasAux: true })(x, { c: mul(x, 3) })
  assert.equal([...toArraySync(da)], [3, 6])
  assert.equal([...toArraySync(db.c)], [1, 2])
  assert.equal([...toArraySync(aux.sum)], [-2, -4])
})
errors('are told with the fix', () => {
  const told = (f: () => unknown, pattern: RegExp): void => assert.throws(f, pattern)
  told(
    () => grad((y: Tensor) => sin(y))(x),
    /grad: the function must return a scalar; take sum or mean of its output, or use vjp, got \[2\]/,
  )
  told(
    () => grad((y: Tensor) => sum(y))(tensor([1], { dtype: 'int32' })),
    /grad: arguments must be floating point to be differentiated; close over integers, or pass them as another argument, got int32/,
  )
  told(
    () => grad((y: { readonly w: Tensor }) => sum(y.w))({ w: tensor([1], { dtype: 'int32' }) }),
    /\(at w\)/,
  )
  told(
    () => grad((y: Tensor) => sum(y), { argnums: 2 })(x),
    /grad: argnums names argument 2, but the function was called with 1 argument, counted from 0/,
  )
  told(() => grad((y: Tensor) => sum(y), { argnums: [0, 0] })(x), /argnums \[0, 0\] repeat/)
  told(
    () => grad(((y: Tensor) => sum(y)) as never, { hasAux: true })(x as never),
    /with hasAux the function must return \[loss, aux\], got the tensor float32\[\]/,
  )
  told(
    () => grad(((y: Tensor) => [sum(y), 1]) as never)(x as never),
    /one scalar tensor \(or, with hasAux, \[loss, aux\]\), got an array of 2/,
  )
  told(
    () => grad(((y: Tensor) => Promise.resolve(sum(y))) as never)(x as never),
    /got a promise: it must not be async/,
  )
})
errors('whole matrices are those of functions of one tensor', () => {
  const told = (f: () => unknown, pattern: RegExp): void => assert.throws(f, pattern)
  const ids = tensor([1, 2], { dtype: 'int32' })
  for (const [name, whole] of Object.entries({ jacobianForward, jacobianReverse, hessian })) {
    const of = whole as unknown as (f: (y: never) => unknown) => (y: unknown) => Tensor
    told(
      () => of((y: { readonly w: Tensor }) => sum(y.w))({ w: x }),
      new RegExp(`${name}: the function must take one tensor, got a record; take the parts of a tree`),
    )
    told(
      () => of((y: Tensor) => sum(y))(ids),
      new RegExp(`${name}: what the function takes must be floating`),
    )
    told(
      () => of((y: Tensor) => [y])(x),
      new RegExp(
        `${name}: the function must (return one tensor|return one scalar tensor).*, got an array of 1`,
      ),
    )
  }
  for (const whole of [jacobianForward, jacobianReverse])
    told(
      () => whole(((y: Tensor) => cast(y, 'int32')) as never)(x as never),
      /what the function returns must be floating point, got int32/,
    )
})
errors('tangents and cotangents that are not like what they belong to are told', () => {
  const told = (g: () => unknown, pattern: RegExp): void => assert.throws(g, pattern)
  const f = (y: Tensor): Tensor => mul(y, 2)
  const [wide, whole] = [zeros([2, 3]), cast(x, 'int32')]
  told(() => jvp(f, [x], [wide as never]), /jvp: a tangent must have the shape of its primal/)
  told(
    () => jvp(f, [x], [whole as never]),
    /jvp: a tangent must have the dtype of its primal, got float32 and int32/,
  )
  told(() => vjp(f, x as Tensor).pullback(wide), /pullback: a cotangent must have the shape of its output/)
  told(() => vjp(f, x as Tensor).pullback(whole), /pullback: a cotangent must have the dtype of its output/)
  told(() => linearize(f, x as Tensor)[1](wide), /linearize: a tangent must have the shape of its argument/)
})
errors('numbers among arguments are scalars, in forward mode too', () => {
  const f = (y: Tensor, by: number): Tensor => sum(mul(y, by))
  const [, along] = jvp(f, [tensor([1, 2]), 3], [tensor([1, 1]), 10])
  assert.is(itemSync(along), 36)
  assert.is(itemSync(linearize(f, tensor([1, 2]), 3)[1](tensor([1, 1]), 10)), 36)
})
errors('batch axes that are trees are told', () => {
  const first = (y: { readonly a: Tensor }): Tensor => y.a
  assert.throws(
    () => vmap(first, { inAxes: [{ a: 0 }] as never })({ a: x } as never),
    /vmap: an axis of inAxes must be a number for all leaves of an argument or result, got a record; pass parts/,
  )
  assert.throws(
    () => vmap(first, { outAxes: [0] as never })({ a: x } as never),
    /vmap: outAxes must be a number .*, got an array of 1/,
  )
})
errors('what becomes integers has no tangent, and no cotangent', () => {
  const whole = (y: Tensor): Tensor => mul(y, cast(cast(y, 'int32'), 'float32'))
  const [value, tangent] = jvp(whole, [tensor([1.5, 2.5])], [tensor([1, 1])])
  assert.equal([...toArraySync(value)], [1.5, 5])
  assert.equal([...toArraySync(tangent)], [1, 2])
  const [, none] = jvp((y: Tensor) => cast(y, 'int32'), [x], [x])
  assert.equal([...toArraySync(none)], [0, 0])
  assert.equal([...toArraySync(grad((y: Tensor) => sum(whole(y)))(tensor([1.5, 2.5])))], [1, 2])
})
errors('escaped tracers are told', () => {
  for (const [run, done] of [
    [
      (f: (y: Tensor) => Tensor) => grad((y: Tensor) => sum(f(y)))(x),
      /sin: an argument was made while a function was differentiated that has ended/,
    ],
    [(f: (y: Tensor) => Tensor) => jvp(f, [x], [x]), /while a function was differentiated that has ended/],
    [(f: (y: Tensor) => Tensor) => vmap(f)(x), /while a function was batched that has ended/],
    [(f: (y: Tensor) => Tensor) => jit(f)(x), /made while a function was traced that has ended/],
  ] as const) {
    let kept: Tensor = x
    run((y) => (kept = mul(y, 2)))
    assert.throws(() => sin(kept), done)
  }
})

for (const each of [laws, points, push, use, errors]) each.run()
