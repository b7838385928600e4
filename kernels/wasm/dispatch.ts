/**
 * Launches that run together, cut into the parts that threads claim: a large launch becomes many parts, several
 * small ones become one, so that none of them costs a meeting of threads of its own.
 */
import { mostParts } from './control.ts'
import type { CompiledKernel } from './runtime.ts'

/** A launch, ready to run. */
export interface Work {
  readonly kernel: CompiledKernel
  /** The address of its block of addresses. */
  readonly block: number
  readonly units: number
  readonly grain: number
  /** Estimated nanoseconds. */
  readonly cost: number
}

/** Some units of a launch. */
export interface Range {
  readonly work: Work
  readonly begin: number
  readonly end: number
}

/** What one thread does at a time. */
export type Part = readonly Range[]

/**
 * Parts of about the same cost: an eighth of what is worth sharing at least, but no more than keep everybody busy
 * to the end. What is left over and small comes last, when threads wait for each other.
 */
export const partsOf = (works: readonly Work[], threads: number, shareFrom: number): readonly Part[] => {
  const total = works.reduce((sum, { cost }) => sum + cost, 0)
  // Each is cut into at most twice as many parts as its share.
  const most = Math.max(2, Math.min((mostParts - 1) / 2, threads * 8, (8 * total) / (shareFrom + 1)))
  const parts: Part[] = []
  let rest: Range[] = []
  let left = 0
  const close = (): void => {
    if (rest.length > 0) parts.push(rest)
    rest = []
    left = 0
  }
  for (const work of [...works].sort((a, b) => b.cost - a.cost)) {
    const { units, grain, cost } = work
    const share = (most * (cost + 1)) / (total + works.length)
    const step = Math.ceil(units / grain / Math.max(1, share)) * grain
    if (share >= 1)
      for (let begin = 0; begin < units; begin += step)
        parts.push([{ work, begin, end: Math.min(units, begin + step) }])
    else {
      rest.push({ work, begin: 0, end: units })
      left += share
      if (left >= 1) close()
    }
  }
  close()
  return parts
}

/** Words of a table of parts: where the ranges of each part begin and end, then the ranges. */
const rangeWords = 4

/** The number of words that `tableOf` gives. */
export const tableWords = (parts: readonly Part[]): number =>
  parts.length + 1 + rangeWords * parts.reduce((sum, part) => sum + part.length, 0)

/**
 * What other threads read: for each part the word at which its ranges begin (they end where the next ones
 * begin), and for each range function, block, begin and end.
 */
export const tableOf = (parts: readonly Part[]): Int32Array<ArrayBuffer> => {
  const table = new Int32Array(tableWords(parts))
  let at = parts.length + 1
  parts.forEach((part, index) => {
    table[index] = at
    for (const { work, begin, end } of part) {
      table.set([work.kernel.number, work.block, begin, end], at)
      at += rangeWords
    }
  })
  table[parts.length] = at
  return table
}
