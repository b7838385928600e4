/**
 * Reduce launches: groups of threads over rows. A group holds `rows` rows of `lanes` threads each; the lanes of
 * a row share its elements, join what they found in the group's memory, and go on to the next fold or to the
 * outputs. Few long rows are folded in two steps, parts of rows first.
 */
import type { Dtype } from '../../dtype.ts'
import type { ReduceLaunch } from '../../program/index.ts'
import { sizeOf } from '../../program/index.ts'
import type { Context, Dispatch, WgslType } from '../shader.ts'
import type { PartFold } from './kernel.ts'
import { print } from './kernel.ts'
import type { Rows } from './row.ts'
import { foldsNeeded, rowsOf } from './row.ts'
import type { Shape } from './shape.ts'
import { enoughRows, powerAtLeast, shapeFor, threadPerRow } from './shape.ts'

/** Rows from this length on, if they are few, are folded in two steps. */
const longRow = 16384
const partLength = 4096
const fewGroups = 64

const partialDtype: Readonly<Record<WgslType, Dtype>> = { f32: 'float32', i32: 'int32', u32: 'uint32' }

/** Whether parts of rows can be folded apart: folds that need no other, and outputs that read no element. */
const divides = (rows: Rows, groups: number): boolean => {
  const { launch, inner } = rows
  const needs = foldsNeeded(rows)
  return (
    sizeOf(inner) >= longRow &&
    groups < fewGroups &&
    launch.folds.length > 0 &&
    launch.folds.every(({ value }) => needs[value] === 0) &&
    launch.outputs.every(({ over }) => over === 'outer')
  )
}

export const reduceDispatches = (launch: ReduceLaunch, context: Context): readonly Dispatch[] => {
  const count = sizeOf(launch.outer)
  if (count === 0) return []
  const rows = rowsOf(launch)
  const { outer, inner, operands, accumulators } = rows
  const alone = context.plain && count >= enoughRows
  const shape = alone ? threadPerRow : shapeFor(outer, inner, operands)
  if (alone || !divides(rows, Math.ceil(count / shape.rows)))
    return [print({ rows, shape, parts: 1, step: 'whole', partials: [] }, context)]
  const parts = Math.min(1024, Math.ceil(sizeOf(inner) / partLength))
  const partials = accumulators.map(({ type, seeks }): PartFold => ({
    values: context.scratch(partialDtype[type], count * parts),
    positions: seeks ? context.scratch('int32', count * parts) : undefined,
  }))
  const joinShape: Shape = { rows: 1, lanes: Math.min(64, powerAtLeast(parts)), lanesFirst: true }
  return [
    print({ rows, shape, parts, step: 'parts', partials }, context),
    print({ rows, shape: joinShape, parts, step: 'join', partials }, context),
  ]
}
