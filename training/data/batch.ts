/** Batches of examples: which examples a step sees, and how they become tensors. */
import { fromArray } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import { argumentError } from '../../core/error.ts'
import type { Batches } from '../fold.ts'
import { ignoreIndex } from '../metric.ts'
import { hostKey } from './draw.ts'
import { epochPlaces } from './epoch.ts'
import { padIds, padRows, type IdRows, type KeyMask, type PadOptions } from './pad.ts'

/** Makes one batch of examples. */
export type Collate<A, B> = (examples: readonly A[]) => B

export interface BatchesConfig {
  readonly batchSize: number
  readonly seed: number
  /** Whether each epoch has an order of its own; yes by default. */
  readonly shuffle?: boolean
}

/**
 * The batch of each step: epoch after epoch, every example once in each, every batch full.
 *
 * @example
 * ```ts
 * import { batchesOf } from 'pullback/training'
 * const batches = batchesOf(['a', 'b', 'c'], (some) => some.join(''), { batchSize: 2, seed: 0, shuffle: false })
 * console.log([0, 1, 2].map(batches)) // => [ 'ab', 'ca', 'bc' ]
 * ```
 */
export const batchesOf = <A, B>(
  examples: readonly A[],
  collate: Collate<A, B>,
  { batchSize, seed, shuffle = true }: BatchesConfig,
): ((step: number) => B) & Batches<B> => {
  const places = epochPlaces({ examples: examples.length, batchSize, key: hostKey(seed), shuffle })
  return (step) => collate(places(step).map(({ index }) => examples[index] as A))
}

/**
 * All examples once, in order, for evaluation.
 *
 * @param filler fills the last batch up, so that its shape is the others' and nothing is compiled anew: an example
 * that does not count (whose label is -100). Without one the last batch is what is left.
 * @example
 * ```ts
 * import { eachOnce } from 'pullback/training'
 * const batches = eachOnce([1, 2, 3], (some) => some.join(), 2, 0)
 * console.log([...batches]) // => ['1,2', '3,0']
 * ```
 */
export function* eachOnce<A, B>(
  examples: readonly A[],
  collate: Collate<A, B>,
  batchSize: number,
  filler?: A,
): Generator<B, void, void> {
  if (!Number.isInteger(batchSize) || batchSize < 1)
    throw argumentError('eachOnce', `the batch size must be a positive integer, got ${batchSize}`)
  for (let i = 0; i < examples.length; i += batchSize) {
    const some = examples.slice(i, i + batchSize)
    const missing = filler === undefined ? 0 : batchSize - some.length
    yield collate([...some, ...Array.from({ length: missing }, () => filler as A)])
  }
}

export interface CollateOptions extends PadOptions {
  readonly paddingId: number
}

/** int32 [batch] */
export type Labels = Tensor<readonly [number], 'int32'>

export interface LabelledIds {
  readonly ids: ArrayLike<number>
  /** The segment of each id, where there are several. */
  readonly tokenTypes?: ArrayLike<number>
  /** The class; -100 where the example does not count. */
  readonly label: number
}

export interface ClassificationBatch {
  readonly ids: IdRows
  readonly keyMask: KeyMask
  readonly tokenTypes: IdRows
  readonly labels: Labels
}

/**
 * Whole texts with a class each.
 *
 * @example
 * ```ts
 * import { classificationBatch } from 'pullback/training'
 * const collate = classificationBatch({ paddingId: 0 })
 * const { ids, labels } = collate([{ ids: [5, 6, 7], label: 1 }, { ids: [8], label: 0 }])
 * console.log(ids, labels) // => int32[2, 3] [[5, 6, 7], [8, 0, 0]] int32[2] [1, 0]
 * ```
 */
export const classificationBatch =
  ({ paddingId, ...options }: CollateOptions): Collate<LabelledIds, ClassificationBatch> =>
  (examples) => {
    const rows = examples.map(({ ids }) => ids)
    const labels = Int32Array.from(examples, ({ label }) => label)
    return {
      ...padIds(rows, paddingId, options),
      tokenTypes: padRows(
        examples.map(({ ids, tokenTypes }) => tokenTypes ?? new Int32Array(ids.length)),
        0,
        options,
      ),
      labels: fromArray(labels, [labels.length]),
    }
  }

