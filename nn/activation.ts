/** Activation functions, elementwise unless said otherwise. `relu`, `tanh`, `sigmoid`, `softmax` are core's. */
import {
  abs,
  add,
  clip,
  div,
  erf,
  exp,
  expm1,
  greaterEqual,
  lessEqual,
  log1p,
  maximum,
  minimum,
  mul,
  neg,
  relu,
  sigmoid,
  splitAxis,
  square,
  sub,
  tanh,
  where,
} from '../core/index.ts'
import type { Tensor } from '../core/index.ts'
import { shapeError } from '../core/error.ts'
import type { Initialiser } from './initialiser.ts'
import { constant, fansOf } from './initialiser.ts'
import type { KeepingLayer, Pointwise } from './size.ts'

export type Activation = (x: Tensor) => Tensor

/** The function, in whose type the result has the argument's shape. */
const pointwise = (f: Activation): Pointwise => f as Pointwise

/**
 * x · Φ(x), with the exact distribution function of the normal (Hendrycks and Gimpel 2016).
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { gelu } from 'pullback/nn'
 * console.log(gelu(tensor([-1, 0, 1]))) // => float32[3] [-0.158655, 0, 0.841345]
 * ```
 */
export const gelu: Pointwise = pointwise((x) => mul(mul(x, 0.5), add(erf(mul(x, Math.SQRT1_2)), 1)))

/**
 * GELU by x/2 · (1 + tanh(√(2/π) · (x + 0.044715 x³))): GPT-2's.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { geluTanh } from 'pullback/nn'
 * console.log(geluTanh(tensor([-1, 0, 1]))) // => float32[3] [-0.158808, 0, 0.841192]
 * ```
 */
export const geluTanh: Pointwise = pointwise((x) => {
  const inner = mul(mul(x, add(mul(mul(x, x), 0.044715), 1)), Math.sqrt(2 / Math.PI))
  return mul(mul(x, 0.5), add(tanh(inner), 1))
})

/**
 * GELU by x · σ(1.702 x): CLIP's.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { quickGelu } from 'pullback/nn'
 * console.log(quickGelu(tensor([-1, 0, 1]))) // => float32[3] [-0.154204, 0, 0.845796]
 * ```
 */
export const quickGelu: Pointwise = pointwise((x) => mul(x, sigmoid(mul(x, 1.702))))

/**
 * x · σ(x), also called swish.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { silu } from 'pullback/nn'
 * console.log(silu(tensor([-1, 0, 1]))) // => float32[3] [-0.268941, 0, 0.731059]
 * ```
 */
export const silu: Pointwise = pointwise((x) => mul(x, sigmoid(x)))

/**
 * log(1 + e^x), without overflow.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { softplus } from 'pullback/nn'
 * console.log(softplus(tensor([-10, 0, 100]))) // => float32[3] [0.0000453989, 0.693147, 100]
 * ```
 */
export const softplus: Pointwise = pointwise((x) => add(maximum(x, 0), log1p(exp(neg(abs(x))))))

/**
 * log σ(x), without underflow.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { logSigmoid } from 'pullback/nn'
 * console.log(logSigmoid(tensor([-10, 0, 100]))) // => float32[3] [-10, -0.693147, -3.78351e-44]
 * ```
 */
export const logSigmoid: Pointwise = pointwise((x) => neg(softplus(neg(x))))

/**
 * x · tanh(softplus(x))
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { mish } from 'pullback/nn'
 * console.log(mish(tensor([-1, 0, 1]))) // => float32[3] [-0.303401, 0, 0.865098]
 * ```
 */
export const mish: Pointwise = pointwise((x) => mul(x, tanh(softplus(x))))

/**
 * min(max(x, 0), 6)
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { relu6 } from 'pullback/nn'
 * console.log(relu6(tensor([-1, 3, 8]))) // => float32[3] [0, 3, 6]
 * ```
 */
export const relu6: Pointwise = pointwise((x) => where(greaterEqual(x, 6), 6, relu(x)))

/**
 * x where positive, else slope · x.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { leakyRelu } from 'pullback/nn'
 * console.log(leakyRelu(0.1)(tensor([-1, 2]))) // => float32[2] [-0.1, 2]
 * ```
 */
export const leakyRelu =
  (slope = 0.01): Activation =>
  (x) =>
    where(lessEqual(x, 0), mul(x, slope), x)

/**
 * x where positive, else alpha · (e^x - 1).
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { elu } from 'pullback/nn'
 * console.log(elu()(tensor([-1, 2]))) // => float32[2] [-0.632121, 2]
 * ```
 */
export const elu =
  (alpha = 1): Activation =>
  (x) =>
    // The branch that is not taken must not overflow, or its derivative is 0 · ∞.
    where(lessEqual(x, 0), mul(expm1(minimum(x, 0)), alpha), x)

/**
 * The self-normalising elu (Klambauer et al. 2017).
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { selu } from 'pullback/nn'
 * console.log(selu(tensor([-1, 1]))) // => float32[2] [-1.11133, 1.0507]
 * ```
 */
export const selu: Pointwise = pointwise((x) => mul(elu(1.6732632423543772)(x), 1.0507009873554805))

