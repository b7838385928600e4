/** Every primitive, by name: the one table from which tests and tools enumerate them. */
import { attention, attentionGradient } from './attention.ts'
import * as elementwise from './elementwise.ts'
import { logSoftmaxAt } from './entropy.ts'
import * as gathers from './gather.ts'
import { matmul } from './matmul.ts'
import * as reductions from './reduce.ts'
import * as rows from './row.ts'
import { argSort } from './sort.ts'
import * as structure from './structure.ts'

/**
 * Every primitive by its name: one record each, with its shape rule, derivative, batching rule and lowering.
 *
 * @example
 * ```ts
 * import { primitives } from 'pullback'
 * console.log(primitives.matmul.name, 'add' in primitives) // => matmul true
 * ```
 */
export const primitives: typeof elementwise &
  typeof gathers &
  typeof reductions &
  typeof rows &
  typeof structure & {
    readonly matmul: typeof matmul
    readonly argSort: typeof argSort
    readonly logSoftmaxAt: typeof logSoftmaxAt
    readonly attention: typeof attention
    readonly attentionGradient: typeof attentionGradient
  } = {
  ...elementwise,
  ...structure,
  ...reductions,
  ...rows,
  ...gathers,
  matmul,
  argSort,
  logSoftmaxAt,
  attention,
  attentionGradient,
}

export type PrimitiveName = keyof typeof primitives
