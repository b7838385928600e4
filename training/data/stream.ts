/** Streams: texts end to end as one row of ids, and windows of them for causal language models. */
import { either as E } from 'fp-ts'
import { fromArray } from '../../core/index.ts'
import { argumentError } from '../../core/error.ts'
import type { Batches } from '../fold.ts'
import { drawsOf, foldHostKey, hostKey } from './draw.ts'
import { epochPlaces } from './epoch.ts'
import type { IdRows } from './pad.ts'

/**
 * Texts end to end, each followed by the end token.
 *
 * @example
 * ```ts
 * import { joinTexts } from 'pullback/training'
 * console.log(joinTexts([[5, 6], [7]], 1)) // => Int32Array(5) [5, 6, 1, 7, 1]
 * ```
 */
export const joinTexts = (texts: readonly ArrayLike<number>[], endId: number): Int32Array => {
  const stream = new Int32Array(texts.reduce((sum, { length }) => sum + length + 1, 0)).fill(endId)
  let at = 0
  for (const text of texts) {
    stream.set(text, at)
    at += text.length + 1
  }
  return stream
}

export interface WindowConfig {
  /** The length of a window. */
  readonly length: number
  readonly batchSize: number
}

export interface CausalConfig extends WindowConfig {
  readonly seed: number
  /**
   * `blocks` (by default) cuts the stream into windows side by side and shuffles them: each epoch begins at another
   * place of the stream, so that windows are never the same, and sees each id once but for less than two windows left
   * over. `random` takes each window from anywhere.
   */
  readonly windows?: 'blocks' | 'random'
}

/** Windows [batch, time]; they are the labels, too: what predicts the next id is shifted in the objective. */
export interface CausalBatch {
  readonly ids: IdRows
}

const check = (operation: string, { length, batchSize }: WindowConfig): void => {
  for (const [name, n] of Object.entries({ length, batchSize }))
    if (!Number.isInteger(n) || n < 1)
      throw argumentError(operation, `${name} must be a positive integer, got ${n}`)
}

const windowsAt = (stream: Int32Array, starts: readonly number[], length: number): CausalBatch => {
  const ids = new Int32Array(starts.length * length)
  starts.forEach((start, i) => ids.set(stream.subarray(start, start + length), i * length))
  return { ids: fromArray(ids, [starts.length, length]) }
}

const tooShort = (stream: Int32Array, length: number): string =>
  `causal windows: the text has ${stream.length} tokens, at least ${length} are needed for one window`

/**
 * Windows of a stream, the batch of each step.
 *
 * @returns Left: that the stream is shorter than a window.
 * @example
 * ```ts
 * import { causalBatches } from 'pullback/training'
 * const stream = Int32Array.of(3, 1, 4, 1, 5, 9, 2, 6, 5)
 * const batches = causalBatches(stream, { length: 4, batchSize: 2, seed: 0 })
 * if (batches._tag === 'Right') console.log((await batches.right(0)).ids.shape) // => [2, 4]
 * ```
 */
export const causalBatches = (
  stream: Int32Array,
  config: CausalConfig,
): E.Either<string, Batches<CausalBatch>> => {
  check('causalBatches', config)
  const { length, batchSize, seed, windows = 'blocks' } = config
  if (stream.length < length) return E.left(tooShort(stream, length))
  const key = hostKey(seed)
  if (windows === 'random')
    return E.right((step) => {
      const { below } = drawsOf(foldHostKey(key, step))
      const starts = Array.from({ length: batchSize }, () => below(stream.length - length + 1))
      return windowsAt(stream, starts, length)
    })
  // what the blocks leave over is where the first of them may begin
  const examples = Math.max(1, Math.floor((stream.length - length + 1) / length))
  const spare = stream.length - examples * length
  const places = epochPlaces({ examples, batchSize, key: foldHostKey(key, 0) })
  const phase = (epoch: number): number => drawsOf(foldHostKey(foldHostKey(key, 1), epoch)).below(spare + 1)
  return E.right((step) =>
    windowsAt(
      stream,
      places(step).map(({ epoch, index }) => phase(epoch) + index * length),
      length,
    ),
  )
}

/**
 * The whole stream once, window after window, for evaluation; less than a window at its end is left out, and the
 * last batch may be smaller.
 *
 * @returns Left: that the stream is shorter than a window.
 * @example
 * ```ts
 * import { causalBlocks } from 'pullback/training'
 * const stream = Int32Array.of(3, 1, 4, 1, 5, 9, 2, 6, 5)
 * const blocks = causalBlocks(stream, { length: 4, batchSize: 1 })
 * if (blocks._tag === 'Right') console.log([...blocks.right].map(({ ids }) => ids))
 * // => [int32[1, 4] [[3, 1, 4, 1]], int32[1, 4] [[5, 9, 2, 6]]]
 * ```
 */
export const causalBlocks = (
  stream: Int32Array,
  config: WindowConfig,
): E.Either<string, Iterable<CausalBatch>> => {
  check('causalBlocks', config)
  const { length, batchSize } = config
  if (stream.length < length) return E.left(tooShort(stream, length))
  const windows = Math.floor(stream.length / length)
  return E.right({
    *[Symbol.iterator]() {
      for (let first = 0; first < windows; first += batchSize) {
        const size = Math.min(batchSize, windows - first)
        yield windowsAt(
          stream,
          Array.from({ length: size }, (_, i) => (first + i) * length),
          length,
        )
      }
    },
  })
}
