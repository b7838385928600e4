/** Optimizers: pairs of pure functions that compose. */
export type { AdamConfig, AdamState, AdamWConfig } from './adam.ts'
export { adam, adamW, scaleByAdam } from './adam.ts'
export { clipByGlobalNorm, clipByValue, globalNorm, scaleToNorm } from './clip.ts'
export type { SgdConfig, TraceConfig, TraceState } from './momentum.ts'
export { sgd, trace } from './momentum.ts'
export type { Counted } from './scale.ts'
export { addDecayedWeights, scaleBy, scaleByLearningRate, scaleBySchedule } from './scale.ts'
export type { Mask, Stateless, Transform } from './transform.ts'
export {
  applyUpdates,
  chain,
  exceptBiasAndNorm,
  grouped,
  identity,
  isMatrix,
  masked,
  stateless,
  then,
} from './transform.ts'
