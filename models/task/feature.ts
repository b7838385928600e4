/** feature-extraction: the numbers that a model has for each token of a text, or for the whole of it. */
import { rowsOf } from './score.ts'

export type Pooling = 'none' | 'mean' | 'cls'

export interface FeatureOptions {
  /** A row for each token (`none`, by default), their average (`mean`), or the first token's row (`cls`). */
  readonly pooling?: Pooling | undefined
  /** Whether pooled rows are divided by their length. False by default. */
  readonly normalize?: boolean | undefined
}

/** Rows of tokens [time][width], or the one row that is pooled of them [1][width]. */
export type Features = readonly (readonly number[])[]

/**
 * The features of a text; `hidden` is [time, width].
 *
 * @example
 * ```ts
 * import { features } from 'pullback/models'
 * const hidden = Float32Array.of(1, 2, 3, 4) // two tokens of width 2
 * console.log(features(hidden, 2, { pooling: 'mean' })) // => [[2, 3]]
 * ```
 */
export const features = (
  hidden: Float32Array,
  time: number,
  { pooling = 'none', normalize = false }: FeatureOptions = {},
): Features => {
  const rows = rowsOf(hidden, hidden.length / time).map((row) => Array.from(row))
  const [first] = rows as [number[]]
  if (pooling === 'none') return rows
  const pooled =
    pooling === 'cls'
      ? first
      : first.map((_, i) => rows.reduce((sum, row) => sum + (row[i] as number), 0) / time)
  const length = normalize ? Math.hypot(...pooled) : 1
  return [pooled.map((x) => x / (length === 0 ? 1 : length))]
}
