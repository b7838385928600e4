/** Where along an axis the extremes are. */
import * as p from '../../primitives/reduce.ts'
import type { Shape } from '../../shape.ts'
import type { Tensor } from '../../tensor.ts'
import type { HasAxes, ReducedShape } from '../../type.ts'
import { reduction } from './fold.ts'
import type { ReduceOptions } from './fold.ts'

interface ArgOptions extends ReduceOptions {
  readonly axis?: number | undefined
}

type ArgReduction<N extends string> = <S extends Shape, const O extends ArgOptions | undefined = undefined>(
  x: Tensor<S>,
  options?: O & HasAxes<N, S, O>,
) => Tensor<ReducedShape<S, O>, 'int32'>

/**
 * The int32 position of the first largest element along an axis, or row-major in the whole.
 *
 * @example
 * ```ts
 * import { argMax, tensor } from 'pullback'
 * console.log(argMax(tensor([[1, 5, 5], [7, 2, 0]]), { axis: -1 })) // => int32[2] [1, 0]
 * ```
 */
export const argMax: ArgReduction<'argMax'> = reduction('argMax', p.argMax) as ArgReduction<'argMax'>

/**
 * The int32 position of the first smallest element along an axis, or row-major in the whole.
 *
 * @example
 * ```ts
 * import { argMin, tensor } from 'pullback'
 * console.log(argMin(tensor([3, 1, 2]))) // => int32[] 1
 * ```
 */
export const argMin: ArgReduction<'argMin'> = reduction('argMin', p.argMin) as ArgReduction<'argMin'>
