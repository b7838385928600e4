/** Laws of derivatives that need no differences: linearity, adjointness, symmetry. */
import type * as fc from 'fast-check'
import { add, jvp, mul, sum, vjp } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import { isFloating, sizeOf } from '../../kernels/index.ts'
import { assertSame } from './close.ts'
import type { AnyFunction } from './differentiable.ts'
import { nameOf, withSeed } from './differentiable.ts'
import { allNumbers, directions, dot, flat, float64, leavesOf, like, numbersOf } from './host.ts'
import { Violation, law } from './law.ts'
import type { Law } from './law.ts'

type Tensors = readonly Tensor[]

/** The function of the floating-point tensors among the arguments, in float64. */
const smooth = async (
  f: AnyFunction,
  args: readonly unknown[],
): Promise<{ readonly apply: (...floats: Tensor[]) => Tensors; readonly floats: Tensors }> => {
  const { inputs, floats, args: unflatten } = flat(args)
  return {
    apply: (...values) => {
      const all = [...inputs]
      floats.forEach((i, k) => (all[i] = values[k] as Tensor))
      return leavesOf(f(...(unflatten(all) as never[]))).filter(({ dtype }) => isFloating(dtype))
    },
    floats: await Promise.all(
      floats.map(async (i) => float64(await numbersOf(inputs[i] as Tensor), (inputs[i] as Tensor).shape)),
    ),
  }
}

const random = (draw: (count: number) => Float64Array, all: Tensors): Tensor[] =>
  all.map((x) => like(x, draw(sizeOf(x.shape))))

/** Where terms cancel, as in a softmax over one number, a derivative of zero is the rounding of larger numbers. */
const absolute = 1e-13

const agree = (left: ReturnType<typeof dot>, right: ReturnType<typeof dot>): boolean =>
  Math.abs(left.sum - right.sum) <= 1e-10 * (left.size + right.size) + absolute

/**
 * Throws where forward and reverse mode are not adjoint at these arguments: ⟨w, J d⟩ = ⟨Jᵀ w, d⟩. False where
 * there is nothing to differentiate.
 *
 * @example
 * ```ts
 * import { mul, sigmoid, tensor } from 'pullback'
 * import type { Tensor } from 'pullback'
 * import { adjointAt } from 'pullback/spec'
 * const silu = (x: Tensor) => mul(x, sigmoid(x))
 * console.log(await adjointAt(silu, [tensor([1, 2])])) // => true
 * ```
 */
export const adjointAt = async (f: AnyFunction, args: readonly unknown[], seed = 1): Promise<boolean> => {
  const { apply, floats } = await smooth(f, args)
  const draw = directions(seed)
  const { value, pullback } = vjp(apply, ...floats)
  if (floats.length === 0 || value.length === 0) return false
  const [tangents, cotangents] = [random(draw, floats), random(draw, value)]
  const [, pushed] = jvp(apply, [...floats], tangents)
  const forward = dot(await allNumbers(pushed), await allNumbers(cotangents))
  const backward = dot(await allNumbers(pullback(cotangents)), await allNumbers(tangents))
  if (Number.isNaN(forward.sum + backward.sum)) return false
  if (!agree(forward, backward))
    throw new Violation(
      `⟨w, J d⟩ is ${forward.sum} by forward mode, ⟨Jᵀ w, d⟩ ${backward.sum} by reverse mode`,
    )
  return true
}

/**
 * Throws where a derivative at these arguments is not linear: Jᵀ(2w + 3v) = 2 Jᵀw + 3 Jᵀv, and J likewise.
 *
 * @example
 * ```ts
 * import { mul, sigmoid, tensor } from 'pullback'
 * import type { Tensor } from 'pullback'
 * import { linearAt } from 'pullback/spec'
 * const silu = (x: Tensor) => mul(x, sigmoid(x))
 * console.log(await linearAt(silu, [tensor([1, 2])])) // => true
 * ```
 */
export const linearAt = async (f: AnyFunction, args: readonly unknown[], seed = 1): Promise<boolean> => {
  const { apply, floats } = await smooth(f, args)
  const draw = directions(seed)
  const { value, pullback } = vjp(apply, ...floats)
  if (floats.length === 0 || value.length === 0) return false
  const [w, v] = [random(draw, value), random(draw, value)]
  const combine = (a: Tensors, b: Tensors): Tensor[] =>
    a.map((x, i) => add(mul(x, 2), mul(b[i] as Tensor, 3)) as Tensor)
  await assertSame(
    pullback(combine(w, v)),
    combine(pullback(w), pullback(v)),
    { actual: 'the pullback of 2w + 3v', expected: '2 and 3 times the pullbacks of w and v' },
    { tolerance: 1e-10, absolute },
  )
  const push = (tangents: Tensors): Tensors => jvp(apply, [...floats], [...tangents])[1]
  const [d, e] = [random(draw, floats), random(draw, floats)]
  await assertSame(
    push(combine(d, e)),
    combine(push(d), push(e)),
    { actual: 'forward mode along 2d + 3e', expected: '2 and 3 times forward mode along d and e' },
    { tolerance: 1e-10, absolute },
  )
  return true
}

