/** Tensors beside each other, and what is put around them. */
import type { Dtype } from '../../../kernels/index.ts'
import { bind1 } from '../../bind.ts'
import { argumentError } from '../../error.ts'
import * as p from '../../primitives/structure.ts'
import { normalAxis } from '../../shape.ts'
import type { Shape } from '../../shape.ts'
import { Literal } from '../../tensor.ts'
import type { Tensor } from '../../tensor.ts'
import type { Concatenated, Concatenates, DtypeOf, Operand, Padded, Stacked, Stacks } from '../../type.ts'
import { castTo, promote } from '../basic.ts'
import { expandDims } from './shape.ts'

/**
 * `value` put before and behind, and between neighbours: widths are [low, high], or [low, high, between], for each
 * axis.
 *
 * @example
 * ```ts
 * import { pad, tensor } from 'pullback'
 * console.log(pad(tensor([1, 2]), [[1, 2]], 9)) // => float32[5] [9, 1, 2, 9, 9]
 * console.log(pad(tensor([1, 2]), [[0, 0, 1]], 9)) // => float32[3] [1, 9, 2]
 * ```
 */
export const pad = <S extends Shape, D extends Dtype, const P extends readonly Shape[]>(
  x: Tensor<S, D>,
  widths: P,
  value: Operand = 0,
): Tensor<Padded<S, P>, D> => {
  const fill = typeof value === 'number' ? new Literal(value, x.dtype) : castTo(value, x.dtype)
  const low = widths.map(([n]) => n ?? 0)
  const high = widths.map(([, n]) => n ?? 0)
  const interior = widths.map(([, , n]) => n ?? 0)
  const isNothing =
    typeof value === 'number' && widths.length === x.shape.length && widths.flat().every((n) => n === 0)
  return (isNothing ? x : bind1(p.pad, [x, fill], { low, high, interior })) as Tensor<Padded<S, P>, D>
}

/**
 * Tensors one behind the other along an axis.
 *
 * @example
 * ```ts
 * import { concatenate, tensor } from 'pullback'
 * console.log(concatenate([tensor([1, 2]), tensor([3])])) // => float32[3] [1, 2, 3]
 * ```
 */
export const concatenate = <const T extends readonly Tensor[], const A extends number = 0>(
  tensors: T & Concatenates<T, A>,
  axis?: A,
): Tensor<Concatenated<T, A>, DtypeOf<T[number]>> => joined(tensors, axis ?? 0) as never

const joined = (tensors: readonly Tensor[], axis: number): Tensor => {
  const promoted = promote(...tensors)
  const [first] = promoted
  if (first === undefined) throw argumentError('concatenate', 'expected at least one tensor, got none')
  return promoted.length === 1
    ? first
    : bind1(p.concatenate, promoted, { axis: normalAxis('concatenate', axis, first.shape) })
}

/**
 * Tensors of one shape beside each other along a new axis.
 *
 * @example
 * ```ts
 * import { stack, tensor } from 'pullback'
 * console.log(stack([tensor([1, 2]), tensor([3, 4])], -1)) // => float32[2, 2] [[1, 3], [2, 4]]
 * ```
 */
export const stack = <const T extends readonly Tensor[], const A extends number = 0>(
  tensors: T & Stacks<T>,
  axis?: A,
): Tensor<Stacked<T, A>, DtypeOf<T[number]>> => {
  const place: number = axis ?? 0
  return joined(
    tensors.map((x) => expandDims(x, place)),
    place,
  ) as never
}
