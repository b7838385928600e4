/** Whether two results are the same, to rounding. */
import { toArray, tree } from '../../core/index.ts'
import type { Dtype, HostArray } from '../../core/index.ts'
import { isFloating } from '../../kernels/index.ts'
import { Violation } from './law.ts'
import { place, renderNumber } from './render.ts'

export interface Closeness {
  /**
   * How far apart elements may be, relative to the larger of them and to the largest of their tensor. By
   * default a few hundred units in the last place: 2e-5 in float32, 1e-12 in float64. Integers and bools
   * must be equal.
   */
  readonly tolerance?: number
  /** How far apart they may be in any case, where all of a tensor may be the rounding of larger numbers; 0. */
  readonly absolute?: number
}

const toleranceOf = (dtype: Dtype, tolerance: number | undefined): number => {
  if (!isFloating(dtype)) return 0
  return Math.max(tolerance ?? 0, tolerance === undefined ? (dtype === 'float32' ? 2e-5 : 1e-12) : 0)
}

const largest = (data: HostArray): number => {
  let max = 0
  for (const x of data) if (Number.isFinite(x) && Math.abs(x) > max) max = Math.abs(x)
  return max
}

/** The first position at which the arrays differ by more than `tolerance`, or -1. NaN equals NaN. */
export const firstDifference = (a: HostArray, b: HostArray, tolerance: number, absolute = 0): number => {
  const scale = tolerance === 0 ? 0 : Math.max(largest(a), largest(b))
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i] as number, b[i] as number]
    if (x === y || (Number.isNaN(x) && Number.isNaN(y))) continue
    if (!(Math.abs(x - y) <= tolerance * scale + absolute)) return i
  }
  return -1
}

const positionOf = (at: number, shape: readonly number[]): string => {
  const indices: number[] = []
  for (let axis = shape.length - 1, rest = at; axis >= 0; axis--) {
    const size = shape[axis] as number
    indices.unshift(rest % size)
    rest = Math.floor(rest / size)
  }
  return `[${indices.join(', ')}]`
}

/**
 * Throws a `Violation` that names the first leaf and element that differ.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { assertSame } from 'pullback/spec'
 * const names = { actual: 'compiled', expected: 'eager' }
 * try {
 *   await assertSame({ x: tensor([1, 2]) }, { x: tensor([1, 3]) }, names)
 * } catch (error) {
 *   console.log((error as Error).message) // => the result/x[1] is 2 by compiled, 3 by eager
 * }
 * ```
 */
export const assertSame = async (
  actual: unknown,
  expected: unknown,
  names: { readonly actual: string; readonly expected: string },
  { tolerance, absolute }: Closeness = {},
): Promise<void> => {
  const [own, other] = [tree.entries(actual), tree.entries(expected)]
  const paths = (all: typeof own): string => all.map(([path]) => path).join()
  if (own.length !== other.length || paths(own) !== paths(other))
    throw new Violation(
      `${names.actual} has leaves [${paths(own)}], ${names.expected} has leaves [${paths(other)}]`,
    )
  for (const [i, [path, x]] of own.entries()) {
    const y = (other[i] as (typeof other)[number])[1]
    const where = place('the result', path)
    if (x.dtype !== y.dtype || x.shape.join() !== y.shape.join())
      throw new Violation(
        `${where} is ${x.toString()} by ${names.actual}, ${y.toString()} by ${names.expected}`,
      )
    const [a, b] = [(await toArray(x)) as HostArray, (await toArray(y)) as HostArray]
    if (a.length !== b.length)
      throw new Violation(
        `${where} has ${a.length} numbers by ${names.actual}, ${b.length} by ${names.expected}`,
      )
    const at = firstDifference(a, b, toleranceOf(x.dtype, tolerance), isFloating(x.dtype) ? absolute : 0)
    if (at >= 0)
      throw new Violation(
        `${where}${positionOf(at, x.shape)} is ${renderNumber(a[at] as number)} by ${names.actual}, ${renderNumber(b[at] as number)} by ${names.expected}`,
      )
  }
}
