/** Normalisation of rows. */
import {
  add,
  mean,
  mul,
  ones,
  reshape,
  rsqrt,
  standardise,
  stopGradient,
  sub,
  swapAxes,
  variance,
  zeros,
} from '../core/index.ts'
import type { Shape, Tensor } from '../core/index.ts'
import { argumentError, checkOptions, shapeError } from '../core/error.ts'
import { sameShape } from '../core/shape.ts'
import type { Layer } from './layer.ts'
import { requireParam } from './layer.ts'
import { biased } from './linear.ts'
import type { KeepingLayer, RowLayer } from './size.ts'
import type { NormalisingLayer } from './stream.ts'

const elements = (shape: Shape): number => shape.reduce((n, size) => n * size, 1)

/** Both have the shape of what is normalised; in groups and batches, [channels]. */
export interface NormParams {
  readonly weight: Tensor
  readonly bias?: Tensor
}

export interface NormOptions {
  /** Added to the variance; 1e-5 by default (BERT has 1e-12), for `rmsNorm` 1e-6. */
  readonly epsilon?: number
  /** Whether there is a bias; by default `layerNorm` has one and `rmsNorm` has none. */
  readonly bias?: boolean
}

const normOptions = ['epsilon', 'bias'] as const

const initial = (shape: Shape, hasBias: boolean): NormParams => ({
  weight: ones(shape),
  ...(hasBias ? { bias: zeros(shape) } : {}),
})

const affine = ({ weight, bias }: NormParams, x: Tensor): Tensor => biased(mul(x, weight), bias)

const norm =
  <M extends string>(operation: M, center: boolean, defaults: Required<NormOptions>): Norm<M> =>
  <const N extends number | Shape>(width: N, options: NormOptions = {}) => {
    checkOptions(operation, options, normOptions)
    const { epsilon, bias: hasBias } = { ...defaults, ...options }
    const given: number | Shape = width
    const shape = typeof given === 'number' ? [given] : given
    const layer: Layer<NormParams, Tensor, Tensor> = {
      init: () => initial(shape, hasBias),
      apply: (params) => {
        requireParam(operation, params, 'weight')
        const { weight } = params
        const rank = weight.shape.length
        return (x) => {
          const lead = x.shape.slice(0, Math.max(0, x.shape.length - rank))
          if (!sameShape(x.shape.slice(lead.length), weight.shape))
            throw shapeError(operation, "the input's last axes must be the weight's", x.shape, weight.shape)
          const rows = rank === 1 ? x : reshape(x, [...lead, elements(weight.shape)]) // [..., elements of a row]
          return affine(params, reshape(standardise(rows, { epsilon, center }), x.shape))
        }
      },
    }
    return layer as NormOf<M, N>
  }

/** A norm of rows knows their size; of several axes, it keeps whatever shape comes. */
type NormOf<M extends string, N> = N extends number ? RowLayer<NormParams, M, N, N> : KeepingLayer<NormParams>

type Norm<M extends string> = <const N extends number | Shape>(
  width: N,
  options?: NormOptions,
) => NormOf<M, N>

/**
 * (x - mean) / √(variance + epsilon) · weight + bias along the last axis, or the last axes where a shape is given
 * (Ba, Kiros and Hinton 2016).
 *
 * @throws PullbackError when the input's last axes are others.
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation, layerNorm } from 'pullback/nn'
 * const norm = layerNorm(4)
 * console.log(norm.apply(norm.init(random.key(0)), evaluation)(tensor([[1, 2, 3, 4]])))
 * // => float32[1, 4] [[-1.34164, -0.447212, 0.447212, 1.34164]]
 * ```
 */
export const layerNorm: Norm<'layerNorm'> = norm('layerNorm', true, { epsilon: 1e-5, bias: true })

/**
 * x / √(mean square + epsilon) · weight along the last axis, or axes (Zhang and Sennrich 2019).
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation, rmsNorm } from 'pullback/nn'
 * const norm = rmsNorm(4)
 * console.log(norm.apply(norm.init(random.key(0)), evaluation)(tensor([[1, 1, 1, 1]])))
 * // => float32[1, 4] [[1, 1, 1, 1]]
 * ```
 */
export const rmsNorm: Norm<'rmsNorm'> = norm('rmsNorm', false, { epsilon: 1e-6, bias: false })

/**
 * The channels, which are last, in groups, each standardised over its channels and all places of an example: [batch,
 * ...places, channels] (Wu and He 2018). Weight and bias are one for each channel.
 *
 * @throws PullbackError when the input's channels are others, or do not fall into the groups.
 * @example
 * ```ts
 * import { random, zeros } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * const layer = groupNorm(2, 6)
 * console.log(layer.apply(layer.init(random.key(0)), evaluation)(zeros([3, 8, 8, 6])).shape) // => [3, 8, 8, 6]
 * ```
 */
