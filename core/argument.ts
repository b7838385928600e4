/** Arguments of transformations and controls: trees of tensors, in which a number is a float32 scalar. */
import { Literal, isTensor } from './tensor.ts'
import type { Tensor } from './tensor.ts'
import * as tree from './tree.ts'

const isNumeric = (x: unknown): x is Tensor | number => isTensor(x) || typeof x === 'number'

/** The tensors and numbers of a tree as tensors, and what is left without them. */
export const tensorsOf = (x: unknown): readonly [leaves: readonly Tensor[], structure: tree.Structure] => {
  const [leaves, structure] = tree.flatten(x, isNumeric)
  return [leaves.map((leaf) => (typeof leaf === 'number' ? new Literal(leaf, 'float32') : leaf)), structure]
}
