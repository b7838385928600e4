/** Operations of a user's own: the laws of every primitive, on every engine, and clear refusals. */
import * as fc from 'fast-check'
import { either as E } from 'fp-ts'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  broadcastTo,
  cast,
  cos,
  customOperation,
  expandDims,
  grad,
  inspect,
  jit,
  mul,
  reshape,
  softmax,
  stopGradient,
  sub,
  sum,
  tensor,
  toArraySync,
  transpose,
  vjp,
  vmap,
} from '../../../core/index.ts'
import type { CustomOperation, Kernel, Tensor } from '../../../core/index.ts'
import { referenceEngine } from '../../../kernels/index.ts'
import { shapes } from '../../arbitrary/shape.ts'
import { tensors } from '../../arbitrary/tensor.ts'
import { differentiable } from '../../law/differentiable.ts'
import {
  deterministic,
  engineAgreement,
  jitEqualsEager,
  shapeRule,
  vmapEqualsLoop,
} from '../../law/evaluation.ts'
import { check } from '../../law/law.ts'
import { leakFree } from '../../law/leak.ts'
import { adjoint, linear, symmetric } from '../../law/linear.ts'
import { subjects } from '../../support/engine.ts'
import { skip } from '../../support/skip.ts'

const gated: CustomOperation = {
  name: 'gated',
  kernel: function (x, gate) {
    const g = gate[this.thread.x]!
    return x[this.thread.x]! / (1 + Math.exp(-g))
  },
  vjp: ({ cotangent, output }, _, gate) => {
    const open = logistic(gate)
    return [mul(cotangent, open), mul(cotangent, mul(output, sub(1, open)))]
  },
}

const logistic = customOperation({
  name: 'logistic',
  kernel: 'function (x) { return 1 / (1 + Math.exp(-x[this.thread.x])); }',
  vjp: ({ cotangent, output }) => [mul(cotangent, mul(output, sub(1, output)))],
  batch: 'leading',
})

/** Σ xᵢ² of each row: another shape, and a number that depends on it. */
const squares = customOperation({
  name: 'squares',
  shape: ({ shape }) => shape.slice(0, -1),
  constants: ({ shape }) => ({ length: shape.at(-1) ?? 0 }),
  kernel: function (x) {
    let total = 0
    for (let k = 0; k < this.constants['length']!; k++) {
      const v = x[this.thread.x * this.constants['length']! + k]!
      total += v * v
    }
    return total
  },
  vjp: ({ cotangent }, x) => [mul(mul(expandDims(cotangent, -1), x), 2)],
  batch: 'leading',
})

const looped = customOperation(gated)
const leading = customOperation({ ...gated, batch: 'leading' })
const ruled = customOperation({
  ...gated,
  batch: ({ size, batched }, ...inputs) =>
    leading(...inputs.map((x, i) => (batched[i] === true ? x : broadcastTo(x, [size, ...x.shape])))),
})

const pairs = (dtype: 'float32' | 'float64' = 'float64') =>
  shapes().chain((shape) => fc.tuple(tensors({ shape, dtype }), tensors({ shape, dtype })))
const rows = fc.tuple(tensors({ shape: shapes({ minRank: 1 }), dtype: 'float64' }))

const laws = suite('laws of custom operations')

laws('derivatives to second order', async () => {
  await check(differentiable(looped, pairs()), { numRuns: 40 })
  await check(differentiable(logistic, fc.tuple(tensors())), { numRuns: 40 })
  await check(differentiable(squares, rows), { numRuns: 40 })
})
laws('forward and reverse mode are adjoint, pullbacks linear, Hessians symmetric', async () => {
  for (const law of [adjoint, linear, symmetric]) {
    await check(law(looped, pairs()), { numRuns: 20 })
    await check(law(squares, rows), { numRuns: 20 })
  }
})
laws('jit = eager, traced shapes = shapes, the same bits again', async () => {
  for (const law of [jitEqualsEager, shapeRule, deterministic]) {
    await check(law(looped, pairs()), { numRuns: 30 })
    await check(law(squares, rows), { numRuns: 30 })
  }
  await check(
    jitEqualsEager((x: Tensor) => grad((y: Tensor) => sum(mul(squares(y), squares(y))))(x), rows),
    {
      numRuns: 20,
    },
  )
})
laws('vmap = loop, by each rule', async () => {
  const batch = shapes({ maxRank: 2 }).chain((shape) =>
    fc.tuple(tensors({ shape: [3, ...shape] }), tensors({ shape })),
  )
  for (const f of [looped, leading, ruled]) await check(vmapEqualsLoop(f, batch, [0, null]), { numRuns: 30 })
  await check(
    vmapEqualsLoop((x: Tensor, y: Tensor) => grad((z: Tensor) => sum(looped(z, y)))(x), batch, [0, null]),
    { numRuns: 20 },
  )
})
laws('a batch of no examples', () => {
  const empty = vmap(looped, { inAxes: [0, null] })(tensor([], { dtype: 'float32' }), tensor(1))
  assert.equal(empty.shape, [0])
})
laws('nothing is left behind', () =>
  check(
    leakFree((x: Tensor) => grad((y: Tensor) => sum(logistic(y)))(x), fc.tuple(tensors())),
    { numRuns: 3 },
  ),
)
laws('inside larger functions', () =>
  check(
    jitEqualsEager(
      (x: Tensor, y: Tensor) => {
        const [turned, opened] = [transpose(softmax(x)), logistic(sub(mul(y, 2), 1))]
        return leading(transpose(turned), reshape(opened, x.shape))
      },
      fc.tuple(tensors({ shape: [2, 3] }), tensors({ shape: [3, 2] })),
    ),
    { numRuns: 20 },
  ),
)

