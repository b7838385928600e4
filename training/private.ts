/**
 * Training that tells little of any one example: differentially private gradient descent (Abadi et al. 2016). Each
 * example's gradient is clipped on its own, and noise as large as any of them is added to their sum. What it costs in
 * privacy, `privacySpent` tells.
 *
 * The bound holds for whoever sees the parameters, at every step, but not the key (choose it at random and keep it),
 * nor the reported loss, which is the examples' own. Noise is of float32: it does not withstand attacks on the last
 * bits of published numbers (Mironov 2012).
 */
import {
  add,
  cast,
  div,
  expandDims,
  fromArray,
  greater,
  jit,
  maximum,
  mul,
  random,
  sum,
  tree,
  valueAndGrad,
  vmap,
} from '../core/index.ts'
import type { Key, Tensor } from '../core/index.ts'
import { argumentError } from '../core/error.ts'
import { drawsOf, foldHostKey, hostKey } from './data/draw.ts'
import type { Collate } from './data/batch.ts'
import type { Batches } from './fold.ts'
import type { Mask, Transform } from './optimizer/index.ts'
import { globalNorm } from './optimizer/index.ts'
import type { Step } from './step.ts'
import { advance } from './step.ts'

/** Examples along axis 0 of every leaf, and which of them are there: the others fill the shape. */
export interface SampledBatch<B> {
  readonly examples: B
  /** bool [examples] */
  readonly present: Tensor
}

export interface SampleConfig {
  /** How likely each example is in a batch. */
  readonly sampleRate: number
  readonly seed: number
  /**
   * How many examples a batch has room for; by default so many that one in a billion batches has more, of which
   * the last are left out.
   */
  readonly capacity?: number
}

/** Mean and six deviations: beyond that lies one binomial draw in a billion. */
const roomFor = (examples: number, rate: number): number =>
  Math.min(examples, Math.ceil(examples * rate + 6 * Math.sqrt(examples * rate * (1 - rate)) + 6))

/**
 * Batches that each example is in by its own chance, as the accountant takes it (Poisson sampling): of different sizes,
 * in one shape. The distance from one example drawn to the next is geometric, so the work grows with the batch and not
 * with the data.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { sampledBatches } from 'pullback/training'
 * const config = { sampleRate: 0.5, seed: 1, capacity: 4 }
 * const batches = sampledBatches([1, 2, 3, 4], (some) => tensor(some), config)
 * console.log((await batches(0)).present) // => bool[4] [true, true, false, false]
 * ```
 */
export const sampledBatches = <A, B>(
  examples: readonly A[],
  collate: Collate<A, B>,
  config: SampleConfig,
): Batches<SampledBatch<B>> => {
  const { sampleRate, seed, capacity = roomFor(examples.length, sampleRate) } = config
  if (examples.length === 0) throw argumentError('sampledBatches', 'expected at least one example, got none')
  if (!(sampleRate > 0 && sampleRate <= 1))
    throw argumentError('sampledBatches', `the sample rate must be in (0, 1], got ${sampleRate}`)
  const key = hostKey(seed)
  return (step) => {
    const { bits } = drawsOf(foldHostKey(key, step))
    const chosen: A[] = []
    for (let i = -1; chosen.length < capacity;) {
      // (0, 1], in 2^-53
      const u = (bits() * 2 ** 21 + (bits() >>> 11) + 1) * 2 ** -53
      i += sampleRate === 1 ? 1 : 1 + Math.floor(Math.log(u) / Math.log1p(-sampleRate))
      if (i >= examples.length) break
      chosen.push(examples[i] as A)
    }
    const present = Uint8Array.from({ length: capacity }, (_, i) => Number(i < chosen.length))
    const filled = Array.from(present, (_, i) => chosen[i] ?? (examples[0] as A))
    return { examples: collate(filled), present: fromArray(present, [capacity]) }
  }
}

