/** Rotary positions for texts longer than those that a model was trained on, as configs tell them. */
import * as t from 'io-ts'
import { add, arange, cast, clip, div, greater, less, mul, sub, where } from '../core/index.ts'
import type { Tensor } from '../core/index.ts'
import type { ConfigFile } from './config.ts'
import { isRecord } from './record.ts'

/** How positions turn heads: by base^(-2i/width) radians a place, which scaling changes for longer texts. */
export interface Rope {
  readonly base: number
  /**
   * `linear` divides all by a factor; `llama3` divides slow ones, and leaves fast ones as they are; so does `yarn` (Peng
   * et al. 2023), with a ramp between them, and it scales what is turned; `dynamic` changes nothing up to the model's
   * longest text, beyond which nothing is read here.
   */
  readonly kind: 'default' | 'linear' | 'dynamic' | 'llama3' | 'yarn'
  readonly factor: number
  /** Wavelengths beyond original / low are divided, those below original / high are not (`llama3`). */
  readonly lowFactor: number
  readonly highFactor: number
  /** The longest text before scaling. */
  readonly originalLength: number
  /** What turns more often than this in a text of that length is left as it is (`yarn`). */
  readonly fastTurns?: number
  /** What turns less often than this is divided by the factor (`yarn`). */
  readonly slowTurns?: number
  /** Whether the ramp begins and ends at whole places (`yarn`). */
  readonly whole?: boolean
  /** What queries and keys are multiplied by (`yarn`); by default 0.1 ln(factor) + 1. */
  readonly amplitude?: number
  /** Where both are there, the amplitude is the quotient of 0.1 m ln(factor) + 1 for both (`yarn`). */
  readonly scale?: number
  readonly scaleAll?: number
}

/** Positions as they are in the paper. */
export const defaultRope: Rope = {
  base: 10000,
  kind: 'default',
  factor: 1,
  lowFactor: 1,
  highFactor: 4,
  originalLength: 8192,
}

const kinds: readonly unknown[] = ['default', 'linear', 'dynamic', 'llama3', 'yarn'] satisfies Rope['kind'][]

/** 0.1 m ln(factor) + 1, and 1 where nothing is stretched (Peng et al. 2023, 3.4). */
const amplitudeOf = (factor: number, m = 1): number => (factor <= 1 ? 1 : 0.1 * m * Math.log(factor) + 1)

const yarnNames = [
  ['fastTurns', 'beta_fast'],
  ['slowTurns', 'beta_slow'],
  ['amplitude', 'attention_factor'],
  ['scale', 'mscale'],
  ['scaleAll', 'mscale_all_dim'],
] as const

const ropeOf = (u: unknown): Rope | undefined => {
  if (!isRecord(u)) return undefined
  const kind = u['rope_type'] ?? u['type'] ?? 'default'
  if (!kinds.includes(kind)) return undefined
  const positive = (name: string, fallback: number | undefined): number => {
    const value = u[name] ?? undefined
    return value === undefined ? (fallback ?? NaN) : typeof value === 'number' && value > 0 ? value : NaN
  }
  const llama3 = kind === 'llama3'
  const needed = (fallback: number): number | undefined => (llama3 ? undefined : fallback)
  const rope = {
    base: positive('rope_theta', defaultRope.base),
    kind: kind as Rope['kind'],
    factor: positive('factor', kind === 'default' ? 1 : undefined),
    lowFactor: positive('low_freq_factor', needed(defaultRope.lowFactor)),
    highFactor: positive('high_freq_factor', needed(defaultRope.highFactor)),
    originalLength: positive(
      'original_max_position_embeddings',
      llama3 || kind === 'yarn' ? undefined : defaultRope.originalLength,
    ),
  }
  const given = kind === 'yarn' ? yarnNames.filter(([, name]) => (u[name] ?? null) !== null) : []
  const stretched = {
    ...rope,
    ...Object.fromEntries(given.map(([own, name]) => [own, positive(name, undefined)])),
    ...(kind === 'yarn' && typeof u['truncate'] === 'boolean' ? { whole: u['truncate'] } : {}),
  }
  return Object.values(stretched).some((value) => Number.isNaN(value)) ? undefined : stretched
}

