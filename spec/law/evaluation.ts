/** Laws of evaluation: the same function in other ways gives the same. */
import type * as fc from 'fast-check'
import {
  at,
  checkpoint,
  isTensor,
  jit,
  moveAxis,
  stack,
  toArray,
  tree,
  vjp,
  vmap,
  withEngine,
  zeros,
} from '../../core/index.ts'
import type { BatchAxis, Engine, HostArray, Tensor } from '../../core/index.ts'
import { stage } from '../../core/transform/stage.ts'
import { dtypeOf, isFloating, sizeOf } from '../../kernels/index.ts'
import type { Closeness } from './close.ts'
import { assertSame } from './close.ts'
import type { AnyFunction } from './differentiable.ts'
import { nameOf } from './differentiable.ts'
import { directions, flat, leavesOf, like, onEngine } from './host.ts'
import { Violation, law } from './law.ts'
import type { Law } from './law.ts'

const call = (f: AnyFunction, args: readonly unknown[]): unknown => f(...(args as never[]))

/**
 * Throws where shapes and dtypes found by tracing are not those of the results in memory.
 *
 * @example
 * ```ts
 * import { mul, sigmoid, tensor } from 'pullback'
 * import type { Tensor } from 'pullback'
 * import { shapeRuleAt } from 'pullback/spec'
 * const silu = (x: Tensor) => mul(x, sigmoid(x))
 * await shapeRuleAt(silu, [tensor([1, 2])])
 * ```
 */
export const shapeRuleAt = async (f: AnyFunction, args: readonly unknown[]): Promise<void> => {
  const { inputs, args: unflatten } = flat(args)
  const { graph } = stage((values) => leavesOf(call(f, unflatten(values))), inputs)
  const results = leavesOf(call(f, args))
  if (results.length !== graph.outputs.length)
    throw new Violation(`${graph.outputs.length} results by tracing, ${results.length} by running`)
  for (const [i, { shape, dtype }] of graph.outputs.entries()) {
    const result = results[i] as Tensor
    const data = (await toArray(result)) as HostArray
    const told = `${dtype}[${shape.join(', ')}]`
    if (
      told !== result.toString() &&
      isTensor(result) &&
      `${result.dtype}[${result.shape.join(', ')}]` !== told
    )
      throw new Violation(`result ${i} is ${told} by tracing, ${result.toString()} by running`)
    if (dtypeOf(data) !== dtype || data.length !== sizeOf(shape))
      throw new Violation(
        `result ${i} is ${told} by tracing, in memory ${data.length} numbers of ${dtypeOf(data)}`,
      )
  }
}

/**
 * Throws where the compiled function gives something else, at first or from its cache.
 *
 * @example
 * ```ts
 * import { mul, sigmoid, tensor } from 'pullback'
 * import type { Tensor } from 'pullback'
 * import { jitEqualsEagerAt } from 'pullback/spec'
 * const silu = (x: Tensor) => mul(x, sigmoid(x))
 * await jitEqualsEagerAt(silu, [tensor([1, 2])])
 * ```
 */
export const jitEqualsEagerAt = async (
  f: AnyFunction,
  args: readonly unknown[],
  closeness: Closeness = {},
): Promise<void> => {
  const eager = call(f, args)
  const compiled = jit(f as (...args: unknown[]) => unknown)
  await assertSame(compiled(...args), eager, { actual: 'jit', expected: 'eager evaluation' }, closeness)
  await assertSame(
    compiled(...args),
    eager,
    { actual: 'the second call of jit', expected: 'eager evaluation' },
    closeness,
  )
}

/**
 * Throws where two evaluations differ in any bit.
 *
 * @example
 * ```ts
 * import { mul, sigmoid, tensor } from 'pullback'
 * import type { Tensor } from 'pullback'
 * import { deterministicAt } from 'pullback/spec'
 * const silu = (x: Tensor) => mul(x, sigmoid(x))
 * await deterministicAt(silu, [tensor([1, 2])])
 * ```
 */
export const deterministicAt = async (f: AnyFunction, args: readonly unknown[]): Promise<void> =>
  assertSame(
    call(f, args),
    call(f, args),
    { actual: 'one evaluation', expected: 'another' },
    { tolerance: 0 },
  )

/**
 * Throws where two engines differ, with `f` eager and compiled.
 *
 * @example
 * ```ts
 * import { mul, sigmoid, tensor } from 'pullback'
 * import type { Tensor } from 'pullback'
 * import { referenceEngine, wasmEngine } from 'pullback/kernels'
 * import { enginesAgreeAt } from 'pullback/spec'
 * const silu = (x: Tensor) => mul(x, sigmoid(x))
 * await enginesAgreeAt(silu, [tensor([1, 2])], wasmEngine(), referenceEngine())
 * ```
 */
