/** A trie over UTF-16 units in flat arrays: small enough for vocabularies of a quarter million tokens. */

export interface Trie {
  readonly root: number
  /** The node that `unit` leads to from `node`, or -1. */
  readonly step: (node: number, unit: number) => number
  /** The value of the entry that ends at `node`, or -1. */
  readonly value: (node: number) => number
}

/** The trie of `entries`; empty keys are left out. */
export const trieOf = (entries: readonly (readonly [string, number])[]): Trie => {
  const sorted = entries.filter(([key]) => key !== '').sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  // nodes level by level, so that the children of a node lie side by side, ordered by unit
  const units: number[] = [0]
  const values: number[] = [-1]
  const first: number[] = []
  let level = [{ from: 0, to: sorted.length }]
  for (let depth = 0; level.length > 0; depth++) {
    const following: { from: number; to: number }[] = []
    for (const { from, to } of level) {
      first.push(units.length)
      // keys that end here come first in the order
      let at = from
      while (at < to && (sorted[at] as readonly [string, number])[0].length === depth) at++
      while (at < to) {
        const unit = (sorted[at] as readonly [string, number])[0].charCodeAt(depth)
        const start = at
        while (at < to && (sorted[at] as readonly [string, number])[0].charCodeAt(depth) === unit) at++
        const [key, value] = sorted[start] as readonly [string, number]
        units.push(unit)
        values.push(key.length === depth + 1 ? value : -1)
        following.push({ from: start, to: at })
      }
    }
    level = following
  }
  first.push(units.length)
  const labels = Uint16Array.from(units)
  const children = Int32Array.from(first)
  const results = Int32Array.from(values)
  // the root has by far the most children: look them up directly
  const roots = new Int32Array(0x10000).fill(-1)
  for (let i = children[0] as number; i < (children[1] ?? 0); i++) roots[labels[i] as number] = i
  return {
    root: 0,
    step: (node, unit) => {
      if (node === 0) return roots[unit] as number
      let low = children[node] as number
      let high = (children[node + 1] as number) - 1
      while (low <= high) {
        const middle = (low + high) >> 1
        const label = labels[middle] as number
        if (label === unit) return middle
        if (label < unit) low = middle + 1
        else high = middle - 1
      }
      return -1
    },
    value: (node) => results[node] as number,
  }
}
