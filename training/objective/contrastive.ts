import { add, arange, div, matmul, maximum, mul, sqrt, square, sum, transpose } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import type { Operand } from '../../core/type.ts'
import { shapeError } from '../../core/error.ts'
import { crossEntropy } from './entropy.ts'

/**
 * Rows (last axis) scaled to length 1.
 *
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { unitRows } from 'pullback/training'
 * console.log(unitRows(tensor([[3, 4], [0, 2]]))) // => float32[2, 2] [[0.6, 0.8], [0, 1]]
 * ```
 */
export const unitRows = (x: Tensor): Tensor =>
  div(x, sqrt(maximum(sum(square(x), { axis: -1, keepDims: true }), 1e-24)))

/**
 * CLIP's loss (Radford et al. 2021): each text must find its image among the batch's, and each image its text.
 * The mean of the cross entropies over rows and over columns, the diagonal being the right answers.
 *
 * @param logits [batch, batch], similarities of text i and image j, scaled
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { contrastive } from 'pullback/training'
 * console.log(contrastive(tensor([[2, 0], [0, 2]]))) // => float32[] 0.126928
 * ```
 */
export const contrastive = (logits: Tensor): Tensor<readonly []> => {
  const [rows, columns] = logits.shape
  if (rows === undefined || rows !== columns || logits.shape.length !== 2)
    throw shapeError('contrastive', 'logits must be square', logits.shape)
  const labels = arange(rows)
  return mul(add(crossEntropy(logits, labels), crossEntropy(transpose(logits), labels)), 0.5)
}

/**
 * `contrastive` of two sets of embeddings that belong together row by row.
 *
 * @param a [batch, width]
 * @param b [batch, width]
 * @param scale what similarities (cosines) are multiplied by: 1 / temperature
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { contrastiveOfEmbeddings } from 'pullback/training'
 * const images = tensor([[1, 0], [0, 2]])
 * const texts = tensor([[3, 0], [0, 1]])
 * console.log(contrastiveOfEmbeddings(images, texts, tensor(1))) // => float32[] 0.313262
 * ```
 */
export const contrastiveOfEmbeddings = (a: Tensor, b: Tensor, scale: Operand = 1): Tensor<readonly []> =>
  contrastive(mul(matmul(unitRows(a), transpose(unitRows(b))), scale))