export const enginesAgreeAt = async (
  f: AnyFunction,
  args: readonly unknown[],
  engine: Engine,
  reference: Engine,
  closeness: Closeness = {},
): Promise<void> => {
  const [own, other] = [await onEngine(args, engine), await onEngine(args, reference)]
  const expected = withEngine(reference, () => call(f, other))
  const names = { actual: engine.name, expected: reference.name }
  await assertSame(
    withEngine(engine, () => call(f, own)),
    expected,
    names,
    closeness,
  )
  const compiled = jit(f as (...args: unknown[]) => unknown)
  await assertSame(
    withEngine(engine, () => compiled(...own)),
    expected,
    { actual: `${engine.name}, compiled`, expected: reference.name },
    closeness,
  )
}

/**
 * Throws where `vmap(f)` differs from `f` of each example, stacked. `axes` has the batch axis of each argument.
 *
 * @example
 * ```ts
 * import { mul, sigmoid, tensor } from 'pullback'
 * import type { Tensor } from 'pullback'
 * import { vmapEqualsLoopAt } from 'pullback/spec'
 * const silu = (x: Tensor) => mul(x, sigmoid(x))
 * await vmapEqualsLoopAt(silu, [tensor([[1, 2], [3, 4]])], [0])
 * ```
 */
export const vmapEqualsLoopAt = async (
  f: AnyFunction,
  args: readonly unknown[],
  axes: readonly BatchAxis[],
  closeness: Closeness = {},
): Promise<void> => {
  const batched = args.flatMap((arg, i) =>
    axes[i] === null ? [] : tree.leaves(arg).map((x) => [x, axes[i]]),
  )
  const [leaf, axis] = batched[0] as [Tensor, number]
  const count = leaf.shape[axis < 0 ? axis + leaf.shape.length : axis] as number
  const each = (pick: (x: Tensor) => Tensor): unknown =>
    call(
      f,
      args.map((arg, i) =>
        axes[i] === null ? arg : tree.map((x) => pick(moveAxis(x, axes[i] as number, 0)), arg),
      ),
    )
  // No example: the results are empty, and of the shape that one would have.
  const none = (): unknown =>
    tree.map(
      (x) => zeros([0, ...x.shape], x.dtype),
      each((x) => zeros(x.shape.slice(1), x.dtype)),
    )
  const [first, ...rest] = Array.from({ length: count }, (_, example) => each((x) => at(x, example)))
  const looped = count === 0 ? none() : tree.map((...examples) => stack(examples), first, ...rest)
  await assertSame(
    vmap(f as (...args: unknown[]) => unknown, { inAxes: axes })(...args),
    looped,
    { actual: 'vmap', expected: 'a loop' },
    closeness,
  )
}

/**
 * Throws where computing again in the backward pass gives other values or gradients.
 *
 * @example
 * ```ts
 * import { mul, sigmoid, tensor } from 'pullback'
 * import type { Tensor } from 'pullback'
 * import { checkpointEqualsPlainAt } from 'pullback/spec'
 * const silu = (x: Tensor) => mul(x, sigmoid(x))
 * await checkpointEqualsPlainAt(silu, [tensor([1, 2])])
 * ```
 */
export const checkpointEqualsPlainAt = async (
  f: AnyFunction,
  args: readonly unknown[],
  closeness: Closeness = {},
): Promise<void> => {
  const both = (g: AnyFunction): unknown => {
    const { value, pullback } = vjp(
      (...own: readonly unknown[]) => leavesOf(call(g, own)).filter(({ dtype }) => isFloating(dtype)),
      ...args,
    )
    const draw = directions(5)
    return [value, pullback(value.map((out) => like(out, draw(sizeOf(out.shape)))))]
  }
  const names = { actual: 'checkpoint', expected: 'the plain function' }
  await assertSame(both(checkpoint(f as (...own: unknown[]) => unknown)), both(f), names, closeness)
}

type Cases<A> = fc.Arbitrary<A>

/**
 * Law: under `checkpoint` a function has the same values and gradients.
 *
 * @example
 * ```ts
 * import * as fc from 'fast-check'
 * import { mul, sigmoid } from 'pullback'
 * import type { Tensor } from 'pullback'
 * import { check, checkpointEqualsPlain, tensors } from 'pullback/spec'
 * const silu = (x: Tensor) => mul(x, sigmoid(x))
 * await check(checkpointEqualsPlain(silu, fc.tuple(tensors())), { numRuns: 5 })
 * ```
 */
