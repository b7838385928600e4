/** Laws of layers and models: who may influence whom, and that every parameter learns. */
import type * as fc from 'fast-check'
import {
  concatenate,
  reshape,
  sliceAxis,
  toArray,
  tree,
  vjp,
  where,
  zeros,
  zerosLike,
} from '../../core/index.ts'
import type { Shape, Tensor } from '../../core/index.ts'
import { isFloating, sizeOf } from '../../kernels/index.ts'
import type { Closeness } from './close.ts'
import { assertSame } from './close.ts'
import type { AnyFunction } from './differentiable.ts'
import { nameOf, withSeed } from './differentiable.ts'
import { directions, leavesOf, like } from './host.ts'
import { Violation, law } from './law.ts'
import type { Law } from './law.ts'
import { place } from './render.ts'

/**
 * Throws where a leaf of the first argument, a tree of parameters, has a gradient that is zero everywhere, for a
 * random weighting of the outputs: a dead parameter, which no training can move.
 *
 * @example
 * ```ts
 * import { mul, tensor } from 'pullback'
 * import type { Tensor } from 'pullback'
 * import { gradientFlowAt } from 'pullback/spec'
 * const dead = (p: { readonly used: Tensor; readonly unused: Tensor }) => mul(p.used, 2)
 * try {
 *   await gradientFlowAt(dead, [{ used: tensor([1]), unused: tensor([1]) }])
 * } catch (error) {
 *   console.log((error as Error).message.includes('unused')) // => true
 * }
 * ```
 */
export const gradientFlowAt = async (
  f: AnyFunction,
  [params, ...rest]: readonly unknown[],
  seed = 1,
): Promise<boolean> => {
  const paths = tree.entries(params).flatMap(([path, { dtype }]) => (isFloating(dtype) ? [path] : []))
  if (paths.length === 0) return false
  const { value, pullback } = vjp(
    (moving: unknown) =>
      leavesOf(f(...([moving, ...rest] as never[]))).filter(({ dtype }) => isFloating(dtype)),
    params,
  )
  const draw = directions(seed)
  const [gradient] = pullback(value.map((out) => like(out, draw(sizeOf(out.shape)))))
  const dead: string[] = []
  for (const [path, g] of tree.entries(gradient))
    if (paths.includes(path) && (await toArray(g)).every((x) => x === 0))
      dead.push(place('the parameters', path))
  if (dead.length > 0) throw new Violation(`no gradient flows to ${dead.join(', ')}`)
  return true
}

const filler = (x: Tensor, seed: number): Tensor =>
  isFloating(x.dtype) ? like(x, directions(seed)(sizeOf(x.shape))) : zerosLike(x)

const startsWith = (shape: Shape, lead: Shape): boolean => lead.every((size, axis) => shape[axis] === size)

/** The mask with axes of size 1 behind it, so that it broadcasts over `x`. */
const over = (mask: Tensor, x: Tensor): Tensor<Shape, 'bool'> =>
  reshape(mask, [...mask.shape, ...x.shape.slice(mask.shape.length).map(() => 1)]) as Tensor<Shape, 'bool'>

/** Results at the positions that count; of results without positions (pooled ones), all. */
const visible = (result: unknown, mask: Tensor): unknown =>
  tree.map((y) => (startsWith(y.shape, mask.shape) ? where(over(mask, y), y, 0) : y), result)

/** A function of a batch [batch, time, ...] and the bool mask [batch, time] of the positions that count. */
export type Masked = (x: never, mask: never) => unknown

const call = (f: Masked, x: Tensor, mask: Tensor): unknown => f(x as never, mask as never)

/**
 * Throws where a result depends on what stands at positions that are masked out.
 *
 * @example
 * ```ts
 * import { cast, expandDims, tensor, where } from 'pullback'
 * import type { Tensor } from 'pullback'
 * import { maskInvariantAt } from 'pullback/spec'
 * // what is masked out is blanked
 * const blank = (x: Tensor, mask: Tensor) => where(cast(expandDims(mask, -1), 'bool'), x, 0)
 * const mask = tensor([[true, false]])
 * console.log(await maskInvariantAt(blank, [tensor([[[1], [2]]]), mask])) // => true
 * ```
 */
export const maskInvariantAt = async (
  f: Masked,
  [x, mask]: readonly [Tensor, Tensor],
  closeness: Closeness = {},
): Promise<boolean> => {
  const counted = await toArray(mask)
  if (counted.every((bit) => bit !== 0)) return false
  const other = where(over(mask, x), x, filler(x, 11))
  const names = {
    actual: 'the function with other numbers where the mask is false',
    expected: 'the function',
  }
  await assertSame(visible(call(f, other, mask), mask), visible(call(f, x, mask), mask), names, closeness)
  return true
}

/**
 * Throws where more padding behind the sequences changes the results at the positions before.
 *
 * @example
 * ```ts
 * import { cast, expandDims, tensor, where } from 'pullback'
 * import type { Tensor } from 'pullback'
 * import { paddingInvariantAt } from 'pullback/spec'
 * // what is masked out is blanked
 * const blank = (x: Tensor, mask: Tensor) => where(cast(expandDims(mask, -1), 'bool'), x, 0)
 * await paddingInvariantAt(blank, [tensor([[[1], [2]]]), tensor([[true, true]])])
 * ```
 */
export const paddingInvariantAt = async (
  f: Masked,
  [x, mask]: readonly [Tensor, Tensor],
  closeness: Closeness = {},
): Promise<void> => {
  const [batch = 0, time = 0, ...rest] = x.shape
  const more = 3
  const long = concatenate([x, filler(zeros([batch, more, ...rest], x.dtype), 13)], 1)
  const longMask = concatenate([mask, zeros([batch, more], 'bool')], 1)
  const cut = (y: Tensor): Tensor =>
    startsWith(y.shape, [batch, time + more]) ? sliceAxis(y, 1, 0, time) : y
  const names = { actual: `the function of ${more} more positions of padding`, expected: 'the function' }
  const padded = tree.map(cut, call(f, long, longMask))
  await assertSame(visible(padded, mask), visible(call(f, x, mask), mask), names, closeness)
}

