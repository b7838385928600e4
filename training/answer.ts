/** How good answers in words are: SQuAD's exact match and F1 (Rajpurkar et al. 2016). */
import { argumentError } from '../core/error.ts'

/** Words without case, punctuation and articles, as SQuAD's evaluation compares them. */
const wordsOf = (text: string): readonly string[] =>
  text
    .toLowerCase()
    .replace(/[!-/:-@[-`{-~]/g, '')
    .replace(/(?<![\p{L}\p{N}_])(a|an|the)(?![\p{L}\p{N}_])/gu, ' ')
    .split(/\s+/)
    .filter((word) => word !== '')

const overlap = (reference: readonly string[], answer: readonly string[]): number => {
  if (reference.length === 0 || answer.length === 0) return Number(reference.length === answer.length)
  const left = [...reference]
  const common = answer.filter((word) => {
    const at = left.indexOf(word)
    if (at >= 0) left.splice(at, 1)
    return at >= 0
  }).length
  return (2 * common) / (reference.length + answer.length)
}

export interface AnswerScore {
  /** The share of answers that are one of their references. */
  readonly exact: number
  /** The mean of the best F1 of words shared with a reference. */
  readonly f1: number
}

/**
 * SQuAD's scores, in [0, 1]; NaN without questions.
 *
 * @param references of each question all answers that are right; an empty list where to say nothing is right
 * @param answers one for each question
 * @example
 * ```ts
 * import { answerScore } from 'pullback/training'
 * console.log(answerScore([['The cat.'], ['grey cat', 'cat']], ['the cat', 'a grey dog']))
 * // => { exact: 0.5, f1: 0.75 }
 * ```
 */
export const answerScore = (
  references: readonly (readonly string[])[],
  answers: readonly string[],
): AnswerScore => {
  if (references.length !== answers.length)
    throw argumentError('answerScore', `${references.length} questions, but ${answers.length} answers`)
  const each = references.map((own, i) => {
    const answer = wordsOf(answers[i] as string)
    const right = (own.length === 0 ? [''] : own).map(wordsOf)
    return {
      exact: Number(right.some((one) => one.join(' ') === answer.join(' '))),
      f1: Math.max(...right.map((one) => overlap(one, answer))),
    }
  })
  const mean = (of: (one: AnswerScore) => number): number =>
    each.reduce((sum, one) => sum + of(one), 0) / each.length
  return { exact: mean(({ exact }) => exact), f1: mean(({ f1 }) => f1) }
}
