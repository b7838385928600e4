import { isFloating } from '../../kernels/index.ts'
import { argumentError, checkOptions, describe, dtypeError, shapeError } from '../error.ts'
import * as functions from '../function/index.ts'
import type { Shape } from '../shape.ts'
import { isTensor } from '../tensor.ts'
import type { Tensor } from '../tensor.ts'
import * as tree from '../tree.ts'
import type { IsScalar } from '../type.ts'
import { vjpWithAux } from './vjp.ts'

/** A scalar loss. */
export type Scalar = Tensor

/** A loss of shape S, which is refused where it is known to have axes. */
type Loss<Name extends string, S extends Shape> = Tensor<S> & IsScalar<Name, S>

/** Which arguments are differentiated: a position, or several, as in JAX; the first by default. */
export type Argnums = number | readonly number[]

/** The gradient in the arguments at `N`: that argument's type, or a list of them. */
export type GradientOf<A extends readonly unknown[], N extends Argnums> = N extends number
  ? A[N]
  : { readonly [I in keyof N]: A[N[I] & number] }

export interface GradOptions<N extends Argnums = Argnums, X extends boolean = boolean> {
  readonly argnums?: N
  /** Whether the function returns [loss, aux]: aux, any tree, is returned beside and not differentiated. */
  readonly hasAux?: X
}

const gradOptions: readonly (keyof GradOptions)[] = ['argnums', 'hasAux']

const checkArgnums = (operation: string, positions: readonly number[], count: number): void => {
  for (const position of positions)
    if (!Number.isInteger(position) || position < 0 || position >= count)
      throw argumentError(
        operation,
        `argnums names argument ${position}, but the function was called with ${count} argument${count === 1 ? '' : 's'}, counted from 0`,
      )
  if (new Set(positions).size !== positions.length)
    throw argumentError(operation, `argnums [${positions.join(', ')}] repeat`)
}

/** Refuses integers in an argument that is to be differentiated. */
const checkFloating = (operation: string, argument: unknown): void => {
  for (const [path, { dtype }] of tree.entries(argument))
    if (!isFloating(dtype))
      throw dtypeError(
        operation,
        `arguments must be floating point to be differentiated${path === '' ? '' : ` (at ${path})`}; close over integers, or pass them as another argument`,
        dtype,
      )
}

/** What a function returned in place of a tensor, in words. */
const returned = (result: unknown): string => {
  if (isTensor(result)) return `the tensor ${result.toString()}`
  return result instanceof Promise ? 'a promise: it must not be async' : describe(result)
}

const checkLoss = (operation: string, loss: unknown): Tensor => {
  if (!isTensor(loss))
    throw argumentError(
      operation,
      `the function must return one scalar tensor (or, with hasAux, [loss, aux]), got ${returned(loss)}`,
    )
  if (loss.shape.length !== 0)
    throw shapeError(
      operation,
      'the function must return a scalar; take sum or mean of its output, or use vjp',
      loss.shape,
    )
  if (!isFloating(loss.dtype))
    throw dtypeError(operation, 'the function must return a floating-point scalar', loss.dtype)
  return loss
}

/** The loss and what stands beside it. */
const resultOf = (
  operation: string,
  result: unknown,
  hasAux: boolean,
): readonly [loss: Tensor, aux: unknown] => {
  if (!hasAux) return [checkLoss(operation, result), undefined]
  if (!Array.isArray(result) || result.length !== 2)
    throw argumentError(
      operation,
      `with hasAux the function must return [loss, aux], got ${returned(result)}`,
    )
  return [checkLoss(operation, result[0]), result[1]]
}

/** What `grad`, `valueAndGrad` and `hessian` compute; mistakes are told in the name of `operation`. */
export const differentiate = (
  operation: string,
  f: (...args: never[]) => unknown,
  { argnums = 0, hasAux = false }: GradOptions,
  args: readonly unknown[],
): { readonly value: Tensor; readonly aux: unknown; readonly gradient: unknown } => {
  const positions = typeof argnums === 'number' ? [argnums] : argnums
  checkArgnums(operation, positions, args.length)
  for (const position of positions) checkFloating(operation, args[position])
  const call = f as (...args: readonly unknown[]) => unknown
  const { value, aux, pullback } = vjpWithAux(
    (...moving: readonly unknown[]) => {
      const all = [...args]
      positions.forEach((position, i) => (all[position] = moving[i]))
      return resultOf(operation, call(...all), hasAux)
    },
    positions.map((position) => args[position]),
  )
  const gradients = pullback(functions.onesLike(value))
  return { value, aux, gradient: typeof argnums === 'number' ? gradients[0] : gradients }
}

