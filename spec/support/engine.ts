/** The engines that are tested against the reference, each open or with the reason why it is not. */
import { either as E } from 'fp-ts'
import { engines } from '../../kernels/index.ts'
import type { Engine } from '../../kernels/index.ts'

export interface Subject {
  readonly label: string
  readonly engine: E.Either<string, Engine>
}

/** Engines under test: each way in which a machine without a GPU can run. */
export const subjects = async (
  wanted: readonly string[] = ['wasm', 'wasm:strict', 'gpujs:cpu', 'gpujs:webasm'],
): Promise<readonly Subject[]> =>
  Promise.all(
    wanted.map(async (label) => {
      const [name, variant] = label.split(':')
      const row = engines.find((each) => each.name === name)
      if (row === undefined) return { label, engine: E.left(`there is no engine '${name}'`) }
      await row.prepare?.()
      return { label, engine: row.open(variant) }
    }),
  )
