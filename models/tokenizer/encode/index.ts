/** From text to tokens: segment → piece → text → special, and what is made of these steps. */
export { encode, encodeBatch } from './encode.ts'
export type { BatchInput, EncodeOptions } from './encode.ts'
export { encodeIds } from './id.ts'
export type { Input } from './text.ts'
export { encodeWindows } from './window.ts'
