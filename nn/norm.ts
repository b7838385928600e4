/** Normalisation of rows. */
import { add, mul, ones, reshape, standardise, zeros } from '../core/index.ts'
import type { Shape, Tensor } from '../core/index.ts'
import { shapeError } from '../core/error.ts'
import type { Layer } from './layer.ts'
import { requireParam } from './layer.ts'

/** Both have the shape of what is normalised. */
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

const norm =
  (operation: string, center: boolean, defaults: Required<NormOptions>) =>
  (width: number | Shape, options: NormOptions = {}): Layer<NormParams, Tensor, Tensor> => {
    const { epsilon, bias: hasBias } = { ...defaults, ...options }
    const shape = typeof width === 'number' ? [width] : width
    return {
      init: () => ({ weight: ones(shape), ...(hasBias ? { bias: zeros(shape) } : {}) }),
      apply: (params) => {
        requireParam(operation, params, 'weight')
        const { weight, bias } = params
        const rank = weight.shape.length
        return (x) => {
          const lead = x.shape.slice(0, Math.max(0, x.shape.length - rank))
          if (x.shape.slice(lead.length).join() !== weight.shape.join())
            throw shapeError(operation, "the input's last axes must be the weight's", x.shape, weight.shape)
          const rows = rank === 1 ? x : reshape(x, [...lead, -1]) // [..., elements of a row]
          const scaled = mul(reshape(standardise(rows, { epsilon, center }), x.shape), weight)
          return bias === undefined ? scaled : add(scaled, bias)
        }
      },
    }
  }

type Norm = (width: number | Shape, options?: NormOptions) => Layer<NormParams, Tensor, Tensor>

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
export const layerNorm: Norm = norm('layerNorm', true, { epsilon: 1e-5, bias: true })

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
export const rmsNorm: Norm = norm('rmsNorm', false, { epsilon: 1e-6, bias: false })
