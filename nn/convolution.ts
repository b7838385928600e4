/** Convolutions over one or two axes of places; channels are last. */
import { conv1d, conv2d, convTranspose1d, convTranspose2d, random } from '../core/index.ts'
import type { ConvolutionOptions, Shape, Tensor, TransposedOptions } from '../core/index.ts'
import { argumentError } from '../core/error.ts'
import { fansOf, torchUniform } from './initialiser.ts'
import type { Fans } from './initialiser.ts'
import type { Layer } from './layer.ts'
import { requireParam } from './layer.ts'
import type { LinearOptions, LinearParams } from './linear.ts'
import { biased } from './linear.ts'

/** `weight` [...window, in / groups, out], `bias` [out]: PyTorch's weight is [out, in / groups, ...window]. */
export type ConvolutionParams = LinearParams

/** How the window moves; begins as PyTorch's layers do (`torchUniform`) unless initialisers are given. */
export type ConvolutionLayerOptions = ConvolutionOptions & LinearOptions
export type TransposedLayerOptions = TransposedOptions & LinearOptions

type Slide<O> = (x: Tensor, weight: Tensor, options: O) => Tensor

const layerOf = <O>(
  operation: string,
  slide: Slide<O>,
  shape: Shape,
  fans: Fans,
  { bias = true, weightInitialiser = torchUniform, biasInitialiser = torchUniform, ...moves }: LinearOptions,
): Layer<ConvolutionParams, Tensor, Tensor> => {
  if (shape.some((size) => !Number.isInteger(size) || size < 1))
    throw argumentError(
      operation,
      `window and channels must be whole numbers from 1 on, got [${shape.join(', ')}]`,
    )
  return {
    init: (key) => ({
      weight: weightInitialiser(random.foldIn(key, 'weight'), shape, fans),
      ...(bias ? { bias: biasInitialiser(random.foldIn(key, 'bias'), shape.slice(-1), fans) } : {}),
    }),
    apply: (params) => {
      requireParam(operation, params, 'weight')
      return (x) => biased(slide(x, params.weight, moves as O), params.bias)
    },
  }
}

/** PyTorch counts the fans of a transposed convolution the other way round. */
const turned = (shape: Shape, groups = 1): Fans => {
  const { fanIn, fanOut } = fansOf(shape)
  return { fanIn: fanOut / groups, fanOut: fanIn * groups }
}

const pair = (window: number | readonly [number, number]): readonly [number, number] =>
  typeof window === 'number' ? [window, window] : window

/**
 * A window of `window` steps slid over [batch, time, in], which gives [batch, time', out].
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
export const convolution1d = (
  inChannels: number,
  outChannels: number,
  window: number,
  options: ConvolutionLayerOptions = {},
): Layer<ConvolutionParams, Tensor, Tensor> => {
  const shape = [window, inChannels / (options.groups ?? 1), outChannels]
  return layerOf<ConvolutionOptions>('convolution1d', conv1d, shape, fansOf(shape), options)
}

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
export const convolution2d = (
  inChannels: number,
  outChannels: number,
  window: number | readonly [number, number],
  options: ConvolutionLayerOptions = {},
): Layer<ConvolutionParams, Tensor, Tensor> => {
  const shape = [...pair(window), inChannels / (options.groups ?? 1), outChannels]
  return layerOf<ConvolutionOptions>('convolution2d', conv2d, shape, fansOf(shape), options)
}

/**
 * The transpose of a convolution over one axis: [batch, time, in] becomes [batch, time', out], longer by its stride.
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
export const transposedConvolution1d = (
  inChannels: number,
  outChannels: number,
  window: number,
  options: TransposedLayerOptions = {},
): Layer<ConvolutionParams, Tensor, Tensor> => {
  const shape = [window, inChannels / (options.groups ?? 1), outChannels]
  return layerOf<TransposedOptions>(
    'transposedConvolution1d',
    convTranspose1d,
    shape,
    turned(shape, options.groups),
    options,
  )
}

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
export const transposedConvolution2d = (
  inChannels: number,
  outChannels: number,
  window: number | readonly [number, number],
  options: TransposedLayerOptions = {},
): Layer<ConvolutionParams, Tensor, Tensor> => {
  const shape = [...pair(window), inChannels / (options.groups ?? 1), outChannels]
  return layerOf<TransposedOptions>(
    'transposedConvolution2d',
    convTranspose2d,
    shape,
    turned(shape, options.groups),
    options,
  )
}
