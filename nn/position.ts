/** Where in the sequence: sinusoidal, learned and rotary positions. */
import {
  add,
  arange,
  cast,
  concatenate,
  cos,
  exp,
  expandDims,
  mul,
  random,
  reshape,
  sin,
  sliceAxis,
  splitAxis,
  squeeze,
  stack,
  sub,
} from '../core/index.ts'
import type { Tensor } from '../core/index.ts'
import { argumentError, checkOptions, shapeError } from '../core/error.ts'
import type { Initialiser } from './initialiser.ts'
import { fansOf, normal } from './initialiser.ts'
import type { NoParams } from './layer.ts'
import type { KeepingLayer, RowLayer } from './size.ts'
import { lift, requireParam } from './layer.ts'

type Floating = 'float32' | 'float64'

const floatingOf = (x: Tensor): Floating => (x.dtype === 'float64' ? 'float64' : 'float32')

/**
 * base^(-2i / width) for i = 0 … width / 2 - 1, the radians a place by which pairs are turned: [width / 2].
 *
 * @example
 * ```ts
 * import { rotaryFrequencies } from 'pullback/nn'
 * console.log(rotaryFrequencies(4)) // => float32[2] [1, 0.01]
 * ```
 */
export const rotaryFrequencies = (width: number, base = 10000, dtype: Floating = 'float32'): Tensor => {
  if (width % 2 !== 0) throw argumentError('positions', `the width must be even, got ${width}`)
  return exp(mul(cast(arange(width / 2), dtype), (-2 * Math.log(base)) / width))
}

/** position · frequency: [..., time] → [..., time, frequencies], in radians. */
const angles = (positions: Tensor, frequencies: Tensor): Tensor =>
  mul(expandDims(cast(positions, frequencies.dtype), -1), frequencies)

export interface SinusoidalOptions {
  readonly base?: number
  /** Sines in the even columns and cosines in the odd ones, as in the paper; or all sines before all cosines. */
  readonly interleaved?: boolean
  readonly dtype?: Floating
}

const sinusoidalOptions = ['base', 'interleaved', 'dtype'] as const

/**
 * sin(p · base^(-2i/width)) and its cosine for positions p (integers [..., time]): [..., time, width] (Vaswani et
 * al. 2017, 3.5).
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { sinusoidal } from 'pullback/nn'
 * console.log(sinusoidal(tensor([0, 1], { dtype: 'int32' }), 4))
 * // => float32[2, 4] [[0, 1, 0, 1], [0.841471, 0.540302, 0.00999983, 0.99995]]
 * ```
 */
export const sinusoidal = (positions: Tensor, width: number, options: SinusoidalOptions = {}): Tensor => {
  checkOptions('sinusoidal', options, sinusoidalOptions)
  const { base = 10000, interleaved = true, dtype = 'float32' } = options
  const angle = angles(positions, rotaryFrequencies(width, base, dtype)) // [..., time, width / 2]
  if (!interleaved) return concatenate([sin(angle), cos(angle)], -1)
  return reshape(stack([sin(angle), cos(angle)], -1), [...positions.shape, width])
}

/**
 * x [..., time, width] with the sinusoidal encodings of 0 … time - 1 added; no parameters.
 *
 * @example
 * ```ts
 * import { zeros } from 'pullback'
 * import { evaluation, sinusoidalPositions } from 'pullback/nn'
 * const positions = sinusoidalPositions()
 * console.log(positions.apply({}, evaluation)(zeros([1, 2, 4])))
 * // => float32[1, 2, 4] [[[0, 1, 0, 1], [0.841471, 0.540302, 0.00999983, 0.99995]]]
 * ```
 */
export const sinusoidalPositions = (options: SinusoidalOptions = {}): KeepingLayer<NoParams> => {
  checkOptions('sinusoidalPositions', options, sinusoidalOptions)
  return lift((x: Tensor) => {
    const [time, width] = timeAndWidth('sinusoidalPositions', x)
    return add(x, sinusoidal(arange(time), width, { ...options, dtype: floatingOf(x) }))
  }) as never
}

const timeAndWidth = (operation: string, x: Tensor): readonly [time: number, width: number] => {
  if (x.shape.length < 2) throw shapeError(operation, 'the input must be [..., time, width]', x.shape)
  return [x.shape.at(-2) as number, x.shape.at(-1) as number]
}

export interface LearnedPositionsOptions {
  /** Normal with deviation 0.02 unless given. */
  readonly initialiser?: Initialiser
}

