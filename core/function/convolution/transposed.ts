/** Convolution turned round: from positions to what they are positions of. */
import type { Shape } from '../../shape.ts'
import type { Tensor } from '../../tensor.ts'
import type { Convolves, NoOptions, Transposed } from '../../type.ts'
import type { Dtype } from '../../../kernels/index.ts'
import { pad, reverse, slice } from '../structure/index.ts'
import type { ConvolutionOptions } from './convolve.ts'
import { convolve } from './convolve.ts'
import { perAxis, spatial } from './window.ts'

export interface TransposedOptions extends Omit<ConvolutionOptions, 'padding'> {
  /** What the convolution it turns round would have put on both sides of each axis; 0 by default. */
  readonly padding?: number | readonly number[]
  /** How many more positions the end of each axis gets; 0 by default. */
  readonly outputPadding?: number | readonly number[]
}

const transposed = (
  operation: string,
  axes: number,
  x: Tensor,
  kernel: Tensor,
  { stride = 1, padding = 0, outputPadding = 0, ...options }: TransposedOptions,
): Tensor => {
  spatial(operation, x, axes)
  const dilation = perAxis(operation, 'dilation', options.dilation ?? 1, axes)
  const less = perAxis(operation, 'padding', padding, axes, 0)
  const more = perAxis(operation, 'outputPadding', outputPadding, axes, 0)
  // What a step skips is put between neighbours, and the kernel is turned.
  const apart = perAxis(operation, 'stride', stride, axes).map((n) => [0, 0, n - 1])
  const spread = pad(x, [[0, 0], ...apart, [0, 0]])
  const around = dilation.map((by, i): readonly [number, number] => {
    const span = by * ((kernel.shape[i] as number) - 1)
    return [span, span + (more[i] as number)]
  })
  const backwards = reverse(
    kernel,
    Array.from({ length: axes }, (_, i) => i),
  )
  const whole = convolve(operation, axes, spread, backwards, { ...options, stride: 1, padding: around })
  const start = [0, ...less, 0]
  return slice(
    whole,
    start,
    whole.shape.map((n, i) => n - (start[i] as number)),
  )
}

type TransposedConvolution<N extends string> = <
  S extends Shape,
  D extends Dtype,
  K extends Shape,
  const O extends TransposedOptions = NoOptions,
>(
  x: Tensor<S, D>,
  kernel: Tensor<K, D> & Convolves<N, S, K, O>,
  options?: O,
) => Tensor<Transposed<S, K, O>, D>

const turned = <N extends string>(operation: N, axes: number): TransposedConvolution<N> =>
  ((x: Tensor, kernel: Tensor, options?: TransposedOptions) =>
    transposed(operation, axes, x, kernel, options ?? {})) as TransposedConvolution<N>

/**
 * The convolution with strides turned round, from its positions to what it slides over: [batch, length, in] with a
 * kernel [size, in / groups, out] gives [batch, (length - 1) · stride - 2 · padding + dilation · (size - 1) + 1 +
 * outputPadding, out]. `torch.nn.functional.conv_transpose1d`, with the channels last.
 *
 * @example
 * ```ts
 * import { convTranspose1d, ones } from 'pullback'
 * console.log(convTranspose1d(ones([1, 3, 2]), ones([4, 2, 5]), { stride: 2, padding: 1 }).shape) // => [1, 6, 5]
 * ```
 */
export const convTranspose1d: TransposedConvolution<'convTranspose1d'> = turned('convTranspose1d', 1)

/**
 * As `convTranspose1d`, of [batch, height, width, in] with a kernel [height, width, in / groups, out].
 *
 * @example
 * ```ts
 * import { convTranspose2d, ones } from 'pullback'
 * console.log(convTranspose2d(ones([1, 4, 4, 2]), ones([2, 2, 2, 3]), { stride: 2 }).shape) // => [1, 8, 8, 3]
 * ```
 */
export const convTranspose2d: TransposedConvolution<'convTranspose2d'> = turned('convTranspose2d', 2)
