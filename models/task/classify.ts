/** text-classification: which of its labels a text, or a pair of texts, has. */
import { bestOf, sigmoid, softmax } from './score.ts'

/** A text, or a pair of them. */
export type ClassificationInput = string | { readonly text: string; readonly textPair: string }

export interface ClassificationOptions {
  /** How many labels are told, the likeliest first; null for all. 1 by default. */
  readonly topK?: number | null | undefined
  /**
   * What makes probabilities of scores; by default as config.json has it: nothing for a regression, `sigmoid` for
   * one label or several that do not exclude each other, else `softmax`.
   */
  readonly functionToApply?: 'sigmoid' | 'softmax' | 'none' | undefined
}

export interface Classification {
  readonly label: string
  readonly score: number
}

/**
 * The labels by their scores; `problemType` is what config.json calls so.
 *
 * @example
 * ```ts
 * import { classifications } from 'pullback/models'
 * console.log(classifications(Float32Array.of(0, 2), ['no', 'yes'], undefined, { topK: 1 })[0]?.label)
 * // => yes
 * ```
 */
export const classifications = (
  scores: Float32Array,
  labels: readonly string[],
  problemType: unknown,
  { topK = 1, functionToApply }: ClassificationOptions = {},
): readonly Classification[] => {
  const usual =
    problemType === 'regression'
      ? 'none'
      : problemType === 'multi_label_classification' || labels.length === 1
        ? 'sigmoid'
        : 'softmax'
  const apply = functionToApply ?? usual
  const found =
    apply === 'softmax' ? softmax(scores) : Array.from(scores, apply === 'sigmoid' ? sigmoid : (x) => x)
  const told = (i: number): Classification => ({ label: labels[i] as string, score: found[i] as number })
  return topK === 1
    ? [told(bestOf(found))]
    : found
        .map((_, i) => told(i))
        .sort((a, b) => b.score - a.score)
        .slice(0, topK ?? undefined)
}
