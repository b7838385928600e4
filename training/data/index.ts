/** Data: corpora and labelled texts out of files, and batches out of ids, as pure functions of a key and a step. */
export type {
  BatchesConfig,
  ClassificationBatch,
  Collate,
  CollateOptions,
  LabelledIds,
  Labels,
  SequenceBatch,
  SequenceOptions,
  SequencePair,
  TaggedIds,
  TaggingBatch,
} from './batch.ts'
export { batchesOf, classificationBatch, eachOnce, sequenceBatch, taggingBatch } from './batch.ts'
export type { Corpus, CorpusConfig, Omissions, SourceFile } from './corpus.ts'
export { defaultCorpusConfig, makeCorpus, omissionText } from './corpus.ts'
export type { Document, Passage } from './document.ts'
export {
  documentLength,
  documentSentences,
  passageLength,
  passageText,
  passagesOf,
  sampleEvenly,
} from './document.ts'
export type { Draws, HostKey } from './draw.ts'
export { drawsOf, foldHostKey, hostKey, shuffledIndices } from './draw.ts'
export type { EpochConfig, Place, Places } from './epoch.ts'
export { epochPlaces, stepsPerEpoch } from './epoch.ts'
export { ownCorpus, packageCorpus } from './folder.ts'
export type { Kind } from './kind.ts'
export { kindOf, kinds } from './kind.ts'
export type { Example, FewShotConfig, LabelTask } from './label.ts'
export { fewShotSplit, kindTask, parseExamples, passageExamples, readExamples } from './label.ts'
export type { MaskedPredictions, MaskedTokens, MaskingConfig, PredictionsConfig } from './masking.ts'
export { maskPredictions, maskTokens } from './masking.ts'
export type { IdRows, KeyMask, PadOptions } from './pad.ts'
export { padIds, padRows } from './pad.ts'
export type { PairBatch, PairConfig, Pairs, SentencePair } from './pair.ts'
export { sentencePairs } from './pair.ts'
export { sentences } from './sentence.ts'
export type { Split, SplitConfig } from './split.ts'
export { splitDocuments } from './split.ts'
export type { CorpusStatistics, DocumentStatistics } from './statistic.ts'
export { corpusStatistics, describeCorpus, documentStatistics } from './statistic.ts'
export type { CausalBatch, CausalConfig, WindowConfig } from './stream.ts'
export { causalBatches, causalBlocks, joinTexts } from './stream.ts'
export type { AnswerPlace, Question } from './question.ts'
export { parseQuestions, readQuestions } from './question.ts'
export type { TaggedWords } from './tagged.ts'
export { parseTagged, readTagged } from './tagged.ts'
export type { Format as TableFormat } from './table.ts'
