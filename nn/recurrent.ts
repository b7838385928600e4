/** Recurrent layers: one state, carried from step to step. Parameters and gates are PyTorch's. */
import {
  add,
  concatenate,
  matmul,
  mul,
  random,
  scan,
  sigmoid,
  splitAxis,
  sub,
  swapAxes,
  tanh,
  zeros,
} from '../core/index.ts'
import type { Key, Tensor } from '../core/index.ts'
import type { Plus, ShapeMismatch, Unequal, Literal } from '../core/type.ts'
import { checkOptions, shapeError } from '../core/error.ts'
import type { Activation } from './activation.ts'
import type { Initialiser } from './initialiser.ts'
import { uniform } from './initialiser.ts'
import type { AnyLayer, Layer, ParamsOf, Run } from './layer.ts'
import { descend, requireParam } from './layer.ts'
import { biased } from './linear.ts'
import type { RowLayer } from './size.ts'
import type { RecurrentLayer } from './stream.ts'

/** Gates lie side by side in the columns: `input` [in, gates · hidden], `hidden` [hidden, gates · hidden]. */
export interface RecurrentParams {
  readonly input: Tensor
  readonly hidden: Tensor
  /** [gates · hidden], where there are biases. */
  readonly inputBias?: Tensor
  readonly hiddenBias?: Tensor
}

export interface RecurrentOptions {
  /** Whether there are biases; true by default. */
  readonly bias?: boolean
  /** From the last step to the first. */
  readonly reverse?: boolean
  /** Uniform within ±1/√hidden unless given. */
  readonly initialiser?: Initialiser
}

const recurrentOptions = ['bias', 'reverse', 'initialiser'] as const

/** The steps' outputs [batch, time, hidden], and the state behind the last one. */
export interface Recurrent<S> {
  readonly outputs: Tensor
  readonly state: S
}

/** What goes in: x [batch, time, in], and a state to begin with (zeros unless given). */
export interface RecurrentInput<S> {
  readonly x: Tensor
  readonly state?: S
}

/** A cell: the next state of a state and of what input and state give to each gate. */
interface Cell<S> {
  readonly gates: number
  readonly begin: (batch: number, width: number, dtype: 'float32' | 'float64') => S
  readonly hiddenOf: (state: S) => Tensor
  readonly next: (state: S, fromInput: Tensor, fromHidden: Tensor) => S
}

const affine = (x: Tensor, weight: Tensor, bias: Tensor | undefined): Tensor =>
  biased(matmul(x, weight), bias)

const recurrent =
  <S>(operation: string, { gates, begin, hiddenOf, next }: Cell<S>) =>
  (
    inFeatures: number,
    width: number,
    options: RecurrentOptions = {},
  ): Layer<RecurrentParams, RecurrentInput<S>, Recurrent<S>> => {
    checkOptions(operation, options, recurrentOptions)
    const { bias = true, reverse = false, initialiser = uniform(-(width ** -0.5), width ** -0.5) } = options
    const make = (key: Key, name: string, shape: readonly number[]): Tensor =>
      initialiser(random.foldIn(key, name), shape, { fanIn: inFeatures, fanOut: width })
    return {
      init: (key) => ({
        input: make(key, 'input', [inFeatures, gates * width]),
        hidden: make(key, 'hidden', [width, gates * width]),
        ...(bias
          ? {
              inputBias: make(key, 'inputBias', [gates * width]),
              hiddenBias: make(key, 'hiddenBias', [gates * width]),
            }
          : {}),
      }),
      apply: (params) => {
        requireParam(operation, params, 'input')
        return ({ x, state }) => {
          if (x.shape.length !== 3 || x.shape[2] !== params.input.shape[0])
            throw shapeError(operation, 'the input must be [batch, time, in]', x.shape, params.input.shape)
          // What the input gives is one product for all steps; only the state must wait.
          const given = swapAxes(affine(x, params.input, params.inputBias), 0, 1) // [time, batch, gates · hidden]
          const dtype = x.dtype === 'float64' ? 'float64' : 'float32'
          const first = state ?? begin(x.shape[0] as number, width, dtype)
          const [last, outputs] = scan(
            (before: S, one) => {
              const after = next(
                before,
                one as Tensor,
                affine(hiddenOf(before), params.hidden, params.hiddenBias),
              )
              return [after, hiddenOf(after)]
            },
            first,
            given,
            { reverse },
          )
          return { outputs: swapAxes(outputs as Tensor, 0, 1), state: last }
        }
      },
    }
  }

