/** Laws of evaluation: the same function in other ways gives the same. */
import type * as fc from 'fast-check'
import {
  at,
  checkpoint,
  isTensor,
  jit,
  stack,
  toArray,
  tree,
  vjp,
  vmap,
  withEngine,
} from '../../core/index.ts'
import type { BatchAxis, Engine, HostArray, Tensor } from '../../core/index.ts'
import { moveAxis } from '../../core/index.ts'
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

/** Throws where shapes and dtypes found by tracing are not those of the results in memory. */
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

/** Throws where the compiled function gives something else, at first or from its cache. */
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

/** Throws where two evaluations differ in any bit. */
export const deterministicAt = async (f: AnyFunction, args: readonly unknown[]): Promise<void> =>
  assertSame(
    call(f, args),
    call(f, args),
    { actual: 'one evaluation', expected: 'another' },
    { tolerance: 0 },
  )

/** Throws where two engines differ, with `f` eager and compiled. */
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

/** Throws where `vmap(f)` differs from `f` of each example, stacked. `axes` has the batch axis of each argument. */
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
  const each = Array.from({ length: count }, (_, example) =>
    call(
      f,
      args.map((arg, i) =>
        axes[i] === null ? arg : tree.map((x) => at(moveAxis(x, axes[i] as number, 0), example), arg),
      ),
    ),
  )
  const [first, ...rest] = each
  const looped = tree.map((...examples) => stack(examples), first, ...rest)
  await assertSame(
    vmap(f as (...args: unknown[]) => unknown, { inAxes: axes })(...args),
    looped,
    { actual: 'vmap', expected: 'a loop' },
    closeness,
  )
}

/** Throws where computing again in the backward pass gives other values or gradients. */
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

/** Law: under `checkpoint` a function has the same values and gradients. */
export const checkpointEqualsPlain = <A extends readonly unknown[]>(
  f: (...args: A) => unknown,
  cases: Cases<A>,
  closeness: Closeness = {},
): Law<A> =>
  law(`checkpoint of ${nameOf(f)} = plain`, cases, (args) =>
    checkpointEqualsPlainAt(f as AnyFunction, args, closeness),
  )

/** Law: shapes and dtypes found while tracing are those of the results. */
export const shapeRule = <A extends readonly unknown[]>(
  f: (...args: A) => unknown,
  cases: Cases<A>,
): Law<A> =>
  law(`shapes of ${nameOf(f)} while tracing = shapes of its results`, cases, (args) =>
    shapeRuleAt(f as AnyFunction, args),
  )

/** Law: a compiled function gives what it gives uncompiled, to rounding. */
export const jitEqualsEager = <A extends readonly unknown[]>(
  f: (...args: A) => unknown,
  cases: Cases<A>,
  closeness: Closeness = {},
): Law<A> =>
  law(`jit of ${nameOf(f)} = eager`, cases, (args) => jitEqualsEagerAt(f as AnyFunction, args, closeness))

/** Law: the same arguments give the same bits. */
export const deterministic = <A extends readonly unknown[]>(
  f: (...args: A) => unknown,
  cases: Cases<A>,
): Law<A> => law(`${nameOf(f)} is deterministic`, cases, (args) => deterministicAt(f as AnyFunction, args))

/** Law: a function gives on one engine what it gives on another, eager and compiled, to rounding. */
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

/** Law: a batched function gives what a loop over the examples gives. `axes` has each argument's batch axis. */
export const vmapEqualsLoop = <A extends readonly unknown[]>(
  f: (...args: A) => unknown,
  cases: Cases<A>,
  axes: readonly BatchAxis[],
  closeness: Closeness = {},
): Law<A> =>
  law(`vmap of ${nameOf(f)} = a loop`, cases, (args) =>
    vmapEqualsLoopAt(f as AnyFunction, args, axes, closeness),
  )
