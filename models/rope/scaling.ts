/** What scaling does to the radians by which positions turn heads. */
import {
  add,
  arange,
  cast,
  clip,
  div,
  exp,
  fromArray,
  greater,
  less,
  log,
  max,
  maximum,
  mul,
  sub,
  where,
} from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import type { Rope } from './config.ts'

/** 0.1 m ln(factor) + 1, and 1 where nothing is stretched (Peng et al. 2023, 3.4). */
const amplitudeOf = (factor: number, m = 1): number => (factor <= 1 ? 1 : 0.1 * m * Math.log(factor) + 1)

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

const yarn = (frequencies: Tensor, rope: Rope): Tensor => {
  const share = kept(frequencies.shape[0] as number, rope)
  return add(mul(sub(1, share), div(frequencies, rope.factor)), mul(share, frequencies))
}

const llama3 = (frequencies: Tensor, { factor, lowFactor, highFactor, originalLength }: Rope): Tensor => {
  const slow = div(frequencies, factor)
  const wavelength = div(2 * Math.PI, frequencies) // in places
  const [longest, shortest] = [originalLength / lowFactor, originalLength / highFactor]
  const share = div(sub(div(originalLength, wavelength), lowFactor), highFactor - lowFactor)
  const between = add(mul(sub(1, share), slow), mul(share, frequencies))
  return where(greater(wavelength, longest), slow, where(less(wavelength, shortest), frequencies, between))
}

/** How long the longest text is at whose places these are: [...] → []. */
const lengthAt = (positions: Tensor, like: Tensor): Tensor => add(cast(max(positions), like.dtype), 1)

/** base · s for base, s = factor · length / original - (factor - 1), to the power width / (width - 2). */
const dynamic = (frequencies: Tensor, positions: Tensor, { factor, originalLength }: Rope): Tensor => {
  const [pairs] = frequencies.shape as readonly [number]
  // One pair alone is turned by a radian a place, whatever the base.
  if (pairs === 1) return frequencies
  const length = maximum(lengthAt(positions, frequencies), originalLength)
  const stretch = sub(mul(length, factor / originalLength), factor - 1)
  const power = div(cast(arange(pairs), frequencies.dtype), 1 - pairs)
  return mul(frequencies, exp(mul(log(stretch), power)))
}

const longrope = (frequencies: Tensor, positions: Tensor, rope: Rope): Tensor => {
  const { originalLength, shortFactors = [], longFactors = [] } = rope
  const by = (factors: readonly number[]): Tensor =>
    div(frequencies, cast(fromArray(Float32Array.from(factors), [factors.length]), frequencies.dtype))
  return where(greater(lengthAt(positions, frequencies), originalLength), by(longFactors), by(shortFactors))
}

/**
 * The radians a place by which pairs are turned, from those without scaling [width / 2] and the places of the tokens
 * that are read at once, [time] or [batch, time]: [width / 2]. Where the length decides, it is the longest text's, as in
 * Transformers, and keys that were kept stay as they were turned.
 *
 * @example
 * ```ts
 * import { arange } from 'pullback'
 * import { rotaryFrequencies } from 'pullback/nn'
 * import { llamaConfig, ropeScaling } from 'pullback/models'
 * const { rope } = llamaConfig({ width: 16, heads: 2 })
 * const scale = ropeScaling({ ...rope, kind: 'linear', factor: 2 })
 * console.log(scale(rotaryFrequencies(8), arange(4))) // => float32[4] [0.5, 0.05, 0.005, 0.0005]
 * ```
 */
export const ropeScaling =
  (rope: Rope): ((frequencies: Tensor, positions: Tensor) => Tensor) =>
  (frequencies, positions) => {
    switch (rope.kind) {
      case 'default':
        return frequencies
      case 'linear':
        return div(frequencies, rope.factor)
      case 'dynamic':
        return dynamic(frequencies, positions, rope)
      case 'llama3':
        return llama3(frequencies, rope)
      case 'yarn':
        return yarn(frequencies, rope)
      case 'longrope':
        return longrope(frequencies, positions, rope)
    }
  }

/**
 * What queries and keys are multiplied by beside being turned: 1 unless the kind is `yarn` or `longrope`.
 *
 * @example
 * ```ts
 * import { llamaConfig, ropeAmplitude } from 'pullback/models'
 * const { rope } = llamaConfig({ width: 16, heads: 2 })
 * console.log(ropeAmplitude(rope), ropeAmplitude({ ...rope, kind: 'yarn', factor: 4 }).toFixed(3)) // => 1 1.139
 * ```
 */
export const ropeAmplitude = (rope: Rope): number => {
  const { kind, factor, originalLength, amplitude, scale = 0, scaleAll = 0 } = rope
  if (kind !== 'yarn' && kind !== 'longrope') return 1
  if (amplitude !== undefined) return amplitude
  if (kind === 'longrope') return factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(originalLength))
  return scale > 0 && scaleAll > 0
    ? amplitudeOf(factor, scale) / amplitudeOf(factor, scaleAll)
    : amplitudeOf(factor)
}
