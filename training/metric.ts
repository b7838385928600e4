/**
 * Metrics over plain arrays. Classes are the integers 0, 1, …; positions whose true class is `ignoreIndex` do not
 * count, as in the losses. Conventions are scikit-learn's: rows of a confusion matrix are the true classes, and a
 * quotient without a denominator (a class never predicted, or never there) is 0.
 */
import { argumentError } from '../core/error.ts'

/**
 * The true class of a position that does not count (padding, unmasked tokens): PyTorch's default.
 *
 * @example
 * ```ts
 * import { ignoreIndex } from 'pullback/training'
 * console.log(ignoreIndex) // => -100
 * ```
 */
export const ignoreIndex = -100

/** `matrix[i][j]`: how many examples of class i were predicted as class j. */
export type ConfusionMatrix = readonly (readonly number[])[]

export interface ClassScore {
  /** Of those predicted, the share that is right; in [0, 1]. */
  readonly precision: number
  /** Of those there, the share that was found; in [0, 1]. */
  readonly recall: number
  /** The harmonic mean of precision and recall. */
  readonly f1: number
  /** How many examples there are. */
  readonly support: number
}

/**
 * How the classes' scores become one: `micro` counts every example once (then precision, recall and F1 are the
 * accuracy), `macro` every class once, `weighted` each class by its support.
 */
export type Average = 'micro' | 'macro' | 'weighted'

const ratio = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole)

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

const checkLengths = (operation: string, truth: ArrayLike<unknown>, predicted: ArrayLike<unknown>): void => {
  if (truth.length !== predicted.length)
    throw argumentError(operation, `${truth.length} true values, but ${predicted.length} predicted`)
}

/**
 * The share of positions predicted right; NaN when none counts.
 *
 * @throws PullbackError when the lists differ in length.
 * @example
 * ```ts
 * import { accuracy } from 'pullback/training'
 * console.log(accuracy([0, 1, 1, 1, -100], [0, 1, 0, 1, 2])) // => 0.75
 * ```
 */
export const accuracy = (truth: ArrayLike<number>, predicted: ArrayLike<number>): number => {
  checkLengths('accuracy', truth, predicted)
  let right = 0
  let counted = 0
  for (let i = 0; i < truth.length; i++) {
    if (truth[i] === ignoreIndex) continue
    counted++
    if (truth[i] === predicted[i]) right++
  }
  return right / counted
}

/**
 * The confusion matrix, `classes` × `classes`.
 *
 * @throws PullbackError when the lists differ in length, or a class is not below `classes`.
 * @example
 * ```ts
 * import { confusionMatrix } from 'pullback/training'
 * console.log(confusionMatrix([0, 1, 1], [0, 1, 0], 2)) // => [[1, 0], [1, 1]]
 * ```
 */
export const confusionMatrix = (
  truth: ArrayLike<number>,
  predicted: ArrayLike<number>,
  classes: number,
): ConfusionMatrix => {
  checkLengths('confusionMatrix', truth, predicted)
  const matrix = Array.from({ length: classes }, () => new Array<number>(classes).fill(0))
  for (let i = 0; i < truth.length; i++) {
    if (truth[i] === ignoreIndex) continue
    const row = matrix[truth[i] as number]
    const column = predicted[i] as number
    if (row?.[column] === undefined)
      throw argumentError(
        'confusionMatrix',
        `class ${truth[i]} predicted as ${column}, of ${classes} classes`,
      )
    row[column]++
  }
  return matrix
}

const score = (truePositives: number, predicted: number, support: number): ClassScore => ({
  precision: ratio(truePositives, predicted),
  recall: ratio(truePositives, support),
  // 2PR/(P+R), written so that it needs only one denominator
  f1: ratio(2 * truePositives, predicted + support),
  support,
})

/**
 * Precision, recall and F1 of each class.
 *
 * @example
 * ```ts
 * import { classScores, confusionMatrix } from 'pullback/training'
 * console.log(classScores(confusionMatrix([0, 1, 1, 1], [0, 1, 1, 0], 2)))
 * // => [
 * //      { precision: 0.5, recall: 1, f1: 0.6666666666666666, support: 1 },
 * //      { precision: 1, recall: 0.6666666666666666, f1: 0.8, support: 3 }
 * //    ]
 * ```
 */
export const classScores = (matrix: ConfusionMatrix): readonly ClassScore[] =>
  matrix.map((row, i) => score(row[i] as number, sum(matrix.map((other) => other[i] as number)), sum(row)))

/**
 * Precision, recall and F1 over all classes; classes of the matrix that never occur count as 0 in `macro`
 * (scikit-learn: `labels=range(classes), zero_division=0`).
 *
 * @example
 * ```ts
 * import { averageScore, confusionMatrix } from 'pullback/training'
 * const matrix = confusionMatrix([0, 1, 1, 0], [0, 1, 0, 0], 2)
 * console.log(averageScore(matrix, 'macro').f1.toFixed(3), averageScore(matrix, 'micro').f1) // => 0.733 0.75
 * ```
 */
