/** Convolutions over one or two axes of places; channels are last. */
import { conv1d, conv2d, convTranspose1d, convTranspose2d, random } from '../core/index.ts'
import type { ConvolutionOptions, Key, Tensor, TransposedOptions } from '../core/index.ts'
import { argumentError, checkOptions } from '../core/error.ts'
import type { NoOptions } from '../core/type.ts'
import { fansOf, torchUniform } from './initialiser.ts'
import { requireParam } from './layer.ts'
import type { LinearOptions, LinearParams } from './linear.ts'
import { biased, linearOptions } from './linear.ts'
import type { AxisCount, SlidingLayer } from './slide.ts'

/** `weight` [...window, in / groups, out], `bias` [out]: PyTorch's weight is [out, in / groups, ...window]. */
export type ConvolutionParams = LinearParams

/** How the window moves; begins as PyTorch's layers do (`torchUniform`) unless initialisers are given. */
export type ConvolutionLayerOptions = ConvolutionOptions & LinearOptions
export type TransposedLayerOptions = TransposedOptions & LinearOptions

/** The two kinds of convolution: what says how each moves. */
interface Kinds {
  readonly window: ConvolutionLayerOptions
  readonly transpose: TransposedLayerOptions
}

/** The names of what core's convolutions are told. */
const moves: { readonly [K in keyof Kinds]: readonly (keyof Kinds[K] & string)[] } = {
  window: ['stride', 'padding', 'dilation', 'groups'],
  transpose: ['stride', 'padding', 'dilation', 'groups', 'outputPadding'],
}

/** What says how large a window is: a number for each axis, or one for both. */
interface Windows {
  readonly 1: number
  readonly 2: number | readonly [number, number]
}

type SizesOf<R extends AxisCount, W> = W extends number ? (R extends 1 ? readonly [W] : readonly [W, W]) : W

type Convolution<Name extends string, R extends AxisCount, Kind extends keyof Kinds> = <
  const I extends number,
  const O extends number,
  const W extends Windows[R],
  const Options extends Kinds[Kind] = NoOptions,
>(
  inChannels: I,
  outChannels: O,
  window: W,
  options?: Options,
) => SlidingLayer<
  ConvolutionParams,
  Name,
  R,
  I,
  O,
  readonly [readonly [Kind, Extract<SizesOf<R, W>, readonly number[]>, O, Options]]
>

const convolution = <Name extends string, R extends AxisCount, Kind extends keyof Kinds>(
  operation: Name,
  axes: R,
  kind: Kind,
  slide: (x: Tensor, weight: never, options: never) => Tensor,
): Convolution<Name, R, Kind> => {
  const layer = (
    inChannels: number,
    outChannels: number,
    window: number | readonly number[],
    options: Kinds[Kind] = {},
  ) => {
    checkOptions(operation, options, [...linearOptions, ...moves[kind]])
    const { bias = true, weightInitialiser = torchUniform, biasInitialiser = torchUniform, ...move } = options
    const { groups = 1 } = options
    const sizes = typeof window === 'number' ? Array.from({ length: axes }, () => window) : window
    const shape = [...sizes, inChannels / groups, outChannels]
    if (shape.length !== axes + 2 || shape.some((size) => !Number.isInteger(size) || size < 1))
      throw argumentError(
        operation,
        `window and channels must be whole numbers from 1 on, got [${shape.join(', ')}]`,
      )
    const { fanIn, fanOut } = fansOf(shape)
    // PyTorch counts the fans of a transposed convolution the other way round.
    const fans = kind === 'window' ? { fanIn, fanOut } : { fanIn: fanOut / groups, fanOut: fanIn * groups }
    return {
      init: (key: Key): ConvolutionParams => ({
        weight: weightInitialiser(random.foldIn(key, 'weight'), shape, fans),
        ...(bias ? { bias: biasInitialiser(random.foldIn(key, 'bias'), [outChannels], fans) } : {}),
      }),
      apply: (params: ConvolutionParams) => {
        requireParam(operation, params, 'weight')
        return (x: Tensor) => biased(slide(x, params.weight as never, move as never), params.bias)
      },
    }
  }
  return layer as never
}

/**
 * A window of `window` steps slid over [batch, length, in], which gives [batch, length', out]. Its type knows the
 * channels, and of literal sizes the length that comes out: `sequence(convolution1d(3, 8, 5), convolution1d(4, 8, 5))`
 * does not compile.
 *
 * @throws PullbackError when the input is of another rank or has other channels.
 * @example
 * ```ts
 * import { random, zeros } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * const layer = convolution1d(4, 8, 3, { padding: 'same' })
 * console.log(layer.apply(layer.init(random.key(0)), evaluation)(zeros([2, 5, 4])).shape) // => [2, 5, 8]
 * ```
 */
export const convolution1d: Convolution<'convolution1d', 1, 'window'> = convolution(
  'convolution1d',
  1,
  'window',
  conv1d,
)

/**
 * A window, one number or [height, width], slid over [batch, height, width, in], which gives
 * [batch, height', width', out].
 *
 * @throws PullbackError when the input is of another rank or has other channels.
 * @example
 * ```ts
 * import { random, relu, zeros } from 'pullback'
 * import { evaluation, lift, sequence } from 'pullback/nn'
 * const network = sequence(convolution2d(3, 8, 3, { padding: 'same' }), lift(relu), convolution2d(8, 4, 2, { stride: 2 }))
 * const params = network.init(random.key(0))
 * console.log(network.apply(params, evaluation)(zeros([1, 6, 6, 3])).shape) // => [1, 3, 3, 4]
 * ```
 */
export const convolution2d: Convolution<'convolution2d', 2, 'window'> = convolution(
  'convolution2d',
  2,
  'window',
  conv2d,
)

/**
 * The transpose of a convolution over one axis: [batch, length, in] becomes [batch, length', out], longer by its stride.
 *
 * @throws PullbackError when the input is of another rank or has other channels.
 * @example
 * ```ts
 * import { random, zeros } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * const layer = transposedConvolution1d(4, 2, 2, { stride: 2 })
 * console.log(layer.apply(layer.init(random.key(0)), evaluation)(zeros([1, 5, 4])).shape) // => [1, 10, 2]
 * ```
 */
export const transposedConvolution1d: Convolution<'transposedConvolution1d', 1, 'transpose'> = convolution(
  'transposedConvolution1d',
  1,
  'transpose',
  convTranspose1d,
)

/**
 * The transpose of a convolution over two axes: [batch, height, width, in] becomes [batch, height', width', out],
 * larger by its stride.
 *
 * @throws PullbackError when the input is of another rank or has other channels.
 * @example
 * ```ts
 * import { random, zeros } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * const layer = transposedConvolution2d(8, 3, 2, { stride: 2 })
 * console.log(layer.apply(layer.init(random.key(0)), evaluation)(zeros([1, 4, 4, 8])).shape) // => [1, 8, 8, 3]
 * ```
 */
export const transposedConvolution2d: Convolution<'transposedConvolution2d', 2, 'transpose'> = convolution(
  'transposedConvolution2d',
  2,
  'transpose',
  convTranspose2d,
)
