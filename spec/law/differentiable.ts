/** Laws of derivatives: reverse mode against finite differences. */
import * as fc from 'fast-check'
import { bind, vjp } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import { isFloating, sizeOf } from '../../kernels/index.ts'
import type { Path } from './derivative.ts'
import type { Step } from './fault.ts'
import { firstFault } from './fault.ts'
import { derivativeAtZero, slopeFrom } from './derivative.ts'
import { allNumbers, directions, dot, flat, float64, leavesOf, like, numbersOf } from './host.ts'
import { Violation, law } from './law.ts'
import type { Law } from './law.ts'
import { place } from './render.ts'

export interface DifferentiableOptions {
  /** 2 by default: the gradient itself is differentiated too, in the arguments and in the cotangent. */
  readonly order?: 1 | 2
  /** How far the two may be apart beyond the differences' own error, relative to Σ |gᵢ dᵢ|; 1e-6 by default. */
  readonly tolerance?: number
}

/** Any function of trees of tensors. */
export type AnyFunction = (...args: never[]) => unknown

type Vector = readonly Float64Array[]
type Tensors = readonly Tensor[]

/** A function of a flat list of float64 tensors, the rest of its arguments fixed. */
interface Setting {
  readonly apply: (floats: Tensors) => Tensors
  readonly floats: Tensors
  readonly names: readonly string[]
}

const settingOf = async (f: AnyFunction, args: readonly unknown[]): Promise<Setting> => {
  const { inputs, paths, floats, args: unflatten } = flat(args)
  const given = floats.map((i) => inputs[i] as Tensor)
  const name = (path: string): string => {
    const [position = '', ...rest] = path.split('/')
    return place(`argument ${position}`, rest.join('/'))
  }
  return {
    apply: (values) => {
      const all = [...inputs]
      floats.forEach((i, k) => (all[i] = values[k] as Tensor))
      return leavesOf(f(...(unflatten(all) as never[]))).filter(({ dtype }) => isFloating(dtype))
    },
    floats: await Promise.all(given.map(async (x) => float64(await numbersOf(x), x.shape))),
    names: floats.map((i) => name(paths[i] as string)),
  }
}

/** The pullback of a setting, as a function of the point and of the cotangents. */
const gradientOf = ({ apply, floats, names }: Setting, cotangents: Tensors): Setting => ({
  apply: (values) => {
    const { pullback } = vjp((...point: Tensor[]) => apply(point), ...values.slice(0, floats.length))
    return pullback(values.slice(floats.length))
  },
  floats: [...floats, ...cotangents],
  names: [...names, ...cotangents.map((_, k) => `the cotangent of output ${k}`)],
})

const random = (draw: (count: number) => Float64Array, tensors: Tensors): Vector =>
  tensors.map(({ shape }) => draw(sizeOf(shape)))

/** Steps are as large as the number itself, and at least 1. */
const scaled = (direction: Vector, point: Vector): Vector =>
  direction.map((d, k) =>
    d.map((value, i) => {
      const size = Math.abs((point[k] as Float64Array)[i] as number)
      return value * (Number.isFinite(size) ? Math.max(1, size) : 1)
    }),
  )

/** The outputs, weighted by cotangents and summed, along a line through the point. */
const along =
  ({ apply, floats }: Setting, point: Vector, line: Vector, cotangents: Vector): Path =>
  async (t) => {
    const moved = point.map((x, k) => {
      const d = line[k] as Float64Array
      return float64(
        x.map((value, i) => value + t * (d[i] as number)),
        (floats[k] as Tensor).shape,
      )
    })
    return dot(await allNumbers(apply(moved)), cotangents)
  }

interface Verdict {
  /** Undefined where the differences decide nothing. */
  readonly held: boolean | undefined
  readonly text: string
}

const compare = async (exact: ReturnType<typeof dot>, path: Path, tolerance: number): Promise<Verdict> => {
  const numeric = await derivativeAtZero(path)
  const here = await path(0)
  const floor = 1e-9 * (1 + here.size)
  const text = `${exact.sum} by the pullback, ${numeric.value} ± ${numeric.error} by finite differences`
  if (!Number.isFinite(numeric.value) || !Number.isFinite(here.sum)) return { held: undefined, text }
  const certain = numeric.error <= Math.max(1e-3 * exact.size, floor)
  const allowed = tolerance * exact.size + 10 * numeric.error + floor
  if (Math.abs(exact.sum - numeric.value) <= allowed) return { held: certain ? true : undefined, text }
  return { held: certain || !Number.isFinite(exact.sum) ? false : undefined, text }
}

