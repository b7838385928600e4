import { tree } from '../../core/index.ts'
import type { Key, Shape } from '../../core/index.ts'
import { stage } from '../../core/transform/stage.ts'

/**
 * The parameters that `init` would make, without making them: a tree whose leaves have shapes and dtypes, and no
 * numbers.
 */
export const outlineOf = <P>(init: (key: Key) => P): P => {
  let outline: P | undefined
  stage(
    ([key]) => {
      outline = init(key as Key)
      return []
    },
    [{ shape: [2], dtype: 'uint32' }],
  )
  return outline as P
}

/** The shape of each parameter by its path. */
export const shapesOf = (outline: unknown): ReadonlyMap<string, Shape> =>
  new Map(tree.entries(outline).map(([path, { shape }]) => [path, shape]))

/** A tree of the same structure with the leaf of each path. */
export const fill = <P>(outline: P, leafAt: (path: string) => unknown): P => tree.mapWithPath(leafAt, outline)
