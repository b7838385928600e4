import * as functions from '../function/index.ts'
import type { Tensor } from '../tensor.ts'
import { isFloating } from '../../kernels/index.ts'
import { tensorsOf } from '../argument.ts'
import { argumentError } from '../error.ts'
import * as tree from '../tree.ts'
import { checkLike } from './tracer.ts'
import { vjp } from './vjp.ts'

/**
 * The value of `f`, and its derivative there as a linear function of the arguments' tangents: `f` is evaluated
 * once, however many tangents are pushed. For functions of which reverse mode exists; for others see `jvp`.
 *
 * @throws PullbackError, from the function of tangents, when they have another structure, other shapes or other dtypes than
 * the arguments.
 * @example
 * ```ts
 * import { item, square, tensor } from 'pullback'
 * const [value, push] = linearize(square, tensor(3))
 * console.log(await item(value), await item(push(tensor(1))), await item(push(tensor(2)))) // => 9 6 12
 * ```
 */
export const linearize = <A extends readonly unknown[], B>(
  f: (...args: A) => B,
  ...primals: A
): readonly [value: B, push: (...tangents: A) => B] => {
  const { value, pullback } = vjp(f, ...primals)
  const [outputs, outStructure] = tree.flatten(value)
  const [inputs, structure] = tensorsOf(primals)
  // The pullback is linear: its transpose is the derivative, and its own argument does not matter.
  const transposed = vjp(
    (...cotangents: readonly Tensor[]) => tree.leaves(pullback(outStructure.unflatten(cotangents) as B)),
    ...outputs.map((out) => functions.zerosLike(out)),
  )
  return [
    value,
    (...tangents) => {
      const [given, same] = tensorsOf(tangents)
      if (same.key !== structure.key)
        throw argumentError('linearize', 'tangents must have the structure of the arguments')
      const moving = given.map((x, i) => {
        const input = inputs[i] as Tensor
        checkLike('linearize', ['a tangent', 'argument'], x, input)
        return isFloating(input.dtype) ? x : functions.zerosLike(input)
      })
      return outStructure.unflatten(transposed.pullback(moving)) as B
    },
  ]
}
