/** One step of a generated function: an operation on float64 tensors; results of other dtypes are cast back. */
import * as f from '../../../core/index.ts'
import type { Shape, Tensor } from '../../../core/index.ts'
import { sizeOf } from '../../../kernels/index.ts'

export type Pick = (n: number) => number

export interface Rule {
  readonly name: string
  /** Whether it is smooth where its arguments are in general position. */
  readonly smooth: boolean
  /** The results; nothing where it does not fit. `pick(n)` gives a number below n; the same on every call. */
  readonly apply: (x: Tensor, y: Tensor, pick: Pick) => readonly Tensor[]
}

export const axis = (x: Tensor, pick: Pick): number => pick(x.shape.length)
export const some = (x: Tensor, pick: Pick): number[] => x.shape.flatMap((_, i) => (pick(2) === 0 ? [] : [i]))
export const ranked = (x: Tensor): boolean => x.shape.length > 0
export const filled = (x: Tensor): boolean => sizeOf(x.shape) > 0

export const permuted = (x: Tensor, pick: Pick): number[] => {
  const left = x.shape.map((_, i) => i)
  return x.shape.map(() => left.splice(pick(left.length), 1)[0] as number)
}

export const broadcasts = (a: Shape, b: Shape): boolean =>
  a.every((_, i) => {
    const [m, n] = [a.at(-1 - i) ?? 1, b.at(-1 - i) ?? 1]
    return m === n || m === 1 || n === 1
  })

/** The second argument, made to broadcast against the first. */
export const fit = (x: Tensor, y: Tensor): Tensor =>
  broadcasts(x.shape, y.shape) && broadcasts(y.shape, x.shape)
    ? y
    : (f.mean(y.shape.length === 0 || filled(y) ? y : f.zeros([1], 'float64')) as Tensor)

/** Kept in a moderate range, so that compositions of any length stay well conditioned. */
export const tame = (x: Tensor): Tensor => f.tanh(x) as Tensor

export const unary =
  (g: (x: Tensor) => unknown): Rule['apply'] =>
  (x) => [g(x) as Tensor]

export const binary =
  (g: (x: Tensor, y: Tensor) => unknown): Rule['apply'] =>
  (x, y) => [g(x, fit(x, y)) as Tensor]

export const rule = (name: string, smooth: boolean, apply: Rule['apply']): Rule => ({ name, smooth, apply })

export const index = (x: Tensor, size: number): Tensor =>
  f.cast(f.mul(f.abs(f.sin(f.mul(f.stopGradient(x), 7))), size - 1e-6) as Tensor, 'int32')