const agree = async (setting: Setting, seed: number, tolerance: number, order: string): Promise<boolean> => {
  const { apply, floats, names } = setting
  const draw = directions(seed)
  const { value, pullback } = vjp((...point: Tensor[]) => apply(point), ...floats)
  if (value.length === 0 || floats.length === 0) return false
  const cotangents = random(draw, value)
  const point = await allNumbers(floats)
  const line = scaled(random(draw, floats), point)
  const gradient = pullback(value.map((out, k) => like(out, cotangents[k] as Float64Array)))
  gradient.forEach((g, k) => {
    const x = floats[k] as Tensor
    if (g.shape.join() !== x.shape.join())
      throw new Violation(`${names[k]} is ${x.toString()}, its gradient ${g.toString()}`)
  })
  const pulled = await allNumbers(gradient)
  const whole = await compare(dot(pulled, line), along(setting, point, line, cotangents), tolerance)
  if (whole.held !== false) return whole.held === true
  for (const [k, name] of names.entries()) {
    const part = line.map((d, j) => (j === k ? d : d.map(() => 0)))
    const { held, text } = await compare(
      dot(pulled, part),
      along(setting, point, part, cotangents),
      tolerance,
    )
    if (held === false)
      throw new Violation(`${order} derivative in ${name}, along a random direction: ${text}`)
  }
  throw new Violation(`${order} derivative, along a random direction: ${whole.text}`)
}

/** What breaks the law, told with the first equation whose own derivative is wrong, if there is one. */
const blamed = async (
  setting: Setting,
  seed: number,
  tolerance: number,
  law: () => Promise<boolean>,
): Promise<boolean> => {
  try {
    return await law()
  } catch (error) {
    if (!(error instanceof Violation)) throw error
    const fault = await firstFault(setting.apply, setting.floats, (step) => ownFault(step, seed, tolerance))
    if (fault === undefined) throw error
    throw new Violation(`${error.message}\nat the equation ${fault.text}\n  ${fault.reason}`)
  }
}

const ownFault = async (
  { equation, inputs }: Step,
  seed: number,
  tolerance: number,
): Promise<string | undefined> => {
  const moving = inputs.flatMap(({ dtype }, i) => (isFloating(dtype) ? [i] : []))
  const own: Setting = {
    apply: (values) => {
      const all = [...inputs]
      moving.forEach((i, k) => (all[i] = values[k] as Tensor))
      return bind(equation.primitive, all, equation.params).filter(({ dtype }) => isFloating(dtype))
    },
    floats: await Promise.all(
      moving.map(async (i) => float64(await numbersOf(inputs[i] as Tensor), (inputs[i] as Tensor).shape)),
    ),
    names: moving.map((i) => `input ${i}`),
  }
  try {
    await agree(own, seed, tolerance, 'first')
    return undefined
  } catch (error) {
    return error instanceof Violation ? error.message : undefined
  }
}

/**
 * Throws where the derivatives of `f` at these arguments (trees of tensors) differ from finite differences.
 * False where differences give no clear value, as at a kink, or where there is nothing to differentiate.
 * Everything is computed in float64 whatever the arguments' dtypes are.
 *
 * @example
 * ```ts
 * import { mul, sigmoid, tensor } from 'pullback'
 * import type { Tensor } from 'pullback'
 * import { differentiableAt } from 'pullback/spec'
 * const silu = (x: Tensor) => mul(x, sigmoid(x))
 * console.log(await differentiableAt(silu, [tensor([1, 2])])) // => true
 * ```
 */
export const differentiableAt = async (
  f: AnyFunction,
  args: readonly unknown[],
  seed = 1,
  { order = 2, tolerance = 1e-6 }: DifferentiableOptions = {},
): Promise<boolean> => {
  const setting = await settingOf(f, args)
  const held = await blamed(setting, seed, tolerance, () => agree(setting, seed, tolerance, 'first'))
  if (order === 1) return held
  const outputs = setting.apply(setting.floats)
  const cotangents = random(directions(seed + 1), outputs)
  const gradient = gradientOf(
    setting,
    outputs.map((out, k) => like(out, cotangents[k] as Float64Array)),
  )
  const second = await blamed(gradient, seed, tolerance, () =>
    agree(gradient, seed + 2, 10 * tolerance, 'second'),
  )
  return second && held
}

/**
 * A case, and a seed for the directions in it.
 *
 * @example
 * ```ts
 * import * as fc from 'fast-check'
 * import { tensors, withSeed } from 'pullback/spec'
 * const [example] = fc.sample(withSeed(fc.tuple(tensors())), { numRuns: 1, seed: 1 })
 * console.log(Object.keys(example ?? {})) // => ['args', 'seed']
 * ```
 */
