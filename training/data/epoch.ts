/** Epochs: all examples once, in an order that is fresh each time and a function of the seed and the epoch. */
import { argumentError } from '../../core/error.ts'
import { foldHostKey, shuffledIndices, type HostKey } from './draw.ts'

/** Where an example stands: its epoch, and its number in the data. */
export interface Place {
  readonly epoch: number
  readonly index: number
}

/** Which examples a step sees. */
export type Places = (step: number) => readonly Place[]

export interface EpochConfig {
  readonly examples: number
  readonly batchSize: number
  readonly key: HostKey
  /** Whether each epoch has an order of its own; otherwise the data's. Yes by default. */
  readonly shuffle?: boolean
}

/**
 * The examples of each step. Every batch is full: one that begins at an epoch's end goes on with the next epoch, so
 * that shapes never change and every example comes equally often. The last epoch's order is kept, so that steps in
 * sequence cost nothing; any other step gives the same as well.
 *
 * @example
 * ```ts
 * import { epochPlaces, hostKey } from 'pullback/training'
 * const places = epochPlaces({ examples: 3, batchSize: 2, key: hostKey(0), shuffle: false })
 * console.log(places(1)) // => [ { epoch: 0, index: 2 }, { epoch: 1, index: 0 } ]
 * ```
 */
export const epochPlaces = ({ examples, batchSize, key, shuffle = true }: EpochConfig): Places => {
  if (!Number.isInteger(examples) || examples < 1)
    throw argumentError('epochPlaces', `expected at least one example, got ${examples}`)
  if (!Number.isInteger(batchSize) || batchSize < 1)
    throw argumentError('epochPlaces', `the batch size must be a positive integer, got ${batchSize}`)
  let kept: { readonly epoch: number; readonly order: Int32Array } | undefined
  const orderOf = (epoch: number): Int32Array => {
    if (kept?.epoch !== epoch) kept = { epoch, order: shuffledIndices(foldHostKey(key, epoch), examples) }
    return kept.order
  }
  return (step) =>
    Array.from({ length: batchSize }, (_, i) => {
      const at = step * batchSize + i
      const epoch = Math.floor(at / examples)
      const place = at % examples
      return { epoch, index: shuffle ? (orderOf(epoch)[place] as number) : place }
    })
}

/**
 * How many steps it takes to see every example at least once.
 *
 * @example
 * ```ts
 * import { stepsPerEpoch } from 'pullback/training'
 * console.log(stepsPerEpoch(100, 32)) // => 4
 * ```
 */
export const stepsPerEpoch = (examples: number, batchSize: number): number => Math.ceil(examples / batchSize)
