import { scan } from '../control/loop.ts'
import { customVjp } from '../custom/vjp.ts'
import * as f from '../function/index.ts'
import type { Dtype } from '../../kernels/index.ts'
import type { Shape } from '../shape.ts'
import type { Tensor } from '../tensor.ts'
import type { Square } from '../type.ts'
import { checkMatrix, overMatrices, tril, turned } from './batch.ts'
import { triangularSolve } from './triangular.ts'

/** Column after column, each from those before it (left-looking). [batch, n, n]. */
const factor = (a: Tensor): Tensor => {
  const n = a.shape[1] as number
  const columns = f.moveAxis(a, 2, 0) // [n, batch, n]
  const [l] = scan<Tensor, { readonly own: Tensor; readonly at: Tensor }, readonly never[]>(
    (known, slice) => {
      const { own, at } = slice as unknown as { readonly own: Tensor; readonly at: Tensor }
      const here = f.equal(f.iota([n], 0), at) as Tensor<Shape, 'bool'>
      const row = f.sum(f.where(f.expandDims(here, 1), known, 0), { axis: 1 }) // row j of L: [batch, n]
      const rest = f.sub(own, f.squeeze(f.matmul(known, f.expandDims(row, 2)), 2))
      const pivot = f.sum(f.where(here, rest, 0), { axis: 1, keepDims: true })
      const column = f.where(
        f.greaterEqual(f.iota([n], 0), at) as Tensor<Shape, 'bool'>,
        f.div(rest, f.sqrt(pivot)),
        0,
      )
      return [f.where(f.reshape(here, [1, n]) as Tensor<Shape, 'bool'>, f.expandDims(column, 2), known), []]
    },
    f.zeros(a.shape, a.dtype),
    { own: columns, at: f.iota([n], 0) },
  )
  return l
}

const factorFlat: (a: Tensor) => Tensor = customVjp((a: Tensor): Tensor => factor(a), {
  forward: (a) => {
    const l: Tensor = factorFlat(a)
    return [l, l]
  },
  // Ā = sym(L⁻ᵀ Φ(Lᵀ L̄) L⁻¹), where Φ keeps the lower triangle and half of the diagonal (Murray, "Differentiation
  // of the Cholesky decomposition", 2016).
  backward: (l, g) => {
    const lower = tril(f.matmul(turned(l), tril(g)))
    const phi = f.sub(lower, f.mul(f.sub(lower, tril(lower, -1)), 0.5))
    const left = triangularSolve(l, phi, { transpose: true })
    const whole = turned(triangularSolve(l, turned(left), { transpose: true }))
    return [f.mul(f.add(whole, turned(whole)), 0.5)]
  },
})

/**
 * The lower triangular L with L Lᵀ = A, for symmetric positive definite matrices [..., n, n]. Of A the symmetric
 * part, (A + Aᵀ) / 2, is taken. A matrix that is not positive definite gives NaN.
 *
 * @example
 * ```ts
 * import { tensor, toNested } from 'pullback'
 * console.log(await toNested(cholesky(tensor([[4, 2], [2, 5]])))) // => [[2, 0], [1, 2]]
 * ```
 */
export const cholesky = <S extends Shape, D extends Dtype>(
  a: Tensor<S, D> & Square<'cholesky', S>,
): Tensor<S, D> => {
  checkMatrix('cholesky', a, true)
  const symmetric = f.mul(f.add(a as Tensor, turned(a)), 0.5)
  const [l] = overMatrices([symmetric], ([m]) => [factorFlat(m as Tensor)])
  return l as Tensor<S, D>
}
