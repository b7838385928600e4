export type { WasmEngine, WasmOptions } from './engine.ts'
export { wasmEngine } from './engine.ts'
export { wasmKernels } from './listing.ts'
