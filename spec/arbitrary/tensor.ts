/** Generated tensors. */
import * as fc from 'fast-check'
import { fromArray } from '../../core/index.ts'
import type { Dtype, HostArray, Key, Shape, Tensor } from '../../core/index.ts'
import { random } from '../../core/index.ts'
import { hostArray, sizeOf } from '../../kernels/index.ts'
import { renderNumbers } from '../law/render.ts'
import { elements } from './number.ts'
import type { NumberOptions } from './number.ts'
import { shapes } from './shape.ts'

export interface TensorOptions<D extends Dtype = Dtype> extends NumberOptions {
  /** A shape, or shapes to choose from; of up to three axes by default. */
  readonly shape?: Shape | fc.Arbitrary<Shape>
  /** float32 by default. */
  readonly dtype?: D
}

/** The tensor with a text of its numbers for counterexamples. */
const printable = <T extends Tensor>(x: T, data: HostArray): T =>
  Object.assign(x, {
    [fc.toStringMethod]: () => `${x.dtype}[${x.shape.join(', ')}] ${renderNumbers(data, x.shape)}`,
  })

const make = (shape: Shape, dtype: Dtype, numbers: readonly number[]): Tensor => {
  const data = hostArray(dtype, sizeOf(shape))
  data.set(numbers)
  return printable(fromArray(data, shape), data)
}

const isShape = (shape: Shape | fc.Arbitrary<Shape>): shape is Shape => Array.isArray(shape)

/**
 * Tensors on the default engine. A failing one is printed with its numbers, and shrinks toward a small shape
 * and small numbers.
 *
 * @example
 * ```ts
 * import * as fc from 'fast-check'
 * import { abs, itemSync, sum } from 'pullback'
 * fc.assert(fc.property(tensors({ shape: [2, 3] }), (x) => itemSync(sum(abs(x))) >= 0))
 * ```
 */
export const tensors = <D extends Dtype = 'float32'>(
  options: TensorOptions<D> = {},
): fc.Arbitrary<Tensor<Shape, D>> => {
  const { shape = shapes(), dtype = 'float32' } = options
  const all = isShape(shape) ? fc.constant(shape) : shape
  return all.chain((own) =>
    elements(sizeOf(own), dtype, options).map((numbers) => make(own, dtype, numbers)),
  ) as fc.Arbitrary<Tensor<Shape, D>>
}

/**
 * Random keys.
 *
 * @example
 * ```ts
 * import * as fc from 'fast-check'
 * import { keys } from 'pullback/spec'
 * fc.assert(fc.property(keys(), (key) => key.shape[0] === 2))
 * ```
 */
export const keys = (): fc.Arbitrary<Key> =>
  fc.integer().map((seed) => {
    const key = random.key(seed)
    return Object.assign(key, { [fc.toStringMethod]: () => `random.key(${seed})` })
  })

export interface MaskOptions {
  readonly shape?: Shape | fc.Arbitrary<Shape>
  /** Along the last axis, at least one element is true: no row of an attention mask is empty. */
  readonly someInEachRow?: boolean
}

/**
 * bool tensors: random ones, all true, all false, and one true in each row.
 *
 * @example
 * ```ts
 * import * as fc from 'fast-check'
 * import { masks } from 'pullback/spec'
 * fc.assert(fc.property(masks({ shape: [2, 3] }), (mask) => mask.dtype === 'bool'))
 * ```
 */
export const masks = (options: MaskOptions = {}): fc.Arbitrary<Tensor<Shape, 'bool'>> => {
  const { shape = shapes(), someInEachRow = false } = options
  const all = isShape(shape) ? fc.constant(shape) : shape
  return all.chain((own) => {
    const length = own.at(-1) ?? 1
    const rows = length === 0 ? 0 : sizeOf(own) / length
    const row = fc.oneof(
      fc.constant(new Array<number>(length).fill(1)),
      fc.array(fc.constantFrom(1, 0), { minLength: length, maxLength: length, size: 'max' }),
      fc.nat(Math.max(0, length - 1)).map((at) => Array.from({ length }, (_, i) => Number(i === at))),
      fc.constant(new Array<number>(length).fill(0)),
    )
    const kept = someInEachRow
      ? row.map((bits) => (bits.includes(1) ? bits : bits.map((_, i) => Number(i === 0))))
      : row
    return fc
      .array(kept, { minLength: rows, maxLength: rows, size: 'max' })
      .map((bits) => make(own, 'bool', bits.flat()) as Tensor<Shape, 'bool'>)
  })
}
