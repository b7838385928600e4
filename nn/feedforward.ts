import { mul } from '../core/index.ts'
import type { Tensor } from '../core/index.ts'
import type { Activation, ActivationName } from './activation.ts'
import { activationOf } from './activation.ts'
import { struct } from './composition.ts'
import { dropout } from './dropout.ts'
import type { Initialiser } from './initialiser.ts'
import type { LinearOptions, LinearParams } from './linear.ts'
import { linear } from './linear.ts'
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

const downOptions = ({ downInitialiser, ...config }: FeedForwardConfig): LinearOptions =>
  downInitialiser === undefined ? config : { ...config, weightInitialiser: downInitialiser }

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
  return struct(
    {
      up: linear(width, hidden, config),
      down: linear(hidden, width, downOptions(config)),
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
  return struct(
    {
      gate: linear(width, hidden, config),
      up: linear(width, hidden, config),
      down: linear(hidden, width, downOptions(config)),
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
