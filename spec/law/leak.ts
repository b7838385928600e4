/** Law: after a call, an engine holds the leaves of what it returned, and nothing else. */
import type * as fc from 'fast-check'
import { defaultEngine, isTensor, tree } from '../../core/index.ts'
import type { Engine, Tensor } from '../../core/index.ts'
import { Concrete } from '../../core/tensor.ts'
import type { AnyFunction } from './differentiable.ts'
import { nameOf } from './differentiable.ts'
import { Violation, law } from './law.ts'
import type { Law } from './law.ts'

type Collector = () => void

const load = async (): Promise<Collector | undefined> => {
  const own = (globalThis as { readonly gc?: Collector }).gc
  if (own !== undefined) return own
  try {
    const [v8, vm] = [await import('node:v8'), await import('node:vm')]
    v8.setFlagsFromString('--expose-gc')
    return vm.runInNewContext('gc') as Collector
  } catch {
    return undefined
  }
}

let collector: Promise<Collector | undefined> | undefined

/** How long to wait for a finalizer, in milliseconds, where it does not come by itself. */
const patience = 200

/** Registries that nobody holds are collected themselves, and never tell. */
const waiting = new Set<unknown>()

/** Collects garbage and waits until finalizers run: that of an object of its own has then run, too. */
const collected = (collect: Collector): Promise<void> =>
  new Promise((resolve) => {
    const registry = new FinalizationRegistry(() => done())
    waiting.add(registry)
    const done = (): void => {
      waiting.delete(registry)
      // Others that were found in the same collection may stand behind it.
      setTimeout(resolve, 0)
    }
    registry.register({}, undefined)
    // What a function has just left is still on the stack; it is not in the next task.
    setTimeout(() => {
      collect()
      setTimeout(done, patience)
    }, 0)
  })

/** Waits until what is unreachable has been collected and told to the engines. */
const settle = async (engine: Engine): Promise<number> => {
  const collect = await (collector ??= load())
  if (collect === undefined)
    throw new Error(
      'leakFree needs a garbage collector that can be called: run node or the browser with gc exposed',
    )
  let before = Infinity
  for (let round = 0; round < 8; round++) {
    await collected(collect)
    const { count } = engine.live()
    if (count === before) return count
    before = count
  }
  return before
}

/** How often a call is counted before it is said to leak. */
const mostTurns = 3

/** Memories of the result of a call that are not the arguments', and how many more are alive after it. */
const grown = async (
  run: () => unknown,
  args: readonly unknown[],
  engine: Engine,
): Promise<{ readonly own: number; readonly more: number }> => {
  const before = await settle(engine)
  const given = new Set(tree.leaves(args).map((x) => memoryOf(x, engine)))
  const result = run()
  const leaves = isTensor(result) ? [result] : tree.leaves(result)
  const returned = new Set(
    leaves.map((x) => memoryOf(x, engine)).filter((x) => x !== undefined && !given.has(x)),
  )
  const after = await settle(engine)
  return { own: returned.size, more: after - before }
}

/**
 * Throws where a call leaves more memories alive than the leaves of its result: what it caches is filled by a
 * call before. Needs a garbage collector that can be called, as Node has.
 *
 * @example
 * ```ts
 * import { mul, sigmoid, tensor } from 'pullback'
 * import type { Tensor } from 'pullback'
 * import { leakFreeAt } from 'pullback/spec'
 * const silu = (x: Tensor) => mul(x, sigmoid(x))
 * await leakFreeAt(silu, [tensor([1, 2])])
 * ```
 */
export const leakFreeAt = async (
  f: AnyFunction,
  args: readonly unknown[],
  engine: Engine = defaultEngine(),
): Promise<void> => {
  const run = (): unknown => f(...(args as never[]))
  run()
  // Garbage of before that is found late makes a count wrong by chance; what leaks does so each time.
  for (let turn = 1; ; turn++) {
    const { own, more } = await grown(run, args, engine)
    if (more === own) return
    if (turn === mostTurns)
      throw new Violation(
        `the result has ${own} memories of its own, but ${more} more are alive after the call`,
      )
  }
}

const memoryOf = (x: Tensor, engine: Engine): unknown =>
  x instanceof Concrete && x.engine === engine ? x.memory('leakFree') : undefined

/**
 * Law: live memories after a call are those before it and the leaves of its result (`leakFreeAt`).
 *
 * @example
 * ```ts
 * import * as fc from 'fast-check'
 * import { mul, sigmoid } from 'pullback'
 * import type { Tensor } from 'pullback'
 * import { check, leakFree, tensors } from 'pullback/spec'
 * const silu = (x: Tensor) => mul(x, sigmoid(x))
 * await check(leakFree(silu, fc.tuple(tensors())), { numRuns: 1 })
 * ```
 */
export const leakFree = <A extends readonly unknown[]>(
  f: (...args: A) => unknown,
  cases: fc.Arbitrary<A>,
  engine?: Engine,
): Law<A> =>
  law(`${nameOf(f)} leaves nothing behind`, cases, (args) =>
    leakFreeAt(f as AnyFunction, args, engine ?? defaultEngine()),
  )
