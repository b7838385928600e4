/** Bits of integers, elementwise. */
import type { Dtype } from '../../../kernels/index.ts'
import { bind1 } from '../../bind.ts'
import * as p from '../../primitives/elementwise.ts'
import type { Shape } from '../../shape.ts'
import type { Tensor } from '../../tensor.ts'
import { binary, unary } from './rule.ts'
import type { Binary, Unary } from './rule.ts'

/**
 * Bitwise and of integers, logical and of bools.
 *
 * @example
 * ```ts
 * import { bitwiseAnd, tensor } from 'pullback'
 * console.log(bitwiseAnd(tensor([12, 10], { dtype: 'int32' }), 6)) // => int32[2] [4, 2]
 * ```
 */
export const bitwiseAnd: Binary<'bitwiseAnd'> = binary(p.bitwiseAnd)

/**
 * Bitwise or of integers, logical or of bools.
 *
 * @example
 * ```ts
 * import { bitwiseOr, tensor } from 'pullback'
 * console.log(bitwiseOr(tensor([12, 10], { dtype: 'int32' }), 6)) // => int32[2] [14, 14]
 * ```
 */
export const bitwiseOr: Binary<'bitwiseOr'> = binary(p.bitwiseOr)

/**
 * Bitwise exclusive or of integers, logical of bools.
 *
 * @example
 * ```ts
 * import { bitwiseXor, tensor } from 'pullback'
 * console.log(bitwiseXor(tensor([12, 10], { dtype: 'int32' }), 6)) // => int32[2] [10, 12]
 * ```
 */
export const bitwiseXor: Binary<'bitwiseXor'> = binary(p.bitwiseXor)

/**
 * a · 2^b in the dtype's bits; 0 from 32 on.
 *
 * @example
 * ```ts
 * import { shiftLeft, tensor } from 'pullback'
 * console.log(shiftLeft(tensor([1, 3], { dtype: 'int32' }), 2)) // => int32[2] [4, 12]
 * ```
 */
export const shiftLeft: Binary<'shiftLeft'> = binary(p.shiftLeft)

/**
 * Shifts right: arithmetic for int32, logical for uint32.
 *
 * @example
 * ```ts
 * import { shiftRight, tensor } from 'pullback'
 * console.log(shiftRight(tensor([-8, 8], { dtype: 'int32' }), 1)) // => int32[2] [-4, 4]
 * ```
 */
export const shiftRight: Binary<'shiftRight'> = binary(p.shiftRight)

/**
 * The same bits, as numbers of another dtype of 32 bits (float32, int32, uint32): no derivative flows through it. A NaN
 * may become another NaN on its way.
 *
 * @throws PullbackError when a dtype has not 32 bits.
 * @example
 * ```ts
 * import { bitcastConvertType, tensor } from 'pullback'
 * console.log(bitcastConvertType(tensor([1, -2]), 'int32')) // => int32[2] [1065353216, -1073741824]
 * ```
 */
export const bitcastConvertType = <S extends Shape, D extends Dtype>(x: Tensor<S>, dtype: D): Tensor<S, D> =>
  bind1(p.bitcastConvertType, [x], { dtype }) as unknown as Tensor<S, D>

/**
 * The complement: of an integer's bits, or of a bool.
 *
 * @example
 * ```ts
 * import { bitwiseNot, tensor } from 'pullback'
 * console.log(bitwiseNot(tensor([0, 5], { dtype: 'int32' }))) // => int32[2] [-1, -6]
 * ```
 */
export const bitwiseNot: Unary = unary(p.logicalNot)

/**
 * One word of Threefry-2x32 for each counter; see `random.ts`.
 *
 * @example
 * ```ts
 * import { tensor, threefry } from 'pullback'
 * import type { Shape, Tensor } from 'pullback'
 * const u = (x: number): Tensor<Shape, 'uint32'> => tensor([x], { dtype: 'uint32' })
 * console.log(threefry(u(0), u(0), u(0), u(0), 0)) // => uint32[1] [1797259609]
 * ```
 */
export const threefry = (
  key0: Tensor,
  key1: Tensor,
  counter0: Tensor,
  counter1: Tensor,
  word: 0 | 1 | 'xor',
): Tensor => bind1(p.threefry, [key0, key1, counter0, counter1], { word })
