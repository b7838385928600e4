/** Tracing and compiling a training step of a GPT whose layers are scanned: how much longer for 48 layers than for 2. */
import { add, arange, grad, jit, random, zeros } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import { embedding, encoderLayer, evaluation, linear, scannedLayers, struct } from '../../nn/index.ts'
import { crossEntropy } from '../../training/index.ts'
import { median } from '../clock.ts'
import { openEngine } from './engine.ts'

export interface DepthLine {
  readonly case: string
  readonly engine: string
  readonly threads: number
  readonly milliseconds: number
  /** How many times what two layers take. */
  readonly times: number
}

const [width, vocabulary, time] = [64, 96, 64]

const modelOf = (layers: number) =>
  struct(
    {
      word: embedding(vocabulary, width),
      position: embedding(time, width),
      body: scannedLayers(
        layers,
        encoderLayer({ width, heads: 4, hidden: 4 * width, preNorm: true, activation: 'gelu' }),
      ),
      head: linear(width, vocabulary),
    },
    ({ word, position, body, head }) =>
      (ids: Tensor) =>
        head(body({ x: add(word(ids), position(arange(time))), causal: true })),
  )

export const measureDepth = async (engine: string, threads: number): Promise<readonly DepthLine[]> => {
  const opened = await openEngine(engine, threads)
  const ids = zeros([2, time], 'int32')
  const compiler = (layers: number): (() => number) => {
    const model = modelOf(layers)
    const params = model.init(random.key(0))
    const loss = (p: typeof params): Tensor => crossEntropy(model.apply(p, evaluation)(ids), ids)
    return () => {
      const before = performance.now()
      jit(grad(loss)).plan(params)
      return performance.now() - before
    }
  }
  const depths = [2, 48]
  const compilers = depths.map(compiler)
  const times = depths.map((): number[] => [])
  // In turns, so that whatever else runs meets both.
  for (let round = 0; round < 15; round++)
    compilers.forEach((compile, i) => {
      const taken = compile()
      if (round > 1) times[i]?.push(taken)
    })
  await opened.close()
  const medians = times.map(median)
  return depths.map((layers, i) => ({
    case: `${layers} scanned layers`,
    engine,
    threads,
    milliseconds: medians[i] as number,
    times: (medians[i] as number) / (medians[0] as number),
  }))
}
