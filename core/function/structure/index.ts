/** Functions that make, move and combine tensors without computing anything. */
export * from './broadcast.ts'
export * from './fill.ts'
export * from './join.ts'
export * from './order.ts'
export { expandDims, reshape, squeeze } from './shape.ts'
export type { SplitParts } from './slice.ts'
export { at, slice, sliceAxis, splitAxis } from './slice.ts'