/**
 * A line from (-3, 0) to (3, 1), constant outside.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { hardSigmoid } from 'pullback/nn'
 * console.log(hardSigmoid(tensor([-4, 0, 1, 4]))) // => float32[4] [0, 0.5, 0.666667, 1]
 * ```
 */
export const hardSigmoid: Pointwise = pointwise((x) =>
  where(lessEqual(x, -3), 0, where(greaterEqual(x, 3), 1, add(div(x, 6), 0.5))),
)

/**
 * x · hardSigmoid(x)
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { hardSwish } from 'pullback/nn'
 * console.log(hardSwish(tensor([-4, 1, 4]))) // => float32[3] [0, 0.666667, 4]
 * ```
 */
export const hardSwish: Pointwise = pointwise((x) => mul(x, hardSigmoid(x)))

/**
 * x / (1 + |x|)
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { softsign } from 'pullback/nn'
 * console.log(softsign(tensor([-1, 3]))) // => float32[2] [-0.5, 0.75]
 * ```
 */
export const softsign: Pointwise = pointwise((x) => div(x, add(abs(x), 1)))

/**
 * x - tanh x
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { tanhShrink } from 'pullback/nn'
 * console.log(tanhShrink(tensor([0, 2]))) // => float32[2] [0, 1.03597]
 * ```
 */
export const tanhShrink: Pointwise = pointwise((x) => sub(x, tanh(x)))

/**
 * a · σ(b) of the halves a, b of the last axis: [..., 2 n] → [..., n] (Dauphin et al. 2016).
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { glu } from 'pullback/nn'
 * console.log(glu(tensor([1, 2, 0, 100]))) // => float32[2] [0.5, 2]
 * ```
 */
export const glu: Activation = (x) => {
  if ((x.shape.at(-1) ?? 1) % 2 !== 0) throw shapeError('glu', 'the last axis must have two halves', x.shape)
  const [a, b] = splitAxis(x, 2, -1) as [Tensor, Tensor]
  return mul(a, sigmoid(b))
}

/**
 * x where positive, else x times a trained slope, of which there is one, or one for each place of the last axis.
 *
 * @example
 * ```ts
 * import { random, tensor } from 'pullback'
 * import { evaluation, prelu } from 'pullback/nn'
 * const layer = prelu()
 * console.log(layer.apply(layer.init(random.key(0)), evaluation)(tensor([-4, 2]))) // => float32[2] [-1, 2]
 * ```
 */
export const prelu = (
  slopes = 1,
  initialiser: Initialiser = constant(0.25),
): KeepingLayer<{ readonly weight: Tensor }> => ({
  init: (key) => ({ weight: initialiser(key, [slopes], fansOf([slopes])) }),
  apply: ({ weight }) => pointwise((x) => where(lessEqual(x, 0), mul(x, weight), x)),
})

/**
 * max(x, 0)² (So et al. 2021).
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { reluSquared } from 'pullback/nn'
 * console.log(reluSquared(tensor([-1, 3]))) // => float32[2] [0, 9]
 * ```
 */
export const reluSquared: Pointwise = pointwise((x) => square(relu(x)))

/**
 * ½ (1 + erf((x - μ) / (σ √2))) with μ = 0.707107 and σ = 0.282095, near the square of relu (Ma et al. 2022).
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { laplace } from 'pullback/nn'
 * console.log(laplace(tensor([0.707107]))) // => float32[1] [0.5]
 * ```
 */
export const laplace: Pointwise = pointwise((x) =>
  mul(add(erf(div(sub(x, 0.707107), 0.282095 * Math.SQRT2)), 1), 0.5),
)

/** The names that configurations know activations by. */
export type ActivationName =
  | 'relu'
  | 'gelu'
  | 'geluTanh'
  | 'quickGelu'
  | 'silu'
  | 'tanh'
  | 'sigmoid'
  | 'softplus'
  | 'mish'
  | 'relu6'
  | 'leakyRelu'
  | 'elu'
  | 'selu'
  | 'hardSigmoid'
  | 'hardSwish'
  | 'linear'
  | 'reluSquared'
  | 'clippedGelu'
  | 'laplace'

/**
 * Activations by name; `linear` is x itself.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { activations } from 'pullback/nn'
 * console.log(activations.silu(tensor([1])), activations.linear(tensor([1])))
 * // => float32[1] [0.731059] float32[1] [1]
 * ```
 */
export const activations: Readonly<Record<ActivationName, Activation>> = {
  relu,
  gelu,
  geluTanh,
  quickGelu,
  silu,
  tanh,
  sigmoid,
  softplus,
  mish,
  relu6,
  leakyRelu: leakyRelu(),
  elu: elu(),
  selu,
  hardSigmoid,
  hardSwish,
  linear: (x) => x,
  reluSquared,
  clippedGelu: (x) => clip(gelu(x), -10, 10),
  laplace,
}

/**
 * The activation of that name; a function is itself.
 *
 * @example
 * ```ts
 * import { activationOf, activations, gelu } from 'pullback/nn'
 * console.log(activationOf('relu') === activations.relu, activationOf(gelu) === gelu) // => true true
 * ```
 */
export const activationOf = (activation: ActivationName | Activation): Activation =>
  typeof activation === 'function' ? activation : activations[activation]
