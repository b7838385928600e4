/** What a person reads where shapes do not fit. */
import type { Shape } from '../shape.ts'
import type { Tensor } from '../tensor.ts'

/** What a call is refused with: the operation and the shapes. */
export interface ShapeMismatch<M extends string> {
  readonly mismatch: M
}

/** A shape as it is written: `[2, 3]`; `[..., 64]` where only the last size is known. */
export type ShowShape<S extends Shape> = number extends S['length']
  ? S extends readonly [...unknown[], infer N extends number]
    ? `[..., ${N}]`
    : '[...]'
  : `[${ShowSizes<S>}]`

type ShowSizes<S extends Shape, Done extends string = ''> = S extends readonly [
  infer N extends number,
  ...infer R extends Shape,
]
  ? ShowSizes<R, Done extends '' ? `${N}` : `${Done}, ${N}`>
  : Done

/** The shapes of tensors: `[2, 3] and [4]`. */
export type ShowAll<T extends readonly unknown[], Done extends string = ''> = T extends readonly [
  infer H,
  ...infer R,
]
  ? ShowAll<
      R,
      H extends Tensor<infer S> ? (Done extends '' ? ShowShape<S> : `${Done} and ${ShowShape<S>}`) : Done
    >
  : Done
