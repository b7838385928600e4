/** What must be written, and what must not. */
import { check, without } from './score.ts'
import type { Draft, Processor } from './score.ts'

/**
 * No `size` tokens in a row come twice.
 *
 * @example
 * ```ts
 * import { processor } from 'pullback/models'
 * const scores = Float32Array.of(2, 1, 0, -1)
 * console.log(processor.noRepeatNgram(2)(scores, { ids: [1, 2, 1], prompt: 1 }))
 * // => Float32Array(4) [2, 1, -Infinity, -1]
 * ```
 */
export const noRepeatNgram = (size: number): Processor => {
  check('noRepeatNgram', Number.isInteger(size) && size > 0, 'a positive integer', size)
  return (scores, { ids }) => {
    const suffix = ids.slice(ids.length + 1 - size)
    const banned = new Set<number>()
    for (let i = 0; i + size <= ids.length; i++)
      if (suffix.every((id, j) => ids[i + j] === id)) banned.add(ids[i + size - 1] as number)
    return without(scores, (id) => banned.has(id))
  }
}

const endsWith = (ids: readonly number[], tail: readonly number[]): boolean =>
  tail.length <= ids.length && tail.every((id, i) => ids[ids.length - tail.length + i] === id)

/**
 * Adds to the score of a sequence's last token where the ones before it have just been written.
 *
 * @example
 * ```ts
 * import { processor } from 'pullback/models'
 * const scores = Float32Array.of(2, 1, 0, -1)
 * console.log(processor.sequenceBias([[[2, 1, 3], 10]])(scores, { ids: [1, 2, 1], prompt: 1 }))
 * // => Float32Array(4) [2, 1, 0, 9]
 * ```
 */
export const sequenceBias =
  (biases: readonly (readonly [sequence: readonly number[], bias: number])[]): Processor =>
  (scores, { ids }) => {
    const added = new Map<number, number>()
    for (const [sequence, bias] of biases) {
      const last = sequence.at(-1)
      if (last !== undefined && endsWith(ids, sequence.slice(0, -1)))
        added.set(last, (added.get(last) ?? 0) + bias)
    }
    return scores.map((x, id) => x + (added.get(id) ?? 0))
  }

/**
 * Sequences that are never completed.
 *
 * @example
 * ```ts
 * import { processor } from 'pullback/models'
 * const scores = Float32Array.of(2, 1, 0, -1)
 * console.log(processor.badWords([[1, 0]])(scores, { ids: [1, 2, 1], prompt: 1 }))
 * // => Float32Array(4) [-Infinity, 1, 0, -1]
 * ```
 */
export const badWords = (sequences: readonly (readonly number[])[]): Processor =>
  sequenceBias(sequences.map((sequence) => [sequence, -Infinity]))

/**
 * Tokens that are never written.
 *
 * @example
 * ```ts
 * import { processor } from 'pullback/models'
 * const scores = Float32Array.of(2, 1, 0, -1)
 * console.log(processor.suppress([0])(scores, { ids: [1, 2, 1], prompt: 1 }))
 * // => Float32Array(4) [-Infinity, 1, 0, -1]
 * ```
 */
export const suppress = (ids: readonly number[]): Processor => {
  const banned = new Set(ids)
  return (scores) => without(scores, (id) => banned.has(id))
}

/**
 * Only tokens that the predicate allows, given what was written: for texts of a given form.
 *
 * @example
 * ```ts
 * import { processor } from 'pullback/models'
 * const scores = Float32Array.of(2, 1, 0, -1)
 * console.log(processor.constrain((id) => id % 2 === 1)(scores, { ids: [1, 2, 1], prompt: 1 }))
 * // => Float32Array(4) [-Infinity, 1, -Infinity, -1]
 * ```
 */
export const constrain =
  (allowed: (id: number, draft: Draft) => boolean): Processor =>
  (scores, draft) =>
    without(scores, (id) => !allowed(id, draft))

/**
 * None of the ends before the text has this many tokens behind its prompt.
 *
 * @example
 * ```ts
 * import { processor } from 'pullback/models'
 * const scores = Float32Array.of(2, 1, 0, -1)
 * console.log(processor.minTokens(4, [0])(scores, { ids: [1, 2, 1], prompt: 1 }))
 * // => Float32Array(4) [-Infinity, 1, 0, -1]
 * ```
 */
export const minTokens =
  (count: number, endIds: readonly number[]): Processor =>
  (scores, draft) =>
    draft.ids.length - draft.prompt < count ? suppress(endIds)(scores, draft) : scores

/**
 * The token that must come when the text has this many tokens behind its prompt.
 *
 * @example
 * ```ts
 * import { processor } from 'pullback/models'
 * const scores = Float32Array.of(2, 1, 0, -1)
 * console.log(processor.forceAt(2, 3)(scores, { ids: [1, 2, 1], prompt: 1 }))
 * // => Float32Array(4) [-Infinity, -Infinity, -Infinity, 0]
 * ```
 */
export const forceAt =
  (count: number, id: number): Processor =>
  (scores, draft) =>
    draft.ids.length - draft.prompt === count
      ? scores.map((_, other) => (other === id ? 0 : -Infinity))
      : scores
