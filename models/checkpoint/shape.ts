import { either as E } from 'fp-ts'
import { PullbackError, tree } from '../../core/index.ts'
import type { Key, Shape } from '../../core/index.ts'
import { evalShape } from '../../core/transform/stage.ts'

/**
 * The parameters that `init` would make, without making them: a tree whose leaves have shapes and dtypes, and no
 * numbers.
 */
export const outlineOf = <P>(init: (key: Key) => P): P =>
  evalShape(([key]) => init(key as Key), [{ shape: [2], dtype: 'uint32' }])

/** A config that comes from outside may ask for a model that cannot be. */
export const built = <A>(make: () => A): E.Either<string, A> => {
  try {
    return E.right(make())
  } catch (error) {
    if (error instanceof PullbackError) return E.left(`config.json: ${error.message}`)
    throw error
  }
}

/** The shape of each parameter by its path. */
export const shapesOf = (outline: unknown): ReadonlyMap<string, Shape> =>
  new Map(tree.entries(outline).map(([path, { shape }]) => [path, shape]))

/** A tree of the same structure with the leaf of each path. */
export const fill = <P>(outline: P, leafAt: (path: string) => unknown): P => tree.mapWithPath(leafAt, outline)
