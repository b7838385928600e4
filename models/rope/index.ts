/** Rotary positions for texts longer than those that a model was trained on. */
export type { Rope } from './config.ts'
export { defaultRope, oneRope, ropeCodec } from './config.ts'
export { ropeAmplitude, ropeScaling } from './scaling.ts'