export const groupNorm = <const N extends number>(
  groups: number,
  channels: N,
  options: NormOptions = {},
): RowLayer<NormParams, 'groupNorm', N, N> => {
  checkOptions('groupNorm', options, normOptions)
  const { epsilon = 1e-5, bias: hasBias = true } = options
  if (!Number.isInteger(groups) || groups < 1 || channels % groups !== 0)
    throw argumentError('groupNorm', `${channels} channels do not fall into ${groups} groups`)
  return {
    init: () => initial([channels], hasBias),
    apply: (params) => {
      requireParam('groupNorm', params, 'weight')
      return ((x: Tensor) => {
        if (x.shape.length < 2 || x.shape.at(-1) !== channels)
          throw shapeError('groupNorm', `the input must be [batch, ..., ${channels}]`, x.shape)
        const [batch, each] = [x.shape[0] as number, channels / groups]
        const places = elements(x.shape.slice(1, -1))
        const apart = swapAxes(reshape(x, [batch, places, groups, each]), 1, 2) // [batch, groups, places, each]
        const rows = standardise(reshape(apart, [batch, groups, places * each]), { epsilon, center: true })
        return affine(params, reshape(swapAxes(reshape(rows, apart.shape), 1, 2), x.shape))
      }) as never
    },
  }
}

/** The running mean and variance of each channel, [channels]: a state beside the parameters, which no gradient reaches. */
export interface BatchStatistics {
  readonly mean: Tensor
  readonly variance: Tensor
}

export interface BatchNormInput {
  readonly x: Tensor
  readonly statistics: BatchStatistics
}

export interface BatchNormOutput {
  readonly x: Tensor
  /** What to go in beside the next batch. */
  readonly statistics: BatchStatistics
}

export interface BatchNormOptions extends NormOptions {
  /** The share of a batch in the statistics behind it; 0.1 by default. */
  readonly momentum?: number
}

/**
 * The statistics before the first batch: mean 0, variance 1.
 *
 * @example
 * ```ts
 * import { initialStatistics } from 'pullback/nn'
 * console.log(initialStatistics(2)) // => { mean: float32[2] [0, 0], variance: float32[2] [1, 1] }
 * ```
 */
export const initialStatistics = <const N extends number>(
  channels: N,
): { readonly mean: Tensor<[N], 'float32'>; readonly variance: Tensor<[N], 'float32'> } => ({
  mean: zeros([channels]),
  variance: ones([channels]),
})

/**
 * Each channel, the last axis, standardised over all examples and places of a batch in training, and by the running
 * statistics in evaluation (Ioffe and Szegedy 2015). Nothing is kept inside: the statistics go in and come out.
 *
 * @throws PullbackError when the input's channels are others.
 * @example
 * ```ts
 * import { random, tensor, toNested } from 'pullback'
 * import { training } from 'pullback/nn'
 * const layer = batchNorm(1, { epsilon: 0 })
 * const params = layer.init(random.key(0))
 * const input = { x: tensor([[1], [3]]), statistics: initialStatistics(1) }
 * const { x, statistics } = layer.apply(params, training(random.key(1)))(input)
 * console.log(await toNested(x), await toNested(statistics.variance)) // => [[-1], [1]] [1.100000023841858]
 * ```
 */
export const batchNorm = <const N extends number>(
  channels: N,
  options: BatchNormOptions = {},
): NormalisingLayer<NormParams, 'batchNorm', N> => {
  checkOptions('batchNorm', options, [...normOptions, 'momentum'])
  return overBatches(channels, options) as never
}

const overBatches = (
  channels: number,
  { epsilon = 1e-5, bias: hasBias = true, momentum = 0.1 }: BatchNormOptions,
): Layer<NormParams, BatchNormInput, BatchNormOutput> => ({
  init: () => initial([channels], hasBias),
  apply: (params, { mode }) => {
    requireParam('batchNorm', params, 'weight')
    return ({ x, statistics }) => {
      if (x.shape.length < 2 || x.shape.at(-1) !== channels)
        throw shapeError('batchNorm', `the input must be [batch, ..., ${channels}]`, x.shape)
      const rows = reshape(x, [-1, channels])
      const own =
        mode === 'train'
          ? { mean: mean(rows, { axis: 0 }), variance: variance(rows, { axis: 0 }) }
          : statistics
      const even = mul(sub(x, own.mean), rsqrt(add(own.variance, epsilon)))
      return {
        x: affine(params, even),
        statistics: mode === 'train' ? mixed(statistics, own, momentum, rows.shape[0] as number) : statistics,
      }
    }
  },
})

/** The running variance is that of a sample, divided by one less. */
const mixed = (
  before: BatchStatistics,
  own: BatchStatistics,
  momentum: number,
  count: number,
): BatchStatistics => {
  const blend = (a: Tensor, b: Tensor): Tensor => stopGradient(add(mul(a, 1 - momentum), mul(b, momentum)))
  const sample = mul(own.variance, count / Math.max(1, count - 1))
  return { mean: blend(before.mean, own.mean), variance: blend(before.variance, sample) }
}
