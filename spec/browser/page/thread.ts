/** Threads of the wasm engine in a browser: any number gives the same bits, and what is lost is told. */
import * as fc from 'fast-check'
import { sum, square, tensor, withEngine, item } from 'pullback'
import type { Engine } from 'pullback/kernels'
import { wasmEngine } from 'pullback/kernels'
import { sameBits as sameBitsOn } from '../../law/engine.ts'

/** Random programs on 1, 2 and 3 threads, every launch shared; what the engines say of themselves afterwards. */
export const sameBits = async (numRuns: number): Promise<readonly string[]> => {
  const engineOf = (threads: number): Engine => wasmEngine({ threads, shareFrom: 0 })
  const all = [engineOf(1), engineOf(2), engineOf(3)] as const
  await fc.assert(sameBitsOn(all, { maxLaunches: 6 }), { numRuns })
  const details = all.map(({ detail }) => detail)
  await Promise.all(all.map((engine) => engine.close()))
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
