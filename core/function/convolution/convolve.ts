/** Convolution as one product: of what each position of a kernel sees with its weights. */
import { checkOptions, shapeError } from '../../error.ts'
import type { Shape } from '../../shape.ts'
import type { Tensor } from '../../tensor.ts'
import type { Convolves, NoOptions, Slid } from '../../type.ts'
import type { Dtype } from '../../../kernels/index.ts'
import { matmul } from '../matrix.ts'
import { reshape, stack, transpose } from '../structure/index.ts'
import type { WindowOptions } from './window.ts'
import { planOf, spatial, views } from './window.ts'

export interface ConvolutionOptions extends WindowOptions {
  /** Into how many groups the channels fall, which do not see one another; 1 by default. */
  readonly groups?: number
}

export interface TransposedOptions extends Omit<ConvolutionOptions, 'padding'> {
  /** What the convolution it turns round would have put on both sides of each axis; 0 by default. */
  readonly padding?: number | readonly number[]
  /** How many more positions the end of each axis gets; 0 by default. */
  readonly outputPadding?: number | readonly number[]
}

/** A convolution and its transpose: what says how each moves. */
interface Kinds {
  readonly window: ConvolutionOptions
  readonly transpose: TransposedOptions
}

export const convolve = (
  operation: string,
  axes: number,
  x: Tensor,
  kernel: Tensor,
  options: ConvolutionOptions,
): Tensor => {
  const sizes = spatial(operation, x, axes)
  const { groups = 1 } = options
  const [inner, outer] = [kernel.shape.at(-2) as number, kernel.shape.at(-1) as number]
  const channels = x.shape.at(-1) as number
  if (kernel.shape.length !== axes + 2)
    throw shapeError(
      operation,
      `the kernel must be [${axes === 1 ? 'length' : 'height, width'}, in, out]`,
      kernel.shape,
    )
  if (inner * groups !== channels || outer % groups !== 0)
    throw shapeError(
      operation,
      groups === 1
        ? "the kernel must take the input's channels"
        : `with ${groups} groups the kernel must take a ${groups}th of the input's channels, and ${groups} must divide what it gives`,
      x.shape,
      kernel.shape,
    )
  const plan = planOf(operation, sizes, kernel.shape.slice(0, -2), options, 1)
  const seen = views(x, plan, 0)
  const batch = x.shape[0] as number
  // [batch, ...out, window, channels]: one large product over window and channels.
  const patches = seen.length === 1 ? (seen[0] as Tensor) : stack(seen, -2)
  const elements = seen.length
  if (groups === 1) {
    const flat = reshape(patches, [batch, ...plan.out, elements * channels])
    return matmul(flat, reshape(kernel, [elements * inner, outer]))
  }
  const positions = plan.out.reduce((n, size) => n * size, batch)
  const split = reshape(patches, [positions, elements, groups, inner])
  const left = reshape(transpose(split, [2, 0, 1, 3]), [groups, positions, elements * inner])
  const weights = reshape(kernel, [elements, inner, groups, outer / groups])
  const right = reshape(transpose(weights, [2, 0, 1, 3]), [groups, elements * inner, outer / groups])
  return reshape(transpose(matmul(left, right), [1, 0, 2]), [batch, ...plan.out, outer])
}

/** A function whose type knows its shapes: a convolution, or the transpose of one. */
export type Convolution<N extends string, Kind extends keyof Kinds> = <
  S extends Shape,
  D extends Dtype,
  K extends Shape,
  const O extends Kinds[Kind] = NoOptions,
>(
  x: Tensor<S, D>,
  kernel: Tensor<K, D> & Convolves<N, S, K, O>,
  options?: O,
) => Tensor<Slid<Kind, S, K, O>, D>

/** Such a function of what is computed over a number of axes. */
export const convolution =
  <Kind extends keyof Kinds>(
    compute: (operation: string, axes: number, x: Tensor, kernel: Tensor, options: Kinds[Kind]) => Tensor,
    known: readonly (keyof Kinds[Kind] & string)[],
  ) =>
  <N extends string>(operation: N, axes: number): Convolution<N, Kind> =>
    ((x: Tensor, kernel: Tensor, options: Kinds[Kind] = {}) => {
      checkOptions(operation, options, known)
      return compute(operation, axes, x, kernel, options)
    }) as Convolution<N, Kind>

const forwards = convolution<'window'>(convolve, ['stride', 'padding', 'dilation', 'groups'])

/**
 * Convolution (as neural networks mean it: the kernel is not turned) of [batch, length, in] with a kernel
 * [size, in / groups, out]: [batch, positions, out].
 *
 * @example
 * ```ts
 * import { conv1d, ones } from 'pullback'
 * console.log(conv1d(ones([1, 6, 2]), ones([3, 2, 4]), { padding: 'same', stride: 2 }).shape) // => [1, 3, 4]
 * ```
 */
export const conv1d: Convolution<'conv1d', 'window'> = forwards('conv1d', 1)

/**
 * Convolution of [batch, height, width, in] with a kernel [height, width, in / groups, out]: [batch, ...positions, out].
 *
 * @example
 * ```ts
 * import { conv2d, ones } from 'pullback'
 * const patches = conv2d(ones([1, 32, 32, 3]), ones([16, 16, 3, 8]), { stride: 16 })
 * console.log(patches.shape) // => [1, 2, 2, 8]
 * ```
 */
export const conv2d: Convolution<'conv2d', 'window'> = forwards('conv2d', 2)