export const withSeed = <A>(
  cases: fc.Arbitrary<A>,
): fc.Arbitrary<{ readonly args: A; readonly seed: number }> =>
  fc.record({ args: cases, seed: fc.noShrink(fc.nat()) })

/**
 * Law: reverse mode gives the derivatives that finite differences give, along random directions, for random
 * cotangents, to second order. Steps are chosen by their error, in float64. Cases near a kink decide nothing;
 * generate arguments that avoid kinks (`avoid`, `values: 'distinct'`).
 *
 * @example
 * ```ts
 * import * as fc from 'fast-check'
 * import { mul, sigmoid } from 'pullback'
 * import { check, tensors } from 'pullback/spec'
 * import type { Tensor } from 'pullback'
 * const silu = (x: Tensor) => mul(x, sigmoid(x))
 * await check(differentiable(silu, fc.tuple(tensors())), { numRuns: 20 })
 * ```
 */
export const differentiable = <A extends readonly unknown[]>(
  f: (...args: A) => unknown,
  cases: fc.Arbitrary<A>,
  options: DifferentiableOptions = {},
): Law<{ readonly args: A; readonly seed: number }> =>
  law(`reverse mode of ${nameOf(f)} = finite differences`, withSeed(cases), ({ args, seed }) =>
    differentiableAt(f as AnyFunction, args, seed, options),
  )

/** What a function is called in messages. */
export const nameOf = (f: { readonly name: string }): string => (f.name === '' ? 'the function' : f.name)

/**
 * Throws where, at a kink, the pullback gives a slope outside the two one-sided slopes of an output. Holds for
 * functions whose every output is convex or concave near the arguments, as extremes and absolute values are.
 *
 * @example
 * ```ts
 * import { abs, tensor } from 'pullback'
 * import type { Tensor } from 'pullback'
 * import { subdifferentiableAt } from 'pullback/spec'
 * console.log(await subdifferentiableAt((x: Tensor) => abs(x), [tensor([0, 2])])) // => true
 * ```
 */
export const subdifferentiableAt = async (
  f: AnyFunction,
  args: readonly unknown[],
  seed = 1,
): Promise<boolean> => {
  const setting = await settingOf(f, args)
  const { apply, floats } = setting
  const draw = directions(seed)
  const { value, pullback } = vjp((...point: Tensor[]) => apply(point), ...floats)
  const sizes = value.map(({ shape }) => sizeOf(shape))
  const count = sizes.reduce((n, size) => n + size, 0)
  if (count === 0 || floats.length === 0) return false
  // One element of the outputs: a sum of convex and concave ones would be neither.
  let chosen = seed % count
  const cotangents = sizes.map((size) => {
    const hot = Float64Array.from({ length: size }, (_, i) => Number(i === chosen))
    chosen -= size
    return hot
  })
  const point = await allNumbers(floats)
  const line = scaled(random(draw, floats), point)
  const gradient = await allNumbers(pullback(value.map((out, k) => like(out, cotangents[k] as Float64Array))))
  const path = along(setting, point, line, cotangents)
  const [left, right] = [await slopeFrom(path, -1), await slopeFrom(path, 1)]
  const exact = dot(gradient, line)
  const slack = 1e-6 * (1 + exact.size) + 10 * (left.error + right.error)
  if (!Number.isFinite(left.value + right.value)) return false
  const [low, high] = [Math.min(left.value, right.value), Math.max(left.value, right.value)]
  if (!(exact.sum >= low - slack && exact.sum <= high + slack))
    throw new Violation(
      `slope along a random direction: ${exact.sum} by the pullback, ${left.value} from the left and ${right.value} from the right`,
    )
  return true
}

/**
 * Law: at kinks, the pullback gives a slope between the slopes of both sides (`subdifferentiableAt`).
 *
 * @example
 * ```ts
 * import * as fc from 'fast-check'
 * import { abs, mul, sigmoid } from 'pullback'
 * import type { Tensor } from 'pullback'
 * import { check, subdifferentiable, tensors } from 'pullback/spec'
 * const silu = (x: Tensor) => mul(x, sigmoid(x))
 * await check(subdifferentiable((x: Tensor) => abs(x), fc.tuple(tensors())), { numRuns: 5 })
 * ```
 */
export const subdifferentiable = <A extends readonly unknown[]>(
  f: (...args: A) => unknown,
  cases: fc.Arbitrary<A>,
): Law<{ readonly args: A; readonly seed: number }> =>
  law(`reverse mode of ${nameOf(f)} is a subderivative`, withSeed(cases), ({ args, seed }) =>
    subdifferentiableAt(f as AnyFunction, args, seed),
  )
