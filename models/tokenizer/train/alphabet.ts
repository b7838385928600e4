/** The characters of a corpus, and words spelled in them: where merging begins. */
import type { WordCounts } from './count.ts'
import type { SymbolWords } from './merge.ts'

/** The `most` frequent characters of the words, in the order of code points. */
export const alphabetOf = ({ words, counts }: WordCounts, most: number): readonly string[] => {
  const totals = new Map<string, number>()
  words.forEach((word, w) => {
    for (const letter of word) totals.set(letter, (totals.get(letter) ?? 0) + (counts[w] as number))
  })
  const code = (letter: string): number => letter.codePointAt(0) as number
  return [...totals]
    .sort(([a, n], [b, m]) => m - n || code(a) - code(b))
    .slice(0, Math.max(0, most))
    .map(([letter]) => letter)
    .sort((a, b) => code(a) - code(b))
}

/**
 * The words as symbols. `symbolOf` gives a character's symbol where it begins a word and where it does not, or -1
 * for one outside the alphabet: there the word falls apart.
 */
export const spellWords = (
  { words, counts }: WordCounts,
  symbolOf: (letter: string, first: boolean) => number,
): SymbolWords => {
  const units = words.reduce((sum, word) => sum + word.length, 0)
  const symbols = new Int32Array(units)
  const starts: number[] = [0]
  const kept: number[] = []
  let at = 0
  const close = (count: number): void => {
    if (at === starts[starts.length - 1]) return
    starts.push(at)
    kept.push(count)
  }
  words.forEach((word, w) => {
    let first = true
    for (const letter of word) {
      const symbol = symbolOf(letter, first)
      first = false
      if (symbol < 0) close(counts[w] as number)
      else symbols[at++] = symbol
    }
    close(counts[w] as number)
  })
  return {
    symbols: symbols.subarray(0, at),
    starts: Int32Array.from(starts),
    counts: Float64Array.from(kept),
  }
}
