/** Optimizers: pairs of pure functions that compose. */
export type { AdafactorConfig, AdafactorT5Config, FactoredConfig, FactoredState } from './adafactor.ts'
export { adafactor, adafactorT5, clipByRms, scaleByFactoredRms } from './adafactor.ts'
export type { AdamConfig, AdamState, AdamWConfig } from './adam.ts'
export { adam, adamW, scaleByAdam } from './adam.ts'
export type { AdamaxConfig, AdamaxScaleConfig, AdamaxState } from './adamax.ts'
export { adamax, scaleByAdamax } from './adamax.ts'
export type { AverageState } from './average.ts'
export { averagedParams, withAverage } from './average.ts'
export { clipByGlobalNorm, clipByValue, globalNorm, scaleToNorm } from './clip.ts'
export type { LionConfig, LionScaleConfig, LionState } from './lion.ts'
export { lion, scaleByLion } from './lion.ts'
export type { SgdConfig, TraceConfig, TraceState } from './momentum.ts'
export { sgd, trace } from './momentum.ts'
export type { MuonConfig, MuonMomentumConfig, MuonState, OrthogonalConfig } from './muon.ts'
export { meanGradient, muon, orthogonalise } from './muon.ts'
export type { NAdamConfig, NAdamScaleConfig, NAdamState } from './nadam.ts'
export { nAdam, scaleByNAdam } from './nadam.ts'
export type { RAdamConfig, RAdamScaleConfig } from './radam.ts'
export { rAdam, scaleByRAdam } from './radam.ts'
export type { RateState } from './rate.ts'
export { setRate, withRate } from './rate.ts'
export type {
  AdadeltaConfig,
  AdadeltaScaleConfig,
  AdadeltaState,
  AdagradConfig,
  AdagradScaleConfig,
  AdagradState,
  RmsConfig,
  RmsPropConfig,
  RmsState,
} from './rms.ts'
export { adadelta, adagrad, rmsProp, scaleByAdadelta, scaleByAdagrad, scaleByRms } from './rms.ts'
export type { Counted } from './scale.ts'
export { addDecayedWeights, scaleBy, scaleByLearningRate, scaleBySchedule } from './scale.ts'
export type { LambConfig, LarsConfig, TrustConfig } from './trust.ts'
export { lamb, lars, scaleByTrustRatio } from './trust.ts'
export type { Mask, Stateless, Transform } from './transform.ts'
export {
  andThen,
  applyUpdates,
  chain,
  exceptBiasAndNorm,
  grouped,
  identity,
  isMatrix,
  masked,
  stateless,
} from './transform.ts'
