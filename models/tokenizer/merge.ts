/** Merging the symbols of a piece, the merge learnt earliest first, the leftmost first among equals. */

// ids stay below 2^24 (`idLimit`), so that two of them, or a rank and an id, are one exact number
const shift = 2 ** 24

/** Two ids as one number. */
export const pair = (a: number, b: number): number => a * shift + b

/** What a pair becomes, learnt as the merge `rank`, as one number that is less the earlier it was learnt. */
export const merge = (rank: number, id: number): number => rank * shift + id

/** Of a pair (`pair`) the merge that it is (`merge`). */
export type Merges = ReadonlyMap<number, number>

/** The symbols of a piece while they are merged: ids, and where each begins and ends. */
export interface Symbols {
  readonly ids: number[]
  readonly starts: number[]
  readonly ends: number[]
}

/** Joins pairs until none is left to join: for the few symbols of a word, by looking for the best each time. */
const joinFew = ({ ids, starts, ends }: Symbols, learnt: Merges): void => {
  const values: (number | undefined)[] = []
  for (let i = 0; i + 1 < ids.length; i++)
    values.push(learnt.get(pair(ids[i] as number, ids[i + 1] as number)))
  for (;;) {
    let best = -1
    let value = Infinity
    for (let i = 0; i < values.length; i++) {
      const candidate = values[i]
      if (candidate !== undefined && candidate < value) {
        best = i
        value = candidate
      }
    }
    if (best < 0) return
    ids[best] = value % shift
    ends[best] = ends[best + 1] as number
    ids.splice(best + 1, 1)
    starts.splice(best + 1, 1)
    ends.splice(best + 1, 1)
    values.splice(best, 1)
    if (best > 0) values[best - 1] = learnt.get(pair(ids[best - 1] as number, ids[best] as number))
    if (best < values.length) values[best] = learnt.get(pair(ids[best] as number, ids[best + 1] as number))
  }
}

/** The same for many symbols, with a heap of candidates ordered by rank, then by place. */
const joinMany = (symbols: Symbols, learnt: Merges): void => {
  const { ids, starts, ends } = symbols
  const n = ids.length
  const next = Int32Array.from({ length: n }, (_, i) => (i + 1 < n ? i + 1 : -1))
  const previous = Int32Array.from({ length: n }, (_, i) => i - 1)
  const gone = new Uint8Array(n)
  // a candidate is rank · 2^28 + place: exact, since ranks stay below 2^24 and places below 2^28
  const placeLimit = 2 ** 28
  const heap: number[] = []
  const push = (value: number): void => {
    let i = heap.length
    heap.push(value)
    while (i > 0) {
      const parent = (i - 1) >> 1
      if ((heap[parent] as number) <= value) break
      heap[i] = heap[parent] as number
      i = parent
    }
    heap[i] = value
  }
  const pop = (): number => {
    const top = heap[0] as number
    const value = heap.pop() as number
    const size = heap.length
    if (size === 0) return top
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= size) break
      if (child + 1 < size && (heap[child + 1] as number) < (heap[child] as number)) child++
      if ((heap[child] as number) >= value) break
      heap[i] = heap[child] as number
      i = child
    }
    heap[i] = value
    return top
  }
  const consider = (at: number): void => {
    const after = next[at] as number
    if (after < 0) return
    const value = learnt.get(pair(ids[at] as number, ids[after] as number))
    if (value !== undefined) push(Math.floor(value / shift) * placeLimit + at)
  }
  for (let i = 0; i < n; i++) consider(i)
  while (heap.length > 0) {
    const candidate = pop()
    const at = candidate % placeLimit
    const after = next[at] as number
    if (gone[at] === 1 || after < 0) continue
    const value = learnt.get(pair(ids[at] as number, ids[after] as number))
    // the pair may have changed since; a pair of another rank has a candidate of its own
    if (value === undefined || Math.floor(value / shift) !== Math.floor(candidate / placeLimit)) continue
    ids[at] = value % shift
    ends[at] = ends[after] as number
    gone[after] = 1
    const behind = next[after] as number
    next[at] = behind
    if (behind >= 0) previous[behind] = at
    if ((previous[at] as number) >= 0) consider(previous[at] as number)
    consider(at)
  }
  let kept = 0
  for (let i = 0; i < n; i++) {
    if (gone[i] === 1) continue
    ids[kept] = ids[i] as number
    starts[kept] = starts[i] as number
    ends[kept] = ends[i] as number
    kept++
  }
  ids.length = kept
  starts.length = kept
  ends.length = kept
}

const few = 48

/** Joins the symbols of a piece, in place, until no pair of neighbours is left that was learnt. */
export const joinPairs = (symbols: Symbols, learnt: Merges): void =>
  (symbols.ids.length <= few ? joinFew : joinMany)(symbols, learnt)
