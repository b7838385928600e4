/** The public functions of tensors. Rules of primitives receive them as `Operations`. */
export { bind } from '../bind.ts'
export * from './arithmetic.ts'
export * from './attention.ts'
export * from './matrix.ts'
export * from './reduce.ts'
export * from './structure.ts'