export const averageScore = (matrix: ConfusionMatrix, average: Average): ClassScore => {
  const scores = classScores(matrix)
  const support = sum(scores.map((one) => one.support))
  if (average === 'micro') return score(sum(matrix.map((row, i) => row[i] as number)), support, support)
  const mean = (of: (one: ClassScore) => number): number =>
    average === 'macro'
      ? ratio(sum(scores.map(of)), scores.length)
      : ratio(sum(scores.map((one) => of(one) * one.support)), support)
  return {
    precision: mean((s) => s.precision),
    recall: mean((s) => s.recall),
    f1: mean((s) => s.f1),
    support,
  }
}

/**
 * The share of the most frequent class: what always answering it would reach. NaN when none counts.
 *
 * @example
 * ```ts
 * import { majorityShare } from 'pullback/training'
 * console.log(majorityShare([0, 1, 1, 1, -100])) // => 0.75
 * ```
 */
export const majorityShare = (truth: ArrayLike<number>): number => {
  const counts = countOf(Array.from(truth).filter((label) => label !== ignoreIndex))
  const most = [...counts.values()].reduce((a, b) => Math.max(a, b), 0)
  return most / sum([...counts.values()])
}

/**
 * The share of answers that equal their reference in full; texts or sequences of ids. NaN when there are none.
 *
 * @example
 * ```ts
 * import { exactMatch } from 'pullback/training'
 * console.log(exactMatch(['four', 'two'], ['four', '2'])) // => 0.5
 * ```
 */
export const exactMatch = (
  references: readonly (string | ArrayLike<number>)[],
  answers: readonly (string | ArrayLike<number>)[],
): number => {
  checkLengths('exactMatch', references, answers)
  const equal = (a: string | ArrayLike<number>, b: string | ArrayLike<number> | undefined): boolean =>
    b !== undefined &&
    typeof a === typeof b &&
    a.length === b.length &&
    Array.prototype.every.call(a, (x: unknown, i: number) => x === b[i])
  return references.filter((reference, i) => equal(reference, answers[i])).length / references.length
}

/**
 * exp of a mean cross-entropy in nats per token: how many tokens the model hesitates between.
 *
 * @example
 * ```ts
 * import { perplexity } from 'pullback/training'
 * console.log(perplexity(Math.log(8)).toFixed(3)) // => 8.000
 * ```
 */
export const perplexity = (meanLoss: number): number => Math.exp(meanLoss)

const countOf = (ids: ArrayLike<number>): ReadonlyMap<number, number> => {
  const counts = new Map<number, number>()
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i] as number
    counts.set(id, (counts.get(id) ?? 0) + 1)
  }
  return counts
}

/**
 * The entropy of token frequencies, -Σ p log p, in nats: the least mean loss that a guess of the same distribution
 * at every position can have on these tokens. A model that reads the context must come below it.
 *
 * @example
 * ```ts
 * import { unigramEntropy } from 'pullback/training'
 * console.log(unigramEntropy([7, 7, 9, 9]) === Math.log(2)) // => true
 * ```
 */
export const unigramEntropy = (ids: ArrayLike<number>): number =>
  // `+ 0` because of a single token the sum is -0
  -sum([...countOf(ids).values()].map((count) => (count / ids.length) * Math.log(count / ids.length))) + 0

/**
 * The expected calibration error (Guo et al. 2017): how far what a model says lies from how often it is right, the
 * mean over bins of equal width, each by its examples. 0 for a model that says what is; NaN without examples.
 *
 * @param said the probability of each answer that was given, in [0, 1]
 * @param right whether the answer was right
 * @param options.bins how many bins; 15 by default
 * @example
 * ```ts
 * import { calibrationError } from 'pullback/training'
 * console.log(calibrationError([1, 1, 0.5, 0.5], [true, true, true, false])) // => 0
 * console.log(calibrationError([1, 1, 1, 1], [true, true, true, false])) // => 0.25
 * ```
 */
export const calibrationError = (
  said: ArrayLike<number>,
  right: ArrayLike<boolean>,
  { bins = 15 }: { readonly bins?: number } = {},
): number => {
  checkLengths('calibrationError', right, said)
  const gaps = Array.from({ length: bins }, () => 0)
  for (let i = 0; i < said.length; i++) {
    const probability = said[i] as number
    if (!(probability >= 0 && probability <= 1))
      throw argumentError('calibrationError', `probabilities are in [0, 1], got ${probability}`)
    const bin = Math.min(bins - 1, Math.floor(probability * bins))
    gaps[bin] = (gaps[bin] as number) + probability - Number(right[i])
  }
  return said.length === 0 ? NaN : sum(gaps.map(Math.abs)) / said.length
}
