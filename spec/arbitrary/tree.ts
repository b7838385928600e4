/** Generated trees of tensors: records and lists in one another, as parameters are. */
import * as fc from 'fast-check'
import type { Tree } from '../../core/index.ts'
import type { TensorOptions } from './tensor.ts'
import { tensors } from './tensor.ts'
import { shapes } from './shape.ts'

/**
 * Trees whose leaves are tensors: a single tensor, lists, records and both nested, empty ones among them.
 *
 * @example
 * ```ts
 * import * as fc from 'fast-check'
 * import { tree } from 'pullback'
 * fc.assert(fc.property(trees(), (t) => tree.leaves(t).length === tree.pathsOf(t).length))
 * ```
 */
export const trees = (options: TensorOptions = {}): fc.Arbitrary<Tree> => {
  const leaf = tensors({ shape: shapes({ maxRank: 2, maxSize: 3 }), ...options })
  const name = fc.constantFrom('weight', 'bias', 'a', 'b', 'layer 1')
  return fc.letrec<{ tree: Tree; leaf: Tree; list: Tree; record: Tree }>((tie) => ({
    leaf,
    list: fc.array(tie('tree'), { maxLength: 3 }),
    record: fc.dictionary(name, tie('tree'), { maxKeys: 3, noNullPrototype: true }),
    tree: fc.oneof({ maxDepth: 3 }, tie('leaf'), tie('list'), tie('record')),
  })).tree
}
