/** What functions that are differentiated return: one number. */
import type { Shape } from '../shape.ts'
import type { ShapeMismatch, ShowShape } from './show.ts'

/** Refuses a loss that is known to have axes. */
export type IsScalar<Name extends string, S extends Shape> = number extends S['length']
  ? unknown
  : S extends readonly []
    ? unknown
    : ShapeMismatch<`${Name}: the function must return a scalar, got ${ShowShape<S>}; take sum or mean of its output, or use vjp`>
