/**
 * What is done to the scores of the next token before one is chosen: pure functions of scores and of the text so far.
 * A token of score -∞ cannot be chosen.
 */
export {
  badWords,
  constrain,
  forceAt,
  minTokens,
  noRepeatNgram,
  sequenceBias,
  suppress,
} from './constraint.ts'
export { epsilonCutoff, etaCutoff, minP, temperature, topK, topP, typicalP } from './filter.ts'
export { frequencyPenalty, presencePenalty, repetitionPenalty } from './penalty.ts'
export type { Draft, Processor } from './score.ts'
export { chain, logProbabilities, normalise, probabilities } from './score.ts'
