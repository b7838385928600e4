/** What jobs ask of any model's parameters. */
import { fromArray, tree } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'

/** How many numbers are trained. */
export const parameterCount = (params: unknown): number =>
  tree.leaves(params).reduce((n, { shape }) => n + shape.reduce((a, b) => a * b, 1), 0)

/**
 * log of each token's frequency, as the bias of the scores to begin with: the model starts from what frequencies alone
 * tell, and spends its steps on what the context does.
 */
export const frequencyBias = (ids: Int32Array, vocabulary: number): Tensor => {
  const counts = new Float64Array(vocabulary).fill(1)
  for (const id of ids) counts[id] = (counts[id] as number) + 1
  return fromArray(
    Float32Array.from(counts, (n) => Math.log(n / (ids.length + vocabulary))),
    [vocabulary],
  )
}
