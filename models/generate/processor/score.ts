/** Scores of what comes next, and what is done to them: one processor after the other. */
import { argumentError } from '../../../core/error.ts'

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

/** Refuses an option by the processor's name. */
export const check = (name: string, right: boolean, expected: string, came: number): void => {
  if (!right) throw argumentError(name, `expected ${expected}, got ${came}`)
}

/** The largest of scores. */
const most = (scores: Float32Array): number => {
  let max = -Infinity
  for (const x of scores) if (x > max) max = x
  return max
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
  const max = most(scores)
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
  const max = most(scores)
  let sum = 0
  for (const x of scores) sum += Math.exp(x - max)
  const log = max + Math.log(sum)
  return scores.map((x) => x - log)
}

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

/** Scores without the tokens that are banned. */
export const without = (scores: Float32Array, banned: (id: number) => boolean): Float32Array =>
  scores.map((x, id) => (banned(id) ? -Infinity : x))
