/** Threads of the wasm engine in a browser: any number gives the same bits, and what is lost is told. */
import * as fc from 'fast-check'
import { sum, square, tensor, withEngine, item } from 'pullback'
import type { Engine, HostArray } from 'pullback/kernels'
import { wasmEngine } from 'pullback/kernels'
import { programCase } from '../../arbitrary/program.ts'
import type { ProgramCase } from '../../arbitrary/program.ts'

const bits = ({ buffer, byteOffset, byteLength }: HostArray): string =>
  new Uint8Array(buffer, byteOffset, byteLength).join(' ')

const outputsOf = async (engine: Engine, { program, inputs }: ProgramCase): Promise<readonly string[]> => {
  const memories = inputs.map(engine.upload)
  const results = engine.compile(program).run(memories)
  const read = await Promise.all(results.map(engine.read))
  for (const memory of [...memories.filter((_, i) => !program.donated.includes(i)), ...results])
    engine.release(memory)
  return read.map(bits)
}

/** Random programs on 1, 2 and 3 threads, every launch shared; what the engines say of themselves afterwards. */
export const sameBits = async (numRuns: number): Promise<readonly string[]> => {
  const engineOf = (threads: number): Engine => wasmEngine({ threads, shareFrom: 0 })
  const alone = engineOf(1)
  const shared = [2, 3].map(engineOf)
  await fc.assert(
    fc.asyncProperty(programCase({ maxLaunches: 6 }), async (example) => {
      const expected = (await outputsOf(alone, example)).join('\n')
      for (const engine of shared)
        if ((await outputsOf(engine, example)).join('\n') !== expected)
          throw new Error(`other bits than with one thread: ${engine.detail}`)
    }),
    { numRuns },
  )
  const details = [alone, ...shared].map(({ detail }) => detail)
  await Promise.all([alone, ...shared].map((engine) => engine.close()))
  return details
}

/** Worker scripts that fail at once: what the engine says of itself then, and a sum that it still computes. */
export const withBrokenWorkers = async (): Promise<{ readonly detail: string; readonly sum: number }> => {
  const { Worker: Real } = globalThis
  globalThis.Worker = class extends Real {
    constructor() {
      super(
        URL.createObjectURL(new Blob(["throw new Error('broken on purpose')"], { type: 'text/javascript' })),
      )
    }
  }
  const engine = wasmEngine({ threads: 3, shareFrom: 0 })
  globalThis.Worker = Real
  const deadline = performance.now() + 10_000
  while (!/\b1 thread\b/.test(engine.detail) && performance.now() < deadline)
    await new Promise((done) => setTimeout(done, 10))
  const numbers = Array.from({ length: 1000 }, (_, i) => i % 10)
  const total = await withEngine(engine, () => item(sum(square(tensor(numbers)))))
  const { detail } = engine
  await engine.close()
  return { detail, sum: total }
}
