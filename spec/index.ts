/**
 * The law kit: property-based tests of gradients, for operations, layers and models of your own. Cases come from
 * fast-check arbitraries; a law that is broken throws under any test runner, with the smallest case found.
 */
export type { Composition, CompositionOptions } from './arbitrary/composition.ts'
export { compositions } from './arbitrary/composition.ts'
export type { LayerCase, LayerConfigOptions } from './arbitrary/layer.ts'
export { layerConfigs, layers } from './arbitrary/layer.ts'
export type { NumberOptions, Values } from './arbitrary/number.ts'
export type { Application } from './arbitrary/primitive.ts'
export { applications, primitiveNames } from './arbitrary/primitive.ts'
export type { ShapeOptions } from './arbitrary/shape.ts'
export { broadcastable, shapes, sizes } from './arbitrary/shape.ts'
export type { MaskOptions, TensorOptions } from './arbitrary/tensor.ts'
export { keys, masks, tensors } from './arbitrary/tensor.ts'
export { trees } from './arbitrary/tree.ts'
export type { Closeness } from './law/close.ts'
export { assertSame } from './law/close.ts'
export type { AnyFunction, DifferentiableOptions } from './law/differentiable.ts'
export {
  differentiable,
  differentiableAt,
  subdifferentiable,
  subdifferentiableAt,
  withSeed,
} from './law/differentiable.ts'
export type { Divergence, DivergenceOptions, Finding } from './law/divergence.ts'
export { firstDivergence, firstNonFinite, ulpsBetween } from './law/divergence.ts'
export {
  checkpointEqualsPlain,
  checkpointEqualsPlainAt,
  deterministic,
  deterministicAt,
  engineAgreement,
  enginesAgreeAt,
  jitEqualsEager,
  jitEqualsEagerAt,
  shapeRule,
  shapeRuleAt,
  vmapEqualsLoop,
  vmapEqualsLoopAt,
} from './law/evaluation.ts'
export type { Law } from './law/law.ts'
export { Violation, check, law } from './law/law.ts'
export type { Masked } from './law/layer.ts'
export {
  batchInvariant,
  batchInvariantAt,
  gradientFlow,
  gradientFlowAt,
  maskInvariant,
  maskInvariantAt,
  paddingInvariant,
  paddingInvariantAt,
} from './law/layer.ts'
export { leakFree, leakFreeAt } from './law/leak.ts'
export type { ScanStep } from './law/loop.ts'
export { scanEqualsUnrolled, scanEqualsUnrolledAt } from './law/loop.ts'
export { adjoint, adjointAt, linear, linearAt, symmetric, symmetricAt } from './law/linear.ts'
