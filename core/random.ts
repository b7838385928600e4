/**
 * Random numbers as functions of explicit keys: Threefry-2x32 counters, the same bits as JAX's (with
 * `jax_threefry_partitionable`, its default), on every engine.
 */
import { isTensor } from './tensor.ts'
import type { Tensor as TensorType } from './tensor.ts'
import * as f from './function/index.ts'
import { fromArray } from './make.ts'
import { argumentError, checkOptions, describe, shapeError } from './error.ts'
import { sizeOf } from '../kernels/index.ts'
import { normalAxis } from './shape.ts'
import type { Shape } from './shape.ts'
import type { NoOptions, WithoutAxis } from './type.ts'

/** A random key: two words. The same key gives the same numbers; make new ones with `split` and `foldIn`. */
export type Key = TensorType<readonly [2], 'uint32'>

type Tensor<S extends Shape = Shape> = TensorType<S>

/**
 * The key of a seed, an integer of up to 64 bits.
 *
 * @example
 * ```ts
 * import { random } from 'pullback'
 * console.log(random.key(7)) // => uint32[2] [0, 7]
 * ```
 */
export const key = (seed: number | bigint): Key => {
  if (typeof seed === 'number' && !Number.isSafeInteger(seed))
    throw argumentError('random.key', `the seed must be an integer, got ${seed}`)
  const bits = BigInt.asUintN(64, BigInt(seed))
  return fromArray(new Uint32Array([Number(bits >> 32n), Number(bits & 0xffffffffn)]), [2])
}

const words = (k: TensorType): readonly [Tensor, Tensor] => {
  checkKey(k)
  return [f.at(k, 0), f.at(k, 1)]
}

const checkKey = (k: unknown): void => {
  const form = isTensor(k) ? k.toString() : describe(k)
  if (form !== 'uint32[2]')
    throw argumentError(
      'random',
      `expected a key, uint32[2] (random.key(seed); for vmap, random.splitMany(key, n)), got ${form}`,
    )
}

/** High and low words of the row-major position in a shape. */
const counters = (shape: Shape): readonly [Tensor, Tensor] => {
  const size = sizeOf(shape)
  if (size > 0x7fffffff) throw argumentError('random', `at most 2^31 - 1 numbers at a time, got ${size}`)
  const low = f.cast(f.reshape(f.iota([size], 0), shape), 'uint32')
  return [f.zeros([], 'uint32'), low]
}

/**
 * 32 random bits for each element.
 *
 * @example
 * ```ts
 * import { random } from 'pullback'
 * console.log(random.bits(random.key(0), [2])) // => uint32[2] [4070199207, 4202968722]
 * ```
 */
export const bits = <const S extends Shape>(k: Key, shape: S): TensorType<S, 'uint32'> => {
  const [high, low] = counters(shape)
  return f.threefry(...words(k), high, low, 'xor') as TensorType<S, 'uint32'>
}

/**
 * `n` new keys as one tensor [n, 2].
 *
 * @example
 * ```ts
 * import { random } from 'pullback'
 * console.log(random.splitMany(random.key(0), 3).shape) // => [3, 2]
 * ```
 */
export const splitMany = <const N extends number>(k: Key, n: N): TensorType<readonly [N, 2], 'uint32'> => {
  const [high, low] = counters([n])
  const both = ([0, 1] as const).map((word) => f.threefry(...words(k), high, low, word))
  return f.stack(both, 1) as TensorType as TensorType<readonly [N, 2], 'uint32'>
}

type Keys<N extends number, Done extends readonly Key[] = readonly []> = number extends N
  ? readonly Key[]
  : Done['length'] extends N
    ? Done
    : Keys<N, readonly [...Done, Key]>

/**
 * `n` new keys (two by default), independent of one another and of the old one, which should not be used again.
 *
 * @example
 * ```ts
 * import { random } from 'pullback'
 * const [forWeights, forBias] = random.split(random.key(0))
 * console.log(forWeights, forBias)
 * // => uint32[2] [1797259609, 2579123966] uint32[2] [928981903, 3453687069]
 * ```
 */
export const split = <const N extends number = 2>(k: Key, n?: N): Keys<N> => {
  const count = n ?? 2
  const many = splitMany(k, count)
  return Array.from({ length: count }, (_, i) => f.at(many, i) as Key) as unknown as Keys<N>
}

/** FNV-1a over UTF-16 units: names become numbers. */
const hash = (name: string): number => {
  let h = 0x811c9dc5
  for (let i = 0; i < name.length; i++) h = Math.imul(h ^ name.charCodeAt(i), 0x01000193)
  return h >>> 0
}

/**
 * The key changed by a number (an integer of 32 bits, or an integer scalar) or a name.
 *
 * @example
 * ```ts
 * import { random } from 'pullback'
 * console.log(random.foldIn(random.key(0), 'weight'), random.foldIn(random.key(0), 1))
 * // => uint32[2] [1990235049, 1131785301] uint32[2] [928981903, 3453687069]
 * ```
 */
