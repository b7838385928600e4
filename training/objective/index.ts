/** Objectives: functions of outputs and labels. They import no model. */
export type { BinaryCrossEntropyOptions } from './binary.ts'
export { binaryCrossEntropy, binaryCrossEntropyWithLogits, softMargin } from './binary.ts'
export { contrastive, contrastiveOfEmbeddings, unitRows } from './contrastive.ts'
export type { CtcLengths, CtcOptions } from './ctc.ts'
export { ctc } from './ctc.ts'
export type { DivergenceOptions } from './divergence.ts'
export { kullbackLeibler } from './divergence.ts'
export type { CrossEntropyOptions } from './entropy.ts'
export { crossEntropy, negativeLogLikelihood, softCrossEntropy } from './entropy.ts'
export {
  bertPretraining,
  causalLanguageModelling,
  classification,
  maskedLanguageModelling,
  nextSentence,
  questionAnswering,
  sequenceToSequence,
  tagging,
} from './language.ts'
export type { MarginOptions } from './margin.ts'
export {
  cosineEmbedding,
  cosineSimilarity,
  hingeEmbedding,
  marginRanking,
  multiMargin,
  tripletMargin,
} from './margin.ts'
export type { Loss, Reduction, ReductionOptions } from './reduction.ts'
export {
  gaussianLikelihood,
  huber,
  meanAbsoluteError,
  meanSquaredError,
  poissonLikelihood,
  smoothAbsoluteError,
} from './regression.ts'
