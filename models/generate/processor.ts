/**
 * What is done to the scores of the next token before one is chosen: pure functions of scores and of the text so far.
 * A token of score -∞ cannot be chosen.
 */
import { argumentError } from '../../core/error.ts'

/** A text that is being written. */
export interface Draft {
  /** All tokens, those of the prompt first. */
  readonly ids: readonly number[]
  /** How many tokens the prompt has. */
  readonly prompt: number
}

/** New scores [vocabulary] for scores and a draft. */
export type Processor = (scores: Float32Array, draft: Draft) => Float32Array

/**
 * One processor after the other.
 *
 * @example
 * ```ts
 * import { processor } from 'pullback/models'
 * const process = processor.chain([processor.topK(2), processor.temperature(2)])
 * console.log(process(Float32Array.of(2, 1, 0), { ids: [], prompt: 0 }))
 * // => Float32Array(3) [1, 0.5, -Infinity]
 * ```
 */
export const chain =
  (processors: readonly Processor[]): Processor =>
  (scores, draft) =>
    processors.reduce((before, process) => process(before, draft), scores)

const check = (name: string, right: boolean, expected: string, came: number): void => {
  if (!right) throw argumentError(name, `expected ${expected}, got ${came}`)
}

/**
 * The scores' probabilities.
 *
 * @example
 * ```ts
 * import { processor } from 'pullback/models'
 * console.log(processor.probabilities(Float32Array.of(0, 0))) // => Float64Array(2) [0.5, 0.5]
 * ```
 */
export const probabilities = (scores: Float32Array): Float64Array => {
  let max = -Infinity
  for (const x of scores) if (x > max) max = x
  const out = Float64Array.from(scores, (x) => Math.exp(x - max))
  let sum = 0
  for (const x of out) sum += x
  return max === -Infinity ? out.fill(0) : out.map((x) => x / sum)
}

/**
 * The scores' log probabilities, in float32 as scores are.
 *
 * @example
 * ```ts
 * import { processor } from 'pullback/models'
 * console.log(processor.logProbabilities(Float32Array.of(0, 0))[0]?.toFixed(4)) // => -0.6931
 * ```
 */
export const logProbabilities = (scores: Float32Array): Float32Array => {
  let max = -Infinity
  for (const x of scores) if (x > max) max = x
  let sum = 0
  for (const x of scores) sum += Math.exp(x - max)
  const log = max + Math.log(sum)
  return scores.map((x) => x - log)
}

const without = (scores: Float32Array, banned: (id: number) => boolean): Float32Array =>
  scores.map((x, id) => (banned(id) ? -Infinity : x))

/** Ids in the order of their values, largest first; equal ones as they come. */
const ranked = (values: ArrayLike<number>): readonly number[] =>
  Array.from(values, (_, id) => id).sort((a, b) => (values[b] as number) - (values[a] as number) || a - b)

/**
 * Scores divided by a temperature: below 1 the likely becomes likelier, above 1 chances even out.
 *
 * @example
 * ```ts
 * import { processor } from 'pullback/models'
 * const scores = Float32Array.of(2, 1, 0, -1)
 * console.log(processor.temperature(2)(scores, { ids: [1, 2, 1], prompt: 1 }))
 * // => Float32Array(4) [1, 0.5, 0, -0.5]
 * ```
 */
export const temperature = (value: number): Processor => {
  check('temperature', value > 0 && Number.isFinite(value), 'a number above 0', value)
  return (scores) => scores.map((x) => x / value)
}

/**
 * The `count` likeliest tokens, and those that tie with the last of them.
 *
 * @example
 * ```ts
 * import { processor } from 'pullback/models'
 * const scores = Float32Array.of(2, 1, 0, -1)
 * console.log(processor.topK(2)(scores, { ids: [1, 2, 1], prompt: 1 }))
 * // => Float32Array(4) [2, 1, -Infinity, -Infinity]
 * ```
 */
export const topK = (count: number, atLeast = 1): Processor => {
  check('topK', Number.isInteger(count) && count > 0, 'a positive integer', count)
  return (scores) => {
    const kept = Math.min(Math.max(count, atLeast), scores.length)
    const least = scores.slice().sort()[scores.length - kept] as number
    return without(scores, (id) => (scores[id] as number) < least)
  }
}

/**
 * The likeliest tokens that together have at least this probability (Holtzman et al. 2019).
 *
 * @example
 * ```ts
 * import { processor } from 'pullback/models'
 * const scores = Float32Array.of(2, 1, 0, -1)
 * console.log(processor.topP(0.8)(scores, { ids: [1, 2, 1], prompt: 1 }))
 * // => Float32Array(4) [2, 1, -Infinity, -Infinity]
 * ```
 */
