import { add, arange, div, matmul, maximum, mul, sqrt, square, sum, transpose } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import type { Operand } from '../../core/type.ts'
import { shapeError } from '../../core/error.ts'
import { crossEntropy } from './entropy.ts'

/** Rows (last axis) scaled to length 1. */
export const unitRows = (x: Tensor): Tensor =>
  div(x, sqrt(maximum(sum(square(x), { axis: -1, keepDims: true }), 1e-24)))

/**
 * CLIP's loss (Radford et al. 2021): each text must find its image among the batch's, and each image its text.
 * The mean of the cross entropies over rows and over columns, the diagonal being the right answers.
 *
 * @param logits [batch, batch], similarities of text i and image j, scaled
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
 */
export const contrastiveOfEmbeddings = (a: Tensor, b: Tensor, scale: Operand = 1): Tensor<readonly []> =>
  contrastive(mul(matmul(unitRows(a), transpose(unitRows(b))), scale))