/**
 * Throws where the second derivative at these arguments is not symmetric: ⟨u, H d⟩ = ⟨d, H u⟩.
 *
 * @example
 * ```ts
 * import { mul, sigmoid, tensor } from 'pullback'
 * import type { Tensor } from 'pullback'
 * import { symmetricAt } from 'pullback/spec'
 * const silu = (x: Tensor) => mul(x, sigmoid(x))
 * console.log(await symmetricAt(silu, [tensor([1, 2])])) // => true
 * ```
 */
export const symmetricAt = async (f: AnyFunction, args: readonly unknown[], seed = 1): Promise<boolean> => {
  const { apply, floats } = await smooth(f, args)
  const draw = directions(seed)
  const outputs = apply(...floats)
  if (floats.length === 0 || outputs.length === 0) return false
  const weights = random(draw, outputs)
  const gradient = (...point: Tensor[]): Tensor[] => {
    const { pullback } = vjp(
      (...inner: Tensor[]) =>
        apply(...inner).reduce<Tensor>(
          (total, out, i) => add(total, sum(mul(out, weights[i] as Tensor) as Tensor)) as Tensor,
          float64(new Float64Array(1), []),
        ),
      ...point,
    )
    return pullback(float64(Float64Array.of(1), []))
  }
  const [u, d] = [random(draw, floats), random(draw, floats)]
  const product = async (line: Tensor[]): Promise<readonly Float64Array[]> =>
    allNumbers(jvp(gradient, [...floats], line)[1])
  const left = dot(await product(d), await allNumbers(u))
  const right = dot(await product(u), await allNumbers(d))
  if (Number.isNaN(left.sum + right.sum)) return false
  if (!agree(left, right)) throw new Violation(`⟨u, H d⟩ is ${left.sum}, ⟨d, H u⟩ ${right.sum}`)
  return true
}

type Seeded<A> = Law<{ readonly args: A; readonly seed: number }>

/**
 * Law: forward and reverse mode are adjoint: ⟨w, J d⟩ = ⟨Jᵀ w, d⟩ for random w and d, in float64.
 *
 * @example
 * ```ts
 * import * as fc from 'fast-check'
 * import { mul, sigmoid } from 'pullback'
 * import type { Tensor } from 'pullback'
 * import { adjoint, check, tensors } from 'pullback/spec'
 * const silu = (x: Tensor) => mul(x, sigmoid(x))
 * await check(adjoint(silu, fc.tuple(tensors())), { numRuns: 5 })
 * ```
 */
export const adjoint = <A extends readonly unknown[]>(
  f: (...args: A) => unknown,
  cases: fc.Arbitrary<A>,
): Seeded<A> =>
  law(`forward and reverse mode of ${nameOf(f)} are adjoint`, withSeed(cases), ({ args, seed }) =>
    adjointAt(f as AnyFunction, args, seed),
  )

/**
 * Law: the pullback is linear in the cotangent, and forward mode in the tangent, in float64.
 *
 * @example
 * ```ts
 * import * as fc from 'fast-check'
 * import { mul, sigmoid } from 'pullback'
 * import type { Tensor } from 'pullback'
 * import { check, linear, tensors } from 'pullback/spec'
 * const silu = (x: Tensor) => mul(x, sigmoid(x))
 * await check(linear(silu, fc.tuple(tensors())), { numRuns: 5 })
 * ```
 */
export const linear = <A extends readonly unknown[]>(
  f: (...args: A) => unknown,
  cases: fc.Arbitrary<A>,
): Seeded<A> =>
  law(`derivatives of ${nameOf(f)} are linear`, withSeed(cases), ({ args, seed }) =>
    linearAt(f as AnyFunction, args, seed),
  )

/**
 * Law: the Hessian of a random weighting of the outputs is symmetric, in float64.
 *
 * @example
 * ```ts
 * import * as fc from 'fast-check'
 * import { mul, sigmoid } from 'pullback'
 * import type { Tensor } from 'pullback'
 * import { check, symmetric, tensors } from 'pullback/spec'
 * const silu = (x: Tensor) => mul(x, sigmoid(x))
 * await check(symmetric(silu, fc.tuple(tensors())), { numRuns: 5 })
 * ```
 */
export const symmetric = <A extends readonly unknown[]>(
  f: (...args: A) => unknown,
  cases: fc.Arbitrary<A>,
): Seeded<A> =>
  law(`the Hessian of ${nameOf(f)} is symmetric`, withSeed(cases), ({ args, seed }) =>
    symmetricAt(f as AnyFunction, args, seed),
  )
