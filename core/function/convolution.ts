/** Convolution and pooling over one or two spatial axes; channels are last. */
import { argumentError, dtypeError, shapeError } from '../error.ts'
import type { Shape } from '../shape.ts'
import type { Tensor } from '../tensor.ts'
import type { Convolved, Convolves, NoOptions, Pooled, Transposed } from '../type.ts'
import type { Dtype } from '../../kernels/index.ts'
import { isFloating } from '../../kernels/index.ts'
import { div } from './elementwise/index.ts'
import { matmul } from './matrix.ts'
import { max, sum } from './reduce/index.ts'
import { ones, pad, reshape, reverse, slice, stack, transpose } from './structure/index.ts'

/** `'valid'`: none; `'same'`: as much as gives ⌈size / stride⌉ positions; or [before, behind] for each axis. */
export type Padding = 'valid' | 'same' | readonly (readonly [number, number])[]

export interface WindowOptions {
  /** From one position to the next; 1 by default (pooling: the window's size). One number is for each axis. */
  readonly stride?: number | readonly number[]
  /** 'valid' by default. */
  readonly padding?: Padding
  /** From one element of the window to the next; 1 by default. */
  readonly dilation?: number | readonly number[]
}

export interface ConvolutionOptions extends WindowOptions {
  /** Into how many groups the channels fall, which do not see one another; 1 by default. */
  readonly groups?: number
}

interface Plan {
  readonly window: Shape
  readonly stride: Shape
  readonly dilation: Shape
  readonly padding: readonly (readonly [number, number])[]
  /** The number of positions on each axis. */
  readonly out: Shape
}

const perAxis = (
  operation: string,
  what: string,
  given: number | readonly number[],
  axes: number,
  least = 1,
): Shape => {
  const list = typeof given === 'number' ? Array.from({ length: axes }, () => given) : given
  if (list.length !== axes || list.some((n) => !Number.isInteger(n) || n < least))
    throw argumentError(
      operation,
      `${what} must be ${axes} whole number${axes > 1 ? 's' : ''} from ${least} on, got ${String(given)}`,
    )
  return list
}

const planOf = (
  operation: string,
  sizes: Shape,
  windowSizes: number | readonly number[],
  options: WindowOptions,
  stride: number | readonly number[],
): Plan => {
  const axes = sizes.length
  const window = perAxis(operation, 'the window', windowSizes, axes)
  const steps = perAxis(operation, 'stride', options.stride ?? stride, axes)
  const dilation = perAxis(operation, 'dilation', options.dilation ?? 1, axes)
  const span = window.map((n, i) => (n - 1) * (dilation[i] as number) + 1)
  const { padding = 'valid' } = options
  const pads =
    padding === 'valid'
      ? sizes.map((): readonly [number, number] => [0, 0])
      : padding === 'same'
        ? sizes.map((n, i): readonly [number, number] => {
            const step = steps[i] as number
            const total = Math.max(0, (Math.ceil(n / step) - 1) * step + (span[i] as number) - n)
            return [Math.floor(total / 2), Math.ceil(total / 2)]
          })
        : padding
  if (pads.length !== axes)
    throw argumentError(operation, `padding must be ${axes} pairs, got ${pads.length}`)
  const out = sizes.map((n, i) => {
    const [low, high] = pads[i] as readonly [number, number]
    return Math.floor((n + low + high - (span[i] as number)) / (steps[i] as number)) + 1
  })
  if (out.some((n) => n < 1))
    throw shapeError(operation, 'the window is larger than what it slides over', sizes, window)
  return { window, stride: steps, dilation, padding: pads, out }
}

/** The window's positions, row-major. */
const offsets = (window: Shape): readonly Shape[] =>
  window.reduce<Shape[]>(
    (all, size) => all.flatMap((offset) => Array.from({ length: size }, (_, i) => [...offset, i])),
    [[]],
  )

/** What each element of the window sees: for each of them [batch, ...out, channels]. */
const views = (x: Tensor, plan: Plan, fill: number): readonly Tensor[] => {
  const { window, stride, dilation, padding, out } = plan
  const wide = pad(x, [[0, 0], ...padding, [0, 0]], fill)
  const [batch, channels] = [x.shape[0] as number, x.shape.at(-1) as number]
  return offsets(window).map((offset) => {
    const start = offset.map((n, i) => n * (dilation[i] as number))
    const limit = start.map((from, i) => from + ((out[i] as number) - 1) * (stride[i] as number) + 1)
    return slice(wide, [0, ...start, 0], [batch, ...limit, channels], [1, ...stride, 1])
  })
}

