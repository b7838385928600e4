/** Windows that slide over one or two spatial axes; channels are last. */
import { argumentError, dtypeError, shapeError } from '../../error.ts'
import type { Shape } from '../../shape.ts'
import type { Tensor } from '../../tensor.ts'
import { isFloating } from '../../../kernels/index.ts'
import { pad, slice } from '../structure/index.ts'

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

/** A window's way over the axes. */
export interface Plan {
  readonly window: Shape
  readonly stride: Shape
  readonly dilation: Shape
  readonly padding: readonly (readonly [number, number])[]
  /** The number of positions on each axis. */
  readonly out: Shape
}

/** A number for each axis; one stands for all. */
export const perAxis = (
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

/**
 * Where a window goes.
 *
 * @throws PullbackError when options do not fit, or the window fits nowhere.
 */
export const planOf = (
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
export const views = (x: Tensor, plan: Plan, fill: number): readonly Tensor[] => {
  const { window, stride, dilation, padding, out } = plan
  const wide = pad(x, [[0, 0], ...padding, [0, 0]], fill)
  const [batch, channels] = [x.shape[0] as number, x.shape.at(-1) as number]
  return offsets(window).map((offset) => {
    const start = offset.map((n, i) => n * (dilation[i] as number))
    const limit = start.map((from, i) => from + ((out[i] as number) - 1) * (stride[i] as number) + 1)
    return slice(wide, [0, ...start, 0], [batch, ...limit, channels], [1, ...stride, 1])
  })
}

/** The sizes of the spatial axes of [batch, ...axes, channels]. */
export const spatial = (operation: string, x: Tensor, axes: number): Shape => {
  if (!isFloating(x.dtype)) throw dtypeError(operation, 'the input must be floating point', x.dtype)
  if (x.shape.length !== axes + 2)
    throw shapeError(
      operation,
      `the input must be [batch, ${axes === 1 ? 'length' : 'height, width'}, channels]`,
      x.shape,
    )
  return x.shape.slice(1, -1)
}
