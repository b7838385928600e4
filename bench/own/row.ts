/** Elementwise programs and programs of rows, nanoseconds an element. */
import { add, fromArray, grad, jit, mul, softmax, standardise, sum } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import { geluTanh } from '../../nn/index.ts'
import { adamW, applyUpdates } from '../../training/index.ts'
import { timeOf } from '../clock.ts'
import { openEngine } from './engine.ts'

export interface RowLine {
  readonly case: string
  readonly engine: string
  readonly threads: number
  readonly nsPerElement: number
}

const size = 2 ** 20
const [rows, width] = [4096, 256]

const drawn = (length: number, scale = 1): Tensor =>
  fromArray(
    new Float32Array(length).map(() => (Math.random() - 0.5) * scale),
    [length],
  )

export const measureRows = async (engine: string, threads: number): Promise<readonly RowLine[]> => {
  const opened = await openEngine(engine, threads)
  const flat = drawn(size, 6)
  const other = drawn(size)
  const matrix = fromArray(
    new Float32Array(size).map(() => Math.random() * 6),
    [rows, width],
  )
  const [gain, bias] = [drawn(width), drawn(width)]
  const optimizer = adamW({ learningRate: 1e-3 })
  let params = drawn(size)
  let state = optimizer.init(params)
  const update = jit(
    (p: Tensor, s: typeof state, g: Tensor) => {
      const [updates, next] = optimizer.update(g, s, p)
      return [applyUpdates(p, updates), next] as const
    },
    { donate: [0, 1] },
  )
  const addition = jit((a: Tensor, b: Tensor): Tensor => add(a, b))
  const geluBackward = jit((x: Tensor, g: Tensor): Tensor => grad((y: Tensor) => sum(mul(geluTanh(y), g)))(x))
  const softmaxRows = jit((x: Tensor): Tensor => softmax(x))
  const norm = jit((x: Tensor, g: Tensor, b: Tensor): Tensor => add(mul(standardise(x), g), b))
  const cases: readonly (readonly [string, () => unknown])[] = [
    ['add', () => addition(flat, other)],
    ['gelu backward', () => geluBackward(flat, other)],
    ['softmax [4096, 256]', () => softmaxRows(matrix)],
    ['layer norm [4096, 256]', () => norm(matrix, gain, bias)],
    ['AdamW', () => void ([params, state] = update(params, state, other))],
  ]
  const lines: RowLine[] = []
  for (const [name, run] of cases)
    lines.push({ case: name, engine, threads, nsPerElement: ((await timeOf(run)) * 1e6) / size })
  await opened.close()
  return lines
}
