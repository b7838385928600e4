export type { Dtype, HostArray, HostArrays } from './dtype.ts'
export { bytesOf, dtypeOf, dtypes, hostArray, isFloating } from './dtype.ts'
export type { BinaryOp, Body, ScalarOp, UnaryOp } from './scalar.ts'
export {
  accepts,
  argsOf,
  binaryDtype,
  binaryOps,
  isWord,
  renameArgs,
  unaryDtype,
  unaryOps,
} from './scalar.ts'
export type {
  AttentionGradientLaunch,
  AttentionLaunch,
  AttentionSite,
  BufferId,
  BufferSpec,
  Control,
  CustomLaunch,
  Fold,
  FoldOp,
  FusedKind,
  Indexed,
  Launch,
  MapLaunch,
  MatmulLaunch,
  Operand,
  Output,
  Program,
  ReduceLaunch,
  ScanLaunch,
  ScatterLaunch,
  SortLaunch,
  Step,
  Strided,
  View,
} from './program/index.ts'
export {
  contiguous,
  flatLaunches,
  insideOf,
  isControl,
  readsOf,
  sizeOf,
  unrolled,
  writesOf,
} from './program/index.ts'
export type { Engine, Executable, Memory, Plan, Profiled } from './engine.ts'
export type { ChromeTrace, KernelRow, LaunchFact, Profile, Span } from './profile/index.ts'
export { chromeTrace, joinProfiles, kernelTable, launchFacts, renderProfile } from './profile/index.ts'
export type { MemoryPlan, Placement } from './plan/index.ts'
export { flopsOf, planMemory, programPlan } from './plan/index.ts'
export { ledger } from './ledger.ts'
export { printLaunch } from './javascript/launch.ts'
export { referenceEngine } from './reference.ts'
export { problemsOf, validate } from './validate.ts'
export type { WasmEngine, WasmOptions } from './wasm/index.ts'
export { wasmEngine, wasmKernels } from './wasm/index.ts'
export type { Block, GpuJsOptions, Mode as GpuJsMode, Wgsl } from './gpujs/index.ts'
export {
  glslKernels,
  gpuJsEngine,
  loadGpuJs,
  modes as gpuJsModes,
  openGpuJs,
  wgslBlock,
  wgslOf,
} from './gpujs/index.ts'
export type {
  Adapter,
  KernelText,
  ProductShape,
  Tile,
  TileTable,
  TuneOptions,
  WebGpuEngine,
  WebGpuOptions,
} from './webgpu/index.ts'
export {
  openWebGpu,
  prepareWebGpu,
  rememberedTiles,
  rememberTiles,
  tiles,
  tuneTiles,
  webGpuEngine,
  wgslKernels,
} from './webgpu/index.ts'
export type { EngineRow } from './registry.ts'
export { engines } from './registry.ts'
export type { Candidate, EngineChoice } from './choose.ts'
export { chooseEngine, chooseEngineAsync, engineFromEnvironment } from './choose.ts'
export type { Diagnosis, EngineReport, Machine } from './diagnose.ts'
export { diagnose, machine, renderDiagnosis } from './diagnose.ts'