/**
 * x [..., time, width] with the first `time` rows of a trained table [length, width] added.
 *
 * @throws PullbackError when the sequence is longer than the table.
 * @example
 * ```ts
 * import { random, zeros } from 'pullback'
 * import { evaluation, learnedPositions } from 'pullback/nn'
 * const positions = learnedPositions(512, 8)
 * console.log(positions.apply(positions.init(random.key(0)), evaluation)(zeros([1, 5, 8])).shape)
 * // => [1, 5, 8]
 * ```
 */
export const learnedPositions = <const W extends number>(
  length: number,
  width: W,
  options: LearnedPositionsOptions = {},
): RowLayer<{ readonly weight: Tensor }, 'learnedPositions', W, W> => {
  checkOptions('learnedPositions', options, ['initialiser'])
  const { initialiser = normal(0.02) } = options
  return {
    init: (key) => ({
      weight: initialiser(random.foldIn(key, 'weight'), [length, width], fansOf([length, width])),
    }),
    apply: (params) => {
      requireParam('learnedPositions', params, 'weight')
      return ((x: Tensor) => {
        const [time] = timeAndWidth('learnedPositions', x)
        if (time > (params.weight.shape[0] as number))
          throw shapeError(
            'learnedPositions',
            'the sequence is longer than the table',
            x.shape,
            params.weight.shape,
          )
        return add(x, sliceAxis(params.weight, 0, 0, time))
      }) as never
    },
  }
}

export interface RotaryOptions {
  readonly base?: number
  /** How many of each head's numbers are rotated, the first ones; all by default. */
  readonly dimensions?: number
  /** Whether neighbours (2i, 2i + 1) make a pair, as in the paper, or i and i + dimensions / 2, as in Llama (default). */
  readonly interleaved?: boolean
  /**
   * Changes the radians per position, base^(-2i/dimensions) [dimensions / 2], for contexts longer than trained; it is
   * told the positions.
   */
  readonly rescale?: (frequencies: Tensor, positions: Tensor) => Tensor
  /** What is turned is multiplied by this; 1 by default. */
  readonly amplitude?: number
}

const rotaryOptions = ['base', 'dimensions', 'interleaved', 'rescale', 'amplitude'] as const

/**
 * Pairs of a head's numbers turned by an angle in proportion to the position, so that scores depend on distance
 * alone (Su et al. 2021). x [..., heads, time, width]; positions (integers) [time] or [batch, time], 0 … time - 1
 * where left out.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { rotary } from 'pullback/nn'
 * const x = tensor([[[[1, 0], [1, 0]]]]) // [batch, heads, time, width]
 * console.log(rotary(x)) // => float32[1, 1, 2, 2] [[[[1, 0], [0.540302, 0.841471]]]]
 * ```
 */
export const rotary = (x: Tensor, options: RotaryOptions = {}, positions?: Tensor): Tensor => {
  checkOptions('rotary', options, rotaryOptions)
  const [time, width] = timeAndWidth('rotary', x)
  const { base = 10000, dimensions = width, interleaved = false, rescale = (f) => f, amplitude = 1 } = options
  if (dimensions > width || dimensions % 2 !== 0)
    throw shapeError('rotary', `cannot turn ${dimensions} numbers, an even part of the last axis`, x.shape)
  const places = positions ?? arange(time)
  if (places.shape.at(-1) !== time)
    throw shapeError('rotary', 'positions must be [time] or [batch, time]', places.shape, x.shape)
  const frequencies = rescale(rotaryFrequencies(dimensions, base, floatingOf(x)), places)
  const plain = angles(places, frequencies) // [..., time, dimensions / 2]
  const angle = plain.shape.length > 2 ? expandDims(plain, -3) : plain // [batch, 1, time, dimensions / 2]
  const part = sliceAxis(x, -1, 0, dimensions)
  const turned = amplitude === 1 ? part : mul(part, amplitude)
  const result = interleaved ? turnNeighbours(turned, angle) : turnHalves(turned, angle)
  return dimensions === width ? result : concatenate([result, sliceAxis(x, -1, dimensions)], -1)
}

const turn = (a: Tensor, b: Tensor, angle: Tensor): readonly [Tensor, Tensor] => {
  const [c, s] = [cos(angle), sin(angle)]
  return [sub(mul(a, c), mul(b, s)), add(mul(b, c), mul(a, s))]
}

const turnHalves = (x: Tensor, angle: Tensor): Tensor => {
  const [a, b] = splitAxis(x, 2, -1) as [Tensor, Tensor]
  return concatenate(turn(a, b, angle), -1)
}

const turnNeighbours = (x: Tensor, angle: Tensor): Tensor => {
  const pairs = reshape(x, [...x.shape.slice(0, -1), -1, 2]) // [..., time, width / 2, 2]
  const [a, b] = splitAxis(pairs, 2, -1).map((part) => squeeze(part, -1)) as [Tensor, Tensor]
  return reshape(stack(turn(a, b, angle), -1), x.shape)
}
