/** Objectives of language models, as functions of a model's scores and the labels alone. */
import { add, clip, mul, sliceAxis } from '../../core/index.ts'
import type { Tensor } from '../../core/index.ts'
import type { CrossEntropyOptions } from './entropy.ts'
import { crossEntropy } from './entropy.ts'
import type { Loss, Reduction } from './reduction.ts'

type Options<R extends Reduction> = Omit<CrossEntropyOptions<R>, 'axis'>

/**
 * Masked language modelling (Devlin et al. 2019): the cross entropy at the chosen positions alone; labels are
 * -100 elsewhere.
 *
 * @param logits [batch, time, vocabulary], or only the chosen positions, [batch, predictions, vocabulary]
 * @param labels [batch, time] or [batch, predictions], integers
 * @example
 * ```ts
 * import { tensor, zeros } from 'pullback'
 * import { maskedLanguageModelling } from 'pullback/training'
 * const labels = tensor([[-100, 5, -100]], { dtype: 'int32' })
 * console.log(maskedLanguageModelling(zeros([1, 3, 8]), labels)) // => float32[] 2.07944
 * ```
 */
export const maskedLanguageModelling = <R extends Reduction = 'mean'>(
  logits: Tensor,
  labels: Tensor,
  options: Options<R> = {},
): Loss<R> => crossEntropy(logits, labels, options)

/**
 * Next-sentence prediction (Devlin et al. 2019): label 0 where the second passage follows the first in its
 * document, 1 where it was drawn from another.
 *
 * @param logits [batch, 2]
 * @param labels [batch]
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { nextSentence } from 'pullback/training'
 * console.log(nextSentence(tensor([[3, 0]]), tensor([0], { dtype: 'int32' }))) // => float32[] 0.0485873
 * ```
 */
export const nextSentence = <R extends Reduction = 'mean'>(
  logits: Tensor,
  labels: Tensor,
  options: Options<R> = {},
): Loss<R> => crossEntropy(logits, labels, options)

/**
 * BERT's pretraining objective: masked language modelling plus next sentence.
 *
 * @example
 * ```ts
 * import { tensor, zeros } from 'pullback'
 * import { bertPretraining } from 'pullback/training'
 * const outputs = { predictionLogits: zeros([1, 2, 8]), nextSentenceLogits: zeros([1, 2]) }
 * const labels = {
 *   labels: tensor([[3, -100]], { dtype: 'int32' }),
 *   nextSentenceLabels: tensor([0], { dtype: 'int32' }),
 * }
 * // log 8 + log 2
 * console.log(bertPretraining(outputs, labels)) // => float32[] 2.77259
 * ```
 */
export const bertPretraining = (
  outputs: { readonly predictionLogits: Tensor; readonly nextSentenceLogits: Tensor },
  labels: { readonly labels: Tensor; readonly nextSentenceLabels: Tensor },
): Tensor<readonly []> =>
  add(
    maskedLanguageModelling(outputs.predictionLogits, labels.labels),
    nextSentence(outputs.nextSentenceLogits, labels.nextSentenceLabels),
  )

/**
 * Causal language modelling: each position predicts the next token. Labels are the inputs themselves (-100 where
 * a token should not be learnt); they are shifted here, as in Transformers.
 *
 * @param logits [batch, time, vocabulary]
 * @param labels [batch, time]
 * @example
 * ```ts
 * import { tensor, zeros } from 'pullback'
 * import { causalLanguageModelling } from 'pullback/training'
 * const ids = tensor([[1, 2, 3]], { dtype: 'int32' })
 * // log 8: all ids are equally likely
 * console.log(causalLanguageModelling(zeros([1, 3, 8]), ids)) // => float32[] 2.07944
 * ```
 */
export const causalLanguageModelling = <R extends Reduction = 'mean'>(
  logits: Tensor,
  labels: Tensor,
  options: Options<R> = {},
): Loss<R> => crossEntropy(sliceAxis(logits, -2, 0, -1), sliceAxis(labels, -1, 1), options)

/**
 * Sequence to sequence: the decoder's position t predicts label t; the decoder was fed the labels shifted right,
 * so nothing is shifted here.
 *
 * @param logits [batch, time, vocabulary]
 * @param labels [batch, time], -100 at padding
 * @example
 * ```ts
 * import { tensor, zeros } from 'pullback'
 * import { sequenceToSequence } from 'pullback/training'
 * const labels = tensor([[5, 2, -100]], { dtype: 'int32' })
 * console.log(sequenceToSequence(zeros([1, 3, 8]), labels)) // => float32[] 2.07944
 * ```
 */
export const sequenceToSequence = <R extends Reduction = 'mean'>(
  logits: Tensor,
  labels: Tensor,
  options: Options<R> = {},
): Loss<R> => crossEntropy(logits, labels, options)

/**
 * Classification of whole sequences.
 *
 * @param logits [batch, classes]
 * @param labels [batch]
 * @example
 * ```ts
 * import { tensor } from 'pullback'
 * import { classification } from 'pullback/training'
 * console.log(classification(tensor([[2, 0], [0, 1]]), tensor([0, 1], { dtype: 'int32' })))
 * // => float32[] 0.220095
 * ```
 */
export const classification = <R extends Reduction = 'mean'>(
  logits: Tensor,
  labels: Tensor,
  options: Options<R> = {},
): Loss<R> => crossEntropy(logits, labels, options)

/**
 * Tagging: a class for each token.
 *
 * @param logits [batch, time, classes]
 * @param labels [batch, time], -100 where a token has no tag of its own (padding, word continuations)
 * @example
 * ```ts
 * import { tensor, zeros } from 'pullback'
 * import { tagging } from 'pullback/training'
 * const labels = tensor([[1, 0, -100]], { dtype: 'int32' })
 * console.log(tagging(zeros([1, 3, 4]), labels)) // => float32[] 1.38629
 * ```
 */
export const tagging = <R extends Reduction = 'mean'>(
  logits: Tensor,
  labels: Tensor,
  options: Options<R> = {},
): Loss<R> => crossEntropy(logits, labels, options)

/**
 * Extractive question answering: the mean of the losses of the answer's first and last token. Positions beyond
 * the text (the answer was cut off) do not count, as in Transformers.
 *
 * @param startLogits [batch, time]
 * @param endLogits [batch, time]
 * @example
 * ```ts
 * import { Tensor, tensor } from 'pullback'
 * import { questionAnswering } from 'pullback/training'
 * const at = (position: number): Tensor => tensor([position], { dtype: 'int32' })
 * console.log(questionAnswering(tensor([[0, 9, 0]]), tensor([[0, 0, 9]]), at(1), at(2)))
 * // => float32[] 0.000246733
 * ```
 */
export const questionAnswering = (
  startLogits: Tensor,
  endLogits: Tensor,
  starts: Tensor,
  ends: Tensor,
): Tensor<readonly []> => {
  const time = startLogits.shape.at(-1) as number
  const loss = (logits: Tensor, positions: Tensor): Tensor<readonly []> =>
    crossEntropy(logits, clip(positions, 0, time), { ignoreIndex: time })
  return mul(add(loss(startLogits, starts), loss(endLogits, ends)), 0.5)
}
