/** Counting the words of a corpus: all that training keeps of it, so that a corpus need not fit in memory. */
import { aligned } from '../aligned.ts'
import type { Normalizer } from '../normalizer.ts'
import { owned } from '../owned.ts'
import { whole } from '../pretokenizer/piece.ts'
import type { PreTokenizer } from '../pretokenizer/piece.ts'

/** Told now and then while training: how far a phase has come; `total` is null where it is not known. */
export interface TrainProgress {
  readonly phase: 'count' | 'merge' | 'seed' | 'estimate'
  readonly done: number
  readonly total: number | null
}

export interface WordCounts {
  readonly words: readonly string[]
  /** How often each word occurs. */
  readonly counts: Float64Array
}

interface CountOptions {
  readonly normalizer: Normalizer | null
  readonly preTokenizer: PreTokenizer
  /** Words of more units than this are left out: they are no words. */
  readonly longest: number
  readonly onProgress?: ((progress: TrainProgress) => void) | undefined
}

/** The words of the texts, as they are after normalisation and splitting, in the order of their first occurrence. */
export const countWords = (texts: Iterable<string>, options: CountOptions): WordCounts => {
  const seen = new Map<string, { count: number }>()
  let done = 0
  for (const given of texts) {
    const source = aligned(given.toWellFormed())
    const normalized = options.normalizer === null ? source : options.normalizer(source)
    const { source: split, cuts } = options.preTokenizer(whole(normalized))
    for (let i = 0; i < cuts.length; i += 2) {
      const start = cuts[i] as number
      const end = cuts[i + 1] as number
      if (end - start > options.longest) continue
      const word = split.text.slice(start, end)
      const entry = seen.get(word)
      if (entry === undefined) seen.set(owned(word), { count: 1 })
      else entry.count++
    }
    done++
    if (done % 1024 === 0) options.onProgress?.({ phase: 'count', done, total: null })
  }
  options.onProgress?.({ phase: 'count', done, total: done })
  return {
    words: [...seen.keys()],
    counts: Float64Array.from(seen.values(), ({ count }) => count),
  }
}