export interface PrivateConfig<P, B> {
  /** The loss of a batch, which is given batches of a single example. */
  readonly objective: (params: P, example: B, key: Key) => Tensor
  readonly optimizer: Transform
  /** Which parameters are trained; all by default. */
  readonly trainable?: Mask
  /** The norm that each example's gradient, of all trained parameters together, is clipped to. */
  readonly clipNorm: number
  /** The noise's standard deviation, as a multiple of `clipNorm`. */
  readonly noiseMultiplier: number
  /** What the noisy sum is divided by: the sample rate times the number of examples, not a batch's own size. */
  readonly expectedBatchSize: number
}

/** Of the examples, and so not private: what the step reports stays with who trains. */
export interface PrivateMetrics {
  readonly [name: string]: Tensor
  /** The share of the examples whose gradients were clipped. */
  readonly clippedShare: Tensor
}

interface Measured<P> {
  readonly loss: Tensor
  readonly clipped: Tensor
  readonly gradients: P
}

/**
 * A step of differentially private gradient descent, with any optimizer behind it. All examples' gradients are in
 * memory at once.
 *
 * @example
 * ```ts
 * import { random, square, sub, sum, tensor, toArray } from 'pullback'
 * import type { Tensor } from 'pullback'
 * import { initState, makePrivateStep, sampledBatches, sgd } from 'pullback/training'
 * const optimizer = sgd({ learningRate: 0.1 })
 * const step = makePrivateStep({
 *   objective: (w: Tensor, x: Tensor) => sum(square(sub(w, x))),
 *   optimizer, clipNorm: 1, noiseMultiplier: 0.8, expectedBatchSize: 2,
 * })
 * const batches = sampledBatches([1, 2, 3, 4], (some) => tensor(some), { sampleRate: 0.5, seed: 1 })
 * const [state] = step(initState<Tensor>(tensor([0]), optimizer, random.key(0)), await batches(0))
 * console.log((await toArray(state.step))[0]) // => 1
 * ```
 */
export const makePrivateStep = <P, B>(
  config: PrivateConfig<P, B>,
): Step<P, SampledBatch<B>, PrivateMetrics> => {
  const { objective, trainable = () => true, clipNorm, noiseMultiplier, expectedBatchSize } = config
  for (const [name, x] of Object.entries({ clipNorm, expectedBatchSize }))
    if (!(x > 0)) throw argumentError('makePrivateStep', `${name} must be positive, got ${x}`)
  const measure =
    (trained: P, frozen: P) =>
    (example: B, key: Key, present: Tensor): Measured<P> => {
      const one = tree.map((x) => expandDims(x, 0), example)
      const loss = (p: P): Tensor => objective(tree.combine(p, frozen), one, key)
      const [value, gradients] = valueAndGrad(loss as (p: P) => Tensor<readonly []>)(trained)
      const there = cast(present, 'float32')
      const norm = globalNorm(gradients)
      const factor = div(there, maximum(1, div(norm, clipNorm)))
      return {
        loss: mul(value, there),
        clipped: mul(cast(greater(norm, clipNorm), 'float32'), there),
        gradients: tree.map((g) => mul(g, factor), gradients),
      }
    }
  return jit(
    (state, { examples, present }) => {
      const key = random.foldIn(state.key, state.step)
      const [trained, frozen] = tree.partition(trainable, state.params)
      const keys = random.splitMany(random.foldIn(key, 'examples'), present.shape[0] as number)
      // The examples' type is the caller's: with the batch axis or without, it is the same tree.
      const each = vmap(measure(trained, frozen))(examples as never, keys, present) as Measured<P>
      const totals = tree.map((x) => sum(x, { axis: 0 }), each)
      const noise = random.foldIn(key, 'noise')
      let i = 0
      const gradients = tree.map((g) => {
        const drawn = random.normal(random.foldIn(noise, i++), g.shape)
        return div(add(g, mul(drawn, noiseMultiplier * clipNorm)), expectedBatchSize)
      }, totals.gradients)
      const count = maximum(sum(cast(present, 'float32')), 1)
      const metrics = {
        loss: div(totals.loss, count),
        gradientNorm: globalNorm(gradients),
        clippedShare: div(totals.clipped, count),
      }
      return [advance(config, state, gradients), metrics] as const
    },
    { donate: [0] },
  )
}
