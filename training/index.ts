/** Training: objectives, optimizers, schedules, steps, folds, checkpoints, metrics, data. */
export type { Checkpoint, LoadOptions, Notes } from './checkpoint/index.ts'
export {
  decodeState,
  encodeState,
  hasCheckpoint,
  loadCheckpoint,
  loadParams,
  saveCheckpoint,
  saveParams,
  stateMetadata,
} from './checkpoint/index.ts'
export * from './data/index.ts'
export type { Circumstances, Consumption, Cost, EnergyMeter, Figure } from './energy.ts'
export { costOf, openEnergyMeter } from './energy.ts'
export type { Batches, FoldConfig, Progress } from './fold.ts'
export { evaluate, fold, readMetrics } from './fold.ts'
export type { Log, LogLine } from './log.ts'
export { openLog, parseLog, readLog } from './log.ts'
export * from './metric.ts'
export type { AnswerScore } from './answer.ts'
export { answerScore } from './answer.ts'
export type { EntityScore, EntitySpan } from './span.ts'
export { entityScore, entitySpans } from './span.ts'
export type { MonitorConfig, MonitorState } from './monitor.ts'
export { initMonitor, monitor } from './monitor.ts'
export * from './objective/index.ts'
export * from './optimizer/index.ts'
export type { Portion } from './portion.ts'
export { accuracyPortion, lossPortion } from './portion.ts'
export type { Mechanism, PrivacyRun, Spent } from './privacy.ts'
export { noiseFor, privacySpent, renyiDivergence } from './privacy.ts'
export type { PrivateConfig, PrivateMetrics, SampleConfig, SampledBatch } from './private.ts'
export { makePrivateStep, sampledBatches } from './private.ts'
export * as schedule from './schedule/index.ts'
export type { Schedule } from './schedule/index.ts'
export type {
  AccumulatingConfig,
  Kept,
  Metrics,
  Objective,
  Step,
  StepConfig,
  StepMetrics,
  TrainState,
} from './step.ts'
export { initState, makeAccumulatingStep, makeStep } from './step.ts'
