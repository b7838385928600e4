/**
 * Random numbers on the host, for making batches: the very words of `random.bits`, one after the other, without a
 * tensor in between. Counter-based, so that the batch of any step is made without those before it.
 */
import { argumentError } from '../../core/error.ts'
import { threefry } from '../../kernels/special.ts'

/** The two words of a key, as `random.key` and `random.foldIn` have them. */
export type HostKey = readonly [number, number]

/**
 * The words of `random.key(seed)`.
 *
 * @example
 * ```ts
 * import { hostKey } from 'pullback/training'
 * console.log(hostKey(7)) // => [0, 7]
 * ```
 */
export const hostKey = (seed: number | bigint): HostKey => {
  if (typeof seed === 'number' && !Number.isSafeInteger(seed))
    throw argumentError('hostKey', `the seed must be an integer, got ${seed}`)
  const bits = BigInt.asUintN(64, BigInt(seed))
  return [Number(bits >> 32n), Number(bits & 0xffffffffn)]
}

/**
 * The words of `random.foldIn(key, data)`.
 *
 * @example
 * ```ts
 * import { random } from 'pullback'
 * import { foldHostKey, hostKey } from 'pullback/training'
 * console.log(foldHostKey(hostKey(0), 1)) // => [928981903, 3453687069]
 * console.log(random.foldIn(random.key(0), 1)) // => uint32[2] [928981903, 3453687069]
 * ```
 */
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

/**
 * Draws from a key, one after another, on the host: the bits are `random.bits`'s.
 *
 * @example
 * ```ts
 * import { drawsOf, hostKey } from 'pullback/training'
 * const { below } = drawsOf(hostKey(0))
 * console.log([below(6), below(6), below(6)]) // => [3, 0, 0]
 * ```
 */
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

/**
 * The numbers 0 … n - 1 in an order that the key decides (Fisher and Yates).
 *
 * @example
 * ```ts
 * import { hostKey, shuffledIndices } from 'pullback/training'
 * console.log(shuffledIndices(hostKey(0), 5)) // => Int32Array(5) [3, 1, 0, 4, 2]
 * ```
 */
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
