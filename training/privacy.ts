/**
 * How much a run of private training can tell of any one example: the Rényi accountant of the sampled Gaussian
 * mechanism (Abadi et al. 2016; Mironov, Talwar and Zhang 2019, "Rényi Differential Privacy of the Sampled Gaussian
 * Mechanism"). Numbers in, numbers out; all results are upper bounds.
 */
import { argumentError } from '../core/error.ts'

export interface Mechanism {
  /** How likely each example is in a step's batch, independently of all others; in (0, 1]. */
  readonly sampleRate: number
  /** The noise's standard deviation, as a multiple of the norm that each example's gradient is clipped to. */
  readonly noiseMultiplier: number
}

export interface PrivacyRun extends Mechanism {
  readonly steps: number
}

export interface Spent {
  /** The bound on the logarithm of how much likelier any outcome becomes by one example. */
  readonly epsilon: number
  /** How likely it is that the bound does not hold; well below 1 / the number of examples. */
  readonly delta: number
  /** The Rényi order that gave it. */
  readonly order: number
}

const checkMechanism = (operation: string, { sampleRate, noiseMultiplier }: Mechanism): void => {
  if (!(sampleRate > 0 && sampleRate <= 1))
    throw argumentError(operation, `the sample rate must be in (0, 1], got ${sampleRate}`)
  if (!(noiseMultiplier > 0))
    throw argumentError(operation, `the noise multiplier must be positive, got ${noiseMultiplier}`)
}

/** log(e^a + e^b) */
const logAddExp = (a: number, b: number): number => {
  const [most, least] = a > b ? [a, b] : [b, a]
  return most === -Infinity ? most : most + Math.log1p(Math.exp(least - most))
}

/**
 * The Rényi divergence of an integer order α ≥ 2 that one step spends:
 * log Σ_k C(α, k) (1 - q)^(α - k) q^k exp(k (k - 1) / 2σ²) / (α - 1) (Mironov et al., section 3.3).
 *
 * @example
 * ```ts
 * import { renyiDivergence } from 'pullback/training'
 * console.log(renyiDivergence({ sampleRate: 0.01, noiseMultiplier: 1 }, 2).toExponential(2)) // => 1.72e-4
 * ```
 */
export const renyiDivergence = (mechanism: Mechanism, order: number): number => {
  checkMechanism('renyiDivergence', mechanism)
  if (!Number.isInteger(order) || order < 2)
    throw argumentError('renyiDivergence', `the order must be an integer of at least 2, got ${order}`)
  const { sampleRate: q, noiseMultiplier } = mechanism
  const half = 1 / (2 * noiseMultiplier ** 2)
  if (q === 1) return order * half
  let total = -Infinity
  let logBinomial = 0
  for (let k = 0; k <= order; k++) {
    total = logAddExp(
      total,
      logBinomial + (order - k) * Math.log1p(-q) + k * Math.log(q) + k * (k - 1) * half,
    )
    logBinomial += Math.log(order - k) - Math.log(k + 1)
  }
  // rounding may bring it below 0, where it cannot be
  return Math.max(0, total) / (order - 1)
}

/** Dense where small orders matter, sparse beyond. */
const orders: readonly number[] = [
  ...Array.from({ length: 63 }, (_, i) => i + 2),
  ...[72, 80, 96, 112, 128, 160, 192, 256, 320, 384, 512, 768, 1024],
]

/**
 * What runs have spent together on the same examples: the least ε, for a δ, over all orders. Rényi divergences add up
 * over steps and runs; the conversion is that of Canonne, Kamath and Steinke 2020 (proposition 12).
 *
 * @example
 * ```ts
 * import { privacySpent } from 'pullback/training'
 * const run = { sampleRate: 256 / 60000, noiseMultiplier: 1.1, steps: 60 * 235 }
 * console.log(privacySpent([run], 1e-5).epsilon.toFixed(2)) // => 2.60
 * ```
 */
export const privacySpent = (runs: readonly PrivacyRun[], delta: number): Spent => {
  if (!(delta > 0 && delta < 1)) throw argumentError('privacySpent', `delta must be in (0, 1), got ${delta}`)
  const at = (order: number): Spent => {
    const divergence = runs.reduce((sum, run) => sum + run.steps * renyiDivergence(run, order), 0)
    const epsilon = divergence + Math.log1p(-1 / order) - (Math.log(delta) + Math.log(order)) / (order - 1)
    return { epsilon: Math.max(0, epsilon), delta, order }
  }
  return orders.map(at).reduce((least, one) => (one.epsilon < least.epsilon ? one : least))
}

/**
 * The least noise multiplier with which a run spends at most `epsilon`, to three digits, rounded up.
 *
 * @throws PullbackError when no noise below a million does.
 * @example
 * ```ts
 * import { noiseFor } from 'pullback/training'
 * console.log(noiseFor(3, 1e-5, { sampleRate: 0.01, steps: 1000 })) // => 0.868408203125
 * ```
 */
export const noiseFor = (
  epsilon: number,
  delta: number,
  run: Omit<PrivacyRun, 'noiseMultiplier'>,
): number => {
  const fits = (noiseMultiplier: number): boolean =>
    privacySpent([{ ...run, noiseMultiplier }], delta).epsilon <= epsilon
  let [low, high] = [0, 1]
  while (!fits(high)) {
    ;[low, high] = [high, high * 2]
    if (high > 1e6)
      throw argumentError(
        'noiseFor',
        `no noise keeps ${run.steps} steps within epsilon ${epsilon} at delta ${delta}`,
      )
  }
  while (high - low > 5e-4 * high) {
    const middle = (low + high) / 2
    if (fits(middle)) high = middle
    else low = middle
  }
  return high
}
