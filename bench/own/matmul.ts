/** Matrix products of float32 alone. */
import { fromArray, jit, matmul, toArray } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import { timeOf } from '../clock.ts'
import type { MatmulShape } from '../shape.ts'
import { matmulShapes, nameOf } from '../shape.ts'
import { openEngine } from './engine.ts'

/** One line of `npm run bench -- matmul --json`. */
export interface MatmulLine {
  readonly shape: string
  readonly engine: string
  readonly threads: number
  readonly ms: number
  readonly gflops: number
}

const drawn = (size: number): Float32Array<ArrayBuffer> =>
  new Float32Array(size).map(() => Math.random() - 0.5)

const operands = ({ batch, rows, inner, columns }: MatmulShape): readonly [Tensor, Tensor] => {
  const lead = batch === 1 ? [] : [batch]
  return [
    fromArray(drawn(batch * rows * inner), [...lead, rows, inner]),
    fromArray(drawn(batch * inner * columns), [...lead, inner, columns]),
  ]
}

export const measureMatmul = async (engine: string, threads: number): Promise<readonly MatmulLine[]> => {
  const opened = await openEngine(engine, threads)
  const lines: MatmulLine[] = []
  for (const shape of matmulShapes) {
    const [a, b] = operands(shape)
    const product = jit((x: Tensor, y: Tensor): Tensor => matmul(x, y))
    // What was queued is done once one element is read; on the CPU it is done on return.
    const run = opened.readSync === undefined ? () => toArray(product(a, b)) : () => product(a, b)
    const ms = await timeOf(run)
    const { batch, rows, inner, columns } = shape
    lines.push({
      shape: nameOf(shape),
      engine,
      threads,
      ms,
      gflops: (2 * batch * rows * inner * columns) / ms / 1e6,
    })
  }
  await opened.close()
  return lines
}
