import type { Dtype } from '../../kernels/index.ts'
import { sizeOf, isFloating } from '../../kernels/index.ts'
import { dtypeError, shapeError } from '../error.ts'
import * as f from '../function/index.ts'
import type { Shape } from '../shape.ts'
import type { Tensor } from '../tensor.ts'
import type { Diagonal } from '../type.ts'

/** The sizes of the last two axes. */
const matrixSizes = (operation: string, a: Tensor): readonly [rows: number, columns: number] => {
  if (a.shape.length < 2) throw shapeError(operation, 'the matrix needs two axes', a.shape)
  return a.shape.slice(-2) as [number, number]
}

/** Throws unless the last two axes are a floating-point matrix. */
export const checkMatrix = (operation: string, a: Tensor, square: boolean): void => {
  if (!isFloating(a.dtype)) throw dtypeError(operation, 'the matrix must be floating point', a.dtype)
  matrixSizes(operation, a)
  if (square && a.shape.at(-1) !== a.shape.at(-2))
    throw shapeError(operation, 'the matrix must be square', a.shape)
}

/** A function of batches of matrices [batch, rows, columns], with any number of leading axes. */
export const overMatrices = (
  matrices: readonly Tensor[],
  run: (matrices: readonly Tensor[]) => readonly Tensor[],
): readonly Tensor[] => {
  const lead: Shape = (matrices[0] as Tensor).shape.slice(0, -2)
  const flat = matrices.map((x) => f.reshape(x, [sizeOf(lead), ...x.shape.slice(-2)]))
  return run(flat).map((x) => f.reshape(x, [...lead, ...x.shape.slice(1)]))
}

/** The matrix turned. */
export const turned = (a: Tensor): Tensor => f.swapAxes(a, -1, -2)

/**
 * What stands on and below the diagonal (moved by `offset`: 0 with it, -1 without it), zeros elsewhere.
 *
 * @example
 * ```ts
 * import { ones, tril } from 'pullback'
 * console.log(tril(ones([3, 3]))) // => float32[3, 3] [[1, 0, 0], [1, 1, 0], [1, 1, 1]]
 * ```
 */
export const tril = <T extends Tensor>(a: T, offset = 0): T => {
  const [rows, columns] = matrixSizes('tril', a)
  const kept = f.greaterEqual(f.add(f.iota([rows, 1], 0), offset), f.iota([1, columns], 1))
  return f.where(kept as Tensor<Shape, 'bool'>, a, 0) as unknown as T
}

/**
 * What stands on and above the diagonal (moved by `offset`: 0 with it, 1 without it), zeros elsewhere.
 *
 * @example
 * ```ts
 * import { ones, triu } from 'pullback'
 * console.log(triu(ones([3, 3]), 1)) // => float32[3, 3] [[0, 1, 1], [0, 0, 1], [0, 0, 0]]
 * ```
 */
export const triu = <T extends Tensor>(a: T, offset = 0): T => {
  const [rows, columns] = matrixSizes('triu', a)
  const kept = f.lessEqual(f.add(f.iota([rows, 1], 0), offset), f.iota([1, columns], 1))
  return f.where(kept as Tensor<Shape, 'bool'>, a, 0) as unknown as T
}

/**
 * The diagonals of matrices: [..., n].
 *
 * @example
 * ```ts
 * import { diagonal, tensor } from 'pullback'
 * console.log(diagonal(tensor([[1, 2], [3, 4]]))) // => float32[2] [1, 4]
 * ```
 */
export const diagonal = <S extends Shape, D extends Dtype>(a: Tensor<S, D>): Tensor<Diagonal<S>, D> => {
  const [rows, columns] = matrixSizes('diagonal', a)
  const n = Math.min(rows, columns)
  const square = f.slice(
    a as Tensor,
    a.shape.map(() => 0),
    [...a.shape.slice(0, -2), n, n],
  )
  const here = f.equal(f.iota([n, 1], 0), f.iota([1, n], 1))
  return f.sum(f.where(here, square, 0), { axis: -1 }) as Tensor<Diagonal<S>, D>
}