for (const { label, engine } of await subjects()) {
  if (E.isLeft(engine)) skip(laws, `custom operations on ${label}`, engine.left)
  else {
    laws(`on ${label} = on the reference`, async () => {
      const reference = referenceEngine()
      const within = { tolerance: 2e-5 }
      const f = (x: Tensor, y: Tensor): unknown => vjpOf(looped, x, y)
      await check(engineAgreement(f, pairs('float32'), engine.right, reference, within), { numRuns: 10 })
      const rows32 = fc.tuple(tensors({ shape: shapes({ minRank: 1 }) }))
      await check(engineAgreement(squares, rows32, engine.right, reference, within), { numRuns: 10 })
    })
    laws.after(() => engine.right.close())
  }
}

const vjpOf = (f: typeof looped, ...inputs: readonly Tensor[]): unknown => {
  const { value, pullback } = vjp((...args: readonly Tensor[]) => f(...args), ...inputs)
  return [value, pullback(cos(value))]
}
laws.run()

const use = suite('custom operations')

use('the plan tells what runs on the host', async () => {
  for (const { label, engine } of await subjects(['wasm', 'gpujs:webasm'])) {
    if (E.isLeft(engine)) continue
    const x = tensor([1, 2, 3], { engine: engine.right })
    const { onHost } = jit((y: Tensor) => logistic(y)).plan(x)
    if (label === 'wasm') assert.match(onHost.join(), /custom/)
    else assert.equal(onHost, [])
    await engine.right.close()
  }
})
use('numbers take the dtype of the tensors', () => {
  assert.equal(
    looped(tensor([2], { dtype: 'float64' }).shape.length === 1 ? tensor(2, { dtype: 'float64' }) : 0, 0)
      .dtype,
    'float64',
  )
  assert.equal(logistic(0).dtype, 'float32')
})
use('a printed graph names it', () => {
  assert.match(inspect((x: Tensor) => logistic(x))(tensor([1])), /b: float32\[1\] = logistic a/)
})
use('operations of one name are told apart', () => {
  const times = (n: number) =>
    customOperation({ name: 'times', kernel: `function (x) { return ${n} * x[this.thread.x] }` })
  const [two, three] = [times(2), times(3)]
  const both = (x: Tensor): Tensor => sub(three(x), two(x))
  assert.equal([...toArraySync(both(tensor([5])))], [5])
  assert.equal([...toArraySync(jit(both)(tensor([5])))], [5])
})

const refused = (operation: CustomOperation, pattern: RegExp): void =>
  assert.throws(() => customOperation(operation), pattern)

use('kernels that gpu.js could not compile are refused', () => {
  const scale = 3
  const plain = { name: 'odd' }
  refused(
    { ...plain, kernel: (x) => x[0]! },
    /odd: the kernel must be written with the word function.* got an arrow function/,
  )
  refused({ ...plain, kernel: ((x: ArrayLike<number>) => x[0]!) as Kernel }, /got an arrow function/)
  refused(
    {
      ...plain,
      kernel(x) {
        return x[0]!
      },
    },
    /got a method/,
  )
  refused({ ...plain, kernel: 'async function (x) { return 1 }' }, /got an async function/)
  refused({ ...plain, kernel: 'function* (x) { yield 1 }' }, /got a generator/)
  refused({ ...plain, kernel: Math.max as unknown as Kernel }, /has no source text/)
  refused({ ...plain, kernel: 'function (x) { return }}' }, /is no JavaScript/)
  refused(
    {
      ...plain,
      kernel: function (x) {
        return scale * x[this.thread.x]!
      },
    },
    /uses scale from outside/,
  )
})
use('names inside are not taken for names outside', () => {
  const busy = customOperation({
    name: 'busy',
    kernel: `function (x, y) {
      // outside: nothing
      function half(v) { return v / 2 }
      let total = 0, other = 1e3
      for (let k = 0; k < 3; k++) { total += half(x[k]) * Math.max(y[this.thread.x], other) }
      return total
    }`,
    vjp: 'none',
  })
  assert.equal([...toArraySync(busy(tensor([1, 2, 3]), tensor([0, 1000, 2000])))], [3000, 3000, 6000])
})
use('what a definition gives is checked', () => {
  const kernel = 'function (x) { return x[this.thread.x] }'
  const x = tensor([1, 2])
  const through = (operation: Partial<CustomOperation>): Tensor =>
    grad((y: Tensor) => sum(customOperation({ name: 'own', kernel, ...operation })(y)))(x)
  assert.throws(() => through({}), /own: it has no derivative; give customOperation a vjp/)
  assert.equal([...toArraySync(through({ vjp: 'none' }))], [0, 0])
  assert.throws(
    () => through({ vjp: () => [] }),
    /own: its vjp must give a list of 1 cotangents, one for each input, got 0/,
  )
  assert.throws(
    () => through({ vjp: ({ cotangent }) => [sum(cotangent)] }),
    /own: cotangent 0 of its vjp must have the shape of input 0, got \[2\] and \[\]/,
  )
  assert.throws(
    () => through({ vjp: ({ cotangent }) => [cast(cotangent, 'int32')] }),
    /must have the dtype of input 0, got float32 and int32/,
  )
  assert.throws(() => through({ shape: () => [-1] }), /own: its shape must be a list of sizes, got \[-1\]/)
  assert.throws(
    () => through({ kernel: 'function (x) { return this.constants.n }', constants: () => ({ m: 1 }) }),
    /own: the kernel needs the constant n, a finite number; there is m = 1/,
  )
  assert.equal(
    [
      ...toArraySync(
        grad((y: Tensor) => sum(mul(y, stopGradient(customOperation({ name: 'own', kernel })(y)))))(x),
      ),
    ],
    [1, 2],
  )
})
use.run()