const zeroState = (batch: number, width: number, dtype: 'float32' | 'float64'): Tensor =>
  zeros([batch, width], dtype)

/** A layer whose state is one tensor. */
type One<Name extends string> = <const I extends number, const O extends number>(
  inFeatures: I,
  width: O,
  options?: RecurrentOptions,
) => RecurrentLayer<RecurrentParams, Name, I, O, O>

/**
 * h ← f(x W + a + h U + b) at each step (Elman 1990), f = tanh unless given.
 *
 * @throws PullbackError when the input is not [batch, time, in].
 * @example
 * ```ts
 * import { random, zeros } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * const layer = rnn(4, 8)
 * const { outputs, state } = layer.apply(layer.init(random.key(0)), evaluation)({ x: zeros([2, 5, 4]) })
 * console.log(outputs.shape, state.shape) // => [2, 5, 8] [2, 8]
 * ```
 */
export const rnn = <const I extends number, const O extends number>(
  inFeatures: I,
  width: O,
  options: RecurrentOptions & { readonly activation?: Activation } = {},
): RecurrentLayer<RecurrentParams, 'rnn', I, O, O> => {
  checkOptions('rnn', options, [...recurrentOptions, 'activation'])
  const { activation = tanh, ...others } = options
  return recurrent<Tensor>('rnn', {
    gates: 1,
    begin: zeroState,
    hiddenOf: (h) => h,
    next: (_, fromInput, fromHidden) => activation(add(fromInput, fromHidden)),
  })(inFeatures, width, others) as never
}

/**
 * Gated recurrent units (Cho et al. 2014), the reset gate behind the product as in PyTorch: r and z are sigmoids,
 * n = tanh(x W + a + r · (h U + b)), h ← (1 - z) n + z h. Gates are in the order r, z, n.
 *
 * @throws PullbackError when the input is not [batch, time, in].
 * @example
 * ```ts
 * import { random, zeros } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * const layer = gru(4, 8)
 * const { outputs } = layer.apply(layer.init(random.key(0)), evaluation)({ x: zeros([2, 5, 4]) })
 * console.log(outputs.shape) // => [2, 5, 8]
 * ```
 */
export const gru: One<'gru'> = recurrent<Tensor>('gru', {
  gates: 3,
  begin: zeroState,
  hiddenOf: (h) => h,
  next: (h, fromInput, fromHidden) => {
    const [xr, xz, xn] = splitAxis(fromInput, 3, -1) as [Tensor, Tensor, Tensor]
    const [hr, hz, hn] = splitAxis(fromHidden, 3, -1) as [Tensor, Tensor, Tensor]
    const [r, z] = [sigmoid(add(xr, hr)), sigmoid(add(xz, hz))]
    const n = tanh(add(xn, mul(r, hn)))
    return add(n, mul(z, sub(h, n)))
  },
}) as never

/** What an LSTM carries, both [batch, hidden]. */
export interface LstmState {
  readonly hidden: Tensor
  readonly cell: Tensor
}

/**
 * Long short-term memory (Hochreiter and Schmidhuber 1997): c ← f · c + i · g, h ← o · tanh(c). Gates are in
 * PyTorch's order i, f, g, o.
 *
 * @throws PullbackError when the input is not [batch, time, in].
 * @example
 * ```ts
 * import { random, zeros } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * const layer = lstm(4, 8)
 * const { outputs, state } = layer.apply(layer.init(random.key(0)), evaluation)({ x: zeros([2, 5, 4]) })
 * console.log(outputs.shape, state.cell.shape) // => [2, 5, 8] [2, 8]
 * ```
 */
export const lstm: <const I extends number, const O extends number>(
  inFeatures: I,
  width: O,
  options?: RecurrentOptions,
) => RecurrentLayer<RecurrentParams, 'lstm', I, O, { readonly hidden: O; readonly cell: O }> =
  recurrent<LstmState>('lstm', {
    gates: 4,
    begin: (...size) => ({ hidden: zeroState(...size), cell: zeroState(...size) }),
    hiddenOf: ({ hidden }) => hidden,
    next: ({ cell }, fromInput, fromHidden) => {
      const [i, f, g, o] = splitAxis(add(fromInput, fromHidden), 4, -1) as [Tensor, Tensor, Tensor, Tensor]
      const next = add(mul(sigmoid(f), cell), mul(sigmoid(i), tanh(g)))
      return { hidden: mul(sigmoid(o), tanh(next)), cell: next }
    },
  }) as never

