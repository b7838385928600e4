/**
 * Checkpoints: all that a run is, on disk, so that the resumed run is the same run bit for bit.
 *
 * A folder holds `checkpoint.json` (what it is, and the caller's own notes) and the tensors it names,
 * `state-….safetensors`. The tensors are written and on the disk before checkpoint.json is replaced, and that is one
 * rename: at any moment the folder is the old checkpoint or the new one.
 */
export { decodeState, encodeState, stateMetadata } from './bytes.ts'
export { hasCheckpoint, loadCheckpoint } from './load.ts'
export type { Checkpoint } from './load.ts'
export type { Notes } from './manifest.ts'
export { loadParams, saveParams } from './params.ts'
export { saveCheckpoint } from './save.ts'
export type { LoadOptions } from './tree.ts'
