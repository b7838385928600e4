/** A token chosen by its score, or by chance. */
import { PullbackError } from '../../core/error.ts'

/** The id of the largest score, the first of equals; -1 where there is none. */
export const best = (scores: Float32Array): number => {
  let [found, most] = [-1, -Infinity]
  for (let id = 0; id < scores.length; id++) {
    const x = scores[id] as number
    if (x > most) [found, most] = [id, x]
  }
  return found
}

/** The id at a place in [0, 1) of the line on which each has its probability. */
export const drawn = (chances: Float64Array, place: number): number => {
  let [sum, last] = [0, -1]
  for (const [id, p] of chances.entries()) {
    if (p === 0) continue
    sum += p
    last = id
    if (place < sum) return id
  }
  return last
}

/** The id, if there is one. */
export const checked = (id: number): number => {
  if (id < 0)
    throw new PullbackError({
      tag: 'argument',
      operation: 'generate',
      detail: 'no token can come next: what is allowed leaves none, or scores are not numbers',
    })
  return id
}
