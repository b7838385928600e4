/** Scores as probabilities, and the best of them. */

/** Exponentials that add up to 1. */
export const softmax = (scores: ArrayLike<number>): readonly number[] => {
  const list = Array.from(scores)
  const most = list.reduce((a, b) => Math.max(a, b), -Infinity)
  const powers = list.map((x) => Math.exp(x - most))
  const sum = powers.reduce((a, b) => a + b, 0)
  return powers.map((x) => x / sum)
}

export const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))

/** The place of the largest number, the first of equals. */
export const bestOf = (scores: readonly number[]): number =>
  scores.reduce((best, x, i) => (x > (scores[best] as number) ? i : best), 0)

/** Rows of so many numbers. */
export const rowsOf = (numbers: Float32Array, width: number): readonly Float32Array[] =>
  Array.from({ length: width === 0 ? 0 : numbers.length / width }, (_, i) =>
    numbers.subarray(i * width, (i + 1) * width),
  )
