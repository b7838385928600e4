import type { Dtype } from '../../kernels/index.ts'
import { scan } from '../control/loop.ts'
import { customVjp } from '../custom/vjp.ts'
import * as f from '../function/index.ts'
import type { Shape } from '../shape.ts'
import type { Tensor } from '../tensor.ts'
import type { Orthonormal, Upper } from '../type.ts'
import { checkMatrix, overMatrices, tril, triu, turned } from './batch.ts'
import { triangularSolve } from './triangular.ts'

export interface Qr<S extends Shape = Shape, D extends Dtype = Dtype> {
  /** [..., m, min(m, n)], with orthonormal columns. */
  readonly q: Tensor<Orthonormal<S>, D>
  /** [..., min(m, n), n], upper triangular, with a positive diagonal. */
  readonly r: Tensor<Upper<S>, D>
}

/** Gram and Schmidt's process, each column orthogonalised twice, which is enough (Giraud et al. 2005). [batch, m, n], m ≥ n. */
const factor = (a: Tensor): readonly [q: Tensor, r: Tensor] => {
  const n = a.shape[2] as number
  const columns = f.moveAxis(a, 2, 0) // [n, batch, m]
  const [q, r] = scan<Tensor, { readonly own: Tensor; readonly at: Tensor }, Tensor>(
    (known, slice) => {
      const { own, at } = slice as unknown as { readonly own: Tensor; readonly at: Tensor }
      const through = (v: Tensor): readonly [rest: Tensor, parts: Tensor] => {
        const parts = f.matmul(turned(known), v) // [batch, n, 1]
        return [f.sub(v, f.matmul(known, parts)), parts]
      }
      const [once, first] = through(f.expandDims(own, 2))
      const [rest, second] = through(once)
      const size = f.sqrt(f.sum(f.mul(rest, rest), { axis: 1, keepDims: true })) // [batch, 1, 1]
      const here = f.equal(f.iota([n], 0), at) as Tensor<Shape, 'bool'>
      const next = f.where(f.reshape(here, [1, n]), f.div(rest, size), known)
      const column = f.where(f.reshape(here, [n, 1]), size, f.add(first, second))
      return [next, f.squeeze(column, 2)]
    },
    f.zeros(a.shape, a.dtype),
    { own: columns, at: f.iota([n], 0) },
  )
  return [q, f.moveAxis(r as unknown as Tensor, 0, 2)]
}

const factorFlat: (a: Tensor) => readonly [q: Tensor, r: Tensor] = customVjp(
  (a: Tensor): readonly [q: Tensor, r: Tensor] => factor(a),
  {
    forward: (a) => {
      const [q, r]: readonly [q: Tensor, r: Tensor] = factorFlat(a)
      return [[q, r], { q, r }]
    },
    // Ā = (Q̄ + Q sym(M)) R⁻ᵀ with M = R R̄ᵀ - Q̄ᵀ Q, of which the lower triangle counts (Walter and Lehmann, "Algorithmic
    // differentiation of linear algebra functions", 2010).
    backward: ({ q, r }, [gq, gr]) => {
      const m = f.sub(f.matmul(r, turned(triu(gr))), f.matmul(turned(gq), q))
      const symmetric = f.add(tril(m), turned(tril(m, -1)))
      const left = f.add(gq, f.matmul(q, symmetric))
      return [turned(triangularSolve(r, turned(left), { lower: false }))]
    },
  },
)

/**
 * A = Q R, with orthonormal columns in Q and R upper triangular: the reduced form, for matrices [..., m, n]. The
 * diagonal of R is positive (LAPACK's has either sign). Columns that depend on those before them give NaN.
 *
 * @example
 * ```ts
 * import { tensor, toNested } from 'pullback'
 * const { q, r } = qr(tensor([[3], [4]]))
 * console.log((await toNested(r)), q.shape) // => [[5]] [2, 1]
 * ```
 */
export const qr = <S extends Shape, D extends Dtype>(a: Tensor<S, D>): Qr<S, D> => factors(a) as Qr<S, D>

const factors = (a: Tensor): Qr => {
  checkMatrix('qr', a, false)
  const [m, n] = a.shape.slice(-2) as [number, number]
  const square = f.sliceAxis(a, -1, 0, Math.min(m, n))
  const [q, r] = overMatrices([square], ([x]) => factorFlat(x as Tensor)) as readonly [Tensor, Tensor]
  if (n <= m) return { q, r }
  const rest = f.sliceAxis(a, -1, m, n)
  return { q, r: f.concatenate([r, f.matmul(turned(q), rest)], -1) }
}