export interface TaggedIds {
  readonly ids: ArrayLike<number>
  /** A class for each id; -100 where it has none of its own. */
  readonly labels: ArrayLike<number>
}

export interface TaggingBatch {
  readonly ids: IdRows
  readonly keyMask: KeyMask
  /** -100 at padding. */
  readonly labels: IdRows
}

/**
 * Texts with a class for each token.
 *
 * @example
 * ```ts
 * import { taggingBatch } from 'pullback/training'
 * const collate = taggingBatch({ paddingId: 0 })
 * const { ids, labels } = collate([{ ids: [5, 6, 7], labels: [1, 2, 0] }, { ids: [8], labels: [1] }])
 * console.log(ids, labels) // => int32[2, 3] [[5, 6, 7], [8, 0, 0]] int32[2, 3] [[1, 2, 0], [1, -100, -100]]
 * ```
 */
export const taggingBatch =
  ({ paddingId, ...options }: CollateOptions): Collate<TaggedIds, TaggingBatch> =>
  (examples) => {
    examples.forEach(({ ids, labels }, i) => {
      if (ids.length !== labels.length)
        throw argumentError('taggingBatch', `example ${i} has ${ids.length} ids, but ${labels.length} labels`)
    })
    return {
      ...padIds(
        examples.map(({ ids }) => ids),
        paddingId,
        options,
      ),
      labels: padRows(
        examples.map(({ labels }) => labels),
        ignoreIndex,
        options,
      ),
    }
  }

export interface SequencePair {
  readonly source: ArrayLike<number>
  /** What the decoder shall write, its end token included. */
  readonly target: ArrayLike<number>
}

export interface SequenceBatch {
  readonly ids: IdRows
  readonly keyMask: KeyMask
  /** What the decoder is fed: the start token, then the target without its last id. */
  readonly decoderIds: IdRows
  readonly decoderMask: KeyMask
  /** What the decoder shall say at each position: the target; -100 at padding. */
  readonly labels: IdRows
}

export interface SequenceOptions {
  readonly paddingId: number
  /** What decoding begins with; some models begin with padding. */
  readonly startId: number
  readonly sourceLength?: number | readonly number[]
  readonly targetLength?: number | readonly number[]
}

const optionalLength = (length: PadOptions['length']): PadOptions => (length === undefined ? {} : { length })

/**
 * Sources and targets for an encoder-decoder, teacher forced.
 *
 * @example
 * ```ts
 * import { sequenceBatch } from 'pullback/training'
 * const collate = sequenceBatch({ paddingId: 0, startId: 1 })
 * const batch = collate([{ source: [5, 6], target: [7, 8, 2] }])
 * console.log(Object.entries(batch).map(([name, x]) => [name, x.shape]))
 * // => [
 * //      [ 'ids', [ 1, 2 ] ],
 * //      [ 'keyMask', [ 1, 2 ] ],
 * //      [ 'decoderIds', [ 1, 3 ] ],
 * //      [ 'decoderMask', [ 1, 3 ] ],
 * //      [ 'labels', [ 1, 3 ] ]
 * //    ]
 * ```
 */
export const sequenceBatch =
  ({
    paddingId,
    startId,
    sourceLength,
    targetLength,
  }: SequenceOptions): Collate<SequencePair, SequenceBatch> =>
  (examples) => {
    const source = padIds(
      examples.map((one) => one.source),
      paddingId,
      optionalLength(sourceLength),
    )
    const target = optionalLength(targetLength)
    const decoder = padIds(
      examples.map((one) => [startId, ...Array.from(one.target).slice(0, -1)].slice(0, one.target.length)),
      paddingId,
      target,
    )
    return {
      ...source,
      decoderIds: decoder.ids,
      decoderMask: decoder.keyMask,
      labels: padRows(
        examples.map((one) => one.target),
        ignoreIndex,
        target,
      ),
    }
  }
