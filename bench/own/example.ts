/** Gradients of each of 256 examples of a network with a hidden layer, beside the gradient of their sum. */
import {
  add,
  grad,
  jit,
  matmul,
  mean,
  random,
  square,
  sub,
  sum,
  tanh,
  toArray,
  tree,
  vmap,
} from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import { openEngine } from './engine.ts'

export interface ExampleLine {
  readonly case: string
  readonly engine: string
  readonly threads: number
  readonly milliseconds: number
  /** How many times what the gradient of the sum takes. */
  readonly times: number
}

const count = 256
/** Inputs, hidden and outputs: written out, the gradients of each example are 2.8, 9.8 and 51 MB. */
const networks = [
  [32, 64, 10],
  [64, 128, 10],
  [128, 256, 64],
] as const

interface Params {
  readonly up: Tensor
  readonly middle: Tensor
  readonly down: Tensor
  readonly end: Tensor
}

const loss = ({ up, middle, down, end }: Params, x: Tensor, y: Tensor): Tensor =>
  sum(square(sub(add(matmul(tanh(add(matmul(x, up), middle)), down), end), y)))

const perExample = vmap(grad(loss), { inAxes: [null, 0, 0] })

/** Of a batch of tensors, what is left for each example or for all. */
const reduced =
  (f: (g: Tensor) => Tensor) =>
  (params: Params, x: Tensor, y: Tensor): Params =>
    tree.map(f, perExample(params, x, y))

const forms: Readonly<Record<string, (params: Params, x: Tensor, y: Tensor) => unknown>> = {
  'of the sum': grad((params: Params, x: Tensor, y: Tensor) =>
    sum(vmap((one: Tensor, other: Tensor) => loss(params, one, other))(x, y)),
  ),
  'each, their mean': reduced((g) => mean(g, { axis: 0 })),
  'each, their norms': reduced((g) => sum(square(g), { axis: g.shape.map((_, axis) => axis).slice(1) })),
  'each, written out': perExample,
}

/** Written where the last ones stood, as by a loop that is done with them. */
const again = jit((_last: Params, params: Params, x: Tensor, y: Tensor) => perExample(params, x, y), {
  donate: [0],
})

/**
 * Milliseconds of one call: the mean, since a collection of garbage falls into one call of many; after as many that
 * memory is no longer new.
 */
const meanOf = async (f: () => Promise<unknown>): Promise<number> => {
  for (let i = 0; i < 200; i++) await f()
  const [begin, calls] = [performance.now(), 100]
  for (let i = 0; i < calls; i++) await f()
  return (performance.now() - begin) / calls
}

const measureNetwork = async (
  [inputs, hidden, outputs]: readonly [number, number, number],
  engine: string,
  threads: number,
): Promise<readonly ExampleLine[]> => {
  const drawn = (salt: number, ...shape: readonly number[]): Tensor => random.normal(random.key(salt), shape)
  const params = {
    up: drawn(0, inputs, hidden),
    middle: drawn(1, hidden),
    down: drawn(2, hidden, outputs),
    end: drawn(3, outputs),
  }
  const [x, y] = [drawn(4, count, inputs), drawn(5, count, outputs)]
  const lines: ExampleLine[] = []
  const calls = Object.entries(forms).map(([name, form]): [string, () => unknown] => {
    const compiled = jit(form)
    return [name, () => compiled(params, x, y)]
  })
  let last = perExample(params, x, y)
  calls.push(['each, over the last', () => (last = again(last, params, x, y))])
  for (const [name, call] of calls) {
    // Reading the smallest result waits for all.
    const milliseconds = await meanOf(async () => toArray(tree.leaves(call()).at(1) as Tensor))
    const times = milliseconds / (lines[0]?.milliseconds ?? milliseconds)
    const network = `${inputs} → ${hidden} → ${outputs}`
    lines.push({ case: `gradient ${name}, ${network}`, engine, threads, milliseconds, times })
  }
  return lines
}

export const measureExamples = async (engine: string, threads: number): Promise<readonly ExampleLine[]> => {
  const opened = await openEngine(engine, threads)
  const lines: ExampleLine[] = []
  for (const network of networks) lines.push(...(await measureNetwork(network, engine, threads)))
  await opened.close()
  return lines
}
