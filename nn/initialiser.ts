/**
 * How parameters begin. Weights are [fanIn, fanOut] in their last two axes (axes before them count to both, as
 * a convolution's taps do), so that x · W needs no transposition: PyTorch's [out, in], transposed.
 */
import { erfInv, full, mul, random } from '../core/index.ts'
import type { Key, Shape, Tensor } from '../core/index.ts'
import { checkOptions } from '../core/error.ts'

/** How many numbers go into each output, and how many outputs each input goes to. */
export interface Fans {
  readonly fanIn: number
  readonly fanOut: number
}

/** Makes a parameter. A bias is told the fans of the weight beside it. */
export type Initialiser = (key: Key, shape: Shape, fans: Fans) => Tensor

/**
 * The fans of a weight [..., fanIn, fanOut]; a vector's are both its length.
 *
 * @example
 * ```ts
 * import { fansOf } from 'pullback/nn'
 * console.log(fansOf([3, 64, 128]), fansOf([64]))
 * // => { fanIn: 192, fanOut: 384 } { fanIn: 64, fanOut: 64 }
 * ```
 */
export const fansOf = (shape: Shape): Fans => {
  const [last, before] = [shape.at(-1) ?? 1, shape.at(-2) ?? shape.at(-1) ?? 1]
  const field = shape.slice(0, -2).reduce((n, size) => n * size, 1)
  return { fanIn: before * field, fanOut: last * field }
}

/**
 * A number in every place.
 *
 * @example
 * ```ts
 * import { random } from 'pullback'
 * import { constant, fansOf } from 'pullback/nn'
 * console.log(constant(0.25)(random.key(0), [2], fansOf([2]))) // => float32[2] [0.25, 0.25]
 * ```
 */
export const constant =
  (value: number): Initialiser =>
  (_, shape) =>
    full(shape, value)

/**
 * Zeros.
 *
 * @example
 * ```ts
 * import { random } from 'pullback'
 * import { fansOf, zeroInitialiser } from 'pullback/nn'
 * console.log(zeroInitialiser(random.key(0), [2], fansOf([2]))) // => float32[2] [0, 0]
 * ```
 */
export const zeroInitialiser: Initialiser = constant(0)
/**
 * Ones.
 *
 * @example
 * ```ts
 * import { random } from 'pullback'
 * import { fansOf, oneInitialiser } from 'pullback/nn'
 * console.log(oneInitialiser(random.key(0), [2], fansOf([2]))) // => float32[2] [1, 1]
 * ```
 */
export const oneInitialiser: Initialiser = constant(1)

/**
 * Evenly from [low, high).
 *
 * @example
 * ```ts
 * import { random } from 'pullback'
 * import { fansOf, uniform } from 'pullback/nn'
 * console.log(uniform(-1, 1)(random.key(0), [3], fansOf([3])))
 * // => float32[3] [0.895334, 0.95716, -0.335417]
 * ```
 */
export const uniform =
  (low: number, high: number): Initialiser =>
  (key, shape) =>
    random.uniform(key, shape, { low, high })

/**
 * Normal with mean 0.
 *
 * @example
 * ```ts
 * import { random } from 'pullback'
 * import { fansOf, normal } from 'pullback/nn'
 * console.log(normal(0.02)(random.key(0), [3], fansOf([3])))
 * // => float32[3] [0.0324528, 0.0405053, -0.00867189]
 * ```
 */
export const normal =
  (deviation: number): Initialiser =>
  (key, shape) =>
    mul(random.normal(key, shape), deviation)

/** erf(√2): the probability that a normal number is within 2 standard deviations. */
const withinTwo = 0.9544997361036416
/** The standard deviation of a standard normal number known to be within 2. */
const truncatedDeviation = 0.8796256610342398

/**
 * Normal with mean 0, redrawn beyond 2 standard deviations, as BERT's weights are with 0.02 (Devlin et al. 2018,
 * `create_initializer`). `deviation` is that of the normal before it is cut, so what is left has 0.88 of it.
 *
 * @example
 * ```ts
 * import { abs, lessEqual, max, random } from 'pullback'
 * import { linear, truncatedNormal } from 'pullback/nn'
 * const layer = linear(768, 768, { weightInitialiser: truncatedNormal(0.02) })
 * console.log(lessEqual(max(abs(layer.init(random.key(0)).weight)), 0.04001)) // => bool[] true
 * ```
 */
export const truncatedNormal =
  (deviation: number): Initialiser =>
  (key, shape) =>
    mul(erfInv(random.uniform(key, shape, { low: -withinTwo, high: withinTwo })), deviation * Math.SQRT2)

/** U(-a, a) has the standard deviation a / √3. */
const uniformOf =
  (deviation: (fans: Fans) => number): Initialiser =>
  (key, shape, fans) => {
    const bound = Math.sqrt(3) * deviation(fans)
    return random.uniform(key, shape, { low: -bound, high: bound })
  }

