import { add, matmul, random } from '../core/index.ts'
import type { Tensor } from '../core/index.ts'
import { checkOptions, shapeError } from '../core/error.ts'
import type { Initialiser } from './initialiser.ts'
import { torchUniform } from './initialiser.ts'
import { requireParam } from './layer.ts'
import type { RowLayer } from './size.ts'
import { asQuantized, quantizedProduct, quantizedSizes } from './quantized.ts'

/** `weight` [in, out], `bias` [out]: PyTorch's weight is [out, in]. */
export interface LinearParams {
  readonly weight: Tensor
  readonly bias?: Tensor
}

export interface LinearOptions {
  /** Whether there is a bias; true by default. */
  readonly bias?: boolean
  /** `torchUniform` unless given. */
  readonly weightInitialiser?: Initialiser
  /** `torchUniform` unless given. */
  readonly biasInitialiser?: Initialiser
}

/** The names of a linear layer's options. */
export const linearOptions = ['bias', 'weightInitialiser', 'biasInitialiser'] as const

/**
 * x · weight + bias along the last axis: [..., in] → [..., out]. The weight is [in, out]. Its sizes are in its type:
 * `sequence(linear(32, 100), linear(64, 128))` does not compile.
 *
 * @throws PullbackError when the last axis is not `in`.
 * @example
 * ```ts
 * import { tensor, toNested } from 'pullback'
 * const double = linear(2, 2, { bias: false })
 * const params = { weight: tensor([[2, 0], [0, 2]]) }
 * console.log(await toNested(double.apply(params, { mode: 'eval' })(tensor([[1, 2]])))) // => [[2, 4]]
 * ```
 */
export const linear = <const I extends number, const O extends number>(
  inFeatures: I,
  outFeatures: O,
  options: LinearOptions = {},
): RowLayer<LinearParams, 'linear', I, O> => {
  checkOptions('linear', options, linearOptions)
  const { bias = true, weightInitialiser = torchUniform, biasInitialiser = torchUniform } = options
  const fans = { fanIn: inFeatures, fanOut: outFeatures }
  return {
    init: (key) => ({
      weight: weightInitialiser(random.foldIn(key, 'weight'), [inFeatures, outFeatures], fans),
      ...(bias ? { bias: biasInitialiser(random.foldIn(key, 'bias'), [outFeatures], fans) } : {}),
    }),
    apply: (params, run) => {
      requireParam('linear', params, 'weight')
      run.onMatrix?.(params, 'map')
      return ((x: Tensor) => affine(params, x)) as never
    },
  }
}

const affine = ({ weight, bias }: LinearParams, x: Tensor): Tensor => {
  const matrix = asQuantized(weight)
  const sizes = matrix === undefined ? weight.shape : quantizedSizes(matrix) // [in, out]
  if (x.shape.at(-1) !== sizes[0] || sizes.length !== 2)
    throw shapeError('linear', "the input's last axis must be the weight's first", x.shape, sizes)
  return biased(matrix === undefined ? matmul(x, weight) : quantizedProduct(x, matrix), bias) // [..., out]
}

/** x + bias, where there is one. */
export const biased = (x: Tensor, bias: Tensor | undefined): Tensor => (bias === undefined ? x : add(x, bias))
