/** Dividing a budget fairly among parts that want different amounts. */

/**
 * Weighted max-min fair shares: nobody gets more than its `wants`, and what small ones leave goes to the others in
 * proportion to their weights (1 by default).
 *
 * @example
 * fairShares([10, 50, 90], 100) // [10, 45, 45]
 */
export const fairShares = (
  wants: readonly number[],
  budget: number,
  weights: readonly number[] = wants.map(() => 1),
): readonly number[] => {
  const shares = wants.map(() => 0)
  const byNeed = wants
    .map((want, i) => ({ i, want, weight: weights[i] ?? 1 }))
    .sort((a, b) => a.want * b.weight - b.want * a.weight || a.i - b.i)
  let left = budget
  let weight = byNeed.reduce((sum, part) => sum + part.weight, 0)
  for (const part of byNeed) {
    const share = Math.min(part.want, weight === 0 ? 0 : (left * part.weight) / weight)
    shares[part.i] = share
    left -= share
    weight -= part.weight
  }
  return shares
}

/** The groups of `items` by a name, in the order in which the names first come. */
export const groupBy = <A>(
  items: readonly A[],
  name: (item: A) => string,
): ReadonlyMap<string, readonly A[]> => {
  const groups = new Map<string, A[]>()
  for (const item of items) {
    const key = name(item)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [item])
    else group.push(item)
  }
  return groups
}
