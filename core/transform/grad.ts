import { isFloating } from '../../kernels/index.ts'
import { PullbackError, dtypeError } from '../error.ts'
import * as functions from '../function/index.ts'
import { isTensor } from '../tensor.ts'
import type { Tensor } from '../tensor.ts'
import * as tree from '../tree.ts'
import { vjpFlat } from './vjp.ts'

/** A scalar loss. */
export type Scalar = Tensor

const checkArguments = (operation: string, argument: unknown): void => {
  for (const [path, { dtype }] of tree.entries(argument))
    if (!isFloating(dtype))
      throw dtypeError(
        operation,
        `arguments must be floating point to be differentiated${path === '' ? '' : ` (at ${path})`}; close over integers, or pass them as another argument`,
        dtype,
      )
}

const checkLoss = (operation: string, loss: unknown): Tensor => {
  if (!isTensor(loss))
    throw new PullbackError({
      tag: 'argument',
      operation,
      detail: `the function must return one scalar tensor, got ${typeof loss}; return [loss, aux] under valueAndGradWithAux`,
    })
  if (loss.shape.length !== 0)
    throw new PullbackError({
      tag: 'shape',
      operation,
      detail: 'the function must return a scalar; take sum or mean of its output, or use vjp',
      shapes: [loss.shape],
    })
  if (!isFloating(loss.dtype))
    throw dtypeError(operation, 'the function must return a floating-point scalar', loss.dtype)
  return loss
}

const run = <A extends readonly [unknown, ...unknown[]]>(
  operation: string,
  f: (...args: A) => readonly [unknown, unknown],
  args: A,
): { readonly value: Tensor; readonly aux: unknown; readonly gradient: A[0] } => {
  const [first, ...rest] = args
  checkArguments(operation, first)
  const { value, pullback } = vjpFlat(
    (x: A[0]) => {
      const [loss, aux] = f(...([x, ...rest] as unknown as A))
      return [checkLoss(operation, loss), aux]
    },
    (loss, aux) => ({ loss, aux }),
    [first] as [A[0]],
  )
  const [gradient] = pullback(functions.onesLike(value.loss))
  return { value: value.loss, aux: value.aux, gradient }
}

/**
 * The gradient of a scalar function in its first argument, a tree of floating-point tensors; the gradient has
 * its structure.
 *
 * @example
 * ```ts
 * import { grad, item, mul, tensor } from 'pullback'
 * const cube = (x: ReturnType<typeof tensor>) => mul(mul(x, x), x)
 * console.log(await item(grad(cube)(tensor(2)))) // 12
 * ```
 */
export const grad =
  <A extends readonly [unknown, ...unknown[]]>(f: (...args: A) => Scalar): ((...args: A) => A[0]) =>
  (...args) =>
    run('grad', (...inner) => [f(...inner), undefined], args).gradient

/** The value of a scalar function and its gradient in the first argument. */
export const valueAndGrad =
  <A extends readonly [unknown, ...unknown[]], L extends Scalar>(
    f: (...args: A) => L,
  ): ((...args: A) => readonly [value: L, gradient: A[0]]) =>
  (...args) => {
    const { value, gradient } = run('valueAndGrad', (...inner) => [f(...inner), undefined], args)
    return [value as L, gradient]
  }

/** As `valueAndGrad`, for a function that returns [loss, aux]; aux is returned beside, undifferentiated. */
export const valueAndGradWithAux =
  <A extends readonly [unknown, ...unknown[]], L extends Scalar, X>(
    f: (...args: A) => readonly [loss: L, aux: X],
  ): ((...args: A) => readonly [value: L, aux: X, gradient: A[0]]) =>
  (...args) => {
    const { value, aux, gradient } = run('valueAndGrad', f, args)
    return [value as L, aux as X, gradient]
  }
