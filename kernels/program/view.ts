/** Where elements stand: views of buffers, gathered or not, and what bodies read and write through them. */

/** The index of a buffer in `Program.buffers`. */
export type BufferId = number

/** Where the element at position p stands: `offset + Σ strides[i] · p[i]`. */
export interface Strided {
  readonly strides: readonly number[]
  readonly offset: number
}

export interface View extends Strided {
  readonly buffer: BufferId
}

/**
 * A data-dependent part of an address: adds `clamp(index(p), 0, size - 1) · stride`, where the int32 `index`
 * view has strides over the same iteration space.
 */
export interface Indexed {
  readonly index: View
  readonly stride: number
  readonly size: number
}

/** What a body reads with `read`: a view of a buffer, gathered if `at` is there, or the position itself. */
export type Operand =
  | (View & { readonly kind: 'buffer'; readonly at?: readonly Indexed[] })
  /** The int32 number `offset + Σ strides[i] · p[i]`; no memory is read. */
  | (Strided & { readonly kind: 'iota' })

/** A value of the body, written at each position of the iteration space. */
export interface Output {
  readonly target: View
  /** The index in the body of the operation whose result is written. */
  readonly value: number
}

/** The views that an operand reads: its own, and those of the indices that it is gathered by. */
export const viewsOf = (operand: Operand): readonly View[] =>
  operand.kind === 'iota' ? [] : [operand, ...(operand.at ?? []).map(({ index }) => index)]

/**
 * The number of positions in a shape.
 *
 * @example
 * ```ts
 * import { sizeOf } from 'pullback/kernels'
 * console.log(sizeOf([2, 3, 4]), sizeOf([])) // => 24 1
 * ```
 */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((n, size) => n * size, 1)

/**
 * Row-major strides of a contiguous buffer.
 *
 * @example
 * ```ts
 * import { contiguous } from 'pullback/kernels'
 * console.log(contiguous([2, 3, 4])) // => [12, 4, 1]
 * ```
 */
export const contiguous = (shape: readonly number[]): number[] => {
  const strides: number[] = new Array<number>(shape.length)
  let stride = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride
    stride *= shape[axis] as number
  }
  return strides
}
