/** The engine that a measurement is of. */
import { either as E } from 'fp-ts'
import { setDefaultEngine } from '../../core/index.ts'
import type { Engine } from '../../core/index.ts'
import { chooseEngineAsync, wasmEngine } from '../../kernels/index.ts'

/** Opens the engine and makes it the default; `threads` is for `wasm` alone. */
export const openEngine = async (name: string, threads: number): Promise<Engine> => {
  const engine = name === 'wasm' ? wasmEngine({ threads }) : await named(name)
  setDefaultEngine(engine)
  return engine
}

const named = async (name: string): Promise<Engine> => {
  const choice = await chooseEngineAsync(name)
  if (E.isLeft(choice)) throw new Error(choice.left)
  return choice.right.engine
}
