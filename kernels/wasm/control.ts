/**
 * The words at the beginning of the memory by which threads share work. A launch is offered as a number of
 * parts; whoever takes the next part swaps the claim word, which holds the launch's own number too, so that
 * nobody can take a part of a launch that is over. The launch ends when all parts are done, whoever did them:
 * no thread is ever waited for that has taken nothing.
 */

/** Indices of 32-bit words. Those that are written often stand on cache lines of their own. */
export const words = {
  /** Counts launches offered; parked workers wait on it. */
  offered: 0,
  /** (launch number << partBits) | next part; `nothing` while a launch is being written. */
  claim: 16,
  /** Parts that are done. */
  done: 32,
  /** Workers that sleep. */
  parked: 48,
  /** What to run: the address of its table (dispatch.ts), and the number of parts. */
  table: 64,
  parts: 65,
  /** Modules published so far, and the address of the first one's record. */
  modules: 80,
  firstModule: 81,
  /** 1 once the engine is closed. */
  closed: 82,
  /** Workers that are ready. */
  ready: 83,
  /** 1 when a worker could not do its part. */
  failed: 84,
} as const

/** Bits of the claim word that count parts. */
export const partBits = 10
export const mostParts: number = 2 ** partBits - 1
/** Launches are numbered modulo this in the claim word. */
export const launchNumbers: number = 2 ** (31 - partBits) - 1
export const nothing: number = -(2 ** partBits)

/** A published module: the address of the next record, the bytes' length, its functions, then the bytes. */
export const moduleHeader = 12
