/** What a module of PyTorch is, and those that are no blocks of a Transformer. */
import {
  add,
  adaptiveAveragePool2d,
  averagePool2d,
  concatenate,
  conv1d,
  conv2d,
  convTranspose2d,
  logSoftmax,
  maxPool2d,
  moveAxis,
  random,
  relu,
  reshape,
  resize2d,
  sigmoid,
  softmax,
  stack,
  swapAxes,
  tanh,
  transpose,
} from '../../core/index.ts'
import type { ResizeMethod, Tensor } from '../../core/index.ts'
import * as nn from '../../nn/index.ts'
import type { Activation, RecurrentParams } from '../../nn/index.ts'
import { linearFrom, normFrom } from './param.ts'
import type { Case } from './param.ts'

/** Options of a module that shapes do not tell, as a file gives them under `cases`. */
export type Options = Readonly<Record<string, unknown>>

/** What comes out of a module, by name; `output` is what gradients are of. */
export type Outputs = Readonly<Record<string, Tensor>>

/** A module of parameters under PyTorch's names, and of inputs. */
export type Module = (params: Case, input: Case, option: <T>(name: string, otherwise: T) => T) => Outputs

const { evaluation } = nn

/** Channels are second there and last here. */
const channelsLast = (x: Tensor): Tensor => moveAxis(x, 1, -1)
const channelsSecond = (x: Tensor): Tensor => moveAxis(x, -1, 1)
const imageOf = (f: (x: Tensor) => Tensor, x: Tensor): Outputs => ({
  output: channelsSecond(f(channelsLast(x))),
})

const biased = (x: Tensor, params: Case): Tensor => (params.has('bias') ? add(x, params.get('bias')) : x)

const perAxis = (n: number | readonly number[], axes: number): readonly number[] =>
  typeof n === 'number' ? Array.from({ length: axes }, () => n) : n
const bothSides = (n: number | readonly number[], axes: number): readonly (readonly [number, number])[] =>
  perAxis(n, axes).map((side) => [side, side] as const)

type Amount = number | readonly number[]

/** What a few cases have, whose file does not say it. */
const convolution =
  (
    axes: 1 | 2,
    usual: { readonly stride: Amount; readonly padding: Amount; readonly dilation: Amount },
  ): Module =>
  (params, input, option) => {
    const weight = params.get('weight') // [out, in / groups, ...]
    const kernel = transpose(weight, [...Array.from({ length: axes }, (_, i) => i + 2), 1, 0])
    const channels = input.get('x').shape[1] as number
    const options = {
      stride: option<Amount>('stride', usual.stride),
      padding: bothSides(option<Amount>('padding', usual.padding), axes),
      dilation: option<Amount>('dilation', usual.dilation),
      groups: channels / (weight.shape[1] as number),
    }
    const convolve = axes === 1 ? conv1d : conv2d
    return imageOf((x) => biased(convolve(x, kernel, options), params), input.get('x'))
  }

const turned: Module = (params, input, option) => {
  const groups = option('groups', 1)
  const weight = params.get('weight') // [in, out / groups, height, width]
  const [inner, outer] = weight.shape as readonly [number, number]
  const apart = reshape(weight, [groups, inner / groups, ...weight.shape.slice(1)])
  const kernel = reshape(transpose(apart, [3, 4, 1, 0, 2]), [
    ...weight.shape.slice(2),
    inner / groups,
    groups * outer,
  ])
  const options = {
    stride: option<Amount>('stride', 2),
    padding: option<Amount>('padding', 1),
    outputPadding: option<Amount>('output_padding', 1),
    dilation: option<Amount>('dilation', 1),
    groups,
  }
  return imageOf((x) => biased(convTranspose2d(x, kernel, options), params), input.get('x'))
}

const normed =
  (make: typeof nn.layerNorm | typeof nn.rmsNorm, epsilon: number): Module =>
  (params, input, option) => {
    const own = normFrom(params)
    const layer = make(own.weight.shape, { epsilon: option('eps', epsilon), bias: own.bias !== undefined })
    return { output: layer.apply(own, evaluation)(input.get('x')) }
  }

const activations: Readonly<Record<string, Activation>> = {
  gelu: nn.gelu,
  gelu_tanh: nn.geluTanh,
  silu: nn.silu,
  relu,
  relu6: nn.relu6,
  leaky_relu: nn.leakyRelu(0.1),
  elu: nn.elu(),
  selu: nn.selu,
  softplus: nn.softplus,
  mish: nn.mish,
  hardswish: nn.hardSwish,
  hardsigmoid: nn.hardSigmoid,
  tanh,
  sigmoid,
  softmax,
  log_softmax: logSoftmax,
  softsign: nn.softsign,
  logsigmoid: nn.logSigmoid,
  tanhshrink: nn.tanhShrink,
  glu: nn.glu,
}

/** The parameters of one layer and direction: weight_ih_l0, weight_hh_l0_reverse … */
const recurrentFrom = (read: Case, suffix: string): RecurrentParams => ({
  input: swapAxes(read.get(`weight_ih_${suffix}`), 0, 1),
  hidden: swapAxes(read.get(`weight_hh_${suffix}`), 0, 1),
  ...(read.has(`bias_ih_${suffix}`)
    ? { inputBias: read.get(`bias_ih_${suffix}`), hiddenBias: read.get(`bias_hh_${suffix}`) }
    : {}),
})

type Cell<S> = (
  inFeatures: number,
  width: number,
  options?: nn.RecurrentOptions,
) => nn.Layer<RecurrentParams, nn.RecurrentInput<S>, nn.Recurrent<S>>

