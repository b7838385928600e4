/** Systems of equations with a triangular matrix. */
import type { Dtype } from '../../kernels/index.ts'
import { scan } from '../control/loop.ts'
import { customVjp } from '../custom/vjp.ts'
import { PullbackError, checkOptions, shapeError } from '../error.ts'
import * as f from '../function/index.ts'
import { promote } from '../function/basic.ts'
import type { Shape } from '../shape.ts'
import { broadcastShapes } from '../shape.ts'
import type { Tensor } from '../tensor.ts'
import type { Solved, Solves } from '../type.ts'
import { checkMatrix, overMatrices, tril, triu, turned } from './batch.ts'

export interface TriangularOptions {
  /** Whether the matrix has its numbers below the diagonal (the default) or above; the others are not looked at. */
  readonly lower?: boolean
  /** Solves with the matrix turned. */
  readonly transpose?: boolean
  /** Takes the diagonal to be ones, whatever stands there. */
  readonly unitDiagonal?: boolean
}

interface Setting {
  readonly lower: boolean
  readonly unit: boolean
}

/** Row after row: each needs the rows before it. [batch, n, n] and [batch, n, k]. */
const substitute = (a: Tensor, b: Tensor, { lower, unit }: Setting): Tensor => {
  const n = a.shape[1] as number
  const rows = f.moveAxis(a, 1, 0) // [n, batch, n]
  const right = f.moveAxis(b, 1, 0) // [n, batch, k]
  const step = (
    x: Tensor,
    { row, own, at }: { readonly row: Tensor; readonly own: Tensor; readonly at: Tensor },
  ) => {
    const known = f.reshape(f.matmul(f.expandDims(row, 1), x), own.shape)
    const here = f.equal(f.iota([n, 1], 0), at)
    const pivot = f.sum(f.where(f.reshape(here, [1, n]) as Tensor<Shape, 'bool'>, row, 0), {
      axis: 1,
      keepDims: true,
    })
    const rest = f.sub(own, known)
    const value = unit ? rest : f.div(rest, pivot)
    return [f.where(here as Tensor<Shape, 'bool'>, f.expandDims(value, 1), x), []] as const
  }
  const positions = f.iota([n], 0)
  const [x] = scan<
    Tensor,
    { readonly row: Tensor; readonly own: Tensor; readonly at: Tensor },
    readonly never[]
  >(
    (carry, slice) => step(carry, slice as never),
    f.zeros(b.shape, b.dtype),
    { row: rows, own: right, at: positions },
    { reverse: !lower },
  )
  return x
}

const solveFlat = customVjp((a: Tensor, b: Tensor, setting: Setting): Tensor => substitute(a, b, setting), {
  forward: (a, b, setting) => {
    const x = solveFlat(a, b, setting)
    return [x, { a, x, setting }]
  },
  // B̄ = A⁻ᵀ X̄ and Ā = -B̄ Xᵀ, where A has numbers.
  backward: ({ a, x, setting }, g) => {
    const { lower, unit } = setting
    const right: Tensor = solveFlat(turned(a), g, { lower: !lower, unit })
    const whole = f.neg(f.matmul(right, turned(x)))
    const own: Tensor = lower ? tril(whole, unit ? -1 : 0) : triu(whole, unit ? 1 : 0)
    return [own, right, undefined]
  },
}) as (a: Tensor, b: Tensor, setting: Setting) => Tensor

/**
 * The X with A X = B, for a triangular matrix A [..., n, n] and B [..., n, k]; leading axes broadcast. The other
 * triangle of A is not looked at. A zero on the diagonal gives infinities.
 *
 * @example
 * ```ts
 * import { tensor, toNested } from 'pullback'
 * console.log(await toNested(triangularSolve(tensor([[2, 0], [1, 4]]), tensor([[2], [5]])))) // => [[1], [1]]
 * ```
 */
export const triangularSolve = <A extends Shape, B extends Shape, D extends Dtype>(
  matrix: Tensor<A, D>,
  right: Tensor<B, D> & Solves<A, B>,
  options: TriangularOptions = {},
): Tensor<Solved<A, B>, D> => solve(matrix, right, options) as Tensor<Solved<A, B>, D>

const solve = (matrix: Tensor, right: Tensor, options: TriangularOptions): Tensor => {
  checkOptions('triangularSolve', options, ['lower', 'transpose', 'unitDiagonal'])
  const { lower = true, transpose = false, unitDiagonal = false } = options
  const [a, b] = promote(matrix, right) as [Tensor, Tensor]
  checkMatrix('triangularSolve', a, true)
  if (b.shape.length < 2 || b.shape.at(-2) !== a.shape.at(-1))
    throw new PullbackError({
      tag: 'shape',
      operation: 'triangularSolve',
      detail: 'the right side must be a matrix with as many rows',
      shapes: [a.shape, b.shape],
    })
  const lead = broadcastShapes('triangularSolve', a.shape.slice(0, -2), b.shape.slice(0, -2))
  const wide = (x: Tensor): Tensor => f.broadcastTo(x, [...lead, ...x.shape.slice(-2)])
  const own = transpose ? turned(a) : a
  const below = transpose ? !lower : lower
  const kept = below ? tril(own) : triu(own)
  const setting = { lower: below, unit: unitDiagonal }
  const [x] = overMatrices([wide(kept), wide(b)], ([m, r]) => [solveFlat(m as Tensor, r as Tensor, setting)])
  if (x === undefined) throw shapeError('triangularSolve', 'nothing to solve', a.shape)
  return x
}
