/** Matrix products of float32 alone. */
import { fromArray, item, jit, matmul, reshape, slice } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import { timeOf } from '../clock.ts'
import type { MatmulShape } from '../shape.ts'
import { nameOf, paceOf, shapesOf } from '../shape.ts'
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

export const measureMatmul = async (
  engine: string,
  threads: number,
  set = '-',
): Promise<readonly MatmulLine[]> => {
  const opened = await openEngine(engine, threads)
  const lines: MatmulLine[] = []
  const onDevice = opened.readSync === undefined
  const { queued, turns } = paceOf(set, onDevice)
  for (const shape of shapesOf(set)) {
    const [a, b] = operands(shape)
    const product = jit((x: Tensor, y: Tensor): Tensor => matmul(x, y))
    const corner = jit((x: Tensor): Tensor =>
      reshape(
        slice(
          x,
          x.shape.map(() => 0),
          x.shape.map(() => 1),
        ),
        [],
      ),
    )
    const run = async (): Promise<void> => {
      let last = product(a, b)
      for (let n = 1; n < queued; n++) last = product(a, b)
      await item(corner(last))
    }
    // On the CPU it is done on return.
    const ms = onDevice ? (await timeOf(run, turns)) / queued : await timeOf(() => product(a, b), turns)
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