/**
 * Throws where an example in a batch (axis 0 of every argument and result) gives another result than alone.
 *
 * @example
 * ```ts
 * import { mul, sigmoid, tensor } from 'pullback'
 * import type { Tensor } from 'pullback'
 * import { batchInvariantAt } from 'pullback/spec'
 * const silu = (x: Tensor) => mul(x, sigmoid(x))
 * console.log(await batchInvariantAt(silu, [tensor([[1, 2], [3, 4]])])) // => true
 * ```
 */
export const batchInvariantAt = async (
  f: AnyFunction,
  args: readonly unknown[],
  closeness: Closeness = {},
): Promise<boolean> => {
  const count = tree.leaves(args)[0]?.shape[0] ?? 0
  if (count === 0) return false
  const whole = f(...(args as never[]))
  for (let i = 0; i < count; i++) {
    const one = (value: unknown): unknown => tree.map((x) => sliceAxis(x, 0, i, i + 1), value)
    const alone = f(...(args.map(one) as never[]))
    await assertSame(
      alone,
      one(whole),
      { actual: `example ${i} alone`, expected: 'the whole batch' },
      closeness,
    )
  }
  return true
}

/**
 * Law: every parameter (leaf of the first argument) gets a gradient that is not zero everywhere (`gradientFlowAt`).
 *
 * @example
 * ```ts
 * import * as fc from 'fast-check'
 * import type { Tensor } from 'pullback'
 * import { evaluation, linear } from 'pullback/nn'
 * import type { LinearParams } from 'pullback/nn'
 * import { check, gradientFlow, keys, tensors } from 'pullback/spec'
 * const layer = linear(3, 2)
 * const params = keys().map((key) => layer.init(key))
 * const cases = fc.tuple(params, tensors({ shape: [4, 3] }))
 * const apply = (params: LinearParams, x: Tensor) => layer.apply(params, evaluation)(x)
 * await check(gradientFlow(apply, cases), { numRuns: 5 })
 * ```
 */
export const gradientFlow = <A extends readonly unknown[]>(
  f: (...args: A) => unknown,
  cases: fc.Arbitrary<A>,
): Law<{ readonly args: A; readonly seed: number }> =>
  law(`gradients flow through ${nameOf(f)}`, withSeed(cases), ({ args, seed }) =>
    gradientFlowAt(f as AnyFunction, args, seed),
  )

/**
 * Law: what is masked out has no influence on the positions that count.
 *
 * @example
 * ```ts
 * import * as fc from 'fast-check'
 * import { cast, expandDims, where } from 'pullback'
 * import type { Tensor } from 'pullback'
 * import { check, maskInvariant, masks, tensors } from 'pullback/spec'
 * // what is masked out is blanked
 * const blank = (x: Tensor, mask: Tensor) => where(cast(expandDims(mask, -1), 'bool'), x, 0)
 * const cases = fc.tuple(tensors({ shape: [2, 4, 3] }), masks({ shape: [2, 4] }))
 * await check(maskInvariant(blank, cases), { numRuns: 5 })
 * ```
 */
export const maskInvariant = <X extends Tensor, M extends Tensor>(
  f: (x: X, mask: M) => unknown,
  cases: fc.Arbitrary<readonly [X, M]>,
  closeness: Closeness = {},
): Law<readonly [X, M]> =>
  law(`${nameOf(f)} does not see what is masked out`, cases, (args) => maskInvariantAt(f, args, closeness))

/**
 * Law: padding behind the sequences, masked out, changes nothing.
 *
 * @example
 * ```ts
 * import * as fc from 'fast-check'
 * import { cast, expandDims, where } from 'pullback'
 * import type { Tensor } from 'pullback'
 * import { check, masks, paddingInvariant, tensors } from 'pullback/spec'
 * // what is masked out is blanked
 * const blank = (x: Tensor, mask: Tensor) => where(cast(expandDims(mask, -1), 'bool'), x, 0)
 * const cases = fc.tuple(tensors({ shape: [2, 4, 3] }), masks({ shape: [2, 4] }))
 * await check(paddingInvariant(blank, cases), { numRuns: 5 })
 * ```
 */
export const paddingInvariant = <X extends Tensor, M extends Tensor>(
  f: (x: X, mask: M) => unknown,
  cases: fc.Arbitrary<readonly [X, M]>,
  closeness: Closeness = {},
): Law<readonly [X, M]> =>
  law(`${nameOf(f)} does not see padding`, cases, (args) => paddingInvariantAt(f, args, closeness))

/**
 * Law: an example gives the same alone and in a batch.
 *
 * @example
 * ```ts
 * import * as fc from 'fast-check'
 * import { mul, sigmoid } from 'pullback'
 * import type { Tensor } from 'pullback'
 * import { batchInvariant, check, tensors } from 'pullback/spec'
 * const silu = (x: Tensor) => mul(x, sigmoid(x))
 * await check(batchInvariant(silu, fc.tuple(tensors({ shape: [3, 4] }))), { numRuns: 5 })
 * ```
 */
export const batchInvariant = <A extends readonly unknown[]>(
  f: (...args: A) => unknown,
  cases: fc.Arbitrary<A>,
  closeness: Closeness = {},
): Law<A> =>
  law(`${nameOf(f)} treats each example of a batch alone`, cases, (args) =>
    batchInvariantAt(f as AnyFunction, args, closeness),
  )
