/** Less of what has been read or written. */
import { check } from './score.ts'
import type { Draft, Processor } from './score.ts'

/**
 * Makes tokens of the text so far less likely: positive scores divided, negative ones multiplied (Keskar et al. 2019).
 *
 * @example
 * ```ts
 * import { processor } from 'pullback/models'
 * const scores = Float32Array.of(2, 1, 0, -1)
 * console.log(processor.repetitionPenalty(2)(scores, { ids: [1, 2, 1], prompt: 1 }))
 * // => Float32Array(4) [2, 0.5, 0, -1]
 * ```
 */
export const repetitionPenalty = (penalty: number): Processor => {
  check('repetitionPenalty', penalty > 0, 'a number above 0', penalty)
  return (scores, { ids }) => {
    const seen = new Set(ids)
    return scores.map((x, id) => (seen.has(id) ? (x < 0 ? x * penalty : x / penalty) : x))
  }
}

const countOf = ({ ids, prompt }: Draft): ReadonlyMap<number, number> => {
  const counts = new Map<number, number>()
  for (const id of ids.slice(prompt)) counts.set(id, (counts.get(id) ?? 0) + 1)
  return counts
}

/**
 * Takes `penalty` from a token's score for each time that it was written.
 *
 * @example
 * ```ts
 * import { processor } from 'pullback/models'
 * const scores = Float32Array.of(2, 1, 0, -1)
 * console.log(processor.frequencyPenalty(0.5)(scores, { ids: [1, 2, 1], prompt: 1 }))
 * // => Float32Array(4) [2, 0.5, -0.5, -1]
 * ```
 */
export const frequencyPenalty =
  (penalty: number): Processor =>
  (scores, draft) => {
    const counts = countOf(draft)
    return scores.map((x, id) => x - penalty * (counts.get(id) ?? 0))
  }

/**
 * Takes `penalty` from the score of each token that was written.
 *
 * @example
 * ```ts
 * import { processor } from 'pullback/models'
 * const scores = Float32Array.of(2, 1, 0, -1)
 * console.log(processor.presencePenalty(0.5)(scores, { ids: [1, 2, 1], prompt: 1 }))
 * // => Float32Array(4) [2, 0.5, -0.5, -1]
 * ```
 */
export const presencePenalty =
  (penalty: number): Processor =>
  (scores, draft) => {
    const counts = countOf(draft)
    return scores.map((x, id) => (counts.has(id) ? x - penalty : x))
  }