export const checkpointEqualsPlain = <A extends readonly unknown[]>(
  f: (...args: A) => unknown,
  cases: Cases<A>,
  closeness: Closeness = {},
): Law<A> =>
  law(`checkpoint of ${nameOf(f)} = plain`, cases, (args) =>
    checkpointEqualsPlainAt(f as AnyFunction, args, closeness),
  )

/**
 * Law: shapes and dtypes found while tracing are those of the results.
 *
 * @example
 * ```ts
 * import * as fc from 'fast-check'
 * import { mul, sigmoid } from 'pullback'
 * import type { Tensor } from 'pullback'
 * import { check, shapeRule, tensors } from 'pullback/spec'
 * const silu = (x: Tensor) => mul(x, sigmoid(x))
 * await check(shapeRule(silu, fc.tuple(tensors())), { numRuns: 5 })
 * ```
 */
export const shapeRule = <A extends readonly unknown[]>(
  f: (...args: A) => unknown,
  cases: Cases<A>,
): Law<A> =>
  law(`shapes of ${nameOf(f)} while tracing = shapes of its results`, cases, (args) =>
    shapeRuleAt(f as AnyFunction, args),
  )

/**
 * Law: a compiled function gives what it gives uncompiled, to rounding.
 *
 * @example
 * ```ts
 * import * as fc from 'fast-check'
 * import { mul, sigmoid } from 'pullback'
 * import type { Tensor } from 'pullback'
 * import { check, jitEqualsEager, tensors } from 'pullback/spec'
 * const silu = (x: Tensor) => mul(x, sigmoid(x))
 * await check(jitEqualsEager(silu, fc.tuple(tensors())), { numRuns: 5 })
 * ```
 */
export const jitEqualsEager = <A extends readonly unknown[]>(
  f: (...args: A) => unknown,
  cases: Cases<A>,
  closeness: Closeness = {},
): Law<A> =>
  law(`jit of ${nameOf(f)} = eager`, cases, (args) => jitEqualsEagerAt(f as AnyFunction, args, closeness))

/**
 * Law: the same arguments give the same bits.
 *
 * @example
 * ```ts
 * import * as fc from 'fast-check'
 * import { mul, sigmoid } from 'pullback'
 * import type { Tensor } from 'pullback'
 * import { check, deterministic, tensors } from 'pullback/spec'
 * const silu = (x: Tensor) => mul(x, sigmoid(x))
 * await check(deterministic(silu, fc.tuple(tensors())), { numRuns: 5 })
 * ```
 */
export const deterministic = <A extends readonly unknown[]>(
  f: (...args: A) => unknown,
  cases: Cases<A>,
): Law<A> => law(`${nameOf(f)} is deterministic`, cases, (args) => deterministicAt(f as AnyFunction, args))

/**
 * Law: a function gives on one engine what it gives on another, eager and compiled, to rounding.
 *
 * @example
 * ```ts
 * import * as fc from 'fast-check'
 * import { mul, sigmoid } from 'pullback'
 * import type { Tensor } from 'pullback'
 * import { referenceEngine, wasmEngine } from 'pullback/kernels'
 * import { check, engineAgreement, tensors } from 'pullback/spec'
 * const silu = (x: Tensor) => mul(x, sigmoid(x))
 * await check(engineAgreement(silu, fc.tuple(tensors()), wasmEngine(), referenceEngine()), { numRuns: 5 })
 * ```
 */
export const engineAgreement = <A extends readonly unknown[]>(
  f: (...args: A) => unknown,
  cases: Cases<A>,
  engine: Engine,
  reference: Engine,
  closeness: Closeness = {},
): Law<A> =>
  law(`${nameOf(f)} on ${engine.name} = on ${reference.name}`, cases, (args) =>
    enginesAgreeAt(f as AnyFunction, args, engine, reference, closeness),
  )

/**
 * Law: a batched function gives what a loop over the examples gives. `axes` has each argument's batch axis.
 *
 * @example
 * ```ts
 * import * as fc from 'fast-check'
 * import { mul, sigmoid } from 'pullback'
 * import type { Tensor } from 'pullback'
 * import { check, shapes, tensors, vmapEqualsLoop } from 'pullback/spec'
 * const silu = (x: Tensor) => mul(x, sigmoid(x))
 * await check(vmapEqualsLoop(silu, fc.tuple(tensors({ shape: shapes({ minRank: 1 }) })), [0]), { numRuns: 5 })
 * ```
 */
export const vmapEqualsLoop = <A extends readonly unknown[]>(
  f: (...args: A) => unknown,
  cases: Cases<A>,
  axes: readonly BatchAxis[],
  closeness: Closeness = {},
): Law<A> =>
  law(`vmap of ${nameOf(f)} = a loop`, cases, (args) =>
    vmapEqualsLoopAt(f as AnyFunction, args, axes, closeness),
  )