export const foldIn = (k: Key, data: number | string | TensorType): Key => {
  const value = typeof data === 'string' ? hash(data) : data
  if (typeof value === 'number' && !Number.isInteger(value))
    throw argumentError('random.foldIn', `expected an integer, got ${value}`)
  const low = typeof value === 'number' ? f.full([], value >>> 0, 'uint32') : f.cast(value, 'uint32')
  const high = f.zeros([], 'uint32')
  const both = ([0, 1] as const).map((word) => f.threefry(...words(k), high, low, word))
  return f.stack(both) as Key
}

export interface UniformOptions {
  readonly low?: number
  readonly high?: number
  readonly dtype?: 'float32' | 'float64'
}

/**
 * Numbers evenly from [low, high), by default [0, 1).
 *
 * @example
 * ```ts
 * import { random } from 'pullback'
 * console.log(random.uniform(random.key(0), [3], { low: -1, high: 1 }))
 * // => float32[3] [0.895334, 0.95716, -0.335417]
 * ```
 */
export const uniform = <const S extends Shape>(
  k: Key,
  shape: S,
  options: UniformOptions = {},
): TensorType<S> => {
  checkOptions('random.uniform', options, ['low', 'high', 'dtype'])
  const { low = 0, high = 1, dtype = 'float32' } = options
  const unit = dtype === 'float32' ? unit32(k, shape) : unit64(k, shape)
  if (low === 0 && high === 1) return unit as TensorType<S>
  const span = dtype === 'float32' ? Math.fround(Math.fround(high) - Math.fround(low)) : high - low
  return f.maximum(f.add(f.mul(unit, span), low), low) as unknown as TensorType<S>
}

/** The upper 23 bits as a multiple of 2^-23: the numbers JAX makes by filling a mantissa. */
const unit32 = (k: Key, shape: Shape): Tensor =>
  f.mul(f.cast(f.shiftRight(bits(k, shape), 9), 'float32'), 2 ** -23) as Tensor

const unit64 = (k: Key, shape: Shape): Tensor => {
  const [high, low] = counters(shape)
  const upper = f.cast(f.threefry(...words(k), high, low, 0), 'float64')
  const lower = f.cast(f.shiftRight(f.threefry(...words(k), high, low, 1) as TensorType, 12), 'float64')
  return f.mul(f.add(f.mul(upper, 2 ** 20), lower), 2 ** -52) as Tensor
}

/**
 * Standard normal numbers: √2 · erfInv of uniform ones on (-1, 1).
 *
 * @example
 * ```ts
 * import { random } from 'pullback'
 * console.log(random.normal(random.key(0), [3])) // => float32[3] [1.62264, 2.02526, -0.433594]
 * ```
 */
export const normal = <const S extends Shape>(
  k: Key,
  shape: S,
  options: { readonly dtype?: 'float32' | 'float64' } = {},
): TensorType<S> => {
  checkOptions('random.normal', options, ['dtype'])
  const { dtype = 'float32' } = options
  const low = dtype === 'float32' ? -(1 - 2 ** -24) : -(1 - 2 ** -53)
  return f.mul(f.erfInv(uniform(k, shape, { low, high: 1, dtype })), Math.SQRT2) as unknown as TensorType<S>
}

/**
 * True with probability `p` (a number, or a tensor that broadcasts to the shape).
 *
 * @example
 * ```ts
 * import { random } from 'pullback'
 * console.log(random.bernoulli(random.key(0), 0.5, [4])) // => bool[4] [false, false, true, true]
 * ```
 */
export const bernoulli = <const S extends Shape>(
  k: Key,
  p: number | TensorType,
  shape: S,
): TensorType<S, 'bool'> => f.less(uniform(k, shape), p) as unknown as TensorType<S, 'bool'>

/**
 * Integers evenly from `low` … `high` - 1, int32; the bias of the remainder is below 2^-32.
 *
 * @example
 * ```ts
 * import { random } from 'pullback'
 * console.log(random.randint(random.key(0), [4], { low: 1, high: 7 })) // => int32[4] [2, 1, 3, 2]
 * ```
 */
export const randint = <const S extends Shape>(
  k: Key,
  shape: S,
  { low = 0, high }: { readonly low?: number; readonly high: number },
): TensorType<S, 'int32'> => {
  const span = high - low
  if (!Number.isInteger(low) || !Number.isInteger(high) || !(span > 0) || span > 0xffffffff)
    throw argumentError('random.randint', `expected integers with low < high, got ${low} and ${high}`)
  const [first, second] = split(k)
  // 64 random bits modulo the span, in 32-bit words: 2^32 is congruent to (2^16 mod span)².
  const factor = Number(2n ** 32n % BigInt(span))
  const word = (n: number): TensorType => f.full([], n, 'uint32')
  const within = (x: TensorType): TensorType => f.remainder(x, word(span)) as TensorType
  const upper = f.mul(within(bits(first, shape)), word(factor)) as TensorType
  const offset = within(f.add(upper, within(bits(second, shape))) as TensorType)
  return f.add(f.cast(offset, 'int32'), low) as unknown as TensorType<S, 'int32'>
}

