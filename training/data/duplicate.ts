/**
 * Duplicates: equal paragraphs by the hash of their letters, files that hold mostly the same by MinHash (Broder,
 * "On the resemblance and containment of documents", 1997; one permutation with bins: Li, Owen, Zhang 2012), and
 * passages whose runs of words have been seen elsewhere.
 */
import { isLetter, mix, wordHashes } from './hash.ts'

/** What equal paragraphs share: their words and numbers, whatever their case, spacing and punctuation. 53 bits. */
export const paragraphHash = (paragraph: string): number => {
  let low = 0x811c9dc5
  let high = 0x5bd1e995
  for (let i = 0; i < paragraph.length; i++) {
    const code = paragraph.charCodeAt(i)
    const lower = code >= 65 && code <= 90 ? code + 32 : code
    if (!isLetter(code) && !(code >= 48 && code <= 57)) continue
    low = Math.imul(low ^ lower, 0x01000193)
    high = Math.imul(high ^ lower, 0x85ebca6b) + (high >>> 15)
  }
  return mix(low) + (mix(high) & 0x1fffff) * 2 ** 32
}

/** The hashes of all runs of `size` words; a shorter text is one run. */
export const shingles = (text: string, size: number): Uint32Array => {
  const hashes = wordHashes(text)
  const runs = new Uint32Array(hashes.length === 0 ? 0 : Math.max(1, hashes.length - size + 1))
  for (let i = 0; i < runs.length; i++) {
    let h = 0
    for (let j = i; j < i + size && j < hashes.length; j++) h = mix(h ^ (hashes[j] as number)) + j - i
    runs[i] = h
  }
  return runs
}

const bins = 64
const empty = 0xffffffff

/** A file's MinHash: of each of 64 bins of its word runs, the least hash. */
export type Signature = Uint32Array

export const signature = (text: string): Signature => {
  const least = new Uint32Array(bins).fill(empty)
  for (const run of shingles(text, 4)) {
    const bin = run % bins
    const value = Math.floor(run / bins)
    if (value < (least[bin] as number)) least[bin] = value
  }
  return least
}

/** An estimate of the Jaccard similarity of two texts' word runs, in [0, 1]. */
export const similarity = (a: Signature, b: Signature): number => {
  let equal = 0
  let counted = 0
  for (let i = 0; i < bins; i++) {
    if (a[i] === empty && b[i] === empty) continue
    counted++
    if (a[i] === b[i]) equal++
  }
  return counted === 0 ? 1 : equal / counted
}

/**
 * Which signatures resemble an earlier one by at least `threshold`: for each the index of the first of its kind,
 * or its own. Candidates meet in bands of three bins, so the work grows with the number of files, not its square.
 */
export const representatives = (signatures: readonly Signature[], threshold = 0.6): readonly number[] => {
  const bands = new Map<string, number[]>()
  return signatures.map((sign, index) => {
    const keys = Array.from({ length: Math.floor(bins / 3) }, (_, band) => {
      const part = sign.subarray(band * 3, band * 3 + 3)
      return part.every((value) => value === empty) ? undefined : `${band}:${part.join(',')}`
    }).filter((key) => key !== undefined)
    const candidates = new Set(keys.flatMap((key) => bands.get(key) ?? []))
    const twin = [...candidates]
      .sort((a, b) => a - b)
      .find((other) => similarity(sign, signatures[other] as Signature) >= threshold)
    if (twin !== undefined) return twin
    for (const key of keys) {
      const others = bands.get(key)
      if (others === undefined) bands.set(key, [index])
      // A crowded band says little, and every one of its members is compared.
      else if (others.length < 32) others.push(index)
    }
    return index
  })
}

/** A set of word runs in fixed memory (one bit each of 2^26: a million runs collide with 1.5 % of others). */
export interface RunSet {
  readonly add: (text: string) => void
  /** The share of a text's word runs that the set holds. */
  readonly share: (text: string) => number
}

const runLength = 6

export const runSet = (): RunSet => {
  const bits = new Uint8Array(2 ** 23)
  return {
    add: (text) => {
      for (const run of shingles(text, runLength)) {
        const at = run >>> 6
        bits[at >>> 3] = (bits[at >>> 3] as number) | (1 << (at & 7))
      }
    },
    share: (text) => {
      const runs = shingles(text, runLength)
      let seen = 0
      for (const run of runs) {
        const at = run >>> 6
        if ((bits[at >>> 3] as number) & (1 << (at & 7))) seen++
      }
      return runs.length === 0 ? 0 : seen / runs.length
    },
  }
}