const spatial = (operation: string, x: Tensor, axes: number): Shape => {
  if (!isFloating(x.dtype)) throw dtypeError(operation, 'the input must be floating point', x.dtype)
  if (x.shape.length !== axes + 2)
    throw shapeError(
      operation,
      `the input must be [batch, ${axes === 1 ? 'length' : 'height, width'}, channels]`,
      x.shape,
    )
  return x.shape.slice(1, -1)
}

const convolve = (
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

type Convolution<N extends string> = <
  S extends Shape,
  D extends Dtype,
  K extends Shape,
  const O extends ConvolutionOptions = NoOptions,
>(
  x: Tensor<S, D>,
  kernel: Tensor<K, D> & Convolves<N, S, K, O>,
  options?: O,
) => Tensor<Convolved<S, K, O>, D>

const convolution = <N extends string>(operation: N, axes: number): Convolution<N> =>
  ((x: Tensor, kernel: Tensor, options?: ConvolutionOptions) =>
    convolve(operation, axes, x, kernel, options ?? {})) as Convolution<N>

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
export const conv1d: Convolution<'conv1d'> = convolution('conv1d', 1)

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
export const conv2d: Convolution<'conv2d'> = convolution('conv2d', 2)

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

const maxPool = (
  operation: string,
  axes: number,
  x: Tensor,
  window: number | readonly number[],
  options: WindowOptions,
): Tensor => {
  const plan = planOf(operation, spatial(operation, x, axes), window, options, window)
  return max(stack(views(x, plan, -Infinity), 0), { axis: 0 })
}

const averagePool = (
  operation: string,
  axes: number,
  x: Tensor,
  window: number | readonly number[],
  options: WindowOptions,
): Tensor => {
  const sizes = spatial(operation, x, axes)
  const plan = planOf(operation, sizes, window, options, window)
  const total = sum(stack(views(x, plan, 0), 0), { axis: 0 })
  // Padding is not counted.
  const count = sum(stack(views(ones([1, ...sizes, 1], x.dtype), plan, 0), 0), { axis: 0 })
  return div(total, count)
}

type Pool = <
  S extends Shape,
  D extends Dtype,
  const P extends number | readonly number[],
  const O extends WindowOptions = NoOptions,
>(
  x: Tensor<S, D>,
  window: P,
  options?: O,
) => Tensor<Pooled<S, P, O>, D>

const pool = (operation: string, axes: number, kind: typeof maxPool): Pool =>
  ((x: Tensor, window: number | readonly number[], options?: WindowOptions) =>
    kind(operation, axes, x, window, options ?? {})) as Pool

/**
 * The largest element in each window of [batch, length, channels]; windows lie side by side by default.
 *
 * @example
 * ```ts
 * import { maxPool1d, reshape, tensor } from 'pullback'
 * console.log(maxPool1d(reshape(tensor([1, 3, 2, 4]), [1, 4, 1]), 2)) // => float32[1, 2, 1] [[[3], [4]]]
 * ```
 */
export const maxPool1d: Pool = pool('maxPool1d', 1, maxPool)
/**
 * The largest element in each window of [batch, height, width, channels].
 *
 * @example
 * ```ts
 * import { maxPool2d, zeros } from 'pullback'
 * console.log(maxPool2d(zeros([1, 4, 6, 3]), 2).shape) // => [1, 2, 3, 3]
 * ```
 */
export const maxPool2d: Pool = pool('maxPool2d', 2, maxPool)
/**
 * The mean of each window of [batch, length, channels], of what is not padding.
 *
 * @example
 * ```ts
 * import { averagePool1d, reshape, tensor } from 'pullback'
 * console.log(averagePool1d(reshape(tensor([1, 3, 2, 4]), [1, 4, 1]), 2))
 * // => float32[1, 2, 1] [[[2], [3]]]
 * ```
 */
export const averagePool1d: Pool = pool('averagePool1d', 1, averagePool)
/**
 * The mean of each window of [batch, height, width, channels], of what is not padding.
 *
 * @example
 * ```ts
 * import { averagePool2d, zeros } from 'pullback'
 * console.log(averagePool2d(zeros([1, 4, 6, 3]), 2).shape) // => [1, 2, 3, 3]
 * ```
 */
export const averagePool2d: Pool = pool('averagePool2d', 2, averagePool)