/** The smallest normal float32. */
const tiny = 2 ** -126

/**
 * Numbers of the standard Gumbel distribution, -log(-log u): the largest of scores plus these is a draw by softmax.
 *
 * @example
 * ```ts
 * import { add, argMax, log, random, tensor } from 'pullback'
 * const scores = log(tensor([0.2, 0.8]))
 * // a draw by these chances
 * console.log(argMax(add(scores, random.gumbel(random.key(0), [2])))) // => int32[] 1
 * ```
 */
export const gumbel = <const S extends Shape>(k: Key, shape: S): TensorType<S> =>
  f.neg(f.log(f.neg(f.log(uniform(k, shape, { low: tiny }) as TensorType)))) as unknown as TensorType<S>

export interface CategoricalOptions {
  /** The axis along which the classes stand; the last one by default. */
  readonly axis?: number
  /** The result's shape: axes in front of the logits' own (without `axis`) are further draws. */
  readonly shape?: Shape
}

/**
 * Classes drawn with the probabilities softmax(logits): int32, of the logits' shape without `axis`, or of `shape`.
 *
 * @example
 * ```ts
 * import { random, tensor, toArray } from 'pullback'
 * const coin = random.categorical(random.key(0), tensor([0, 0]), { shape: [8] })
 * console.log([...(await toArray(coin))].every((side) => side === 0 || side === 1)) // => true
 * ```
 */
export const categorical = <S extends Shape, const O extends CategoricalOptions = NoOptions>(
  k: Key,
  logits: TensorType<S>,
  options?: O,
): TensorType<DrawnShape<S, O>, 'int32'> => drawn(k, logits, options) as TensorType<DrawnShape<S, O>, 'int32'>

/** The shape that options ask for; unless they do, one draw along the last axis. */
type DrawnShape<S extends Shape, O> = O extends { readonly shape: infer R extends Shape }
  ? R
  : WithoutAxis<S, O extends { readonly axis: infer A } ? A : -1>

const drawn = (k: Key, logits: TensorType, options: CategoricalOptions = {}): TensorType => {
  checkOptions('random.categorical', options, ['axis', 'shape'])
  const { axis = -1, shape } = options
  const at = normalAxis('random.categorical', axis, logits.shape)
  const own = logits.shape.filter((_, i) => i !== at)
  const wanted = shape ?? own
  const front = wanted.slice(0, Math.max(0, wanted.length - own.length))
  if (wanted.slice(front.length).join() !== own.join())
    throw shapeError('random.categorical', "the shape must end with the logits' other axes", wanted, own)
  const noise = gumbel(k, [...front, ...logits.shape])
  return f.argMax(f.add(noise, logits) as TensorType, { axis: at + front.length })
}

/** A random order of the numbers 0 … n - 1, int32; each order is as likely as any other. */
const shuffled = (k: Key, n: number): TensorType<Shape, 'int32'> => {
  // Sorted by random words, so often that equal words of a pair cannot matter (3 log n / log 2^32 rounds).
  const rounds = Math.ceil((3 * Math.log(Math.max(1, n))) / Math.log(0xffffffff))
  let [rest, order] = [k, f.iota([n], 0) as TensorType<Shape, 'int32'>]
  for (let round = 0; round < rounds; round++) {
    const [next, own] = split(rest)
    rest = next
    order = f.take(order, f.argsort(bits(own, [n]))) as TensorType<Shape, 'int32'>
  }
  return order
}

/**
 * The numbers 0 … n - 1 in a random order, or a tensor's slices along an axis (0 by default).
 *
 * @example
 * ```ts
 * import { random, toArray } from 'pullback'
 * const order = await toArray(random.permutation(random.key(0), 5))
 * console.log([...order].sort()) // => [0, 1, 2, 3, 4]
 * ```
 */
export const permutation = <const X extends number | TensorType>(
  k: Key,
  x: X,
  options: { readonly axis?: number } = {},
): X extends number ? TensorType<readonly [X], 'int32'> : X => permuted(k, x, options) as never

const permuted = (k: Key, x: number | TensorType, options: { readonly axis?: number }): TensorType => {
  checkOptions('random.permutation', options, ['axis'])
  if (typeof x === 'number') {
    if (!Number.isSafeInteger(x) || x < 0)
      throw argumentError('random.permutation', `expected a count or a tensor, got ${x}`)
    return shuffled(k, x)
  }
  const at = normalAxis('random.permutation', options.axis ?? 0, x.shape)
  return f.take(x, shuffled(k, x.shape[at] as number), at)
}
