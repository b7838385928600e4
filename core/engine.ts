import type { Engine } from '../kernels/index.ts'
import { referenceEngine } from '../kernels/index.ts'

/** The engine of tensors that are made without naming one. Chosen on first use. */
let chosen: Engine | undefined

/** The engine on which new tensors are made. */
export const defaultEngine = (): Engine => (chosen ??= referenceEngine())

/** Makes `engine` the one on which new tensors are made; tensors made before stay where they are. */
export const setDefaultEngine = (engine: Engine): void => {
  chosen = engine
}

/** Runs `f` with `engine` as the default one. */
export const withEngine = <A>(engine: Engine, f: () => A): A => {
  const before = chosen
  chosen = engine
  try {
    return f()
  } finally {
    chosen = before
  }
}
