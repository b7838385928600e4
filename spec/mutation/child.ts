/**
 * The laws of one primitive or function, as quick as they can be: node child.ts NAME. Says `caught: …` and ends with 1
 * where a law is broken, with 0 where all hold. It runs in the copy into which a mutation was planted.
 */
import * as fc from 'fast-check'
import * as p from '../../core/index.ts'
import type { Dtype, PrimitiveName, Tensor } from '../../core/index.ts'
import { isFloating } from '../../kernels/index.ts'
import { applications, generators } from '../arbitrary/primitive.ts'
import type { Application } from '../arbitrary/primitive.ts'
import { tensors } from '../arbitrary/tensor.ts'
import { applied } from '../core/primitive/apply.ts'
import type { AnyFunction } from '../law/differentiable.ts'
import { differentiableAt, subdifferentiableAt } from '../law/differentiable.ts'
import { vmapEqualsLoopAt } from '../law/evaluation.ts'
import { directions, leavesOf, like } from '../law/host.ts'

type Function = (...inputs: Tensor[]) => unknown

const pulled =
  (f: Function): Function =>
  (...inputs) => {
    const { value, pullback } = p.vjp((...own: Tensor[]) => leavesOf(f(...own)), ...inputs)
    const draw = directions(7)
    return pullback(value.map((out) => like(out, draw(out.shape.reduce((n, size) => n * size, 1)))))
  }

const inTwos = (x: Tensor): Tensor => p.stack([x, p.reverse(x)])

const batched = async (f: Function, inputs: readonly Tensor[], gradient: boolean): Promise<void> => {
  for (const only of [...inputs.map((_, i) => i), -1]) {
    const moves = (i: number): boolean => only === -1 || i === only
    const args = inputs.map((x, i) => (moves(i) ? inTwos(x) : x))
    const axes = inputs.map((_, i) => (moves(i) ? 0 : null))
    if (!axes.includes(0)) continue
    await vmapEqualsLoopAt(f as AnyFunction, args, axes, { tolerance: 1e-8, absolute: 1e-10 })
    if (gradient)
      await vmapEqualsLoopAt(pulled(f) as AnyFunction, args, axes, { tolerance: 1e-8, absolute: 1e-10 })
  }
}

const sampled = <T>(cases: fc.Arbitrary<T>, count: number): readonly T[] =>
  fc.sample(cases, { numRuns: count, seed: 11 })

const primitive = async (name: PrimitiveName): Promise<void> => {
  const dtype: Dtype = generators[name].dtypes.includes('float64')
    ? 'float64'
    : (generators[name].dtypes[0] as Dtype)
  const smooth = p.primitives[name].vjp !== 'none' && isFloating(dtype)
  const each = (example: Application): Function => applied(name, example.params)
  for (const [i, example] of sampled(applications(name, { dtype }), 40).entries()) {
    const f = each(example)
    if (smooth) {
      await differentiableAt(f as AnyFunction, example.inputs, i, { order: 1 })
      // Of several outputs one alone: the others' cotangents are not there.
      const alone: Function = (...inputs) => {
        const outputs = leavesOf(f(...inputs))
        return outputs[i % outputs.length]
      }
      await differentiableAt(alone as AnyFunction, example.inputs, i, { order: 1 })
    }
    if (i % 4 === 0)
      await batched(f, example.inputs, smooth && example.inputs.every((x) => isFloating(x.dtype)))
  }
  if (smooth && generators[name].kinked === true)
    for (const [i, example] of sampled(applications(name, { dtype, values: 'tied' }), 60).entries())
      await subdifferentiableAt(each(example) as AnyFunction, example.inputs, i)
}

const T = (x: Tensor): Tensor => p.swapAxes(x, -1, -2)
const square = tensors({ shape: [3, 3], dtype: 'float64', values: 'unit' }).map((a) =>
  p.add(a, p.mul(p.eye(3, 'float64'), 4)),
)
/** The element that stands first, so that examples of a batch differ in it. */
const first = (x: Tensor): Tensor => p.at(p.at(x, 0), 0)
const by = (x: Tensor, count: number): Tensor =>
  p.cast(p.floor(p.mul(p.sin(p.mul(p.stopGradient(first(x)), 9)), count)), 'int32')

const scaled = p.customVjp((x: Tensor, w: Tensor): Tensor => p.mul(x, w), {
  forward: (x, w) => [p.mul(x, w) as Tensor, [x, w] as const],
  backward: ([x, w], g) => [p.mul(g, w), p.mul(g, x)],
})

/** Those without reverse mode. */
const forwardOnly: ReadonlySet<string> = new Set(['whileLoop'])

const functions: Readonly<Record<string, readonly [f: Function, cases: fc.Arbitrary<readonly Tensor[]>]>> = {
  cond: [
    (a, b) =>
      p.cond(
        p.greater(p.sum(a as Tensor), 0),
        (x: Tensor) => p.mul(p.tanh(x), b as Tensor) as Tensor,
        (x) => p.sin(x),
        a as Tensor,
      ),
    fc.tuple(square, square),
  ],
  switchCase: [
    (a, b) =>
      p.switchCase(
        by(b as Tensor, 3),
        [(x: Tensor) => p.tanh(x), (x) => p.sin(x), (x) => p.mul(x, x) as Tensor],
        a as Tensor,
      ),
    fc.tuple(square, square),
  ],
  whileLoop: [
    (a) =>
      p.whileLoop(
        ([i]: readonly [Tensor, Tensor]) => p.less(i, by(a as Tensor, 4)),
        ([i, x]) => [p.add(i, 1) as Tensor, p.mul(p.sin(x), 2) as Tensor] as const,
        [p.tensor(-4, { dtype: 'int32' }) as Tensor, a as Tensor] as const,
      ),
    fc.tuple(square),
  ],
  customVjp: [
    (a, b) => p.vmap((x: Tensor) => scaled(x, p.at(b as Tensor, 0)))(a as Tensor),
    fc.tuple(square, square),
  ],
  triangularSolve: [(a, b) => p.triangularSolve(a as Tensor, b as Tensor), fc.tuple(square, square)],
  cholesky: [(a) => p.cholesky(p.matmul(a as Tensor, T(a as Tensor))), fc.tuple(square)],
  qr: [(a) => p.qr(a as Tensor), fc.tuple(square)],
  scan: [
    (w, xs) =>
      p.scan(
        (h: Tensor, x) => [p.tanh(p.add(p.matmul(h, w as Tensor), x)), p.sum(h)],
        p.ones([3], 'float64') as Tensor,
        xs as Tensor,
      ),
    fc.tuple(square, tensors({ shape: [4, 3], dtype: 'float64' })),
  ],
  checkpoint: [
    (a) =>
      p.checkpoint((x: Tensor) => p.matmul(p.tanh(p.matmul(x, x)), x), { policy: 'matmuls' })(a as Tensor),
    fc.tuple(square),
  ],
}

const [name = ''] = process.argv.slice(2)
try {
  const own = functions[name]
  if (own === undefined) await primitive(name as PrimitiveName)
  else
    for (const [i, inputs] of sampled(own[1], 4).entries()) {
      const reverse = !forwardOnly.has(name)
      if (reverse) await differentiableAt(own[0] as AnyFunction, inputs, i, { order: 1 })
      await batched(own[0], inputs, reverse)
    }
} catch (error) {
  console.log(`caught: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`)
  process.exit(1)
}
process.exit(0)
