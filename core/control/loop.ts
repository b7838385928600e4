/** Loops that are traced once: their program does not grow with the number of steps. */
import { tensorsOf } from '../argument.ts'
import { bind } from '../bind.ts'
import { PullbackError, argumentError, checkOptions, shapeError } from '../error.ts'
import { castTo } from '../function/basic.ts'
import * as functions from '../function/index.ts'
import type { Shape } from '../shape.ts'
import { sameShape } from '../shape.ts'
import type { Aval, Tensor } from '../tensor.ts'
import { Literal, isTensor } from '../tensor.ts'
import * as tree from '../tree.ts'
import type { Carried, SliceOf, StackOf } from '../type.ts'
import { bodyOf } from './body.ts'
import { scanPrimitive } from './scan/index.ts'

/** The carry after a step, which must be like the one before; numbers take on its dtype. */
export const nextCarry = (
  operation: string,
  carry: unknown,
  before: readonly Aval[],
  structure: tree.Structure,
): readonly Tensor[] => {
  const [leaves, same] = tensorsOf(carry)
  if (same.key !== structure.key)
    throw argumentError(
      operation,
      `the carry must keep its structure, but a step makes ${same.key} of ${structure.key}, where * is a tensor; return it like the one that came in`,
    )
  return leaves.map((x, i) => {
    const wanted = before[i] as Aval
    const own = x instanceof Literal && x.dtype !== wanted.dtype ? castTo(x, wanted.dtype) : x
    const path = leaves.length === 1 ? '' : ` (leaf ${i})`
    if (!sameShape(own.shape, wanted.shape))
      throw new PullbackError({
        tag: 'shape',
        operation,
        detail: `the carry must keep its shape${path}; make the first one as large as the last, or return a slice`,
        shapes: [wanted.shape, own.shape],
      })
    if (own.dtype !== wanted.dtype)
      throw new PullbackError({
        tag: 'dtype',
        operation,
        detail: `the carry must keep its dtype${path}; cast the first one or the result`,
        dtypes: [wanted.dtype, own.dtype],
      })
    return own
  })
}

export interface ScanOptions {
  /** The number of steps, where there are no slices to tell it. */
  readonly length?: number
  /** From the last slice to the first. */
  readonly reverse?: boolean
}

const lengthOf = (slices: readonly Tensor[], given: number | undefined): number => {
  const [first] = slices
  if (first === undefined) {
    if (given === undefined || !Number.isInteger(given) || given < 0)
      throw argumentError('scan', `without slices it needs a length, a whole number, got ${given}`)
    return given
  }
  const length = first.shape[0]
  for (const { shape } of slices)
    if (length === undefined || shape[0] !== length)
      throw shapeError('scan', 'slices need a first axis, of one size', first.shape, shape)
  if (given !== undefined && given !== length)
    throw argumentError('scan', `length is ${given}, but there are ${length} slices`)
  return length as number
}

/**
 * A loop that carries something from step to step: `f` gets the carry and the slice of `xs` (a tree) at each
 * position of axis 0, and gives the next carry and a result; what comes out is the last carry and the results,
 * stacked. `f` is traced once, so tracing and compiling take as long for a thousand steps as for one, and it works
 * in every transformation. JAX's `lax.scan`.
 *
 * @throws PullbackError where the carry changes its structure, shape or dtype.
 *
 * @example
 * ```ts
 * import { add, mul, tensor, toNested } from 'pullback'
 * const [last, sums] = scan((total, x) => [add(total, x), mul(total, 10)], tensor(0), tensor([1, 2, 3]))
 * console.log(await toNested(last), await toNested(sums)) // => 6 [0, 10, 30]
 * ```
 */
export const scan = <C, X, Y>(
  f: (carry: C, x: SliceOf<X>) => readonly [carry: NoInfer<C | Carried<C>>, result: Y],
  init: C,
  xs: X,
  options: ScanOptions = {},
): readonly [carry: C, results: StackOf<Y>] => {
  checkOptions('scan', options, ['length', 'reverse'])
  const { length: given, reverse = false } = options
  const [first, carryStructure] = tensorsOf(init)
  const [slices, sliceStructure] = tree.flatten(xs)
  const length = lengthOf(slices, given)
  let results: tree.Structure | undefined
  const avals = slices.map(({ shape, dtype }): Aval => ({ shape: shape.slice(1) as Shape, dtype }))
  const { body, consts, captured } = bodyOf(
    (values) => {
      const carry = carryStructure.unflatten(values.slice(0, first.length)) as C
      const output = f(carry, sliceStructure.unflatten(values.slice(first.length)) as SliceOf<X>)
      if (!Array.isArray(output) || output.length !== 2)
        throw argumentError('scan', 'a step must return [carry, result]')
      const [leaves, structure] = tree.flatten(output[1])
      results = structure
      return [...nextCarry('scan', output[0], first, carryStructure), ...leaves]
    },
    [],
    first,
    avals,
  )
  const outputs = bind(scanPrimitive, [...captured, ...first, ...slices], {
    body,
    consts,
    carry: first.length,
    length,
    reverse,
  })
  return [
    carryStructure.unflatten(outputs.slice(0, first.length)) as C,
    (results as tree.Structure).unflatten(outputs.slice(first.length)) as StackOf<Y>,
  ]
}

/**
 * `f(i, carry)` for i from `start` to `end - 1`, whole numbers known while tracing; `i` is an int32 scalar. Traced
 * once. JAX's `fori_loop`; for an end that is data, see `whileLoop`.
 *
 * @example
 * ```ts
 * import { add, item, mul, tensor } from 'pullback'
 * const power = forLoop(0, 5, (_, x) => mul(x, 2), tensor(1))
 * console.log(await item(power)) // => 32
 * ```
 */
export const forLoop = <C>(
  start: number,
  end: number,
  f: (i: Tensor<readonly [], 'int32'>, carry: C) => NoInfer<C | Carried<C>>,
  init: C,
): C => {
  if (!Number.isInteger(start) || !Number.isInteger(end))
    throw argumentError('forLoop', `start and end must be whole numbers, got ${start} and ${end}`)
  const steps = Math.max(0, end - start)
  const indices = functions.add(functions.iota([steps], 0), start) as Tensor<readonly [number], 'int32'>
  const [last] = scan((carry: C, i) => [f(i as Tensor<readonly [], 'int32'>, carry), []], init, indices)
  return last
}

export const scalarBool = (operation: string, x: unknown): Tensor => {
  if (typeof x === 'boolean') return new Literal(Number(x), 'bool')
  if (!isTensor(x) || x.shape.length !== 0)
    throw argumentError(
      operation,
      `the condition must be one truth, a scalar; got ${isTensor(x) ? x.toString() : typeof x}; reduce it with any or all`,
    )
  return castTo(x, 'bool')
}
