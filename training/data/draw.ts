/**
 * Random numbers on the host, for making batches: the very words of `random.bits`, one after the other, without a
 * tensor in between. Counter-based, so that the batch of any step is made without those before it.
 */
import { argumentError } from '../../core/error.ts'
import { threefry } from '../../kernels/special.ts'

/** The two words of a key, as `random.key` and `random.foldIn` have them. */
export type HostKey = readonly [number, number]

/** The words of `random.key(seed)`. */
export const hostKey = (seed: number | bigint): HostKey => {
  if (typeof seed === 'number' && !Number.isSafeInteger(seed))
    throw argumentError('hostKey', `the seed must be an integer, got ${seed}`)
  const bits = BigInt.asUintN(64, BigInt(seed))
  return [Number(bits >> 32n), Number(bits & 0xffffffffn)]
}

/** The words of `random.foldIn(key, data)`. */
export const foldHostKey = ([high, low]: HostKey, data: number): HostKey => [
  threefry(high, low, 0, data, 0),
  threefry(high, low, 0, data, 1),
]

/** A stream of draws; what comes next depends on the key and on how many were taken. */
export interface Draws {
  /** The next 32 bits: element i of `random.bits(key, [n])` at the i-th call. */
  readonly bits: () => number
  /** An integer evenly from 0 … n - 1; n is at most 2^32. */
  readonly below: (n: number) => number
  /** True with probability `p`. */
  readonly chance: (p: number) => boolean
}

export const drawsOf = ([high, low]: HostKey): Draws => {
  let counter = 0
  const bits = (): number => threefry(high, low, 0, counter++, 'xor')
  const below = (n: number): number => {
    // what lies above the last whole multiple of n would make small results likelier
    const even = 2 ** 32 - (2 ** 32 % n)
    let drawn = bits()
    while (drawn >= even) drawn = bits()
    return drawn % n
  }
  return { bits, below, chance: (p) => bits() < p * 2 ** 32 }
}

/** The numbers 0 … n - 1 in an order that the key decides (Fisher and Yates). */
export const shuffledIndices = (key: HostKey, n: number): Int32Array => {
  const { below } = drawsOf(key)
  const order = Int32Array.from({ length: n }, (_, i) => i)
  for (let i = n - 1; i > 0; i--) {
    const j = below(i + 1)
    const other = order[j] as number
    order[j] = order[i] as number
    order[i] = other
  }
  return order
}
