import { either as E } from 'fp-ts'
import type { Engine } from '../kernels/index.ts'
import { chooseEngine } from '../kernels/index.ts'
import { PullbackError } from './error.ts'

/** The engine of tensors that are made without naming one. Chosen on first use. */
let chosen: Engine | undefined

/**
 * The engine on which new tensors are made: what `setDefaultEngine` said, else the one that PULLBACK_ENGINE
 * names, else the best that works here. Its `name` and `detail` tell what it is.
 *
 * @throws PullbackError when the engine that PULLBACK_ENGINE names is not available.
 * @example
 * ```ts
 * import { defaultEngine } from 'pullback'
 * console.log(['wasm', 'gpujs', 'webgpu', 'reference'].includes(defaultEngine().name)) // => true
 * ```
 */
export const defaultEngine = (): Engine => (chosen ??= choose())

const choose = (): Engine => {
  const choice = chooseEngine()
  if (E.isLeft(choice))
    throw new PullbackError({ tag: 'engine', operation: 'defaultEngine', detail: choice.left })
  return choice.right.engine
}

/**
 * Makes `engine` the one on which new tensors are made; tensors made before stay where they are.
 *
 * @example
 * ```ts
 * import { referenceEngine } from 'pullback/kernels'
 * import { defaultEngine, setDefaultEngine } from 'pullback'
 * const before = defaultEngine()
 * setDefaultEngine(referenceEngine())
 * console.log(defaultEngine().name) // => reference
 * setDefaultEngine(before)
 * ```
 */
export const setDefaultEngine = (engine: Engine): void => {
  chosen = engine
}

/**
 * Runs `f` with `engine` as the default one.
 *
 * @example
 * ```ts
 * import { referenceEngine } from 'pullback/kernels'
 * import { sin, tensor, withEngine } from 'pullback'
 * const sine = withEngine(referenceEngine(), () => sin(tensor([0, 1])))
 * console.log(sine) // => float32[2] [0, 0.841471]
 * ```
 */
export const withEngine = <A>(engine: Engine, f: () => A): A => {
  const before = chosen
  chosen = engine
  try {
    return f()
  } finally {
    chosen = before
  }
}
