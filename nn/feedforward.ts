import { mul } from '../core/index.ts'
import type { Tensor } from '../core/index.ts'
import { checkOptions } from '../core/error.ts'
import type { Activation, ActivationName } from './activation.ts'
import { activationOf } from './activation.ts'
import { struct } from './composition.ts'
import { dropout } from './dropout.ts'
import type { Initialiser } from './initialiser.ts'
import type { LinearOptions, LinearParams } from './linear.ts'
import { linear, linearOptions } from './linear.ts'
import type { RowLayer } from './size.ts'

export interface FeedForwardConfig<W extends number = number> extends LinearOptions {
  /** The width of input and output. */
  readonly width: W
  /** The width between. */
  readonly hidden: number
  /** `relu` unless given. */
  readonly activation?: ActivationName | Activation | undefined
  /** The rate at which what is between is dropped in training. */
  readonly dropout?: number | undefined
  /** Of `down`'s weight; `weightInitialiser` unless given. */
  readonly downInitialiser?: Initialiser | undefined
}

export interface FeedForwardParams {
  readonly up: LinearParams
  readonly down: LinearParams
}

export interface GatedFeedForwardParams extends FeedForwardParams {
  readonly gate: LinearParams
}

const feedForwardOptions = [
  ...linearOptions,
  'width',
  'hidden',
  'activation',
  'dropout',
  'downInitialiser',
] as const

/** What the linear layers are told: those that widen, and the one that goes back. */
const optionsOf = (
  operation: string,
  config: FeedForwardConfig,
): { readonly up: LinearOptions; readonly down: LinearOptions } => {
  checkOptions(operation, config, feedForwardOptions)
  const { width, hidden, activation, dropout, downInitialiser, ...up } = config
  return { up, down: downInitialiser === undefined ? up : { ...up, weightInitialiser: downInitialiser } }
}

/**
 * down(activation(up(x))): [..., width] → [..., hidden] → [..., width].
 *
 * @example
 * ```ts
 * import { random, zeros } from 'pullback'
 * import { evaluation, feedForward } from 'pullback/nn'
 * const layer = feedForward({ width: 8, hidden: 32, activation: 'gelu' })
 * console.log(layer.apply(layer.init(random.key(0)), evaluation)(zeros([1, 5, 8])).shape) // => [1, 5, 8]
 * ```
 */
export const feedForward = <const W extends number>(
  config: FeedForwardConfig<W>,
): RowLayer<FeedForwardParams, 'feedForward', W, W> => {
  const { width, hidden, activation = 'relu' } = config
  const act = activationOf(activation)
  const { up, down } = optionsOf('feedForward', config)
  return struct(
    {
      up: linear(width, hidden, up),
      down: linear(hidden, width, down),
      dropout: dropout(config.dropout ?? 0),
    },
    ({ up, down, dropout }) =>
      (x: Tensor) =>
        down(dropout(act(up(x)))),
  ) as never
}

/**
 * down(activation(gate(x)) · up(x)) (Shazeer 2020).
 *
 * @example
 * ```ts
 * import { random } from 'pullback'
 * import { gatedFeedForward } from 'pullback/nn'
 * const layer = gatedFeedForward({ width: 8, hidden: 16, activation: 'sigmoid' })
 * console.log(Object.keys(layer.init(random.key(0)))) // => ['gate', 'up', 'down']
 * ```
 */
export const gatedFeedForward = <const W extends number>(
  config: FeedForwardConfig<W>,
): RowLayer<GatedFeedForwardParams, 'gatedFeedForward', W, W> => {
  const { width, hidden, activation = 'sigmoid' } = config
  const act = activationOf(activation)
  const { up, down } = optionsOf('gatedFeedForward', config)
  return struct(
    {
      gate: linear(width, hidden, up),
      up: linear(width, hidden, up),
      down: linear(hidden, width, down),
      dropout: dropout(config.dropout ?? 0),
    },
    ({ gate, up, down, dropout }) =>
      (x: Tensor) =>
        down(dropout(mul(act(gate(x)), up(x)))),
  ) as never
}

/**
 * The gated feed-forward of Llama: gate by silu, no biases unless asked for.
 *
 * @example
 * ```ts
 * import { random, zeros } from 'pullback'
 * import { evaluation, swiglu } from 'pullback/nn'
 * const layer = swiglu({ width: 8, hidden: 16 })
 * console.log(layer.apply(layer.init(random.key(0)), evaluation)(zeros([1, 5, 8])).shape) // => [1, 5, 8]
 * ```
 */
export const swiglu = <const W extends number>(
  config: FeedForwardConfig<W>,
): RowLayer<GatedFeedForwardParams, 'swiglu', W, W> =>
  gatedFeedForward({ bias: false, activation: 'silu', ...config }) as never

/**
 * The feed-forward gated by gelu, no biases unless asked for. (T5 1.1 has `geluTanh` for gelu.)
 *
 * @example
 * ```ts
 * import { random, zeros } from 'pullback'
 * import { evaluation, geglu } from 'pullback/nn'
 * const layer = geglu({ width: 8, hidden: 16 })
 * console.log(layer.apply(layer.init(random.key(0)), evaluation)(zeros([1, 5, 8])).shape) // => [1, 5, 8]
 * ```
 */
export const geglu = <const W extends number>(
  config: FeedForwardConfig<W>,
): RowLayer<GatedFeedForwardParams, 'geglu', W, W> =>
  gatedFeedForward({ bias: false, activation: 'gelu', ...config }) as never
