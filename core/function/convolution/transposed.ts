/** Convolution turned round: from positions to what they are positions of. */
import type { Tensor } from '../../tensor.ts'
import { pad, reverse, slice } from '../structure/index.ts'
import type { Convolution, TransposedOptions } from './convolve.ts'
import { convolution, convolve } from './convolve.ts'
import { perAxis, spatial } from './window.ts'

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

const turned = convolution<'transpose'>(transposed, [
  'stride',
  'padding',
  'dilation',
  'groups',
  'outputPadding',
])

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
export const convTranspose1d: Convolution<'convTranspose1d', 'transpose'> = turned('convTranspose1d', 1)

/**
 * As `convTranspose1d`, of [batch, height, width, in] with a kernel [height, width, in / groups, out].
 *
 * @example
 * ```ts
 * import { convTranspose2d, ones } from 'pullback'
 * console.log(convTranspose2d(ones([1, 4, 4, 2]), ones([2, 2, 2, 3]), { stride: 2 }).shape) // => [1, 8, 8, 3]
 * ```
 */
export const convTranspose2d: Convolution<'convTranspose2d', 'transpose'> = turned('convTranspose2d', 2)
