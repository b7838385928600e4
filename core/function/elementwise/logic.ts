/** Truth values, elementwise: whatever is other than 0 is true. */
import type { Dtype } from '../../../kernels/index.ts'
import { bind1 } from '../../bind.ts'
import * as p from '../../primitives/elementwise.ts'
import type { Shape } from '../../shape.ts'
import type { Tensor } from '../../tensor.ts'
import type { ElementShape, Operand } from '../../type.ts'
import { asTensor, castTo } from '../basic.ts'
import type { Comparison, Predicate } from './rule.ts'

/** The number or tensor as truth: other than 0. */
const truth = (x: Operand): Tensor => castTo(asTensor(x, 'int32'), 'bool')

/**
 * Whether both are true; a number is true if it is not 0.
 *
 * @example
 * ```ts
 * import { logicalAnd, tensor } from 'pullback'
 * console.log(logicalAnd(tensor([true, true]), tensor([true, false]))) // => bool[2] [true, false]
 * ```
 */
export const logicalAnd: Comparison<'logicalAnd'> = <A extends Operand, B extends Operand>(a: A, b: B) =>
  bind1(p.bitwiseAnd, [truth(a), truth(b)], {}) as Tensor<ElementShape<A, B>, 'bool'>

/**
 * Whether one or both are true; a number is true if it is not 0.
 *
 * @example
 * ```ts
 * import { logicalOr, tensor } from 'pullback'
 * console.log(logicalOr(tensor([true, false]), tensor([false, false]))) // => bool[2] [true, false]
 * ```
 */
export const logicalOr: Comparison<'logicalOr'> = <A extends Operand, B extends Operand>(a: A, b: B) =>
  bind1(p.bitwiseOr, [truth(a), truth(b)], {}) as Tensor<ElementShape<A, B>, 'bool'>

/**
 * Whether one is true and not the other; a number is true if it is not 0.
 *
 * @example
 * ```ts
 * import { logicalXor, tensor } from 'pullback'
 * console.log(logicalXor(tensor([true, true]), tensor([true, false]))) // => bool[2] [false, true]
 * ```
 */
export const logicalXor: Comparison<'logicalXor'> = <A extends Operand, B extends Operand>(a: A, b: B) =>
  bind1(p.bitwiseXor, [truth(a), truth(b)], {}) as Tensor<ElementShape<A, B>, 'bool'>

/**
 * Whether it is not true; a number is true if it is not 0.
 *
 * @example
 * ```ts
 * import { logicalNot, tensor } from 'pullback'
 * console.log(logicalNot(tensor([0, 2]))) // => bool[2] [true, false]
 * ```
 */
export const logicalNot: Predicate = <S extends Shape, D extends Dtype>(x: Tensor<S, D>) =>
  bind1(p.logicalNot, [truth(x)], {}) as Tensor<S, 'bool'>
