/**
 * Learning merges: again and again the pair of neighbouring symbols that occurs most often becomes a symbol of its
 * own (Sennrich et al., 2016, arXiv:1508.07909). Pairs are counted once and then kept up to date, and the words that
 * hold a pair are known, so that each merge costs only what it changes.
 */

/** Words as symbols: word w is `symbols[starts[w]]` up to `symbols[starts[w + 1]]`. `symbols` is worked on in place. */
export interface SymbolWords {
  readonly symbols: Int32Array
  readonly starts: Int32Array
  /** How often each word occurs. */
  readonly counts: Float64Array
}

interface MergeOptions {
  /** Merges to learn at most. */
  readonly most: number
  /** Pairs that occur less often are not merged. */
  readonly minFrequency: number
  /** The symbol that a pair becomes. */
  readonly join: (left: number, right: number) => number
  /** Called after each merge; learning goes on while it says so. */
  readonly merged: (done: number) => boolean
}

const shift = 2 ** 22

/** Learns merges, best first; of pairs equally frequent the one whose symbols came first. Calls `join` for each. */
export const learnMerges = ({ symbols, starts, counts }: SymbolWords, options: MergeOptions): void => {
  const lengths = new Int32Array(counts.length)
  // pairs by number: their key, how often they occur, and in which words they may
  const numbers = new Map<number, number>()
  const keys: number[] = []
  const totals: number[] = []
  const places: number[][] = []
  const numberOf = (left: number, right: number): number => {
    const key = left * shift + right
    let pair = numbers.get(key)
    if (pair === undefined) {
      pair = keys.length
      numbers.set(key, pair)
      keys.push(key)
      totals.push(0)
      places.push([])
    }
    return pair
  }
  const gain = (left: number, right: number, word: number): number => {
    const pair = numberOf(left, right)
    totals[pair] = (totals[pair] as number) + (counts[word] as number)
    const list = places[pair] as number[]
    if (list[list.length - 1] !== word) list.push(word)
    return pair
  }

  // a heap of pairs by the count they had when they were put in; a count that has changed since is noticed on top
  const heap: number[] = []
  const weights: number[] = []
  const before = (pairA: number, weightA: number, pairB: number, weightB: number): boolean =>
    weightA !== weightB ? weightA > weightB : (keys[pairA] as number) < (keys[pairB] as number)
  const put = (i: number, pair: number, weight: number): void => {
    heap[i] = pair
    weights[i] = weight
  }
  const push = (pair: number): void => {
    const weight = totals[pair] as number
    let i = heap.length
    while (i > 0) {
      const parent = (i - 1) >> 1
      const above = heap[parent] as number
      const aboveWeight = weights[parent] as number
      if (!before(pair, weight, above, aboveWeight)) break
      put(i, above, aboveWeight)
      i = parent
    }
    put(i, pair, weight)
  }
  const pop = (): void => {
    const pair = heap.pop() as number
    const weight = weights.pop() as number
    const size = heap.length
    if (size === 0) return
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= size) break
      const right = child + 1
      if (
        right < size &&
        before(
          heap[right] as number,
          weights[right] as number,
          heap[child] as number,
          weights[child] as number,
        )
      )
        child = right
      if (!before(heap[child] as number, weights[child] as number, pair, weight)) break
      put(i, heap[child] as number, weights[child] as number)
      i = child
    }
    put(i, pair, weight)
  }

  for (let word = 0; word < counts.length; word++) {
    const start = starts[word] as number
    const end = starts[word + 1] as number
    lengths[word] = end - start
    for (let i = start; i + 1 < end; i++) gain(symbols[i] as number, symbols[i + 1] as number, word)
  }
  for (let pair = 0; pair < keys.length; pair++) push(pair)

  const fresh = new Set<number>()
  for (let done = 0; done < options.most && heap.length > 0;) {
    const pair = heap[0] as number
    const weight = weights[0] as number
    const total = totals[pair] as number
    pop()
    if (total !== weight) {
      if (total > 0) push(pair)
      continue
    }
    if (total < options.minFrequency || total <= 0) return
    const left = Math.floor((keys[pair] as number) / shift)
    const right = (keys[pair] as number) % shift
    const whole = options.join(left, right)
    const words = places[pair] as number[]
    places[pair] = []
    totals[pair] = 0
    fresh.clear()
    for (const word of words) {
      const start = starts[word] as number
      const end = start + (lengths[word] as number)
      const count = counts[word] as number
      const lose = (a: number, b: number): void => {
        const lost = numberOf(a, b)
        if (lost !== pair) totals[lost] = (totals[lost] as number) - count
      }
      let to = start
      for (let from = start; from < end;) {
        const symbol = symbols[from] as number
        if (symbol !== left || from + 1 >= end || symbols[from + 1] !== right) {
          symbols[to++] = symbol
          from++
          continue
        }
        if (to > start) {
          const previous = symbols[to - 1] as number
          lose(previous, left)
          fresh.add(gain(previous, whole, word))
        }
        symbols[to++] = whole
        from += 2
        if (from < end) {
          const next = symbols[from] as number
          lose(right, next)
          fresh.add(gain(whole, next, word))
        }
      }
      lengths[word] = to - start
    }
    for (const gained of fresh) if ((totals[gained] as number) > 0) push(gained)
    done++
    if (!options.merged(done)) return
  }
}
