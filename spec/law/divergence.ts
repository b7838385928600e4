/** Where two engines first part ways, and where the first NaN or infinity comes from. */
import { bind, toArray, withEngine } from '../../core/index.ts'
import type { Engine, HostArray, Tensor } from '../../core/index.ts'
import { isFloating } from '../../kernels/index.ts'
import type { AnyFunction } from './differentiable.ts'
import { stepsOf } from './fault.ts'
import type { Step } from './fault.ts'
import { flat, leavesOf, onEngine } from './host.ts'
import { renderNumber, renderNumbers } from './render.ts'

/** The equation at fault, what it met and what it gave. */
export interface Finding {
  /** The equation as it stands in the printed graph, and its number in it. */
  readonly equation: string
  readonly index: number
  /** Its inputs' numbers, as text. */
  readonly inputs: readonly string[]
  /** Which output, and which element of it, row-major. */
  readonly output: number
  readonly element: number
  /** All of it in words. */
  readonly text: string
}

export interface Divergence extends Finding {
  readonly values: readonly [number, number]
  /** Units in the last place between the two; infinite where one is NaN. */
  readonly ulps: number
}

export interface DivergenceOptions {
  /** How many units in the last place may lie between two engines in one equation; 64 by default. */
  readonly ulps?: number
}

const words = new DataView(new ArrayBuffer(8))

/** The number's place in the order of all numbers of its dtype. */
const rank = (x: number, dtype: string): bigint => {
  if (dtype === 'float64') {
    words.setFloat64(0, x)
    const bits = words.getBigInt64(0)
    return bits < 0n ? -(bits & 0x7fffffffffffffffn) : bits
  }
  words.setFloat32(0, x)
  const bits = words.getInt32(0)
  return BigInt(bits < 0 ? -(bits & 0x7fffffff) : bits)
}

/**
 * How many numbers of the dtype lie between two.
 *
 * @example
 * ```ts
 * import { ulpsBetween } from 'pullback/spec'
 * console.log(ulpsBetween(1, 1 + 2 ** -22, 'float32')) // => 2
 * ```
 */
export const ulpsBetween = (a: number, b: number, dtype: string): number => {
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return 0
  if (Number.isNaN(a) || Number.isNaN(b)) return Infinity
  if (dtype !== 'float32' && dtype !== 'float64') return Infinity
  const apart = rank(a, dtype) - rank(b, dtype)
  return Number(apart < 0n ? -apart : apart)
}

const inputsOf = (step: Step): Promise<readonly string[]> =>
  Promise.all(
    step.inputs.map(
      async (x) => `${x.toString()} ${renderNumbers((await toArray(x)) as HostArray, x.shape)}`,
    ),
  )

const functionOf = (f: AnyFunction, args: readonly unknown[]) => {
  const { inputs, args: unflatten } = flat(args)
  return { inputs, apply: (values: readonly Tensor[]) => leavesOf(f(...(unflatten(values) as never[]))) }
}

/**
 * Runs a function equation by equation on two engines, each equation on the same inputs (those that the first
 * engine computed), and tells the first whose results differ by more than `ulps`; undefined where none does.
 *
 * @example
 * ```ts
 * import { mul, sin, tensor } from 'pullback'
 * import type { Tensor } from 'pullback'
 * import { referenceEngine, wasmEngine } from 'pullback/kernels'
 * const f = (x: Tensor) => sin(mul(x, 2))
 * console.log(await firstDivergence(f, [tensor([1, 2])], wasmEngine(), referenceEngine())) // => undefined
 * ```
 */
export const firstDivergence = async (
  f: AnyFunction,
  args: readonly unknown[],
  engineA: Engine,
  engineB: Engine,
  { ulps = 64 }: DivergenceOptions = {},
): Promise<Divergence | undefined> => {
  const own = await onEngine(args, engineA)
  const { inputs, apply } = functionOf(f, own)
  const steps = stepsOf(apply, inputs, ({ primitive, params }, given) =>
    withEngine(engineA, () => bind(primitive, given, params)),
  )
  for await (const step of steps) {
    const moved = await Promise.all(step.inputs.map((x) => onEngine(x, engineB)))
    const { primitive, params } = step.equation
    const others = withEngine(engineB, () => bind(primitive, moved, params))
    for (const [output, x] of step.outputs.entries()) {
      const [a, b] = [await toArray(x), await toArray(others[output] as Tensor)]
      for (let element = 0; element < a.length; element++) {
        const values = [a[element] as number, b[element] as number] as const
        const apart = ulpsBetween(...values, x.dtype)
        if (apart <= ulps) continue
        const given = await inputsOf(step)
        return {
          equation: step.text,
          index: step.index,
          inputs: given,
          output,
          element,
          values,
          ulps: apart,
          text: [
            `equation ${step.index}: ${step.text}`,
            ...given.map((text, i) => `  input ${i}: ${text}`),
            `  output ${output}, element ${element}: ${renderNumber(values[0])} on ${engineA.name} (${engineA.detail})`,
            `    and ${renderNumber(values[1])} on ${engineB.name} (${engineB.detail}), ${apart} units in the last place apart`,
          ].join('\n'),
        }
      }
    }
  }
  return undefined
}

/** Whether there is a NaN, and whether there is an infinity, and where the first of either is. */
const oddities = async (
  x: Tensor,
): Promise<{ readonly nan: boolean; readonly infinite: boolean; readonly at: number }> => {
  if (!isFloating(x.dtype)) return { nan: false, infinite: false, at: -1 }
  const data = await toArray(x)
  const nan = data.findIndex((value) => Number.isNaN(value))
  const infinite = data.findIndex((value) => Math.abs(value) === Infinity)
  return { nan: nan >= 0, infinite: infinite >= 0, at: nan >= 0 ? nan : infinite }
}

/**
 * The first equation of a function that makes a NaN of numbers, or an infinity of finite ones, run eagerly;
 * undefined where there is none. What passes on a NaN or an infinity is not blamed.
 *
 * @example
 * ```ts
 * import { div, sub, tensor } from 'pullback'
 * import type { Tensor } from 'pullback'
 * const f = (x: Tensor) => div(sub(x, x), sub(x, 1))
 * const found = await firstNonFinite(f, [tensor([2, 1])])
 * console.log(found?.equation) // => d: float32[2] = div b c
 * ```
 */
export const firstNonFinite = async (
  f: AnyFunction,
  args: readonly unknown[],
): Promise<Finding | undefined> => {
  const { inputs, apply } = functionOf(f, args)
  for await (const step of stepsOf(apply, inputs)) {
    const given = await Promise.all(step.inputs.map(oddities))
    for (const [output, x] of step.outputs.entries()) {
      const { nan, infinite, at: element } = await oddities(x)
      const known = given.some((input) => input.nan) || (!nan && given.some((input) => input.infinite))
      if (!(nan || infinite) || known) continue
      const texts = await inputsOf(step)
      const value = (await toArray(x))[element] as number
      return {
        equation: step.text,
        index: step.index,
        inputs: texts,
        output,
        element,
        text: [
          `equation ${step.index}: ${step.text}`,
          ...texts.map((text, i) => `  input ${i}: ${text}`),
          `  output ${output}, element ${element}: ${renderNumber(value)}`,
        ].join('\n'),
      }
    }
  }
  return undefined
}
