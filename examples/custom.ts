/**
 * An operation of one's own: Swish with a slope, x · σ(βx), as a kernel written in JavaScript, with its gradient.
 * The law kit tests the gradient against finite differences, on random shapes and numbers; then the same with a
 * sign wrong, to see what a mistake looks like. Run it with: node examples/custom.ts
 */
import * as fc from 'fast-check'
import { add, customOperation, grad, mul, sigmoid, sub, sum, tensor, toNested } from 'pullback'
import type { Tensor } from 'pullback'
import { broadcastable, check, differentiable, jitEqualsEager, tensors, vmapEqualsLoop } from 'pullback/spec'

const swishWith = (sign: 1 | -1): ((x: Tensor, beta: Tensor) => Tensor) => {
  const swish = customOperation({
    name: 'swish',
    kernel: function (x, beta) {
      const v = x[this.thread.x]!
      return v / (1 + Math.exp(-beta[this.thread.x]! * v))
    },
    // dx = g · (s + βx s(1-s)), dβ = g · x² s(1-s), where s = σ(βx)
    vjp: ({ cotangent }, x, beta) => {
      const s = sigmoid(mul(beta, x))
      const slope = mul(s, sub(1, s))
      return [
        mul(cotangent, add(s, mul(sign, mul(mul(beta, x), slope)))),
        mul(cotangent, mul(mul(x, x), slope)),
      ]
    },
    batch: 'leading',
  })
  return (x, beta) => swish(x, beta)
}

const swish = swishWith(1)
const x = tensor([-2, 0, 2])
const beta = tensor([1, 1, 1])
console.log('swish     ', await toNested(swish(x, beta)))
console.log('gradient  ', await toNested(grad((own: Tensor) => sum(swish(own, beta)))(x)))

// Two tensors of one shape, whatever that is.
const cases = broadcastable(1).chain(([shape = []]) => fc.tuple(tensors({ shape }), tensors({ shape })))
const batches = fc.tuple(tensors({ shape: [3, 2] }), tensors({ shape: [2] }))
await check(differentiable(swish, cases))
await check(jitEqualsEager(swish, cases))
await check(vmapEqualsLoop(swish, batches, [0, null]))
console.log('laws hold  derivatives to second order, jit = eager, vmap = loop: 100 random cases each')

const wrong = await check(differentiable(swishWith(-1), cases), { seed: 1 }).catch(
  (error: Error) => error.message,
)
console.log(`\nwith a sign wrong:\n${wrong}`)
