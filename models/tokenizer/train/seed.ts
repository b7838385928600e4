/**
 * The substrings of a corpus that occur more than once: where training Unigram begins. They are counted by length,
 * each from those one shorter that occur often enough, so that memory goes by what is frequent.
 */
import type { WordCounts } from './count.ts'

/** A substring and how often it occurs. */
export interface Seed {
  readonly text: string
  readonly count: number
}

const shift = 2 ** 21

/**
 * The substrings of two to `longest` characters that occur at least twice, the ones that stand for most characters
 * first, `most` at most. A substring that is always followed by the same character is left out for the longer one.
 */
export const frequentSubstrings = (
  { words, counts }: WordCounts,
  longest: number,
  most: number,
): readonly Seed[] => {
  const letters: number[] = []
  const weights: number[] = []
  const left: number[] = []
  words.forEach((word, w) => {
    const codes = Array.from(word, (letter) => letter.codePointAt(0) as number)
    codes.forEach((code, i) => {
      letters.push(code)
      weights.push(counts[w] as number)
      left.push(codes.length - i)
    })
  })
  const found: { at: number; length: number; count: number }[] = []
  // for each place that is still of interest the number of the substring that begins there
  let places = Int32Array.from(letters.keys())
  let numbers = Int32Array.from(letters)
  let before: { at: number; length: number; count: number; extended: number }[] = []
  for (let length = 2; length <= longest && places.length > 0; length++) {
    const known = new Map<number, number>()
    const totals: number[] = []
    const firsts: number[] = []
    const parents: number[] = []
    const nextPlaces: number[] = []
    const nextNumbers: number[] = []
    places.forEach((at, i) => {
      if ((left[at] as number) < length) return
      const parent = numbers[i] as number
      const key = parent * shift + (letters[at + length - 1] as number)
      let number = known.get(key)
      if (number === undefined) {
        number = totals.length
        known.set(key, number)
        totals.push(0)
        firsts.push(at)
        parents.push(parent)
      }
      totals[number] = (totals[number] as number) + (weights[at] as number)
      nextPlaces.push(at)
      nextNumbers.push(number)
    })
    totals.forEach((total, number) => {
      const parent = before[parents[number] as number]
      if (parent !== undefined) parent.extended = Math.max(parent.extended, total)
    })
    for (const { extended, ...seed } of before) if (seed.count >= 2 && extended < seed.count) found.push(seed)
    before = totals.map((count, number) => ({ at: firsts[number] as number, length, count, extended: 0 }))
    const frequent = nextNumbers.map((number) => (totals[number] as number) >= 2)
    places = Int32Array.from(nextPlaces.filter((_, i) => frequent[i]))
    numbers = Int32Array.from(nextNumbers.filter((_, i) => frequent[i]))
  }
  for (const { extended: _, ...seed } of before) if (seed.count >= 2) found.push(seed)
  const textOf = (at: number, length: number): string =>
    String.fromCodePoint(...letters.slice(at, at + length))
  return found
    .sort((a, b) => b.count * b.length - a.count * a.length || a.at - b.at || a.length - b.length)
    .slice(0, most)
    .map(({ at, length, count }) => ({ text: textOf(at, length), count }))
}