/** The positions of a config file. */
export const ropeCodec: t.Type<Rope, unknown> = new t.Type<Rope, unknown, unknown>(
  'rotary positions of type default, linear, dynamic, llama3 or yarn, with their factors',
  (u): u is Rope => isRecord(u) && typeof u['base'] === 'number',
  (u, context) => {
    const rope = ropeOf(u)
    return rope === undefined ? t.failure(u, context) : t.success(rope)
  },
  ({ base, kind, factor, lowFactor, highFactor, originalLength, ...rope }) => ({
    rope_theta: base,
    rope_type: kind,
    ...(kind === 'default' ? {} : { factor }),
    ...(kind === 'llama3'
      ? {
          low_freq_factor: lowFactor,
          high_freq_factor: highFactor,
          original_max_position_embeddings: originalLength,
        }
      : {}),
    ...(kind === 'yarn'
      ? {
          original_max_position_embeddings: originalLength,
          ...(rope.whole === undefined ? {} : { truncate: rope.whole }),
          ...Object.fromEntries(
            yarnNames.flatMap(([own, name]) => (rope[own] === undefined ? [] : [[name, rope[own]]])),
          ),
        }
      : {}),
  }),
)

/** Older files keep the base by itself, and the scaling under another name. */
export const oneRope = (file: ConfigFile): ConfigFile => {
  const { rope_theta: base, rope_scaling: scaling, ...rest } = file
  if (rest['rope_parameters'] !== undefined) return rest
  if (base === undefined && (scaling === undefined || scaling === null)) return rest
  const own = scaling === undefined || scaling === null ? {} : scaling
  return {
    ...rest,
    rope_parameters: isRecord(own) ? { ...(base === undefined ? {} : { rope_theta: base }), ...own } : own,
  }
}

/**
 * Which of a head's pairs keep their radians, 1, and which are divided by the factor, 0, with a ramp between: those that
 * turn often in a text of the original length keep them (Peng et al. 2023, 3.2).
 */
const kept = (
  count: number,
  { base, originalLength, fastTurns = 32, slowTurns = 1, whole = true }: Rope,
): Tensor => {
  const width = 2 * count
  const pairOf = (turns: number): number =>
    (width * Math.log(originalLength / (turns * 2 * Math.PI))) / (2 * Math.log(base))
  const [from, to] = [pairOf(fastTurns), pairOf(slowTurns)]
  const low = Math.max(whole ? Math.floor(from) : from, 0)
  const high = Math.min(whole ? Math.ceil(to) : to, width - 1)
  const ramp = div(sub(cast(arange(count), 'float32'), low), high === low ? 0.001 : high - low)
  return sub(1, clip(ramp, 0, 1))
}

/**
 * The radians a place by which pairs are turned, from those without scaling: [width / 2].
 *
 * @example
 * ```ts
 * import { rotaryFrequencies } from 'pullback/nn'
 * import { llamaConfig, ropeScaling } from 'pullback/models'
 * const { rope } = llamaConfig({ width: 16, heads: 2 })
 * console.log(ropeScaling(rope)(rotaryFrequencies(8))) // => float32[4] [1, 0.1, 0.01, 0.001]
 * ```
 */
export const ropeScaling =
  (rope: Rope): ((frequencies: Tensor) => Tensor) =>
  (frequencies) => {
    const { kind, factor, lowFactor, highFactor, originalLength } = rope
    if (kind === 'default' || kind === 'dynamic') return frequencies
    const slow = div(frequencies, factor)
    if (kind === 'linear') return slow
    if (kind === 'yarn') {
      const share = kept(frequencies.shape[0] as number, rope)
      return add(mul(sub(1, share), slow), mul(share, frequencies))
    }
    const wavelength = div(2 * Math.PI, frequencies) // in places
    const [longest, shortest] = [originalLength / lowFactor, originalLength / highFactor]
    const share = div(sub(div(originalLength, wavelength), lowFactor), highFactor - lowFactor)
    const between = add(mul(sub(1, share), slow), mul(share, frequencies))
    return where(greater(wavelength, longest), slow, where(less(wavelength, shortest), frequencies, between))
  }

/**
 * What queries and keys are multiplied by beside being turned: 1 unless the kind is `yarn`.
 *
 * @example
 * ```ts
 * import { llamaConfig, ropeAmplitude } from 'pullback/models'
 * const { rope } = llamaConfig({ width: 16, heads: 2 })
 * console.log(ropeAmplitude(rope), ropeAmplitude({ ...rope, kind: 'yarn', factor: 4 }).toFixed(3)) // => 1 1.139
 * ```
 */
export const ropeAmplitude = ({ kind, factor, amplitude, scale = 0, scaleAll = 0 }: Rope): number => {
  if (kind !== 'yarn') return 1
  if (amplitude !== undefined) return amplitude
  return scale > 0 && scaleAll > 0
    ? amplitudeOf(factor, scale) / amplitudeOf(factor, scaleAll)
    : amplitudeOf(factor)
}
