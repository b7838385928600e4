export { readsOf, writesOf } from './access.ts'
export { attentionParts, attentionTargets } from './attention.ts'
export type { Control, LoopControl, Step, WhenControl, WhileControl } from './control.ts'
export { flatLaunches, insideOf, isControl, unrolled } from './control.ts'
export type { Rules } from './kind.ts'
export { byKind } from './kind.ts'
export type {
  AttentionGradientLaunch,
  AttentionLaunch,
  AttentionSite,
  CustomLaunch,
  Fold,
  FoldOp,
  FusedKind,
  Launch,
  MapLaunch,
  MatmulLaunch,
  ReduceLaunch,
  ScanLaunch,
  ScatterLaunch,
  SortLaunch,
} from './launch.ts'
export type { BufferSpec, Program } from './program.ts'
export type { BufferId, Indexed, Operand, Output, Strided, View } from './view.ts'
export { contiguous, sizeOf, viewsOf } from './view.ts'
