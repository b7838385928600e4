/** Reductions, running folds, sorting and looking up. */
export type { ReduceOptions } from './fold.ts'
export { all, any, max, mean, min, prod, sum, variance } from './fold.ts'
export * from './position.ts'
export * from './running.ts'
export * from './sort.ts'
export { oneHot, take, takeAlongAxis } from './take.ts'
