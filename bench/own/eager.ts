/** What one operation costs on next to nothing, [8, 8], outside `jit`. */
import { add, fromArray, grad, matmul, sum } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import { shortTimeOf } from '../clock.ts'
import { openEngine } from './engine.ts'

export interface EagerLine {
  readonly case: string
  readonly engine: string
  readonly threads: number
  readonly microseconds: number
}

export const measureEager = async (engine: string): Promise<readonly EagerLine[]> => {
  const opened = await openEngine(engine, 1)
  const drawn = (): Tensor => fromArray(new Float32Array(64).map(Math.random), [8, 8])
  const [a, b] = [drawn(), drawn()]
  const gradient = grad((w: Tensor) => sum(matmul(a, w)))
  const cases: readonly (readonly [string, () => unknown, number])[] = [
    ['add', () => add(a, b), 20000],
    ['matmul', () => matmul(a, b), 20000],
    ['matmul, sum and gradient', () => gradient(b), 3000],
  ]
  const lines: EagerLine[] = []
  for (const [name, run, calls] of cases) {
    // Handles that nobody holds are given back between tasks.
    await new Promise((resolve) => setTimeout(resolve, 20))
    lines.push({ case: name, engine, threads: 1, microseconds: shortTimeOf(run, calls) })
  }
  await opened.close()
  return lines
}
