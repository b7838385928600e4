export type { WasmOptions } from './engine.ts'
export { wasmEngine } from './engine.ts'