/** Any layer of steps. */
interface AnyRecurrent extends AnyLayer {
  readonly apply: (
    params: never,
    run: Run,
  ) => (input: never) => { readonly outputs: Tensor; readonly state: unknown }
}

/** What a layer of steps takes and gives, and its state's widths; `number` and what is not known where it does not say. */
type Sizes<L> = L extends {
  readonly recurs?: readonly [infer I extends number, infer O extends number, infer W]
}
  ? readonly [I, O, W]
  : readonly [number, number, unknown]

/** Refuses a layer that takes another size than the one beside it. */
type Meets<F, B, W = Literal> = readonly [...Sizes<F>, ...Sizes<B>] extends readonly [
  infer I extends number,
  unknown,
  unknown,
  infer J extends number,
  ...unknown[],
]
  ? Unequal<I, J, W> extends true
    ? ShapeMismatch<`bidirectional: both layers must take one size, but they take ${I} and ${J}`>
    : unknown
  : unknown

/** Layers that read the same input, one of them from its end; also what they have for each, such as parameters. */
export interface Bidirectional<F, B = F> {
  readonly forward: F
  readonly backward: B
}

/**
 * Two layers on the same input, one of which should read in reverse: outputs side by side, [batch, time, both
 * widths]. Its state is a record of theirs.
 *
 * @example
 * ```ts
 * import { random, zeros } from 'pullback'
 * import { evaluation } from 'pullback/nn'
 * const both = bidirectional(gru(4, 8), gru(4, 8, { reverse: true }))
 * const { outputs } = both.apply(both.init(random.key(0)), evaluation)({ x: zeros([2, 5, 4]) })
 * console.log(outputs.shape) // => [2, 5, 16]
 * ```
 */
export const bidirectional = <const F extends AnyRecurrent, const B extends AnyRecurrent>(
  forward: F,
  backward: B & Meets<F, B>,
): RecurrentLayer<
  Bidirectional<ParamsOf<F>, ParamsOf<B>>,
  'bidirectional',
  Sizes<F>[0],
  Plus<Sizes<F>[1], Sizes<B>[1]>,
  Bidirectional<Sizes<F>[2], Sizes<B>[2]>
> => besideEachOther(forward as unknown as Steps, backward as unknown as Steps) as never

/** A layer of steps of which nothing is known. */
type Steps = Layer<unknown, RecurrentInput<unknown>, Recurrent<unknown>>

const besideEachOther = (
  forward: Steps,
  backward: Steps,
): Layer<
  Bidirectional<unknown>,
  RecurrentInput<Bidirectional<unknown>>,
  Recurrent<Bidirectional<unknown>>
> => ({
  init: (key) => ({
    forward: forward.init(random.foldIn(key, 'forward')),
    backward: backward.init(random.foldIn(key, 'backward')),
  }),
  apply: (params, run) => {
    const ahead = forward.apply(params.forward, descend(run, 'forward'))
    const back = backward.apply(params.backward, descend(run, 'backward'))
    return ({ x, state }) => {
      const [a, b] = [
        ahead({ x, ...(state === undefined ? {} : { state: state.forward }) }),
        back({ x, ...(state === undefined ? {} : { state: state.backward }) }),
      ]
      return {
        outputs: concatenate([a.outputs, b.outputs], -1),
        state: { forward: a.state, backward: b.state },
      }
    }
  },
})

/**
 * What a recurrent layer gives at each step, [batch, time, in] → [batch, time, out], from a state of zeros: a layer
 * that stands in a `sequence` with others. Its parameters are the recurrent layer's own.
 *
 * @throws PullbackError when the input is not [batch, time, in].
 * @example
 * ```ts
 * import { random, zeros } from 'pullback'
 * import { embedding, evaluation, linear, sequence } from 'pullback/nn'
 * const tagger = sequence(embedding(100, 8), outputsOf(gru(8, 16)), outputsOf(lstm(16, 16)), linear(16, 5))
 * const params = tagger.init(random.key(0))
 * console.log(tagger.apply(params, evaluation)(zeros([2, 7], 'int32')).shape) // => [2, 7, 5]
 * ```
 */
export const outputsOf = <L extends AnyRecurrent>(
  layer: L,
): RowLayer<ParamsOf<L>, 'outputsOf', Sizes<L>[0], Sizes<L>[1]> => {
  const { init, apply } = layer as unknown as Steps
  return {
    init,
    apply: (params: unknown, run: Run) => {
      const f = apply(params, run)
      return (x: Tensor) => f({ x }).outputs
    },
  } as never
}