/**
 * The gradient of a scalar function in its first argument, or in those at `argnums`: trees of floating-point
 * tensors, whose structure the gradient has. With `hasAux` the function returns [loss, aux], and what is
 * returned is [gradient, aux].
 *
 * A function that is known to return axes does not compile.
 *
 * @throws PullbackError where the loss is no floating-point scalar, an argument that is differentiated holds integers,
 * or `argnums` names one that is not there.
 * @example
 * ```ts
 * import { grad, item, mul, tensor } from 'pullback'
 * import type { Tensor } from 'pullback'
 * const cube = (x: Tensor) => mul(mul(x, x), x)
 * console.log(await item(grad(cube)(tensor(2)))) // => 12
 * const [dx, dy] = grad((x: Tensor, y: Tensor) => mul(x, y), { argnums: [0, 1] })(tensor(2), tensor(5))
 * console.log(await item(dx), await item(dy)) // => 5 2
 * ```
 */
export function grad<A extends readonly [unknown, ...unknown[]], S extends Shape>(
  f: (...args: A) => Loss<'grad', S>,
): (...args: A) => A[0]
export function grad<
  A extends readonly [unknown, ...unknown[]],
  S extends Shape,
  const N extends Argnums = 0,
>(f: (...args: A) => Loss<'grad', S>, options: GradOptions<N, false>): (...args: A) => GradientOf<A, N>
export function grad<
  A extends readonly [unknown, ...unknown[]],
  S extends Shape,
  X,
  const N extends Argnums = 0,
>(
  f: (...args: A) => readonly [loss: Loss<'grad', S>, aux: X],
  options: GradOptions<N, true> & { readonly hasAux: true },
): (...args: A) => readonly [gradient: GradientOf<A, N>, aux: X]
export function grad(f: (...args: never[]) => unknown, options: GradOptions = {}): unknown {
  checkOptions('grad', options, gradOptions)
  return (...args: readonly unknown[]) => {
    const { gradient, aux } = differentiate('grad', f, options, args)
    return options.hasAux === true ? [gradient, aux] : gradient
  }
}

/**
 * The value of a scalar function and its gradient, as `grad` gives it, in one pass; with `hasAux`,
 * [[value, aux], gradient].
 *
 * @throws PullbackError as `grad` does.
 * @example
 * ```ts
 * import { item, mul, tensor } from 'pullback'
 * import type { Tensor } from 'pullback'
 * const area = (a: Tensor, b: Tensor) => [mul(a, b), { sides: 2 }] as const
 * const [[value, aux], slope] = valueAndGrad(area, { argnums: 1, hasAux: true })(tensor(3), tensor(4))
 * console.log(await item(value), aux.sides, await item(slope)) // => 12 2 3
 * ```
 */
export function valueAndGrad<A extends readonly [unknown, ...unknown[]], L extends Scalar, S extends Shape>(
  f: (...args: A) => L & Loss<'valueAndGrad', S>,
): (...args: A) => readonly [value: L, gradient: A[0]]
export function valueAndGrad<
  A extends readonly [unknown, ...unknown[]],
  L extends Scalar,
  S extends Shape,
  const N extends Argnums = 0,
>(
  f: (...args: A) => L & Loss<'valueAndGrad', S>,
  options: GradOptions<N, false>,
): (...args: A) => readonly [value: L, gradient: GradientOf<A, N>]
export function valueAndGrad<
  A extends readonly [unknown, ...unknown[]],
  L extends Scalar,
  S extends Shape,
  X,
  const N extends Argnums = 0,
>(
  f: (...args: A) => readonly [loss: L & Loss<'valueAndGrad', S>, aux: X],
  options: GradOptions<N, true> & { readonly hasAux: true },
): (...args: A) => readonly [result: readonly [value: L, aux: X], gradient: GradientOf<A, N>]
export function valueAndGrad(f: (...args: never[]) => unknown, options: GradOptions = {}): unknown {
  checkOptions('valueAndGrad', options, gradOptions)
  return (...args: readonly unknown[]) => {
    const { value, gradient, aux } = differentiate('valueAndGrad', f, options, args)
    return options.hasAux === true ? [[value, aux], gradient] : [value, gradient]
  }
}

/**
 * As `valueAndGrad` with `hasAux`, in one list: [value, aux, gradient in the first argument].
 *
 * @throws PullbackError as `grad` does.
 * @example
 * ```ts
 * import { sin, square, sum, tensor, valueAndGradWithAux } from 'pullback'
 * import type { Tensor } from 'pullback'
 * const f = (x: Tensor): readonly [Tensor<readonly []>, Tensor] => [sum(square(x)), sin(x)]
 * const [value, aux, gradient] = valueAndGradWithAux(f)(tensor([1, 2]))
 * console.log(value, aux, gradient) // => float32[] 5 float32[2] [0.841471, 0.909297] float32[2] [2, 4]
 * ```
 */
export const valueAndGradWithAux =
  <A extends readonly [unknown, ...unknown[]], L extends Scalar, S extends Shape, X>(
    f: (...args: A) => readonly [loss: L & Loss<'valueAndGradWithAux', S>, aux: X],
  ): ((...args: A) => readonly [value: L, aux: X, gradient: A[0]]) =>
  (...args) => {
    const { value, aux, gradient } = differentiate('valueAndGradWithAux', f, { hasAux: true }, args)
    return [value as L, aux as X, gradient as A[0]]
  }
