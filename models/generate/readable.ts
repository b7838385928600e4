/** What a layer can read: which ids and positions it has is asked of its shapes alone, before it reads. */
import { tensor } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import { evalShape } from '../../core/transform/stage.ts'

/** The smallest bucket. */
const least = 16

/** The bucket of a length: a power of two, so that few lengths are compiled for. */
export const bucketOf = (length: number): number => Math.max(least, 2 ** Math.ceil(Math.log2(length)))

/** Rows of whole numbers: int32 [rows, time]. */
export const ints = (rows: readonly (readonly number[])[]): Tensor => tensor(rows, { dtype: 'int32' })

/** The id of several that is refused where any is: one below 0, or the largest. */
export const doubtful = (ids: readonly number[]): number => ids.find((id) => !(id >= 0)) ?? Math.max(...ids)

/** Tokens that a layer is asked about, one a row: int32 [rows, 1]. */
export interface Asked<C> {
  readonly ids: Tensor
  readonly positions: Tensor
  readonly context: C
}

export interface Readable<C> {
  /** Throws what the layer throws at these ids, or at a position. */
  readonly check: (ids: readonly number[], position: number, rows: number, context: C) => void
  /** Ids below a number need not be asked about any more. */
  readonly found: (ids: number) => void
}

/** Asks a layer, of whose `apply` only the shapes are looked at; what it was found to read is not asked about again. */
export const readableOf = <C>(apply: (asked: Asked<C>) => unknown): Readable<C> => {
  const known = { id: -1, position: -1 }
  const ask = (id: number, position: number, rows: number, context: C): void => {
    const told = [id, position].map((value) => ints(Array.from({ length: rows }, () => [value])))
    evalShape(
      ([ids, positions]) => apply({ ids: ids as Tensor, positions: positions as Tensor, context }),
      told,
    )
    known.id = Math.max(known.id, id)
    known.position = Math.max(known.position, position)
  }
  return {
    check: (ids, position, rows, context) => {
      const id = doubtful(ids)
      if (position <= known.position) {
        if (!(id >= 0 && id <= known.id)) ask(id, 0, rows, context)
        return
      }
      try {
        // All positions of a bucket are asked for at once, where the layer has them.
        ask(id, bucketOf(position + 1) - 1, rows, context)
      } catch {
        ask(id, position, rows, context)
      }
    },
    found: (ids) => {
      known.id = Math.max(known.id, ids - 1)
    },
  }
}