/** Layers one above the other, of one or two directions, batch first; states are stacked in PyTorch's order. */
const recurrent =
  <S>(cell: Cell<S>, partsOf: (state: S) => Outputs): Module =>
  (params, input) => {
    let x = input.get('x')
    const states: S[] = []
    for (let layer = 0; params.has(`weight_ih_l${layer}`); layer++) {
      const read = (suffix: string, reverse: boolean): nn.Recurrent<S> => {
        const own = recurrentFrom(params, suffix)
        const [inner, width] = [own.input.shape[0] as number, own.hidden.shape[0] as number]
        const bias = own.inputBias !== undefined
        return cell(inner, width, { reverse, bias }).apply(own, evaluation)({ x })
      }
      const directions = [read(`l${layer}`, false)]
      if (params.has(`weight_ih_l${layer}_reverse`)) directions.push(read(`l${layer}_reverse`, true))
      x = concatenate(
        directions.map(({ outputs }) => outputs),
        -1,
      )
      states.push(...directions.map(({ state }) => state))
    }
    const named = states.map(partsOf)
    const parts = Object.keys(named[0] ?? {}).map((name) => [
      name,
      stack(named.map((state) => state[name] as Tensor)),
    ])
    return { output: x, ...(Object.fromEntries(parts) as Outputs) }
  }

const resized =
  (method: ResizeMethod): Module =>
  (_, input, option) => {
    const to = option<readonly [number, number]>('size', [7, 9])
    const alignCorners = option('align_corners', false)
    return imageOf((x) => resize2d(x, to, { method, alignCorners }), input.get('x'))
  }

/** Modules by the beginning of a case's name, the longer ones first. */
export const modules: readonly (readonly [RegExp, Module])[] = [
  [
    /^linear/,
    (params, input) => {
      const own = linearFrom(params)
      const [inner, outer] = own.weight.shape as readonly [number, number]
      return { output: nn.linear(inner, outer).apply(own, evaluation)(input.get('x')) }
    },
  ],
  [/^layernorm_2d/, normed(nn.layerNorm, 1e-3)],
  [/^layernorm/, normed(nn.layerNorm, 1e-5)],
  [/^rmsnorm/, normed(nn.rmsNorm, 1e-6)],
  [
    /^groupnorm/,
    (params, input, option) => {
      const own = normFrom(params)
      const layer = nn.groupNorm(option('num_groups', 2), own.weight.shape[0] as number, {
        epsilon: option('eps', 1e-5),
      })
      return imageOf((x) => layer.apply(own, evaluation)(x), input.get('x'))
    },
  ],
  [
    /^batchnorm_train/,
    (params, input, option) => {
      const own = normFrom(params)
      const layer = nn.batchNorm(own.weight.shape[0] as number, {
        epsilon: option('eps', 1e-5),
        momentum: option('momentum', 0.2),
      })
      const statistics = { mean: input.get('running_mean'), variance: input.get('running_var') }
      const run = nn.training(random.key(0))
      const result = layer.apply(own, run)({ x: channelsLast(input.get('x')), statistics })
      return {
        output: channelsSecond(result.x),
        running_mean: result.statistics.mean,
        running_var: result.statistics.variance,
      }
    },
  ],
  [
    /^embedding/,
    (params, input, option) => {
      const weight = params.get('weight')
      const [count, width] = weight.shape as readonly [number, number]
      const paddingIndex = option<number | undefined>(
        'padding_idx',
        params.name.includes('padding') ? 2 : undefined,
      )
      const table = nn.embedding(count, width, { paddingIndex })
      return { output: table.apply({ weight }, evaluation)(input.get('i')) }
    },
  ],
  [/^conv1d/, convolution(1, { stride: 2, padding: 1, dilation: 1 })],
  [/^conv2d/, convolution(2, { stride: [2, 1], padding: [1, 0], dilation: [1, 2] })],
  [/^conv_transpose2d/, turned],
  [
    /^maxpool2d/,
    (_, input, option) => {
      const window = option<Amount>('kernel_size', 3)
      const stride = option<Amount>('stride', 2)
      const padding = bothSides(option<Amount>('padding', 1), 2)
      return imageOf((x) => maxPool2d(x, window, { stride, padding }), input.get('x'))
    },
  ],
  [
    /^avgpool2d/,
    (_, input, option) => {
      const window = option<Amount>('kernel_size', 2)
      const stride = option<Amount>('stride', 2)
      const padding = bothSides(option<Amount>('padding', 1), 2)
      return imageOf((x) => averagePool2d(x, window, { stride, padding }), input.get('x'))
    },
  ],
  [
    /^adaptive_avgpool2d/,
    (_, input, option) => {
      const to = option<readonly [number, number]>('output_size', [3, 2])
      return imageOf((x) => adaptiveAveragePool2d(x, to), input.get('x'))
    },
  ],
  [/^lstm/, recurrent(nn.lstm, ({ hidden, cell }) => ({ h: hidden, c: cell }))],
  [/^gru/, recurrent(nn.gru, (h) => ({ h }))],
  [/^rnn_tanh/, recurrent(nn.rnn, (h) => ({ h }))],
  [
    /^rnn_relu/,
    recurrent(
      (i, w, o) => nn.rnn(i, w, { ...o, activation: relu }),
      (h) => ({ h }),
    ),
  ],
  [/^bilinear_interp/, resized('bilinear')],
  [/^bicubic_interp/, resized('bicubic')],
  [/^nearest_interp/, resized('nearest')],
  [
    /^act_prelu/,
    (params, input) => ({
      output: nn.prelu().apply({ weight: params.get('weight') }, evaluation)(input.get('x')),
    }),
  ],
  ...Object.entries(activations).map(([name, activation]): readonly [RegExp, Module] => [
    new RegExp(`^act_${name}$`),
    (_, input) => ({ output: activation(input.get('x')) }),
  ]),
]