export const topP = (mass: number, atLeast = 1): Processor => {
  check('topP', mass > 0 && mass <= 1, 'a number in (0, 1]', mass)
  return (scores) => {
    const chances = probabilities(scores)
    const banned = new Set<number>()
    const order = ranked(scores)
    let below = 0
    for (let i = order.length - 1; i >= atLeast; i--) {
      below += chances[order[i] as number] as number
      if (below > 1 - mass) break
      banned.add(order[i] as number)
    }
    return without(scores, (id) => banned.has(id))
  }
}

/**
 * Tokens of at least this part of the likeliest token's probability (Nguyen et al. 2024).
 *
 * @example
 * ```ts
 * import { processor } from 'pullback/models'
 * const scores = Float32Array.of(2, 1, 0, -1)
 * console.log(processor.minP(0.2)(scores, { ids: [1, 2, 1], prompt: 1 }))
 * // => Float32Array(4) [2, 1, -Infinity, -Infinity]
 * ```
 */
export const minP = (share: number, atLeast = 1): Processor => {
  check('minP', share >= 0 && share <= 1, 'a number in [0, 1]', share)
  return (scores) => {
    const chances = probabilities(scores)
    const order = ranked(chances)
    const kept = new Set(order.slice(0, atLeast))
    const least = share * (chances[order[0] as number] as number)
    return without(scores, (id) => (chances[id] as number) < least && !kept.has(id))
  }
}

/** - Σ p log p, in nats. */
const entropyOf = (chances: Float64Array): number =>
  chances.reduce((sum, p) => (p > 0 ? sum - p * Math.log(p) : sum), 0)

/**
 * Tokens whose surprise is near what is expected, until they have this probability (Meister et al. 2022).
 *
 * @example
 * ```ts
 * import { processor } from 'pullback/models'
 * const scores = Float32Array.of(2, 1, 0, -1)
 * console.log(processor.typicalP(0.5)(scores, { ids: [1, 2, 1], prompt: 1 }))
 * // => Float32Array(4) [2, 1, -Infinity, -Infinity]
 * ```
 */
export const typicalP = (mass: number, atLeast = 1): Processor => {
  check('typicalP', mass > 0 && mass <= 1, 'a number in (0, 1]', mass)
  return (scores) => {
    const chances = probabilities(scores)
    const expected = entropyOf(chances)
    const oddity = chances.map((p) => -Math.abs(-Math.log(p) - expected))
    const order = ranked(oddity)
    let [kept, sum] = [0, 0]
    do sum += chances[order[kept++] as number] as number
    while (sum < mass && kept < order.length)
    const last = oddity[order[kept - 1] as number] as number
    const sure = new Set(order.slice(0, atLeast))
    return without(scores, (id) => (oddity[id] as number) < last && !sure.has(id))
  }
}

const likelyEnough = (
  scores: Float32Array,
  chances: Float64Array,
  least: number,
  atLeast: number,
): Float32Array => {
  const order = ranked(scores)
  const lowest = scores[order[Math.min(atLeast, scores.length) - 1] as number] as number
  return without(scores, (id) => (chances[id] as number) < least && (scores[id] as number) < lowest)
}

/**
 * Tokens of at least this probability (Hewitt et al. 2022).
 *
 * @example
 * ```ts
 * import { processor } from 'pullback/models'
 * const scores = Float32Array.of(2, 1, 0, -1)
 * console.log(processor.epsilonCutoff(0.1)(scores, { ids: [1, 2, 1], prompt: 1 }))
 * // => Float32Array(4) [2, 1, -Infinity, -Infinity]
 * ```
 */
export const epsilonCutoff = (least: number, atLeast = 1): Processor => {
  check('epsilonCutoff', least > 0 && least < 1, 'a number in (0, 1)', least)
  return (scores) => likelyEnough(scores, probabilities(scores), least, atLeast)
}

/**
 * Tokens of at least a probability that falls with the entropy (Hewitt et al. 2022).
 *
 * @example
 * ```ts
 * import { processor } from 'pullback/models'
 * const scores = Float32Array.of(2, 1, 0, -1)
 * console.log(processor.etaCutoff(0.3)(scores, { ids: [1, 2, 1], prompt: 1 }))
 * // => Float32Array(4) [2, 1, -Infinity, -Infinity]
 * ```
 */
export const etaCutoff = (epsilon: number, atLeast = 1): Processor => {
  check('etaCutoff', epsilon > 0 && epsilon < 1, 'a number in (0, 1)', epsilon)
  return (scores) => {
    const chances = probabilities(scores)
    const eta = Math.min(epsilon, Math.sqrt(epsilon) * Math.exp(-entropyOf(chances)))
    return likelyEnough(scores, chances, eta, atLeast)
  }
}

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

/**
 * Log probabilities, as scores are called where they are added up.
 *
 * @example
 * ```ts
 * import { processor } from 'pullback/models'
 * const scores = Float32Array.of(0, 0)
 * console.log(processor.normalise(scores, { ids: [], prompt: 0 })[0]?.toFixed(4)) // => -0.6931
 * ```
 */
export const normalise: Processor = logProbabilities
