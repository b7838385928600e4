/** feature-extraction: the numbers that a model has for each token of a text, or for the whole of it. */
import { rowsOf } from './score.ts'

/** How the rows of tokens become one, by the names that sentence-transformers has. */
export type Pooling = 'cls' | 'mean' | 'max' | 'mean_sqrt_len_tokens' | 'weightedmean' | 'lasttoken'

export interface FeatureOptions {
  /**
   * A row for each token (`none`, by default), or one: the first token's (`cls`), the last one's (`lasttoken`), the
   * largest of each number (`max`), their average (`mean`), with the i-th counted i times (`weightedmean`), or their sum
   * divided by the root of their number (`mean_sqrt_len_tokens`).
   */
  readonly pooling?: Pooling | 'none' | undefined
  /** Whether pooled rows are divided by their length. False by default. */
  readonly normalize?: boolean | undefined
}

/** Of texts, for which a folder may say what to do. */
export interface TextFeatureOptions extends Omit<FeatureOptions, 'pooling'> {
  /** As for images; `model`: as the folder of a sentence-transformer has it, texts that are too long being cut. */
  readonly pooling?: Pooling | 'none' | 'model' | undefined
}

/** Rows of tokens [time][width], or the one row that is pooled of them [1][width]. */
export type Features = readonly (readonly number[])[]

type Rows = readonly Float32Array[]

/** Sums of rows, each as often as `weight` says. */
const summed = (rows: Rows, weight: (i: number) => number): readonly number[] =>
  Array.from(rows[0] as Float32Array, (_, j) =>
    rows.reduce((sum, row, i) => sum + weight(i) * (row[j] as number), 0),
  )

const ways: { readonly [P in Pooling]: (rows: Rows) => readonly number[] } = {
  cls: (rows) => Array.from(rows[0] as Float32Array),
  lasttoken: (rows) => Array.from(rows.at(-1) as Float32Array),
  max: (rows) =>
    Array.from(rows[0] as Float32Array, (_, j) =>
      rows.reduce((most, row) => Math.max(most, row[j] as number), -Infinity),
    ),
  mean: (rows) => summed(rows, () => 1 / rows.length),
  mean_sqrt_len_tokens: (rows) => summed(rows, () => 1 / Math.sqrt(rows.length)),
  weightedmean: (rows) => {
    const all = (rows.length * (rows.length + 1)) / 2
    return summed(rows, (i) => (i + 1) / all)
  },
}

export const poolings: readonly Pooling[] = Object.keys(ways) as readonly Pooling[]

/** One row of those of the tokens; `hidden` is [time, width]. */
export const pooled = (hidden: Float32Array, time: number, pooling: Pooling): readonly number[] =>
  ways[pooling](rowsOf(hidden, hidden.length / time))

/** A row divided by its length; one of zeros stays as it is. */
export const normalized = (x: readonly number[]): readonly number[] => {
  const length = Math.hypot(...x)
  return length === 0 ? x : x.map((value) => value / length)
}

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
  if (pooling === 'none') return rowsOf(hidden, hidden.length / time).map((row) => Array.from(row))
  const row = pooled(hidden, time, pooling)
  return [normalize ? normalized(row) : row]
}
