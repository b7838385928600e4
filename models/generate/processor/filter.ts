/** Which tokens may be drawn by chance: the likelier ones, by several measures of what is likely. */
import { check, probabilities, without } from './score.ts'
import type { Processor } from './score.ts'

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
