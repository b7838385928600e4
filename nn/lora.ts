/** Low-rank adaptation: what a trained network learns further, as small matrices beside its own. */
import { add, matmul, mul, random, tree, zeros } from '../core/index.ts'
import type { Key, Tensor } from '../core/index.ts'
import { argumentError, checkOptions } from '../core/error.ts'
import type { Initialiser } from './initialiser.ts'
import { fansOf, torchUniform } from './initialiser.ts'

export interface LoraOptions {
  /** The rank of the corrections. */
  readonly rank: number
  /** The corrections are times alpha / rank; `rank` unless given, which is times 1. */
  readonly alpha?: number
  /** Which weights are corrected; queries and values of attention, as in the paper, unless given. */
  readonly where?: (path: string, weight: Tensor) => boolean
  /** How `down` begins; `torchUniform` unless given, as in the paper's code. */
  readonly initialiser?: Initialiser
}

/** A correction of a weight [in, out]: `down` [in, rank] times `up` [rank, out]. */
export interface LoraFactors {
  readonly down: Tensor
  readonly up: Tensor
}

/** Corrections by the path of their weight, written with dots: `decoder.block.0.attention.query.weight`. */
export type LoraParams = Readonly<Record<string, LoraFactors>>

/** How corrections begin, and how they are put into the parameters they correct. */
export interface Lora {
  readonly init: (key: Key, params: unknown) => LoraParams
  readonly merge: <P>(params: P, corrections: LoraParams) => P
}

const queriesAndValues = (path: string): boolean => /(^|\/)(query|value)\/weight$/.test(path)

const dotted = (path: string): string => path.replaceAll('/', '.')

/**
 * LoRA (Hu et al. 2021) for a network of any kind: `init` makes corrections of its parameters, which are zero to begin
 * with, and `merge` adds them. Only corrections are learnt and kept: train them by an objective that applies the model
 * to `merge(params, corrections)`; merged parameters are as fast as those before. A weight with further axes in front,
 * as of `scannedLayers`, has corrections with the same axes.
 *
 * @throws PullbackError when no weight is meant, when one has less than two axes, or corrections are not of these
 *   parameters.
 * @example
 * ```ts
 * import { random, tree, zeros } from 'pullback'
 * import { evaluation, linear, lora, sequence } from 'pullback/nn'
 * const network = sequence(linear(64, 64), linear(64, 2))
 * const params = network.init(random.key(0))
 * const { init, merge } = lora({ rank: 2, where: (path) => path === '0/weight' })
 * const corrections = init(random.key(1), params)
 * console.log(tree.entries(corrections).map(([path, x]) => `${path} ${x}`))
 * // => ['0.weight/down float32[64, 2]', '0.weight/up float32[2, 64]']
 * console.log(network.apply(merge(params, corrections), evaluation)(zeros([3, 64])).shape) // => [3, 2]
 * ```
 */
export const lora = (options: LoraOptions): Lora => {
  checkOptions('lora', options, ['rank', 'alpha', 'where', 'initialiser'])
  const { rank, alpha = rank, where = queriesAndValues, initialiser = torchUniform } = options
  if (!Number.isInteger(rank) || rank < 1)
    throw argumentError('lora', `the rank must be a whole number from 1 on, got ${rank}`)
  return {
    init: (key, params) => {
      const meant = tree.entries(params).filter(([path, weight]) => where(path, weight))
      if (meant.length === 0) throw argumentError('lora', 'none of the parameters is meant')
      return Object.fromEntries(
        meant.map(([path, { shape }]) => {
          if (shape.length < 2)
            throw argumentError('lora', `${path} is no matrix, its shape is [${shape.join(', ')}]`)
          const [lead, inputs, outputs] = [shape.slice(0, -2), shape.at(-2) as number, shape.at(-1) as number]
          const down = [...lead, inputs, rank]
          return [
            dotted(path),
            {
              down: initialiser(random.foldIn(key, path), down, fansOf([inputs, rank])),
              up: zeros([...lead, rank, outputs]) as Tensor,
            },
          ]
        }),
      )
    },
    merge: (params, corrections) => {
      const left = new Set(Object.keys(corrections))
      const merged = tree.mapWithPath((path: string, weight: Tensor): Tensor => {
        const factors = corrections[dotted(path)]
        if (factors === undefined) return weight
        left.delete(dotted(path))
        return add(weight, mul(matmul(factors.down, factors.up), alpha / rank)) as Tensor
      }, params)
      const [first] = left
      if (first !== undefined) throw argumentError('lora', `no parameter is called ${first}`)
      return merged
    },
  }
}