const normalOf =
  (deviation: (fans: Fans) => number): Initialiser =>
  (key, shape, fans) =>
    mul(random.normal(key, shape), deviation(fans))

const xavier =
  (gain: number) =>
  ({ fanIn, fanOut }: Fans): number =>
    gain * Math.sqrt(2 / (fanIn + fanOut))

/**
 * Uniform with variance gain² · 2 / (fanIn + fanOut) (Glorot and Bengio 2010).
 *
 * @example
 * ```ts
 * import { abs, lessEqual, max, random } from 'pullback'
 * import { fansOf, xavierUniform } from 'pullback/nn'
 * const weight = xavierUniform()(random.key(0), [64, 32], fansOf([64, 32]))
 * // √(6 / (64 + 32))
 * console.log(lessEqual(max(abs(weight)), 0.25)) // => bool[] true
 * ```
 */
export const xavierUniform = (gain = 1): Initialiser => uniformOf(xavier(gain))
/**
 * Normal with variance gain² · 2 / (fanIn + fanOut) (Glorot and Bengio 2010).
 *
 * @example
 * ```ts
 * import { item, random, variance } from 'pullback'
 * import { fansOf, xavierNormal } from 'pullback/nn'
 * const weight = xavierNormal()(random.key(0), [640, 360], fansOf([640, 360]))
 * // 2 / (640 + 360)
 * console.log((await item(variance(weight))).toFixed(3)) // => 0.002
 * ```
 */
export const xavierNormal = (gain = 1): Initialiser => normalOf(xavier(gain))

export interface KaimingOptions {
  /** The slope of the leaky relu behind the weight; 0 is relu. */
  readonly slope?: number
  /** Whether variance is kept on the way forward (in) or backward (out). */
  readonly fan?: 'in' | 'out'
}

const kaiming = (operation: string, options: KaimingOptions): ((fans: Fans) => number) => {
  checkOptions(operation, options, ['slope', 'fan'])
  const { slope = 0, fan = 'in' } = options
  return ({ fanIn, fanOut }) => Math.sqrt(2 / (1 + slope * slope) / (fan === 'in' ? fanIn : fanOut))
}

/**
 * Uniform with variance 2 / ((1 + slope²) · fan) (He et al. 2015).
 *
 * @example
 * ```ts
 * import { abs, lessEqual, max, random } from 'pullback'
 * import { fansOf, kaimingUniform } from 'pullback/nn'
 * const weight = kaimingUniform()(random.key(0), [600, 32], fansOf([600, 32]))
 * // √(6 / 600)
 * console.log(lessEqual(max(abs(weight)), 0.1)) // => bool[] true
 * ```
 */
export const kaimingUniform = (options: KaimingOptions = {}): Initialiser =>
  uniformOf(kaiming('kaimingUniform', options))
/**
 * Normal with variance 2 / ((1 + slope²) · fan) (He et al. 2015).
 *
 * @example
 * ```ts
 * import { item, random, variance } from 'pullback'
 * import { fansOf, kaimingNormal } from 'pullback/nn'
 * const weight = kaimingNormal()(random.key(0), [500, 64], fansOf([500, 64]))
 * // 2 / 500
 * console.log((await item(variance(weight))).toFixed(3)) // => 0.004
 * ```
 */
export const kaimingNormal = (options: KaimingOptions = {}): Initialiser =>
  normalOf(kaiming('kaimingNormal', options))

/**
 * Normal, cut at 2 standard deviations, with variance 1 / fanIn (LeCun et al. 1998; Flax's default).
 *
 * @example
 * ```ts
 * import { item, random, variance } from 'pullback'
 * import { fansOf, lecunNormal } from 'pullback/nn'
 * const weight = lecunNormal(random.key(0), [500, 64], fansOf([500, 64]))
 * // 1 / 500
 * console.log((await item(variance(weight))).toFixed(3)) // => 0.002
 * ```
 */
export const lecunNormal: Initialiser = (key, shape, fans) =>
  truncatedNormal(Math.sqrt(1 / fans.fanIn) / truncatedDeviation)(key, shape, fans)

/**
 * U(±1/√fanIn), PyTorch's default for the weight and the bias of linear layers: `kaimingUniform` of slope √5.
 *
 * @example
 * ```ts
 * import { abs, lessEqual, max, random } from 'pullback'
 * import { fansOf, torchUniform } from 'pullback/nn'
 * const weight = torchUniform(random.key(0), [64, 32], fansOf([64, 32]))
 * // 1 / √64
 * console.log(lessEqual(max(abs(weight)), 0.125)) // => bool[] true
 * ```
 */
export const torchUniform: Initialiser = kaimingUniform({ slope: Math.sqrt(5) })
