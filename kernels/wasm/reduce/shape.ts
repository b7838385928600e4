/** How rows are walked: which axes are those of the rows, which those within, and which one is made vectors. */
import type { ReduceLaunch } from '../../program/index.ts'
import type { Access, Axis } from '../space.ts'
import { axesOf, countOf, merged, ordered, vectorAxis, vectorCost, without } from '../space.ts'
import { isPosition } from './pass.ts'

export interface Shape {
  readonly mode: 'across' | 'beside'
  /** The axes that ranges of the kernel run over, without the one that is made vectors if `beside`. */
  readonly rows: readonly Axis[]
  /** The axes of a row, without the one that is made vectors if `across`. */
  readonly inner: readonly Axis[]
  readonly vector: Axis
}

export const shapeOf = (
  { outer, inner, folds }: ReduceLaunch,
  list: readonly Access[],
  targets: readonly number[],
  lanes: number,
): Shape => {
  const weights = list.map((_, id) => (targets.includes(id) ? 2 : 1))
  const still = list.map(() => 0)
  const rows = merged(ordered(axesOf(outer, list), weights))
  const raw = axesOf(inner, list, outer.length)
  const inOrder = folds.some(isPosition)
  const empty = inner.includes(0)
  const within = empty ? [{ size: 0, strides: still }] : merged(inOrder ? raw : ordered(raw, weights))
  const last =
    within.length === 0 ? undefined : inOrder || empty ? within.length - 1 : vectorAxis(within, list, lanes)
  const best = vectorAxis(rows, list, lanes)
  const total = countOf(within)
  const perRow = (20 + 20 * folds.length) / Math.max(1, total / lanes)
  const across = empty ? 2 : vectorCost(last === undefined ? undefined : within[last], list, lanes) + perRow
  const beside = vectorCost(best === undefined ? undefined : rows[best], list, lanes)
  if (best !== undefined && beside < across)
    return { mode: 'beside', rows: without(rows, best), inner: within, vector: rows[best] as Axis }
  const vector = last === undefined ? { size: 1, strides: still } : (within[last] as Axis)
  return { mode: 'across', rows, inner: last === undefined ? [] : without(within, last), vector }
}
