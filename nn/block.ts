/** What encoder and decoder layers share. */
import { add } from '../core/index.ts'
import type { Tensor } from '../core/index.ts'
import type { Activation, ActivationName } from './activation.ts'
import type { AttentionConfig, AttentionParams } from './attention.ts'
import { multiHeadAttention } from './attention.ts'
import type { AttentionInput } from './attention.ts'
import { dropout } from './dropout.ts'
import type { FeedForwardParams } from './feedforward.ts'
import { feedForward, gatedFeedForward } from './feedforward.ts'
import type { Initialiser } from './initialiser.ts'
import type { Layer, NoParams } from './layer.ts'
import type { NormParams } from './norm.ts'
import { layerNorm, rmsNorm } from './norm.ts'

export interface BlockConfig<W extends number = number> {
  readonly width: W
  readonly heads: number
  /** The width inside the feed-forward part. */
  readonly hidden: number
  /** `relu` unless given. */
  readonly activation?: ActivationName | Activation | undefined
  /** Whether the feed-forward part is gated by the activation, as in swiglu. */
  readonly gated?: boolean | undefined
  /** Norm in front of each part (Xiong et al. 2020), x + f(norm(x)), or behind (default), norm(x + f(x)). */
  readonly preNorm?: boolean | undefined
  /** `layerNorm` unless given. */
  readonly norm?: 'layerNorm' | 'rmsNorm' | undefined
  readonly epsilon?: number | undefined
  /** Whether linear parts have biases; true by default. */
  readonly bias?: boolean | undefined
  /** The rate at which each part's output is dropped in training; 0 by default. */
  readonly dropout?: number | undefined
  /** The same of attention weights; `dropout` unless given. */
  readonly attentionDropout?: number | undefined
  /** The same of the feed-forward part's output; `dropout` unless given. */
  readonly feedForwardDropout?: number | undefined
  /** The same inside the feed-forward part; `dropout` unless given. */
  readonly hiddenDropout?: number | undefined
  /** Of all weights of linear parts; each layer's own default unless given. */
  readonly weightInitialiser?: Initialiser | undefined
  /** Of the weights whose outputs join the residual stream; `weightInitialiser` unless given. */
  readonly residualInitialiser?: Initialiser | undefined
  /** Of all biases of linear parts; each layer's own default unless given. */
  readonly biasInitialiser?: Initialiser | undefined
  /** What else is told to attention: rotary positions, key-value heads, head width … */
  readonly attention?: Partial<AttentionConfig> | undefined
}

/** The names of what a block is told. */
export const blockOptions: readonly (keyof BlockConfig)[] = [
  'width',
  'heads',
  'hidden',
  'activation',
  'gated',
  'preNorm',
  'norm',
  'epsilon',
  'bias',
  'dropout',
  'attentionDropout',
  'feedForwardDropout',
  'hiddenDropout',
  'weightInitialiser',
  'residualInitialiser',
  'biasInitialiser',
  'attention',
]

const given = <T extends object>(options: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never

export const attentionOf = (config: BlockConfig): Layer<AttentionParams, AttentionInput, Tensor> =>
  multiHeadAttention({
    width: config.width,
    heads: config.heads,
    bias: config.bias,
    dropout: config.attentionDropout ?? config.dropout,
    weightInitialiser: config.weightInitialiser,
    outputInitialiser: config.residualInitialiser ?? config.weightInitialiser,
    biasInitialiser: config.biasInitialiser,
    ...config.attention,
  })

export const normOf = ({ norm, width, epsilon }: BlockConfig): Layer<NormParams, Tensor, Tensor> =>
  (norm === 'rmsNorm' ? rmsNorm : layerNorm)(width, epsilon === undefined ? {} : { epsilon })

export const feedForwardOf = (config: BlockConfig): Layer<FeedForwardParams, Tensor, Tensor> => {
  const { width, hidden, activation, bias, weightInitialiser, biasInitialiser } = config
  const rate = config.hiddenDropout ?? config.dropout ?? 0
  const downInitialiser = config.residualInitialiser
  const options = given({ bias, weightInitialiser, biasInitialiser, activation, downInitialiser })
  const make = config.gated === true ? gatedFeedForward : feedForward
  // The gated one's parameters have one more: whoever asks for it knows.
  return make({ width, hidden, dropout: rate, ...options }) as Layer<FeedForwardParams, Tensor, Tensor>
}

export const dropoutOf = (config: BlockConfig): Layer<NoParams, Tensor, Tensor> =>
  dropout(config.dropout ?? 0)

export const feedForwardDropoutOf = (config: BlockConfig): Layer<NoParams, Tensor, Tensor> =>
  dropout(config.feedForwardDropout ?? config.dropout ?? 0)

type Unary = (x: Tensor) => Tensor

/** A part in its place beside the residual stream. */
export const beside = (config: BlockConfig, norm: Unary, dropout: Unary, f: Unary): Unary =>
  config.preNorm === true ? (x) => add(x, dropout(f(norm(x)))) : (x) => norm(add(x, dropout(f(x))))
